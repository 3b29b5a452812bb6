import { BailiffError, printable, quote } from '../errors.ts'
import type { LogBlock } from '../fail2ban/lines/block-lines.ts'
import {
  JailFilter,
  type BlockFailures,
  type ExaminedLine,
  type JailFilterOptions,
} from '../fail2ban/lines/jail-filter.ts'
import type { FilterTexts } from '../fail2ban/lines/filter-texts.ts'
import { lineDecoder, type DecodeLine } from '../fail2ban/lines/line-decoding.ts'
import type { Moment } from '../fail2ban/lines/moment.ts'
import { wideEncoding, type WideEncoding } from '../fail2ban/lines/wide-lines.ts'
import type { RawFailure } from '../fail2ban/lines/raw-failure.ts'
import { FailureNames } from './failure-names.ts'
import { failureOutput, type FailureOutput } from './failure-output.ts'
import { journalLines } from './journal-lines.ts'
import { jsonLine } from './json-line.ts'
import { print } from './output.ts'
import type { TestOptions } from './test.ts'
import { blocksOfFile, linesOfBlock, linesOfText, type TestedLine } from './tested-lines.ts'
import { logKind } from './tested-log.ts'
import { treeFilter, type TreeFilterChoice } from './tree-filter.ts'
import { lineRecord } from './tree-test-record.ts'
import { TreeTestReport } from './tree-test-report.ts'

/** Runs a filter of a Fail2ban tree over logs and prints what it finds. Throws a BailiffError for a filter or log it cannot read. */
export async function testTree(
  folder: string,
  given: string,
  logs: readonly string[],
  options: TestOptions,
): Promise<void> {
  const journal = logs.every((log) => logKind(log) === 'journal')
  const choice = await treeFilter(folder, given, journal, options)
  const filter = new JailFilter(choice.texts, filterOptions(options))
  const encoding = options.encoding ?? choice.texts.encoding
  const wide = wideEncoding(encoding)
  const decode = lineDecoder(wide === null ? encoding : 'utf-8')
  const look = looker(filter, choice.texts, options)
  const lookThrough = blockLooker(filter, choice.texts, options)
  const output = outputOf(choice, filter, logs, options)
  const takeFailures = taker(output, choice.texts, options)
  for (const log of logs) {
    const file = log === '-' ? 'stdin' : log
    // Most lines need no waiting, which costs as much as looking at them. Comments and empty lines do not count.
    const take = (line: TestedLine) => {
      const seen = look(line)
      if (seen instanceof Promise) return seen.then((examined) => output.take(file, line, examined))
      return output.take(file, line, seen)
    }
    if (logKind(log) === 'journal') for await (const line of journalLines(log, choice.journalmatch)) await take(line)
    else if (logKind(log) === 'file' && takeFailures !== undefined)
      for (const block of blocksOfFile(log, wide)) {
        const { lines, failures } = await lookThrough(block, decode)
        takeFailures(lines, failures)
      }
    else
      for (const lines of linesOf(log, decode, wide)) {
        for (const line of lines) {
          if (line.text === '' || line.text.startsWith('#')) continue
          const taken = take(line)
          if (taken instanceof Promise) await taken
        }
      }
  }
  output.end()
}

/** How it hears of many lines at once, where nothing but failures has to be known of lines that have their dates; else undefined. */
function taker(output: Output, { ignoreregex }: FilterTexts, { date }: TestOptions): Output['takeFailures'] {
  return ignoreregex.length === 0 && date ? output.takeFailures?.bind(output) : undefined
}

/** Hears of every line, and prints. */
interface Output {
  take(file: string, line: TestedLine, examined: ExaminedLine): void
  /** The same of many lines, where all that matters is how many there were, and the failures of those that have any. */
  takeFailures?(lines: number, failures: BlockFailures['failures']): void
  end(): void
}

/** The report tries every failregex, as `fail2ban-regex` does; what is for programs says what a jail would. */
function filterOptions({ all, json, summary, out, checkAll, raw }: TestOptions): JailFilterOptions {
  const isReport = json === undefined && summary === undefined && out === undefined
  return {
    all: out === undefined && (all === true || (isReport && checkAll)),
    raw: raw === true,
    pending: out === undefined,
    harmless: json === true,
    prefiltered: !isReport,
  }
}

function outputOf(
  { texts, uses }: TreeFilterChoice,
  filter: JailFilter,
  logs: readonly string[],
  options: TestOptions,
): Output {
  if (options.out !== undefined) return new FailureLines(failureOutput(options.out))
  if (options.json) return new Records()
  if (options.summary) return new Summary()
  print('\nRunning tests\n=============\n')
  for (const use of [...uses, ...filterUses(texts, filter), ...logs.map((log) => logUse(log, texts))])
    for (const row of use.split('\n')) print(printable(row))
  print('')
  const listed = options.maxlines === undefined ? 20 : texts.maxlines
  const report = new TreeTestReport(texts, filter, { ...options, verbose: options.verbose === true, listed })
  return { take: (_file, line, examined) => report.take(line, examined), end: () => report.end() }
}

