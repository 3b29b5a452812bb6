/**
 * The lines of a block of a log, one after the other. What can be said of all lines at once is asked of the whole block,
 * natively: which have a word that all matches have, and which hold more than ASCII. Of the others only the date is read,
 * since dates are found by those before them, and as nearly all are it is read by its columns, without a string of its own.
 */
import { isAscii } from 'node:buffer'
import type { DecodeLine } from './line-decoding.ts'
import type { LineDates } from './line-dates.ts'
import type { LineHit } from './line-hit.ts'
import type { Moment } from './moment.ts'
import type { SingleLines } from './single-lines.ts'

/** Whole lines that follow one another: those of `bytes` from `start` to `end`. */
export interface LogBlock {
  readonly bytes: Buffer
  /** The bytes as Latin-1. */
  readonly text: string
  readonly start: number
  /** Behind a newline. */
  readonly end: number
}

/** How a block is looked through. */
export interface BlockReading {
  /** Of all its lines, which must have a date of their own: `time` is null. */
  readonly moment: Moment
  readonly decode: DecodeLine
  /** Empty lines and those that begin with # are not looked at. */
  readonly withoutComments?: boolean
  /** Whether a session is remembered: see `SingleLines.findDated`. */
  readonly knows?: (session: string) => boolean
  /** Before a line is searched. `end` is behind its newline, here and below. */
  readonly begins?: (start: number, end: number) => void
  readonly found: (hit: LineHit, start: number, end: number) => void
  /** What a search threw; left out, it is thrown. */
  readonly failed?: (error: unknown, start: number, end: number) => void
}

/** What a filter does with a line. */
export interface LineSearch {
  readonly dates: LineDates
  /** Lines in which it finds nothing have no hit; null: all may have one. */
  readonly candidate: RegExp | null
  /** Null: lines are not looked at one by one. */
  readonly single: SingleLines | null
  /** All that is to be found in a line. */
  find(line: string, moment: Moment, isAscii: boolean): readonly LineHit[]
  /** The same, where `dates` has just read the date, of this length. */
  findBehind(line: string, dateLength: number, moment: Moment): readonly LineHit[]
}

export class BlockLines {
  readonly #search: LineSearch
  readonly #candidate: RegExp | null
  readonly #beyondAscii = /[\x80-\xff]/g

  constructor(search: LineSearch) {
    this.#search = search
    this.#candidate = search.candidate && new RegExp(search.candidate, 'g')
  }

  /** Looks through a block. Answers how many lines were looked at. */
  scan({ bytes, text, start, end }: LogBlock, reading: BlockReading): number {
    let lines = 0
    let word = nextIn(this.#candidate, text, start)
    let strange = isAscii(bytes.subarray(start, end)) ? Infinity : nextIn(this.#beyondAscii, text, start)
    for (let at = start; at < end;) {
      const newline = text.indexOf('\n', at)
      const isPlain = strange > newline
      if (reading.withoutComments !== true || !isComment(text, at, newline)) {
        lines++
        try {
          if (isPlain) this.#look(text, at, newline, word < newline, reading)
          else this.#find(reading.decode(bytes.subarray(at, newline)), at, newline, false, reading)
        } catch (error) {
          if (reading.failed === undefined) throw error
          reading.failed(error, at, newline + 1)
        }
      }
      at = newline + 1
      if (word < at) word = nextIn(this.#candidate, text, at)
      if (!isPlain) strange = nextIn(this.#beyondAscii, text, at)
    }
    return lines
  }

  /** A line in ASCII. */
  #look(text: string, at: number, newline: number, isCandidate: boolean, reading: BlockReading): void {
    const { dates, single } = this.#search
    const { moment } = reading
    const length = single === null && isCandidate ? 0 : dates.readUsual(text, at, moment)
    // Where a date is cut out of the midst of a line, a word may come to be.
    if (length === 0) return this.#find(text.slice(at, newline), at, newline, true, reading)
    if (single === null || !isCandidate || length < 0) return
    reading.begins?.(at, newline + 1)
    const end = endOf(text, at, newline)
    const rest = end === newline ? text.slice(at + length, newline + 1) : `${text.slice(at + length, end)}\n`
    const hit = single.findDated(rest, reading.knows ?? null)
    if (hit === null) return
    const line = text.slice(at, end)
    if (hit !== 'other') {
      const { rule, groups } = hit
      return reading.found({ rule, time: dates.usualTime, groups, lines: [line] }, at, newline + 1)
    }
    for (const one of this.#search.findBehind(line, length, moment)) reading.found(one, at, newline + 1)
  }

  #find(text: string, at: number, newline: number, isAscii: boolean, reading: BlockReading): void {
    reading.begins?.(at, newline + 1)
    const line = text.slice(0, endOf(text, 0, text.length))
    for (const hit of this.#search.find(line, reading.moment, isAscii)) reading.found(hit, at, newline + 1)
  }
}

const carriageReturn = 13

/** Where the line ends that stands before this newline: before returns. */
function endOf(text: string, at: number, newline: number): number {
  let end = newline
  while (end > at && text.charCodeAt(end - 1) === carriageReturn) end--
  return end
}

function isComment(text: string, at: number, newline: number): boolean {
  const first = text.charCodeAt(at)
  return first === hash || at === newline || (first === carriageReturn && endOf(text, at, newline) === at)
}

const hash = 0x23

/** The place of the last character of the next thing that is found; -1: nothing is looked for. */
function nextIn(search: RegExp | null, text: string, from: number): number {
  if (search === null) return -1
  search.lastIndex = from
  return search.test(text) ? search.lastIndex - 1 : Infinity
}
