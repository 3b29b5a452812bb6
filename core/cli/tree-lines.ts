import type { LogBlock } from '../fail2ban/lines/block-lines.ts'
import { JailFilter, type ExaminedLine, type JailFilterOptions } from '../fail2ban/lines/jail-filter.ts'
import { lineDecoder, type DecodeLine } from '../fail2ban/lines/line-decoding.ts'
import type { DatedLine } from '../fail2ban/lines/line-dates.ts'
import { undatedText, wholeText, type LogLine } from '../fail2ban/lines/log-line.ts'
import type { Moment } from '../fail2ban/lines/moment.ts'
import type { RawFailure } from '../fail2ban/lines/raw-failure.ts'
import { wideEncoding } from '../fail2ban/lines/wide-lines.ts'
import { FailureNames } from './failure-names.ts'
import { journalLines } from './journal-lines.ts'
import { PatternGroups } from './pattern-groups.ts'
import { outputForm, timeOf, triesAll, type TestOptions } from './test-options.ts'
import { kindOf, type LineKind, type TestedFailure, type TestedFilter, type TestOutput } from './tested-filter.ts'
import { blocksOfFile, linesOfBlock, linesOfText, type TestedLine } from './tested-lines.ts'
import { logKind } from './tested-log.ts'
import type { TreeFilterChoice } from './tree-filter.ts'

/** A filter of a Fail2ban tree over logs. */
export class TreeLines implements TestedFilter {
  readonly encoding: string
  readonly uses: readonly string[]
  readonly rules: TestedFilter['rules']
  readonly tally = { lines: 0, matches: 0, ignored: 0, skipped: null, malformed: null, bytes: null, addresses: null }
  readonly #choice: TreeFilterChoice
  readonly #options: TestOptions
  readonly #filter: JailFilter
  /** What is known of each line before it is read, of any age. */
  readonly #moment: Moment
  /** Null: names stay names. */
  readonly #hosts: FailureNames | null
  readonly #groups: PatternGroups
  #waiting: readonly LogLine[] = []

  constructor(choice: TreeFilterChoice, options: TestOptions) {
    const { texts, uses } = choice
    const { usedns, failregex, ignoreregex } = texts
    this.#choice = choice
    this.#options = options
    this.#filter = new JailFilter(texts, filterOptions(options))
    this.#groups = new PatternGroups(texts)
    const now = timeOf(options)
    this.#moment = { now, time: options.date ? null : now, dateText: '', inOperation: false, findtime: null }
    const looksUp = !options.json || options.usedns !== undefined
    this.#hosts = looksUp ? new FailureNames(usedns === 'yes' || usedns === 'warn') : null
    const { prefregex } = this.#filter.lines
    this.rules = { failing: 'Failregex', ignoring: 'Ignoreregex', prefregex, failregex, ignoreregex }
    this.encoding = texts.encoding === 'auto' ? 'UTF-8' : texts.encoding
    const more = usesOf(choice, this.#filter)
    this.uses = [
      ...more.filter(({ isAsked }) => isAsked(options)),
      { text: uses.join('\n') },
      ...more.filter(({ isAsked }) => !isAsked(options)),
    ].map(({ text }) => text)
  }

  async read(log: string, output: TestOutput): Promise<void> {
    const { journalmatch } = this.#choice
    const file = log === '-' ? 'stdin' : log
    switch (logKind(log)) {
      case 'journal':
        for await (const line of journalLines(log, journalmatch)) await this.#take(file, line, output)
        return
      case 'lines':
        return this.#takeAll(file, linesOfText(log), output)
      default:
        return this.#takeFile(file, log, output)
    }
  }

  dateHits(): ReturnType<TestedFilter['dateHits']> {
    if (this.#choice.texts.journal) return null
    const isVerbose = this.#options.verboseDate === true
    return this.#filter.lines.detector.templates.map(({ name, hits, pattern, expression, distance, template }) => {
      const weight = (hits * template.weight) / Math.max(1, distance)
      const what = `    # weight: ${weight.toFixed(3)} (${template.weight.toFixed(3)}), pattern: ${pattern ?? ''}`
      return { name, hits, more: isVerbose ? [what, `    # regex:   ${expression}`] : [] }
    })
  }

