/** Bytes before the text of an entry: pointer to the entry before it (8), length of the text (2), padded to 16. */
const headerBytes = 16
/** A line excerpt is 512 characters; UTF-8 makes at most three bytes of each. */
const maxTextBytes = 1536

/**
 * The last lines of every tracked address, in one ring of bytes: the newest overwrite the oldest,
 * whoever they belong to. Entries of one address are chained by pointers that only ever grow, so a
 * pointer to something overwritten is known to be stale.
 */
export class Excerpts {
  readonly #ring: Buffer
  /** Position of the next entry, counted on and on; 0 means "no entry". */
  #next = headerBytes

  /** `bytes` is the size of the ring, a multiple of 16, at least 4 KiB. */
  constructor(bytes: number) {
    this.#ring = Buffer.alloc(bytes)
  }

  /** Keeps a line in front of the chain `previous` (0 for none) and answers the new head of the chain. */
  add(line: string, previous: number): number {
    const room = headerBytes + maxTextBytes
    const at = this.#next % this.#ring.length
    if (at + room > this.#ring.length) this.#next += this.#ring.length - at
    const pointer = this.#next
    const start = pointer % this.#ring.length
    const length = this.#ring.write(line, start + headerBytes, maxTextBytes)
    this.#ring.writeDoubleLE(previous, start)
    this.#ring.writeUInt16LE(length, start + 8)
    this.#next += Math.ceil((headerBytes + length) / 16) * 16
    return pointer
  }

  /** The newest lines of a chain that are still there, at most `count`, oldest first. */
  last(pointer: number, count: number): string[] {
    const lines: string[] = []
    for (let at = pointer; this.#holds(at) && lines.length < count;) {
      const start = at % this.#ring.length
      const text = start + headerBytes
      lines.unshift(this.#ring.toString('utf8', text, text + this.#ring.readUInt16LE(start + 8)))
      at = this.#ring.readDoubleLE(start)
    }
    return lines
  }

  #holds(pointer: number): boolean {
    return pointer > 0 && pointer < this.#next && pointer + this.#ring.length >= this.#next + headerBytes + maxTextBytes
  }
}
