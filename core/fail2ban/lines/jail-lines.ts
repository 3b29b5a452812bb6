import { isAscii } from 'node:buffer'
import { printable } from '../../errors.ts'
import type { FilterHit, LogChunk, OddLine } from '../../events.ts'
import { DateForms } from '../dates/date-forms.ts'
import type { LogBlock } from './block-lines.ts'
import type { FilterTexts } from './filter-texts.ts'
import { lineDecoder, type DecodeLine } from './line-decoding.ts'
import { LineFilter, type FilterMemory } from './line-filter.ts'
import type { SightOfDates } from './line-finding.ts'
import type { GroupValue, LineHit } from './line-hit.ts'
import type { Moment } from './moment.ts'
import { wideEncoding, WideLines } from './wide-lines.ts'
import { ofOption } from './option-error.ts'

/** A jail of a Fail2ban tree, as threads get it. Plain data. */
export interface TreeJailSetup {
  readonly jail: string
  readonly texts: FilterTexts
  /** Failures that were older when they were read for the first time do not count; null: lines are stored ones of any age. */
  readonly findtimeSeconds: number | null
}

/** What a jail remembers of a log. */
export interface JailMemory {
  readonly filter: FilterMemory
  /** As `WideLines.rest`. */
  readonly rest: string | null
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
  readonly #findtime: number | null
  readonly #filter: LineFilter
  readonly #decode: DecodeLine
  /** Null: newlines are single bytes. */
  readonly #wide: WideLines | null
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
    this.#filter = ofOption('logtimezone', () => new LineFilter(texts, { forms, prefiltered }))
    // The journal is read as UTF-8, whatever a log would be.
    const wide = texts.journal ? null : wideEncoding(texts.encoding)
    this.#wide = wide && new WideLines(wide)
    this.#decode = ofOption('logencoding', () => lineDecoder(wide === null ? texts.encoding : 'auto'))
    this.#nothing = this.#filter.memory
  }

  /** Plain data, or null: nothing. */
  get memory(): JailMemory | null {
    return { filter: this.#filter.memory, rest: this.#wide?.rest ?? null }
  }

  set memory(memory: JailMemory | null) {
    this.#filter.memory = memory?.filter ?? this.#nothing
    if (this.#wide !== null) this.#wide.rest = memory?.rest ?? null
  }

  /** Has the dates and patterns compiled by lines of its own, once. Never throws: what fails fails again for each line, which tells it. */
  prepare(): void {
    if (this.#isPrepared) return
    this.#isPrepared = true
    const { memory } = this.#filter
    const moment: Moment = { now: 0, time: null, inOperation: true, findtime: this.#findtime }
    try {
      for (const line of firstLines) this.#filter.find(line, moment, isAscii(Buffer.from(line)))
    } catch {
      // Most likely a pattern that takes more stack than there is.
    } finally {
      this.#filter.memory = memory
      this.#filter.odd.take()
    }
  }

  /**
   * The hits of whole lines that follow one another, as `look` finds them in each: `found` hears of them in order. `begins`
   * hears of a line before it is searched, and `failed` of one that takes too long.
   */
  scan(block: LogBlock & { readonly base?: number }, chunk: LogChunk, ears: BlockEars): void {
    const { bytes, text, start, end } = block
    if (this.#texts.journal || this.#wide !== null) return this.#lookAtEach(block, chunk, ears)
    const now = chunk.arrivedAt / 1000
    this.#filter.scan(
      { bytes, text, start, end },
      {
        moment: { now, time: null, inOperation: this.#isLive(chunk), findtime: this.#findtime },
        decode: this.#decode,
        begins: ears.begins,
        found: (hit, at) => ears.found(filterHit(hit, now), at),
        failed: ears.failed,
      },
    )
  }

  /** Lines of the journal tell their times themselves, and those in UTF-16 are to be put together. */
  #lookAtEach(block: LogBlock & { readonly base?: number }, chunk: LogChunk, ears: BlockEars): void {
    const { bytes, text, start, end, base = 0 } = block
    for (let at = start; at < end;) {
      const newline = text.indexOf('\n', at)
      ears.begins(at, newline + 1)
      try {
        const line = bytes.subarray(at, newline)
        for (const hit of this.look(line, text.slice(at, newline), chunk, base + at, bytes[newline + 1]))
          ears.found(hit, at)
      } catch (error) {
        ears.failed(error, at, newline + 1)
      }
      at = newline + 1
    }
  }

  /**
   * The hits of the next line: `line` has its bytes, `text` the same as Latin-1, `offset` says where it begins in the log,
   * `next` which byte is behind its newline. Throws a BailiffError for a line that takes too long.
   */
  look(line: Buffer, text: string, chunk: LogChunk, offset = 0, next?: number): readonly FoundHit[] {
    if (this.#wide === null) {
      const ascii = isAscii(line)
      return this.#hits(ascii ? text : this.#decode(line), ascii, chunk)
    }
    const whole = this.#wide.take(line, offset, next)
    return whole === null ? noHits : this.#hits(whole, false, chunk)
  }

  /** The first line of each kind of trouble with time since the last call. */
  takeOdd(): readonly OddLine[] {
    return this.#filter.odd.take().map(({ trouble, line, ahead }) => ({
      jail: this.jail,
      trouble,
      aheadMs: ahead === undefined ? null : ahead * 1000,
      line: excerpt(line, longestLine),
    }))
  }

  #hits(line: string, ascii: boolean, chunk: LogChunk): readonly FoundHit[] {
    const decoded = withoutReturns(line)
    const now = chunk.arrivedAt / 1000
    const given = this.#texts.journal ? journalEntry(decoded) : null
    const moment: Moment = {
      now,
      time: given === null ? null : (given.time ?? now),
      dateText: given?.dateText ?? '',
      inOperation: this.#isLive(chunk),
      findtime: this.#findtime,
    }
    const { hits } = this.#filter.find(given?.text ?? decoded, moment, ascii)
    return hits.length === 0 ? noHits : hits.map((hit) => filterHit(hit, now))
  }

  /** What was seen of dates in the lines that this thread has read; journals have them all. */
  get sightOfDates(): SightOfDates {
    return this.#filter.sightOfDates
  }

  /** Whether a line has one of the words that every failure has. */
  hasWords(line: Buffer, text: string): boolean {
    return this.#filter.hasWords(isAscii(line) ? text : this.#decode(line))
  }

  #isLive({ live, starting }: LogChunk): boolean {
    return live && starting?.includes(this.jail) !== true
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