  async #takeFile(file: string, log: string, output: TestOutput): Promise<void> {
    const { texts } = this.#choice
    const wide = wideEncoding(texts.encoding)
    const decode = lineDecoder(wide === null ? texts.encoding : 'utf-8')
    // Where only counts are asked for, all that has to be known is which lines have failures.
    const isCounted = output.wants === 'counts' && texts.ignoreregex.length === 0 && this.#options.date
    let before = 0
    for (const block of blocksOfFile(log, wide)) {
      if (isCounted) await this.#countBlock(block, decode)
      else {
        const lines = linesOfBlock(block, decode, before)
        before += lines.length
        await this.#takeAll(file, lines, output)
      }
    }
  }

  async #countBlock(block: LogBlock, decode: DecodeLine): Promise<void> {
    const { tally } = this
    if (this.#options.yesNo) {
      let last = -1
      const found = (_hit: unknown, start: number) => {
        if (start !== last) tally.matches++
        last = start
      }
      tally.lines += this.#filter.lines.scan(block, { moment: this.#moment, decode, found, withoutComments: true })
      return
    }
    // Where every failregex is tried, a line may tell of several.
    let [last, failures]: [number, RawFailure[]] = [-1, []]
    const waiting: RawFailure[][] = []
    const tell = () => {
      if (this.#hosts !== null && failures.some(({ dns }) => dns !== null)) waiting.push(failures)
      else if (failures.length > 0) this.#note(kindOf({ failures, ignoredBy: [] }))
    }
    tally.lines += this.#filter.scan(block, this.#moment, decode, (failure, start) => {
      if (start === last) return void failures.push(failure)
      tell()
      ;[last, failures] = [start, [failure]]
    })
    tell()
    for (const one of waiting) this.#note(kindOf({ failures: (await this.#hosts?.resolve(one)) ?? one, ignoredBy: [] }))
  }

  #note(kind: LineKind): void {
    if (kind === 'matched') this.tally.matches++
    else if (kind === 'ignored') this.tally.ignored++
  }

  /** Most lines need no waiting, which costs as much as looking at them. Comments and empty lines do not count. */
  async #takeAll(file: string, lines: readonly TestedLine[], output: TestOutput): Promise<void> {
    for (const line of lines) {
      if (line.text === '' || line.text.startsWith('#')) continue
      const taken = this.#take(file, line, output)
      if (taken !== undefined) await taken
    }
    output.pieceTold()
  }

  #take(file: string, line: TestedLine, output: TestOutput): Promise<void> | undefined {
    const moment = line.time === null ? this.#moment : { ...this.#moment, time: line.time, dateText: line.dateText }
    if (this.#options.yesNo)
      return this.#count(this.#filter.lines.find(line.text, moment, line.isAscii).hits.length > 0)
    const examined = this.#filter.examine(line.text, moment, line.isAscii)
    if (this.#hosts !== null && examined.failures.some(({ dns }) => dns !== null))
      return this.#hosts
        .resolve(examined.failures)
        .then((failures) => this.#tell(file, line, { ...examined, failures }, output))
    return this.#tell(file, line, examined, output)
  }

  #tell(file: string, { number, text }: TestedLine, examined: ExaminedLine, output: TestOutput): undefined {
    const { tally } = this
    tally.lines++
    this.#note(kindOf(examined))
    if (output.wants === 'counts' || (output.wants === 'failures' && examined.failures.length === 0)) return
    const { ignoredBy, prefixed, line } = examined
    const failures = examined.failures.map((failure) => this.#tested(failure, line))
    const taken = this.#consumed()
    const prefixGroups =
      prefixed && line !== null && this.#options.verbose ? this.#groups.ofPrefix(undatedText(line.parts)) : null
    const time = line?.time ?? null
    output.take({ file, number, text, failures, ignoredBy, prefixed, prefixGroups, time, date: null, taken })
  }

  #tested(failure: RawFailure, line: DatedLine | null): TestedFailure {
    const attempts = failure.lines.length
    if (this.#options.out === undefined) return { ...failure, attempts }
    const isWhole = this.#choice.texts.timezone !== null || namesZone(line?.parts[1] ?? '')
    if (this.#options.out !== 'row') return { ...failure, attempts, isWhole }
    // What a session has gathered from several lines is only what they captured.
    return { ...failure, attempts, isWhole, names: attempts > 1 ? [] : this.#groups.ofRule(failure.rule) }
  }

  /** `--yes-no`: sessions, names and what else was captured do not matter. */
  #count(isFound: boolean): undefined {
    this.tally.lines++
    if (isFound) this.tally.matches++
  }

  /** Lines that waited for others and were taken with this one. */
  #consumed(): readonly string[] {
    const { maxlines } = this.#choice.texts
    if (maxlines === 1) return []
    const before = this.#waiting
    this.#waiting = this.#filter.lines.memory.waiting
    const kept = new Set(this.#waiting.map(keyOf))
    return before
      .slice(before.length >= maxlines ? 1 : 0)
      .filter((line) => !kept.has(keyOf(line)))
      .map(wholeText)
  }
}

function filterOptions(options: TestOptions): JailFilterOptions {
  const form = outputForm(options)
  return {
    all: triesAll(options),
    raw: options.raw === true,
    pending: form !== 'out' && form !== 'invert',
    harmless: form === 'json',
    prefiltered: form !== 'report',
  }
}

/** What else is used; what the command asks for is told before the filter, as `fail2ban-regex` does. */
function usesOf({ texts: { maxlines, datepattern } }: TreeFilterChoice, { lines }: JailFilter) {
  const { templates } = lines.detector
  const name = templates.length > 2 ? 'Default Detectors' : templates[0]?.name
  const rows = [
    {
      text: `Use         maxlines : ${maxlines}`,
      isThere: maxlines > 1,
      isAsked: (given: TestOptions) => given.maxlines !== undefined,
    },
    {
      text: `Use      datepattern : ${datepattern?.join('\n')} : ${name}`,
      isThere: datepattern !== null,
      isAsked: (given: TestOptions) => given.datepattern !== undefined,
    },
  ]
  return rows.filter(({ isThere }) => isThere)
}

/** Whether the text of a date names its zone. */
function namesZone(date: string): boolean {
  return /(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)\]?$|^\W*(?:[A-Z]{3,5}|[+-]\d{4}) [A-Z][a-z]{2} /.test(date)
}

function keyOf(line: LogLine): string {
  return JSON.stringify(line)
}
