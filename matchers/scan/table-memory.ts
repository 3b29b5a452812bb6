/** The memory of a scanner's kernel. It is made once, as large as its tables need, and never grows: views stay good. */
export class TableMemory {
  readonly memory: WebAssembly.Memory
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly u32: Uint32Array
  readonly f64: Float64Array
  readonly #end: number
  #next: number

  /** Room for so many bytes of tables, behind those that the kernel has itself. */
  constructor(bytes: number) {
    const pages = Math.ceil((firstFree + bytes) / pageBytes)
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const { buffer } = this.memory
    this.u8 = new Uint8Array(buffer)
    this.u16 = new Uint16Array(buffer)
    this.u32 = new Uint32Array(buffer)
    this.f64 = new Float64Array(buffer)
    this.#end = buffer.byteLength
    this.#next = firstFree
  }

  /** Where the next so many bytes are, on a border of 64. Throws when there are no more: the caller counted wrong. */
  take(bytes: number): number {
    const at = this.#next
    this.#next = roundedUp(at + bytes)
    if (this.#next > this.#end) throw new RangeError('the tables of the scanner do not fit its memory')
    return at
  }
}

/** How many bytes `take` uses up for so many. */
export function roundedUp(bytes: number): number {
  return (bytes + 63) & ~63
}

const pageBytes = 65_536
/** The kernel's own data lies below. */
const firstFree = 65_536
