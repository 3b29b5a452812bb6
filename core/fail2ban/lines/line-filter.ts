import { DateDetector, type DateMemory } from '../dates/date-detector.ts'
import type { DateForms } from '../dates/date-forms.ts'
import type { BlockPatterns } from '../blocks/block-kernel.ts'
import { compileFailregex, type Failregex } from '../regex/failregex.ts'
import { BlockLines, type BlockReading, type LogBlock } from './block-lines.ts'
import { capturedText, inherit, searchGroups, type Captured } from './captured-groups.ts'
import type { FilterTexts } from './filter-texts.ts'
import { LineDates, type DatedLine, type LastDate } from './line-dates.ts'
import type { LineHit } from './line-hit.ts'
import { candidateWords, wordSearch } from './candidate-lines.ts'
import { identifying, withoutHits, type LineFinding, type SightOfDates } from './line-finding.ts'
import { searchedText, wholeText, type LogLine } from './log-line.ts'
import { matchedLines, type MatchedLines } from './matched-lines.ts'
import { RuleDispatch, type NumberedRule } from './rule-dispatch.ts'
import { SingleLines } from './single-lines.ts'
import type { Moment, TimeTrouble } from './moment.ts'
import { OddTimes } from './odd-times.ts'

/** What a filter remembers from line to line. Plain data. */
export interface FilterMemory {
  readonly dates: DateMemory
  readonly lastDate: LastDate | null
  /** With `maxlines`: the lines that may be the begin of a match. */
  readonly waiting: readonly LogLine[]
}

export interface LineFilterOptions {
  /** Every failregex is tried, not only up to the first that matches. */
  readonly all?: boolean
  /** The zone of the host; by default the system's. */
  readonly hostZone?: string
  /** Lines that cannot match are passed over early: then only hits say what a line is, not `prefixed`. */
  readonly prefiltered?: boolean
  /** The forms of dates that filters of a thread share. */
  readonly forms?: DateForms
  /** Bytes of a block from which on it is worth tables (`../blocks/`). */
  readonly largeBlock?: number
}

/** Smaller blocks are those of a log that brings a few lines at a time: for them nothing is gained. */
const largeBlock = 32 * 1024

/**
 * What a jail's filter does with lines in order, up to sessions: splits the date off, then prefregex, ignoreregexes and
 * failregexes. Made once for each log of a jail.
 */
export class LineFilter {
  readonly detector: DateDetector
  /** What was odd about the time of lines. */
  readonly odd = new OddTimes()
  readonly #dates: LineDates
  readonly #maxlines: number
  readonly #all: boolean
  readonly #prefregex: Failregex | null
  readonly #dispatch: RuleDispatch
  readonly #ignoreregex: readonly Failregex[]
  /** Where there are few of them, ignoreregexes are asked before anything else. */
  readonly #ignoreFirst: boolean
  /** Lines that it does not find in match no failregex; null: each may. */
  readonly #candidate: RegExp | null
  /** The same as words. */
  readonly #words: readonly string[] | null
  readonly #isPrefiltered: boolean
  readonly #largeBlock: number
  /** Null: it takes more than that. */
  readonly #single: SingleLines | null
  #waiting: readonly LogLine[] = []
  #blocks: BlockLines | null = null

