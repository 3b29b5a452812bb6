import { ModuleFault } from './module-fault.ts'

/** Reads the binary format of WebAssembly. All throw a ModuleFault where the bytes end too early. */
export class ModuleReader {
  readonly #bytes: Uint8Array
  #at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.#at = at
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new ModuleFault('it ends too early')
    return byte
  }

  /** How many bytes were read. */
  get at(): number {
    return this.#at
  }

  skip(bytes: number): this {
    this.#at += bytes
    return this
  }

  /** An unsigned LEB128 number. */
  number(): number {
    let [value, factor] = [0, 1]
    for (;;) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
  }

  /** A signed LEB128 number; right up to 32 bits. */
  signed(): number {
    let [value, shift] = [0, 0]
    for (;;) {
      const byte = this.byte()
      if (shift < 32) value |= (byte & 0x7f) << shift
      shift += 7
      if (byte < 0x80) return shift < 32 && (byte & 0x40) !== 0 ? value | (-1 << shift) : value
    }
  }

  name(): string {
    return Buffer.from(this.part(this.number()).rest()).toString('utf8')
  }

  /** The next so many bytes, with a reader of their own. */
  part(bytes: number): ModuleReader {
    const start = this.#at
    if (start + bytes > this.#bytes.length) throw new ModuleFault('it ends too early')
    this.#at += bytes
    return new ModuleReader(this.#bytes.subarray(start, start + bytes))
  }

  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at)
  }
}
