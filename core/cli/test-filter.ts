import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Prefix } from '../address.ts'
import { BailiffError, quote, whyUnreadable } from '../errors.ts'
import type { Match, ScanResult } from '../events.ts'
import { compileSettings } from '../compiled-settings.ts'
import { languageFor } from '../prepared-filters.ts'
import { createLogScanner, type LogScanner } from '../matching/scan.ts'
import type { CompiledFilter } from '../plugin.ts'
import type { FilterSettings } from '../settings/filter-file.ts'
import { inMode } from '../settings/filter-modes.ts'
import type { DateSettings } from '../settings/jail.ts'
import { refuseCompressed } from './compressed-log.ts'
import { DateForms } from './date-counts.ts'
import { filterOf, knownFilters, loadEngines } from './known-filters.ts'
import { print } from './output.ts'
import { table } from './table.ts'
import type { TestOptions } from './test.ts'

/** Small, so that what a chunk brings forth dies young; two lines of the longest length fit. */
const chunkBytes = 128 * 1024

/** Runs a filter over logs in this one thread and prints what it finds. Throws a BailiffError for a filter or log it cannot read. */
export async function testFilter(given: string, logs: readonly string[], options: TestOptions): Promise<void> {
  const { settings, dates, proxies } = await findFilter(given, options)
  const filter = compileSettings(settings, await languageFor([{ filter: settings, dates }]), dates)
  const engines = await loadEngines()
  const scanner = createLogScanner({ jails: [{ jail: 'test', filter, proxies }], engines })
  const forms = new DateForms(filter.dates ?? null)
  const report = options.json ? new JsonReport(forms) : options.summary ? new Report() : new TextReport(forms)
  for (const log of logs) readLog(log, scanner, report)
  report.end(filter)
}

/** Counts; subclasses print as well. */
class Report {
  lines = 0
  bytes = 0
  skipped = 0
  malformed = 0
  matches = 0
  readonly #cpu = process.cpuUsage()

  /** `line` is the number of the matching line in its file, from 1; `bytes` has it at the match's offset. */
  found(_match: Match, _file: string, _line: number, _bytes: Buffer): void {
    this.matches++
  }

  /** Hears of whole lines, whether they match or not. */
  read(_lines: Buffer): void {}

  /** Whether anybody wants to know the numbers of lines. */
  get numbersLines(): boolean {
    return false
  }

  end({ structure }: CompiledFilter): void {
    const { user, system } = process.cpuUsage(this.#cpu)
    const seconds = (user + system) / 1e6
    const malformed = structure === null ? '' : `, malformed ${this.malformed}`
    print(
      `lines ${this.lines}, matches ${this.matches}, skipped ${this.skipped}${malformed}, bytes ${this.bytes}, CPU ${seconds.toFixed(3)} s`,
    )
  }
}

class JsonReport extends Report {
  readonly #forms: DateForms

  constructor(forms: DateForms) {
    super()
    this.#forms = forms
  }

  override get numbersLines(): boolean {
    return true
  }

  override found(
    { address, time, rule, groups, attempts, offset }: Match,
    file: string,
    line: number,
    bytes: Buffer,
  ): void {
    const record = {
      file,
      line,
      host: address,
      time: time === null ? null : time / 1000,
      date: this.#forms.at(bytes, offset),
      rule,
      user: groups.user ?? null,
    }
    print(JSON.stringify(attempts > 1 ? { ...record, attempts } : record))
  }

  override end(): void {}
}

class TextReport extends Report {
  readonly #forms: DateForms
  readonly #rules = new Map<number, number>()
  readonly #hosts = new Map<string, { count: number; last: number | null }>()

  constructor(forms: DateForms) {
    super()
    this.#forms = forms
  }

  override read(lines: Buffer): void {
    this.#forms.count(lines)
  }

