/** The part of the WebAssembly JavaScript interface that is used here, which the types of Node 20 lack. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
    static exports(module: Module): readonly { readonly name: string }[]
  }
  class Memory {
    constructor(pages: { readonly initial: number; readonly maximum: number })
    readonly buffer: ArrayBuffer
  }
  interface Instance {
    readonly exports: Record<string, unknown>
  }
  interface Table {
    readonly length: number
  }
}
