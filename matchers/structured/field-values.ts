/** What a value is. Strings may hold escapes, or bytes beyond ASCII, or both; then they are decoded when asked for. */
export const kinds = {
  none: 0,
  string: 1,
  escaped: 2,
  wide: 3,
  wideEscaped: 4,
  integer: 5,
  number: 6,
  word: 7,
  list: 8,
  map: 9,
} as const

/** A value of `kinds`. */
export type Kind = (typeof kinds)[keyof typeof kinds]

/** Decodes a string with escapes, without its quotes. */
export type Unescape = (text: string) => string

/**
 * The values of the wanted fields of one line, as spans of its bytes. Texts are made when they are asked for:
 * for most lines the first condition already fails on the bytes.
 */
export class FieldValues {
  /** The bytes in which the spans lie, and the same as Latin-1 text. */
  bytes: Buffer = Buffer.alloc(0)
  text = ''
  readonly #unescape: Unescape
  readonly #kinds: Uint8Array
  readonly #starts: Int32Array
  readonly #ends: Int32Array
  readonly #texts: (string | null)[]

  constructor(slots: number, unescape: Unescape) {
    this.#unescape = unescape
    this.#kinds = new Uint8Array(slots)
    this.#starts = new Int32Array(slots)
    this.#ends = new Int32Array(slots)
    this.#texts = Array.from({ length: slots }, () => null)
  }

  clear(): void {
    // A loop: there are few, and `fill` costs more than they do.
    for (let slot = 0; slot < this.#kinds.length; slot++) {
      this.#kinds[slot] = kinds.none
      this.#texts[slot] = null
    }
  }

  set(slot: number, kind: Kind, start: number, end: number): void {
    this.#kinds[slot] = kind
    this.#starts[slot] = start
    this.#ends[slot] = end
    this.#texts[slot] = null
  }

  has(slot: number): boolean {
    return this.#kinds[slot] !== kinds.none
  }

  /** Whether the value is a list. */
  isList(slot: number): boolean {
    return this.#kinds[slot] === kinds.list
  }

  /** Whether the value is, as text, exactly this one; `bytes` are its UTF-8. */
  equals(slot: number, bytes: Uint8Array, text: string): boolean {
    const kind = this.#kinds[slot]
    if (kind !== kinds.string && kind !== kinds.integer && kind !== kinds.word) return this.textOf(slot) === text
    const start = this.#starts[slot] ?? 0
    if ((this.#ends[slot] ?? 0) - start !== bytes.length) return false
    for (let at = 0; at < bytes.length; at++) if (this.bytes[start + at] !== bytes[at]) return false
    return true
  }

  /** The value as text; null where there is none, or it is a list or map. */
  textOf(slot: number): string | null {
    const kind = (this.#kinds[slot] ?? kinds.none) as Kind
    if (kind === kinds.none || kind >= kinds.list) return null
    const text = this.#texts[slot] ?? this.#decode(kind, this.#starts[slot] ?? 0, this.#ends[slot] ?? 0)
    this.#texts[slot] = text
    return text
  }

  /** The texts of the elements of a list that have one; none where it holds what the reader passed over unseen. */
  elementsOf(slot: number): string[] {
    const list = parsedList(this.bytes.toString('utf8', this.#starts[slot], this.#ends[slot]))
    return list.flatMap((one) => (one === null || typeof one === 'object' ? [] : [String(one)]))
  }

  #decode(kind: Kind, start: number, end: number): string {
    if (kind === kinds.wide || kind === kinds.wideEscaped) {
      const text = this.bytes.toString('utf8', start, end)
      return kind === kinds.wide ? text : this.#unescape(text)
    }
    const text = this.text.slice(start, end)
    if (kind === kinds.escaped) return this.#unescape(text)
    if (kind !== kinds.number) return text
    const value = Number(text)
    return Number.isFinite(value) ? String(value) : text
  }
}

/** A control character in a string is found only when the line matches (`JsonReader.isClean`). */
function parsedList(text: string): readonly unknown[] {
  try {
    return JSON.parse(text) as unknown[]
  } catch {
    return []
  }
}
