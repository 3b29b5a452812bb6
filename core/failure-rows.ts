/**
 * What matching tells the judge, as numbers and bytes: a thread hands both over without a copy, and nobody makes a text
 * of what nobody reads. A row is a failure that some jails count; its line is kept as it stands in the log.
 */
import { isAscii } from 'node:buffer'
import type { Address } from './address.ts'
import { readKey } from './address-words.ts'
import { printable } from './errors.ts'
import type { FailureRows } from './events.ts'

/** Words of a row. */
export const rowWords = 16
/** Behind the four words of the address, as `writeKey` writes it, two doubles: the time (NaN: none) and the offset. */
export const rowTime = 2
export const rowOffset = 3
/** Which of the targets; which failregex; how many failures each line stands for; how many lines the row stands for. */
export const rowTarget = 8
export const rowRule = 9
export const rowAttempts = 10
export const rowLines = 11
/** What names the session, 53 bits of a hash (both 0: nothing); the highest bit of the first says whether the match is a `once`. */
export const rowSession = 12
export const rowOnce = 0x8000_0000
/** The first and the last of the row's texts, + 1. */
export const rowFirstText = 14
export const rowLastText = 15
/** Words of a text: its first byte, the byte behind its last, and the row's next text + 1 (0: none). */
export const textWords = 3

/** Characters of a line that are kept. */
export const maxExcerpt = 512
/** As many bytes as make these for sure, and one character more: what is cut in two is none of them. */
export const maxExcerptBytes = 3 * maxExcerpt + 4

/** Rows without any. */
export const noRows: FailureRows = {
  targets: [],
  words: new Uint32Array(0),
  spans: new Uint32Array(0),
  texts: new Uint8Array(0),
}

/** Failures that rows stand for, those of several jails once. */
export function countRows({ words }: FailureRows): number {
  let count = 0
  for (let at = 0; at < words.length; at += rowWords) count += words[at + rowLines] ?? 0
  return count
}

/** The same rows, in memory of their own. */
export function ownRows({ targets, words, spans, texts }: FailureRows): FailureRows {
  return { targets, words: words.slice(), spans: spans.slice(), texts: texts.slice() }
}

/** The rows of two pieces that follow one another. */
export function joinRows(first: FailureRows, second: FailureRows): FailureRows {
  if (first.words.length === 0) return second
  if (second.words.length === 0) return first
  const words = joined(first.words, second.words)
  const spans = joined(first.spans, second.spans)
  const texts = Buffer.concat([first.texts, second.texts])
  const before = first.spans.length / textWords
  for (let at = first.words.length; at < words.length; at += rowWords) {
    words[at + rowTarget] = (words[at + rowTarget] ?? 0) + first.targets.length
    for (const text of [rowFirstText, rowLastText])
      if (words[at + text] !== 0) words[at + text] = (words[at + text] ?? 0) + before
  }
  for (let at = first.spans.length; at < spans.length; at += textWords) {
    spans[at] = (spans[at] ?? 0) + first.texts.length
    spans[at + 1] = (spans[at + 1] ?? 0) + first.texts.length
    if (spans[at + 2] !== 0) spans[at + 2] = (spans[at + 2] ?? 0) + before
  }
  return { targets: [...first.targets, ...second.targets], words, spans, texts }
}

/** The same rows, all of them so many bytes later. */
export function movedRows(rows: FailureRows, bytes: number): FailureRows {
  const words = rows.words.slice()
  const doubles = new Float64Array(words.buffer)
  for (let at = 0; at < words.length; at += rowWords)
    doubles[at / 2 + rowOffset] = (doubles[at / 2 + rowOffset] ?? 0) + bytes
  return { ...rows, words }
}

/** How many bytes of a line are kept: those of `maxExcerpt` characters, or some more where that takes a look at each. */
export function excerptBytes(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (length <= maxExcerpt) return length
  return isAscii(bytes.subarray(start, start + maxExcerpt)) ? maxExcerpt : Math.min(length, maxExcerptBytes)
}