  override found(match: Match): void {
    this.matches++
    this.#rules.set(match.rule, (this.#rules.get(match.rule) ?? 0) + match.attempts)
    const count = (this.#hosts.get(match.address)?.count ?? 0) + match.attempts
    this.#hosts.set(match.address, { count, last: match.time })
  }

  override end(filter: CompiledFilter): void {
    const hosts = [...this.#hosts].toSorted(([, a], [, b]) => b.count - a.count)
    const rules = [...this.#rules].toSorted(([a], [b]) => a - b)
    if (hosts.length > 0) {
      print(
        table(
          ['ADDRESS', 'FAILURES', 'LAST'],
          hosts
            .slice(0, 50)
            .map(([host, { count, last }]) => [host, count, last === null ? 'no date' : new Date(last).toISOString()]),
        ),
      )
      if (hosts.length > 50) print(`… and ${hosts.length - 50} more addresses; --json lists every line`)
      print(
        `\n${table(
          ['RULE', 'FAILURES', filter.structure === null ? 'FAILREGEX' : 'MATCH'],
          rules.map(([rule, count]) => [rule, count, (filter.structure?.match ?? filter.failregex)[rule]?.text ?? '']),
        )}\n`,
      )
    }
    if (this.lines > 0) print(`${table(['LINES', 'DATE'], this.#forms.rows())}\n`)
    super.end(filter)
  }
}

/** Hands a log over chunk by chunk, as intake does, and counts its lines where somebody wants their numbers. */
function readLog(log: string, scanner: LogScanner, report: Report): void {
  const file = log === '-' ? 'stdin' : log
  const fd = open(log)
  const numbers = report.numbersLines ? new LineNumbers() : null
  const buffer = Buffer.allocUnsafe(chunkBytes)
  const arrivedAt = Date.now()
  let held = 0
  let insideLine = false
  try {
    for (let first = true; ; first = false) {
      const read = readSync(fd, buffer, held, buffer.length - held, null)
      if (first) refuseCompressed(log, buffer.subarray(0, read))
      if (read === 0 && held === 0) break
      // What is not ended by a newline at the end of a stored log is a line all the same.
      const closing = read === 0 ? buffer.write('\n', held) : read
      const bytes = buffer.subarray(0, held + closing)
      const result: ScanResult = scanner.scan({
        log: file,
        jails: ['test'],
        data: bytes,
        arrivedAt,
        live: false,
        undatedAt: null,
        insideLine,
      })
      for (const match of result.matches) report.found(match, file, numbers?.at(bytes, match.offset) ?? 0, bytes)
      report.read(bytes.subarray(insideLine ? result.consumed : 0, result.consumed))
      report.lines += result.lines
      report.skipped += result.skipped
      report.malformed += result.malformed
      report.bytes += read
      insideLine = result.insideLine
      numbers?.pass(bytes, result.consumed)
      buffer.copy(buffer, 0, result.consumed, bytes.length)
      held = bytes.length - result.consumed
      if (read === 0) break
    }
  } finally {
    if (fd !== 0) closeSync(fd)
  }
}

/** Counts newlines from match to match. */
class LineNumbers {
  #line = 1
  #counted = 0

  /** The number of the line at `offset` of the bytes; offsets must ascend. */
  at(bytes: Buffer, offset: number): number {
    this.#count(bytes, offset)
    return this.#line
  }

  /** Goes on behind the consumed bytes. */
  pass(bytes: Buffer, consumed: number): void {
    this.#count(bytes, consumed)
    this.#counted = 0
  }

  #count(bytes: Buffer, end: number): void {
    for (let at = bytes.indexOf(10, this.#counted); at >= 0 && at < end; at = bytes.indexOf(10, at + 1)) {
      this.#line++
      this.#counted = at + 1
    }
    this.#counted = Math.max(this.#counted, end)
  }
}

function open(log: string): number {
  if (log === '-') return 0
  try {
    const fd = openSync(log, 'r')
    if (!fstatSync(fd).isDirectory()) return fd
    closeSync(fd)
  } catch (cause) {
    const hint = 'name a log that this user may read, or - for standard input'
    throw new BailiffError('no-input', `cannot read ${quote(log)}: ${whyUnreadable(cause)}`, { cause, hint })
  }
  throw new BailiffError('no-input', `${quote(log)} is a folder, not a log`, { hint: `name its files: ${log}/*` })
}

/** A filter, and what the jail that uses it says of dates and proxies. */
interface ChosenFilter {
  readonly settings: FilterSettings
  readonly dates?: DateSettings
  readonly proxies: readonly Prefix[]
}

/** The filter of a jail of that name, of a file, or of that name; the configuration need not exist. */
async function findFilter(given: string, { config, mode }: TestOptions): Promise<ChosenFilter> {
  const { library, settings } = await knownFilters(config, given)
  const jail = settings?.jails.find(({ name }) => name === given)
  const proxies = jail?.ignore.proxies ?? []
  if (jail && mode === undefined) return { settings: jail.filter, dates: jail.dates, proxies }
  const definition = await filterOf(jail?.filter.name ?? given, library)
  const inItsMode = inMode(definition, mode ?? 'normal', { file: definition.where.file })
  return { settings: inItsMode, proxies, ...(jail ? { dates: jail.dates } : {}) }
}
