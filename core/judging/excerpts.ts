import { lineText, maxExcerptBytes } from '../failure-rows.ts'

/**
 * Bytes before the text of an entry: pointer to the entry before it (8), length of the text (2), what found it (2),
 * its kind (1), padded to 16.
 */
const headerBytes = 16
/** A text; a line as it stands in its log; the pointer to an entry that has it. */
const kinds = { text: 0, bytes: 1, elsewhere: 2 } as const
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
  /** Made with the first line, and a view of it. */
  #ring: Buffer | null = null
  #view = noView
  /** Of the bytes of the line that was added last. */
  #from = noView
  #keeps = true
  /** The line as it stood in its log that was added last, and its entry. */
  readonly #last = { bytes: none, start: 0, pointer: 0 }
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
      this.#view = this.#from = noView
      this.#last.bytes = none
    }
    this.#keeps = keeps
  }

  /** Keeps a line in front of the chain `previous` (0 for none) and answers the new head of the chain. `rule` is below 65 536. */
  add(line: string, previous: number, rule = 0): number {
    if (!this.#keeps) return previous
    const ring = this.#makeRoom()
    return this.#enter(ring.write(line, this.#start + headerBytes, maxTextBytes), previous, rule, kinds.text)
  }

  /**
   * As `add`, for a line as it stands in its log, from `start` to `end`, at most `maxExcerptBytes`: its text is made
   * when somebody wants it. A line that was added just before, for another jail, is not kept a second time.
   */
  addBytes(bytes: Uint8Array, start: number, end: number, previous: number, rule: number): number {
    if (!this.#keeps) return previous
    const ring = this.#makeRoom()
    const text = this.#start + headerBytes
    const last = this.#last
    if (last.bytes === bytes && last.start === start && this.#holds(last.pointer)) {
      ring.writeDoubleLE(last.pointer, text)
      return this.#enter(8, previous, rule, kinds.elsewhere)
    }
    const length = Math.min(end - start, maxExcerptBytes)
    if (last.bytes !== bytes) this.#from = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#copy(ring, text, bytes, start, length)
    last.bytes = bytes
    last.start = start
    last.pointer = this.#enter(length, previous, rule, kinds.bytes)
    return last.pointer
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
      const line = this.#lineAt(ring, start)
      if (line === null) break
      lines.unshift({ line, rule: ring.readUInt16LE(start + 10) })
      at = ring.readDoubleLE(start)
    }
    return lines
  }

  /** Null where the line was kept elsewhere, and is overwritten there. */
  #lineAt(ring: Buffer, start: number): string | null {
    const text = ring.subarray(start + headerBytes, start + headerBytes + ring.readUInt16LE(start + 8))
    if (ring[start + 12] === kinds.text) return text.toString('utf8')
    if (ring[start + 12] === kinds.bytes) return lineText(text)
    const pointer = text.readDoubleLE(0)
    return this.#holds(pointer) ? this.#lineAt(ring, pointer % this.#bytes) : null
  }

  /** Makes sure that the next entry, however long, does not go over the end of the ring. */
  #makeRoom(): Buffer {
    if (this.#ring === null) {
      this.#ring = Buffer.alloc(this.#bytes)
      this.#view = new DataView(this.#ring.buffer, this.#ring.byteOffset, this.#bytes)
    }
    const { length } = this.#ring
    const at = this.#next % length
    if (at + maxEntry > length) this.#next += length - at
    return this.#ring
  }

  /** Where the next entry begins in the ring. */
  get #start(): number {
    return this.#next % this.#bytes
  }

  /** Four bytes at a time: a view of a line, to copy it at once, takes longer to make than that while lines are short. */
  #copy(ring: Buffer, to: number, bytes: Uint8Array, start: number, length: number): void {
    const from = this.#from
    const view = this.#view
    let at = 0
    for (; at + 4 <= length; at += 4) view.setUint32(to + at, from.getUint32(start + at))
    for (; at < length; at++) ring[to + at] = bytes[start + at] ?? 0
  }

  #enter(length: number, previous: number, rule: number, kind: number): number {
    const pointer = this.#next
    if (this.#ring === null) return previous
    const start = this.#start
    const view = this.#view
    view.setFloat64(start, previous, true)
    view.setUint16(start + 8, length, true)
    view.setUint16(start + 10, rule, true)
    view.setUint8(start + 12, kind)
    this.#next += Math.ceil((headerBytes + length) / 16) * 16
    return pointer
  }

  #holds(pointer: number): boolean {
    return pointer > 0 && pointer < this.#next && pointer + this.#bytes >= this.#next + maxEntry
  }
}

const none: Uint8Array = new Uint8Array(0)
const noView: DataView = new DataView(new ArrayBuffer(0))
