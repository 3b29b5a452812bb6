import { isAscii } from 'node:buffer'
import { printable } from '../../errors.ts'
import type { FilterHit, LogChunk } from '../../events.ts'
import { DateForms } from '../dates/date-forms.ts'
import type { LogBlock } from './block-lines.ts'
import type { FilterTexts } from './filter-texts.ts'
import { lineDecoder, type DecodeLine } from './line-decoding.ts'
import { LineFilter, type FilterMemory } from './line-filter.ts'
import type { GroupValue, LineHit } from './line-hit.ts'
import type { Moment } from './moment.ts'

/** A jail of a Fail2ban tree, as threads get it. Plain data. */
export interface TreeJailSetup {
  readonly jail: string
  readonly texts: FilterTexts
  readonly findtimeSeconds: number
}

/** What a hit says, without its place. */
type FoundHit = Omit<FilterHit, 'jail' | 'log' | 'offset'>

/** Who hears of the lines of a block. `end` is behind the newline. */
export interface BlockEars {
  readonly begins: (start: number, end: number) => void
  readonly found: (hit: FoundHit, start: number) => void
  readonly failed: (error: unknown, start: number, end: number) => void
}

/** Characters of a line, and of what a group captured, that are kept. */
const longestLine = 512
const longestGroup = 2048
/** Lines without a date, for which all its forms are compiled: V8 does so for texts in ASCII, in Latin-1 and in others. */
const firstLines = ['-', 'é', '日'] as const
const noHits: readonly FoundHit[] = []

/** The lines of a jail in a thread: finds the hits of a log's chunks, with all that it remembers between them. */
export class JailLines {
  readonly jail: string
  readonly #texts: FilterTexts
  readonly #findtime: number
  readonly #filter: LineFilter
  readonly #decode: DecodeLine
  /** What a filter remembers that has seen no line. */
  readonly #nothing: FilterMemory
  #isPrepared = false

  /**
   * `forms`: the forms of dates, which the jails of a thread share. `prefiltered`: lines that cannot match are passed
   * over early, which changes no hit. Throws a BailiffError for a pattern or an encoding.
   */
  constructor({ jail, texts, findtimeSeconds }: TreeJailSetup, forms = new DateForms(), prefiltered = true) {
    this.jail = jail
    this.#texts = texts
    this.#findtime = findtimeSeconds
    this.#filter = new LineFilter(texts, { forms, prefiltered })
    this.#decode = lineDecoder(texts.encoding)
    this.#nothing = this.#filter.memory
  }

  /** Plain data, or null: nothing. */
  get memory(): FilterMemory | null {
    return this.#filter.memory
  }

  set memory(memory: FilterMemory | null) {
    this.#filter.memory = memory ?? this.#nothing
  }

  /** Has the dates and patterns compiled by lines of its own, once. */
  prepare(): void {
    if (this.#isPrepared) return
    this.#isPrepared = true
    const { memory } = this.#filter
    const moment: Moment = { now: 0, time: null, inOperation: true, findtime: this.#findtime }
    for (const line of firstLines) this.#filter.find(line, moment, isAscii(Buffer.from(line)))
    this.#filter.memory = memory
  }

  /**
   * The hits of whole lines that follow one another, as `look` finds them in each: `found` hears of them in order. `begins`
   * hears of a line before it is searched, and `failed` of one that takes too long.
   */
  scan(block: LogBlock, chunk: LogChunk, ears: BlockEars): void {
    const { bytes, text, start, end } = block
    if (this.#texts.journal) return this.#lookAtEach(block, chunk, ears)
    const { arrivedAt, live } = chunk
    const now = arrivedAt / 1000
    this.#filter.scan(
      { bytes, text, start, end },
      {
        moment: { now, time: null, inOperation: live, findtime: this.#findtime },
        decode: this.#decode,
        begins: ears.begins,
        found: (hit, at) => ears.found(filterHit(hit, now), at),
        failed: ears.failed,
      },
    )
  }

  /** Lines of the journal tell their times themselves. */
  #lookAtEach({ bytes, text, start, end }: LogBlock, chunk: LogChunk, ears: BlockEars): void {
    for (let at = start; at < end;) {
      const newline = text.indexOf('\n', at)
      ears.begins(at, newline + 1)
      try {
        for (const hit of this.look(bytes.subarray(at, newline), text.slice(at, newline), chunk)) ears.found(hit, at)
      } catch (error) {
        ears.failed(error, at, newline + 1)
      }
      at = newline + 1
    }
  }

  /** The hits of the next line: `line` has its bytes, `text` the same as Latin-1. Throws a BailiffError for a line that takes too long. */
  look(line: Buffer, text: string, { arrivedAt, live }: LogChunk): readonly FoundHit[] {
    const ascii = isAscii(line)
    const decoded = withoutReturns(ascii ? text : this.#decode(line))
    const now = arrivedAt / 1000
    const given = this.#texts.journal ? journalEntry(decoded) : null
    const moment: Moment = {
      now,
      time: given === null ? null : (given.time ?? now),
      dateText: given?.dateText ?? '',
      inOperation: live,
      findtime: this.#findtime,
    }
    const { hits } = this.#filter.find(given?.text ?? decoded, moment, ascii)
    return hits.length === 0 ? noHits : hits.map((hit) => filterHit(hit, now))
  }
}

/** A hit as sessions take it. */
export function lineHit({ rule, time, groups, lines }: FilterHit): LineHit {
  return { rule, time: time === null ? null : time / 1000, groups, lines }
}

/** Printable and bounded. What is dated later than it came counts when it came. */
function filterHit({ rule, time, groups, lines }: LineHit, now: number): FoundHit {
  const kept: Record<string, GroupValue> = {}
  for (const name in groups) {
    const value = groups[name] ?? ''
    kept[name] =
      typeof value === 'string'
        ? excerpt(value, longestGroup)
        : value.map((part) => part && excerpt(part, longestGroup))
  }
  return {
    rule,
    time: time === null ? null : Math.min(time, now) * 1000,
    groups: kept,
    lines: lines.map((line) => excerpt(line, longestLine)),
  }
}

function excerpt(text: string, longest: number): string {
  return printable(text.length > longest ? text.slice(0, longest) : text).slice(0, longest)
}

/** Entries of the journal come as lines whose first word is their time: `2026-11-22T13:41:02.500000+00:00 host sshd[77]: …`. */
function journalEntry(line: string): {
  readonly time: number | null
  readonly dateText: string
  readonly text: string
} {
  const blank = line.indexOf(' ')
  const time = blank < 0 ? Number.NaN : Date.parse(line.slice(0, blank))
  if (Number.isNaN(time)) return { time: null, dateText: '', text: line }
  return { time: time / 1000, dateText: line.slice(0, blank + 1), text: line.slice(blank + 1) }
}

function withoutReturns(text: string): string {
  return text.endsWith('\r') ? text.replace(/\r+$/, '') : text
}