  /** Throws a PatternError that names list, index and position of what is wrong. */
  constructor(texts: FilterTexts, options: LineFilterOptions = {}) {
    const { all = false, prefiltered = false, hostZone, forms } = options
    const { usedns, maxlines, datepattern: patterns, timezone } = texts
    const multiline = maxlines > 1
    const prefregex =
      texts.prefregex === null
        ? null
        : compileFailregex(texts.prefregex, { usedns, multiline: false, kind: 'prefregex' })
    this.#prefregex = prefregex
    const failregex = texts.failregex.map((text, index) =>
      compileFailregex(text, { usedns, multiline, kind: 'failregex', index, prefregex }),
    )
    this.#dispatch = new RuleDispatch(failregex, multiline)
    this.#ignoreregex = texts.ignoreregex.map((text, index) =>
      compileFailregex(text, { usedns, multiline: false, kind: 'ignoreregex', index }),
    )
    this.#ignoreFirst = texts.ignoreregex.length > 0 && texts.ignoreregex.length < texts.failregex.length - 2
    this.#maxlines = maxlines
    this.#all = all
    const isPrefiltered = prefiltered && maxlines === 1 && !this.#ignoreFirst
    this.#words = isPrefiltered ? candidateWords(failregex, prefregex) : null
    this.#candidate = this.#words && wordSearch(this.#words)
    this.#isPrefiltered = isPrefiltered
    this.#largeBlock = options.largeBlock ?? largeBlock
    const isSingle = maxlines === 1 && !all && texts.ignoreregex.length === 0 && prefregex?.merges !== true
    this.#single = isSingle ? new SingleLines(this.#dispatch, prefregex) : null
    this.detector = new DateDetector({ patterns, timezone, ...(hostZone === undefined ? {} : { hostZone }) }, forms)
    this.#dates = new LineDates(this.detector, this.odd)
  }

  /** The prefregex as it is searched, tags expanded; null: there is none. */
  get prefregex(): string | null {
    return this.#prefregex?.expanded ?? null
  }

  get memory(): FilterMemory {
    const waiting = this.#maxlines > 1 ? this.#waiting : []
    return { dates: this.detector.memory, lastDate: this.#dates.last, waiting }
  }

  set memory({ dates, lastDate, waiting }: FilterMemory) {
    this.detector.memory = dates
    this.#dates.last = lastDate
    this.#waiting = waiting
  }

  /** Looks at the next line, which has no line break at its end. `isAscii`: it holds ASCII alone; false: it need not. */
  find(line: string, moment: Moment, isAscii = !/[^\0-\x7f]/.test(line)): LineFinding {
    const finding = this.#find(line, moment, isAscii)
    if (finding.trouble !== null) this.odd.note(finding.trouble, finding.line?.ahead, () => line)
    return finding
  }

  #find(line: string, moment: Moment, isAscii: boolean): LineFinding {
    const dated = this.#dates.split(line, moment, isAscii)
    if (typeof dated === 'string') return { ...passedOver, trouble: dated }
    if (this.#single !== null) return this.#findSingle(this.#single, line, dated, moment, isAscii)
    const lines = this.#remember(dated.parts)
    const text = searchedText(lines)
    if (this.#candidate !== null && !this.#candidate.test(text)) return withoutHits(dated)
    // Lines that came before may hold anything.
    const ascii = isAscii && this.#maxlines === 1 ? true : undefined
    const search = new LineSearch(dated, lines, text, moment.findtime !== null, ascii)
    this.#search(search)
    this.#waiting = search.waiting
    const { hits, ignoredBy, prefixed, trouble } = search
    return { hits, ignoredBy, prefixed, line: dated, trouble: trouble ?? dated.trouble }
  }

  /** How many lines had no date since this was made, and whether one had a date that is remembered. */
  get sightOfDates(): SightOfDates {
    return { undated: this.#dates.undated, isDateKnown: this.#dates.last !== null }
  }

  /** Whether a line has one of the words that every failure has; false also where nothing is known of such words. */
  hasWords(line: string): boolean {
    return this.#candidate?.test(line) ?? false
  }

  /** Looks through the lines of a block, in order, as `find` does at each. Answers how many. Lines come without a time. */
  scan(block: LogBlock, reading: BlockReading): number {
    this.#blocks ??= new BlockLines({
      dates: this.#dates,
      candidate: this.#candidate,
      single: this.#single,
      patterns: this.#patterns(),
      largeBlock: this.#largeBlock,
      find: (line, moment, isAscii) => this.find(line, moment, isAscii).hits,
      findBehind: (line, length, time, moment) => this.#findBehind(line, length, time, moment),
    })
    return this.#blocks.scan(block, reading)
  }

  /** Null: the kernel could pass over nothing. */
  #patterns(): BlockPatterns | null {
    if (!this.#isPrefiltered) return null
    const single = this.#single?.patterns ?? null
    if (this.#words === null && single === null) return null
    return { literals: this.#words, dispatch: single?.dispatch ?? null, front: single?.front ?? null }
  }

  #findBehind(line: string, dateLength: number, time: number, moment: Moment): readonly LineHit[] {
    if (this.#single === null) return []
    const parts: LogLine = ['', line.slice(0, dateLength), line.slice(dateLength)]
    const dated: DatedLine = { parts, time, dated: true, trouble: null }
    return this.#findSingle(this.#single, line, dated, moment, true).hits
  }

  #findSingle(single: SingleLines, line: string, dated: DatedLine, moment: Moment, isAscii: boolean): LineFinding {
    const [before, , after] = dated.parts
    const bare = before === '' ? after : before + after
    // No word that is looked for has a newline.
    if (this.#candidate !== null && !this.#candidate.test(bare)) return withoutHits(dated)
    const ascii = isAscii ? true : undefined
    return single.find({ line, dated, text: `${bare}\n`, ascii, timeNeeded: moment.findtime !== null })
  }

  #remember(parts: LogLine): readonly LogLine[] {
    return this.#maxlines > 1 ? [...this.#waiting, parts].slice(-this.#maxlines) : [parts]
  }

  #search(search: LineSearch): void {
    if (this.#ignoreFirst && this.#isIgnored(search, null)) return
    const inherited = this.#prefregex === null ? null : search.prefix(this.#prefregex)
    if (inherited === null && this.#prefregex !== null) return
    const rules = this.#dispatch.for(search.text)
    for (let next = 0; next < rules.length; next++) {
      const { text } = search
      const { index, regex } = rules[next] as NumberedRule
      const match = searchGroups(regex, text, search.ascii)
      if (match === null) continue
      const found = matchedLines(search.lines, text, match)
      if (this.#ignoreregex.length > 0 && this.#isIgnored(search, found)) {
        if (this.#all) continue
        return
      }
      if (search.isTimeless) continue
      if (!this.#all || this.#maxlines > 1) search.waiting = found.unmatched
      if (search.hit(index, inherit(inherited, match.captured), found.matched) && !this.#all) return
    }
  }

  /** Asks the ignoreregexes about the lines that a failregex matched, or about all. */
  #isIgnored(search: LineSearch, found: MatchedLines | null): boolean {
    const several = this.#maxlines > 1
    const text = found !== null && several ? searchedText(found.matched) : search.text
    let ignored = false
    for (const [index, regex] of this.#ignoreregex.entries()) {
      if (regex.search(text) === null) continue
      ignored = true
      search.ignoredBy.push(index)
      if (found !== null && (several || !this.#all)) search.waiting = found.unmatched
      if (!this.#all) break
    }
    return ignored
  }
}

/** The search of one line, in which each step may change what the next one sees. */
class LineSearch {
  readonly hits: LineHit[] = []
  readonly ignoredBy: number[] = []
  prefixed = false
  trouble: TimeTrouble | null = null
  /** The lines of the text that is searched, as they came. */
  readonly lines: readonly LogLine[]
  readonly #dated: DatedLine
  readonly #timeNeeded: boolean
  /** True: all that is searched is ASCII; undefined: nobody knows. */
  readonly ascii: boolean | undefined
  #waiting: readonly LogLine[]
  #text: string | null = null

  constructor(
    dated: DatedLine,
    lines: readonly LogLine[],
    text: string,
    timeNeeded: boolean,
    ascii: boolean | undefined,
  ) {
    this.#dated = dated
    this.lines = lines
    this.#waiting = lines
    this.#text = text
    this.#timeNeeded = timeNeeded
    this.ascii = ascii
  }

  /** The lines that are searched now, and stay for the next line. */
  get waiting(): readonly LogLine[] {
    return this.#waiting
  }

  set waiting(lines: readonly LogLine[]) {
    this.#waiting = lines
    this.#text = null
  }

  get text(): string {
    return (this.#text ??= searchedText(this.#waiting))
  }

  /** What the prefregex captured; null: it does not match. Its content is what is searched from now on. */
  prefix(regex: Failregex): Captured | null {
    const match = searchGroups(regex, this.text, this.ascii)
    if (match === null) return null
    this.prefixed = true
    const content = capturedText(match.captured, 'content')
    if (content) this.waiting = [['', '', content]]
    return match.captured
  }

  /** Whether a match cannot count, since nobody knows when it was; it is told. */
  get isTimeless(): boolean {
    if (!this.#dated.dated) this.trouble = 'undated'
    return !this.#dated.dated && this.#dated.time === null && this.#timeNeeded
  }

  /** False: the match names nobody, and no session. */
  hit(rule: number, groups: LineHit['groups'], lines: readonly LogLine[]): boolean {
    if (!identifying.some((name) => name in groups)) return false
    this.hits.push({ rule, time: this.#dated.time, groups, lines: lines.map(wholeText) })
    return true
  }
}

const passedOver = { hits: [], ignoredBy: [], prefixed: false, line: null }