function filterUses({ maxlines, datepattern }: FilterTexts, { lines }: JailFilter): string[] {
  const { templates } = lines.detector
  const name = templates.length > 2 ? 'Default Detectors' : templates[0]?.name
  return [
    ...(maxlines > 1 ? [`Use         maxlines : ${maxlines}`] : []),
    ...(datepattern === null ? [] : [`Use      datepattern : ${datepattern.join('\n')} : ${name}`]),
  ]
}

function logUse(log: string, { encoding }: FilterTexts): string {
  if (logKind(log) === 'journal') return 'Use         systemd journal'
  if (logKind(log) === 'file')
    return `Use         log file : ${log}\nUse         encoding : ${encoding === 'auto' ? 'UTF-8' : encoding}`
  return `Use      single line : ${log.length > 53 ? `${log.slice(0, 50)}...` : log}`
}

type Look = (line: TestedLine) => ExaminedLine | Promise<ExaminedLine>
type LookThrough = (block: LogBlock, decode: DecodeLine) => BlockFailures | Promise<BlockFailures>

/** How a line is looked at: of any age, at the time that was asked for. Names are looked up where the output has addresses. */
function looker(filter: JailFilter, texts: FilterTexts, options: TestOptions): Look {
  const current = timeOf(options)
  const moment = momentAt(current)
  const names = namesFor(texts, options)
  return ({ text, isAscii, time, dateText }) => {
    const known = time ?? (options.date ? null : current)
    const examined = filter.examine(text, known === null ? moment : { ...moment, time: known, dateText }, isAscii)
    if (names === null || !hasNames(examined.failures)) return examined
    return names.resolve(examined.failures).then((failures) => ({ ...examined, failures }))
  }
}

/** The same for the lines of a block, which are dated. */
function blockLooker(filter: JailFilter, texts: FilterTexts, options: TestOptions): LookThrough {
  const moment = momentAt(timeOf(options))
  const names = namesFor(texts, options)
  return (block, decode) => {
    const { lines, failures } = filter.scan(block, moment, decode)
    if (names === null || !failures.some(hasNames)) return { lines, failures }
    return Promise.all(failures.map((one) => names.resolve(one))).then((resolved) => ({ lines, failures: resolved }))
  }
}

function timeOf({ now }: TestOptions): number {
  return now === undefined ? Date.now() / 1000 : readTime(now)
}

function momentAt(now: number): Moment {
  return { now, time: null, dateText: '', inOperation: false, findtime: null }
}

/** Null: names stay names. */
function namesFor({ usedns }: FilterTexts, { json, usedns: given }: TestOptions): FailureNames | null {
  return json && given === undefined ? null : new FailureNames(usedns === 'yes' || usedns === 'warn')
}

function hasNames(failures: readonly RawFailure[]): boolean {
  return failures.some(({ dns }) => dns !== null)
}

class Records implements Output {
  take(file: string, line: TestedLine, examined: ExaminedLine): void {
    print(jsonLine(lineRecord(file, line, examined)))
  }

  end(): void {}
}

class FailureLines implements Output {
  readonly #output: FailureOutput

  constructor(output: FailureOutput) {
    this.#output = output
  }

  take(_file: string, _line: TestedLine, { failures }: ExaminedLine): void {
    for (const failure of failures) if (!failure.nofail) for (const row of this.#output(failure)) print(row)
  }

  takeFailures(_lines: number, lines: BlockFailures['failures']): void {
    for (const failures of lines)
      for (const failure of failures) if (!failure.nofail) for (const row of this.#output(failure)) print(row)
  }

  end(): void {}
}

class Summary implements Output {
  readonly #cpu = process.cpuUsage()
  readonly #counts = { lines: 0, matched: 0, ignored: 0 }

  take(_file: string, _line: TestedLine, { failures, ignoredBy }: ExaminedLine): void {
    this.#counts.lines++
    if (ignoredBy.length > 0) this.#counts.ignored++
    else this.#count(failures)
  }

  takeFailures(lines: number, all: BlockFailures['failures']): void {
    this.#counts.lines += lines
    for (const failures of all) this.#count(failures)
  }

  #count(failures: readonly RawFailure[]): void {
    if (failures.some(({ nofail }) => nofail)) this.#counts.ignored++
    else if (failures.length > 0) this.#counts.matched++
  }

  end(): void {
    const { user, system } = process.cpuUsage(this.#cpu)
    const { lines, matched, ignored } = this.#counts
    print(`lines ${lines}, matches ${matched}, ignored ${ignored}, CPU ${((user + system) / 1e6).toFixed(3)} s`)
  }
}

/** The lines of a log, some at a time. */
function* linesOf(log: string, decode: DecodeLine, wide: WideEncoding | null): Generator<readonly TestedLine[]> {
  if (logKind(log) === 'lines') return yield linesOfText(log)
  let before = 0
  for (const block of blocksOfFile(log, wide)) {
    const lines = linesOfBlock(block, decode, before)
    before += lines.length
    yield lines
  }
}

function readTime(text: string): number {
  const time = Number(text)
  if (text.trim() !== '' && Number.isFinite(time) && time > 0) return time
  throw new BailiffError('usage', `--now ${quote(text)} is no time`, { hint: 'unix seconds: --now 1763817600' })
}
