import { loadKernelCode, startKernel, type Kernel } from '../../matchers/scan/kernel.ts'

/** Where the bytes are written that it looks at: its own data lies below. */
const textAt = 65_536
const pageBytes = 65_536
/** It reads so far behind the end. */
const behind = 64

/** Counts lines by our own code in WebAssembly, sixteen bytes at a time: in JavaScript that would take as long as all else. */
export class LineCounter {
  #kernel: Kernel | null = null
  #memory: WebAssembly.Memory | null = null

  /** How many lines these bytes are, which end with a newline; null: one is longer than `longest`. */
  count(bytes: Uint8Array, longest: number): number | null {
    const memory = this.#room(bytes.length)
    const kernel = (this.#kernel ??= startKernel(loadKernelCode(), memory))
    new Uint8Array(memory.buffer).set(bytes, textAt)
    const end = textAt + bytes.length
    return kernel.hasLongLine(textAt, end, longest) ? null : kernel.newlines(textAt, end)
  }

  #room(bytes: number): WebAssembly.Memory {
    const pages = Math.ceil((textAt + bytes + behind) / pageBytes)
    if (this.#memory !== null && this.#memory.buffer.byteLength >= pages * pageBytes) return this.#memory
    this.#kernel = null
    return (this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages }))
  }
}
