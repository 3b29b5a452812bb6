/**
 * Some bytes of a line. Nothing is copied: what is cut out of a text is another text that stands in the same line. A text
 * that is not there (`isMissing`) gives only texts that are not there, so a chain of calls needs one look at its end. Good
 * until `match` returns.
 */
export class Text {
  /** Addresses in memory: of the first byte, and of the one behind the last. */
  from: usize = 0
  to: usize = 0

  get length(): i32 {
    return <i32>(this.to - this.from)
  }

  get isMissing(): bool {
    return this.from == 0
  }

  get isEmpty(): bool {
    return this.from == this.to
  }

  /** The byte at this place; -1 where there is none. */
  at(index: i32): i32 {
    return index < 0 || index >= this.length ? -1 : <i32>load<u8>(this.from + index)
  }

  /** Whether it is exactly this text. Texts of a program are compared byte by byte, so they must be ASCII. */
  is(text: string): bool {
    return this.length == text.length && !this.isMissing && same(this.from, text)
  }

  startsWith(text: string): bool {
    return this.length >= text.length && !this.isMissing && same(this.from, text)
  }

  endsWith(text: string): bool {
    return this.length >= text.length && !this.isMissing && same(this.to - text.length, text)
  }

  contains(text: string): bool {
    return this.find(text) >= 0
  }

  /** Where the text stands first; -1: it does not. */
  find(text: string): i32 {
    const length = text.length
    if (this.isMissing || length > this.length) return -1
    if (length == 0) return 0
    const last = this.to - length
    const first = <u8>text.charCodeAt(0)
    for (let at = this.from; at <= last; at++) {
      if (load<u8>(at) == first && same(at, text)) return <i32>(at - this.from)
    }
    return -1
  }

  /** Where the text stands last; -1: it does not. */
  findLast(text: string): i32 {
    const length = text.length
    if (this.isMissing || length > this.length) return -1
    for (let at = this.to - length; at >= this.from; at--) if (same(at, text)) return <i32>(at - this.from)
    return -1
  }

  /** What stands before this text, all of it where it does not stand there. */
  before(text: string): Text {
    const at = this.find(text)
    return at < 0 ? this : cut(this.from, this.from + at)
  }

  /** What stands behind this text; missing where it does not stand there. */
  after(text: string): Text {
    const at = this.find(text)
    return at < 0 ? missing : cut(this.from + at + text.length, this.to)
  }

  /** What stands behind the last of this text; missing where it does not stand there. */
  afterLast(text: string): Text {
    const at = this.findLast(text)
    return at < 0 ? missing : cut(this.from + at + text.length, this.to)
  }

  /** The part with this number, from 0, of those that the byte separates; missing where there are fewer. */
  field(separator: string, number: i32): Text {
    if (this.isMissing) return missing
    const wanted = <u8>separator.charCodeAt(0)
    let left = number
    let first = this.from
    for (let at = first; at < this.to; at++) {
      if (load<u8>(at) != wanted) continue
      if (left-- == 0) return cut(first, at)
      first = at + 1
    }
    return left == 0 ? cut(first, this.to) : missing
  }

  /** The bytes from `start` (inclusive) to `end` (exclusive), as far as they are there. */
  slice(start: i32, end: i32 = i32.MAX_VALUE): Text {
    if (this.isMissing) return missing
    const from = this.from + min(max(start, 0), this.length)
    return cut(from, max(from, this.from + min(max(end, 0), this.length)))
  }

  /** Without blanks at both ends. */
  trim(): Text {
    if (this.isMissing) return missing
    let from = this.from
    let to = this.to
    while (from < to && isBlank(load<u8>(from))) from++
    while (to > from && isBlank(load<u8>(to - 1))) to--
    return cut(from, to)
  }

  /** The whole number in decimal digits that it is; -1: it is none, or too large. */
  number(): i64 {
    if (this.isMissing || this.isEmpty || this.length > 18) return -1
    let value: i64 = 0
    for (let at = this.from; at < this.to; at++) {
      const digit = <i64>load<u8>(at) - 48
      if (digit < 0 || digit > 9) return -1
      value = value * 10 + digit
    }
    return value
  }

  /** A copy as a string of the language, byte by byte where it is ASCII. It costs more than all else here. */
  toString(): string {
    return String.UTF8.decodeUnsafe(this.from, this.to - this.from)
  }
}

/** The bytes between two addresses, in one of a number of texts that are used again for each line. */
export function cut(from: usize, to: usize): Text {
  const text = used < kept ? unchecked(texts[used++]) : new Text()
  text.from = from
  text.to = to
  return text
}

/** The texts of the line before are no longer needed. */
export function forgetTexts(): void {
  used = 0
}

/** What is not there. */
export const missing = new Text()

const kept = 64
const texts = made()
let used = 0

function made(): StaticArray<Text> {
  const all = new StaticArray<Text>(kept)
  for (let index = 0; index < kept; index++) all[index] = new Text()
  return all
}

function same(at: usize, text: string): bool {
  const end = <usize>text.length
  const characters = changetype<usize>(text)
  for (let index: usize = 0; index < end; index++) {
    if (<u16>load<u8>(at + index) != load<u16>(characters + (index << 1))) return false
  }
  return true
}

function isBlank(byte: u8): bool {
  return byte == 32 || byte == 9
}