/** The text of a line that stands as bytes in a log: without what ends it, cut to 512 characters, printable. */
export function lineText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const text = isAscii(buffer) ? buffer.toString('latin1') : buffer.toString('utf8')
  const start = text.charCodeAt(0) === byteOrderMark ? 1 : 0
  return printable(text.slice(start, start + maxExcerpt)).slice(0, maxExcerpt)
}

/** One row at a time, and of its lines one at a time. What it answers holds until the next one. */
export class RowCursor {
  readonly words: Uint32Array
  readonly #rows: FailureRows
  readonly #doubles: Float64Array
  #at = -rowWords
  #target = -1
  #jails: readonly string[] = []
  #text = 0
  #address: Address | null = null

  constructor(rows: FailureRows) {
    this.#rows = rows
    this.words = rows.words
    this.#doubles = new Float64Array(rows.words.buffer, rows.words.byteOffset, rows.words.length / 2)
  }

  /** Goes to the next row; false behind the last. */
  next(): boolean {
    this.#at += rowWords
    if (this.#at >= this.words.length) return false
    this.#address = null
    this.#text = this.words[this.#at + rowFirstText] ?? 0
    const target = this.words[this.#at + rowTarget] ?? 0
    if (target !== this.#target) {
      this.#target = target
      this.#jails = this.#rows.targets[target]?.jails ?? []
    }
    return true
  }

  /** Goes to the row's next line; the last one stays. */
  nextLine(): void {
    this.#text = this.#rows.spans[(this.#text - 1) * textWords + 2] || this.#text
  }

  /** Where the row is: its address are the four words from here on. */
  get at(): number {
    return this.#at
  }

  get address(): Address {
    return (this.#address ??= readKey(this.words, this.#at))
  }

  /** The time written in the line; null where it has none. */
  get time(): number | null {
    const time = this.#doubles[(this.#at >> 1) + rowTime] ?? NaN
    return Number.isNaN(time) ? null : time
  }

  get offset(): number {
    return this.#doubles[(this.#at >> 1) + rowOffset] ?? 0
  }

  get filter(): string {
    return this.#rows.targets[this.#target]?.filter ?? ''
  }

  /** The jails that count it. */
  get jails(): readonly string[] {
    return this.#jails
  }

  /** See `RowTarget`. */
  get sessions(): string {
    return this.#rows.targets[this.#target]?.sessions ?? ''
  }

  get rule(): number {
    return this.words[this.#at + rowRule] ?? 0
  }

  get attempts(): number {
    return this.words[this.#at + rowAttempts] ?? 1
  }

  get lines(): number {
    return this.words[this.#at + rowLines] ?? 1
  }

  get hasSession(): boolean {
    return this.sessionHigh !== 0 || this.sessionLow !== 0
  }

  get sessionHigh(): number {
    return (this.words[this.#at + rowSession] ?? 0) & ~rowOnce
  }

  get sessionLow(): number {
    return this.words[this.#at + rowSession + 1] ?? 0
  }

  get once(): boolean {
    return ((this.words[this.#at + rowSession] ?? 0) & rowOnce) !== 0
  }

  /** The line as it stands in the log, at most `maxExcerptBytes` of it, is in these bytes, from `textStart` to `textEnd`. */
  get texts(): Uint8Array {
    return this.#rows.texts
  }

  get textStart(): number {
    return this.#rows.spans[(this.#text - 1) * textWords] ?? 0
  }

  get textEnd(): number {
    return this.#rows.spans[(this.#text - 1) * textWords + 1] ?? 0
  }

  /** The line as people read it: see `lineText`. */
  get line(): string {
    return lineText(this.texts.subarray(this.textStart, this.textEnd))
  }
}

function joined(first: Uint32Array, second: Uint32Array): Uint32Array {
  const both = new Uint32Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

const byteOrderMark = 0xfeff
