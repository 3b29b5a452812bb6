/** More of the WebAssembly JavaScript interface, which the types of Node 20 lack; see `matchers/scan/webassembly.d.ts`. */
declare namespace WebAssembly {
  const Instance: new (code: Module, imports: { readonly env: { readonly memory: Memory } }) => Instance
}
