/**
 * The lines of a block of a log, one after the other. What can be said of all lines at once is asked of the whole block,
 * natively: which have a word that all matches have, and which hold more than ASCII. Of the others only the date is read,
 * since dates are found by those before them, and as nearly all are it is read by its columns, without a string of its own.
 * Large blocks go another way: `fast-blocks.ts`.
 */
import { isAscii } from 'node:buffer'
import type { DecodeLine } from './line-decoding.ts'
import { BlockKernel, type BlockPatterns } from '../blocks/block-kernel.ts'
import { FastBlocks } from './fast-blocks.ts'
import type { LineHit } from './line-hit.ts'
import type { Moment } from './moment.ts'
import { endOf, LineLook, type LineSearch } from './line-look.ts'

/** Whole lines that follow one another: those of `bytes` from `start` to `end`. */
export interface LogBlock {
  readonly bytes: Buffer
  /** The bytes as Latin-1; it may be made when it is asked for. */
  readonly text: string
  readonly start: number
  /** Behind a newline. */
  readonly end: number
}

/** The sessions of which something is remembered. */
export interface KnownSessions {
  knows(session: string): boolean
  /** All of them, and maybe others. */
  keys(): Iterable<string>
  /** As `Sessions.open`. */
  open(session: string, line: () => LineHit): void
}

/** How a block is looked through. */
export interface BlockReading {
  /** Of all its lines, which must have a date of their own: `time` is null. */
  readonly moment: Moment
  readonly decode: DecodeLine
  /** Empty lines and those that begin with # are not looked at. */
  readonly withoutComments?: boolean
  /**
   * What is remembered of sessions: then lines that end one of which nothing is are no hits, and those
   * that only open one are told to it.
   */
  readonly sessions?: KnownSessions
  /** Before a line is searched. `end` is behind its newline, here and below. */
  readonly begins?: (start: number, end: number) => void
  readonly found: (hit: LineHit, start: number, end: number) => void
  /** What a search threw; left out, it is thrown. */
  readonly failed?: (error: unknown, start: number, end: number) => void
}

/** What the lines of blocks are passed over by. */
export interface BlockSearch extends LineSearch {
  /** Lines in which it finds nothing have no hit; null: all may have one. */
  readonly candidate: RegExp | null
  /** What the kernel passes lines over by; null: it is not asked. */
  readonly patterns: BlockPatterns | null
  /** Bytes of a block from which on it is. */
  readonly largeBlock: number
}

export class BlockLines {
  readonly #search: BlockSearch
  readonly #look: LineLook
  readonly #candidate: RegExp | null
  readonly #beyondAscii = /[\x80-\xff]/g
  /** Made when the first large block comes. */
  #fast: FastBlocks | null = null

  constructor(search: BlockSearch) {
    this.#search = search
    this.#look = new LineLook(search)
    this.#candidate = search.candidate && new RegExp(search.candidate, 'g')
  }

  /** Looks through a block. Answers how many lines were looked at. Texts of hits have memory of their own. */
  scan(block: LogBlock, reading: BlockReading): number {
    const { patterns, largeBlock } = this.#search
    if (patterns === null || block.end - block.start < largeBlock || reading.moment.time !== null)
      return this.#scan(block, reading)
    const sample = block.bytes.subarray(block.start, block.end)
    this.#fast ??= new FastBlocks(new BlockKernel(patterns, sample), this.#search, {
      look: this.#look,
      scan: (part, given) => this.#scan(part, given),
    })
    return this.#fast.scan(block, reading)
  }

  #scan({ bytes, text, start, end }: LogBlock, reading: BlockReading): number {
    const { dates } = this.#search
    let lines = 0
    let word = nextIn(this.#candidate, text, start)
    let strange = isAscii(bytes.subarray(start, end)) ? Infinity : nextIn(this.#beyondAscii, text, start)
    for (let at = start; at < end;) {
      const newline = text.indexOf('\n', at)
      const isPlain = strange > newline
      if (reading.withoutComments !== true || !isComment(text, at, newline)) {
        lines++
        if (!isPlain) this.#look.at(bytes, at, newline, reading)
        // Where a date is cut out of the midst of a line, a word may come to be.
        else if (word < newline || dates.readUsual(text, at, reading.moment) === 0)
          this.#look.atAscii(bytes, at, newline, reading)
      }
      at = newline + 1
      if (word < at) word = nextIn(this.#candidate, text, at)
      if (!isPlain) strange = nextIn(this.#beyondAscii, text, at)
    }
    return lines
  }
}

/** Whether a line is empty, or begins with #. */
export function isComment(text: string, at: number, newline: number): boolean {
  const first = text.charCodeAt(at)
  return first === hash || at === newline || (first === carriageReturn && endOf(text, at, newline) === at)
}

const hash = 0x23
const carriageReturn = 13

/** The place of the last character of the next thing that is found; -1: nothing is looked for. */
function nextIn(search: RegExp | null, text: string, from: number): number {
  if (search === null) return -1
  search.lastIndex = from
  return search.test(text) ? search.lastIndex - 1 : Infinity
}
