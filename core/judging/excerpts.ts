import { lineText, maxExcerptBytes } from '../failure-rows.ts'

/**
 * Bytes before the text of an entry: pointer to the entry before it (8), length of the text (2), what found it (2),
 * whether the text stands as in its log (1), padded to 16.
 */
const headerBytes = 16
/** A line excerpt is 512 characters; UTF-8 makes at most three bytes of each. */
const maxTextBytes = 1536
/** No entry is longer. */
const maxEntry = headerBytes + Math.max(maxTextBytes, maxExcerptBytes)

/** A line that was kept. */
export interface Excerpt {
  readonly line: string
  /** What found it: a number of whoever added it. */
  readonly rule: number
}

/**
 * The last lines of every tracked address, in one ring of bytes: the newest overwrite the oldest,
 * whoever they belong to. Entries of one address are chained by pointers that only ever grow, so a
 * pointer to something overwritten is known to be stale.
 */
export class Excerpts {
  readonly #bytes: number
  /** Made with the first line. */
  #ring: Buffer | null = null
  #keeps = true
  /** Position of the next entry, counted on and on; 0 means "no entry". */
  #next = headerBytes

  /** `bytes` is the size of the ring, a multiple of 16, at least 4 KiB. */
  constructor(bytes: number) {
    this.#bytes = bytes
  }

  /** Whether lines are kept. Without, what was kept is dropped and its memory given back. */
  keep(keeps: boolean): void {
    if (!keeps && this.#ring !== null) {
      this.#next += 2 * this.#bytes
      this.#ring = null
    }
    this.#keeps = keeps
  }

  /** Keeps a line in front of the chain `previous` (0 for none) and answers the new head of the chain. `rule` is below 65 536. */
  add(line: string, previous: number, rule = 0): number {
    if (!this.#keeps) return previous
    const ring = this.#makeRoom()
    return this.#enter(ring.write(line, this.#start + headerBytes, maxTextBytes), previous, rule, false)
  }

  /**
   * As `add`, for a line as it stands in its log, from `start` to `end`, at most `maxExcerptBytes`: its text is made
   * when somebody wants it.
   */
  addBytes(bytes: Uint8Array, start: number, end: number, previous: number, rule: number): number {
    if (!this.#keeps) return previous
    const ring = this.#makeRoom()
    const length = Math.min(end - start, maxExcerptBytes)
    const text = this.#start + headerBytes
    // A loop is quicker than a view of a line, to copy it at once, while lines are short.
    for (let at = 0; at < length; at++) ring[text + at] = bytes[start + at] ?? 0
    return this.#enter(length, previous, rule, true)
  }

  /** As `add`, for some lines, the oldest first. */
  addAll(lines: readonly string[], previous: number, rule: number): number {
    let head = previous
    for (const line of lines) head = this.add(line, head, rule)
    return head
  }

  /** The newest lines of a chain that are still there, at most `count`, oldest first. */
  last(pointer: number, count: number): Excerpt[] {
    const ring = this.#ring
    const lines: Excerpt[] = []
    if (ring === null) return lines
    for (let at = pointer; this.#holds(at) && lines.length < count;) {
      const start = at % ring.length
      const text = ring.subarray(start + headerBytes, start + headerBytes + ring.readUInt16LE(start + 8))
      const line = ring[start + 12] === 1 ? lineText(text) : text.toString('utf8')
      lines.unshift({ line, rule: ring.readUInt16LE(start + 10) })
      at = ring.readDoubleLE(start)
    }
    return lines
  }

  /** Makes sure that the next entry, however long, does not go over the end of the ring. */
  #makeRoom(): Buffer {
    this.#ring ??= Buffer.alloc(this.#bytes)
    const { length } = this.#ring
    const at = this.#next % length
    if (at + maxEntry > length) this.#next += length - at
    return this.#ring
  }

  /** Where the next entry begins in the ring. */
  get #start(): number {
    return this.#next % this.#bytes
  }

  #enter(length: number, previous: number, rule: number, isRaw: boolean): number {
    const pointer = this.#next
    const ring = this.#ring
    if (ring === null) return previous
    const start = this.#start
    ring.writeDoubleLE(previous, start)
    ring.writeUInt16LE(length, start + 8)
    ring.writeUInt16LE(rule, start + 10)
    ring[start + 12] = isRaw ? 1 : 0
    this.#next += Math.ceil((headerBytes + length) / 16) * 16
    return pointer
  }

  #holds(pointer: number): boolean {
    return pointer > 0 && pointer < this.#next && pointer + this.#bytes >= this.#next + maxEntry
  }
}
