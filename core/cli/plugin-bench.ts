/** `bailiff plugin bench`: a matcher in WebAssembly beside failregexes of the same meaning, on the same log. */
import { closeSync, fstatSync, openSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { BailiffError, exitCodes, quote, whyUnreadable } from '../errors.ts'
import type { FailureRows } from '../events.ts'
import { countRows, RowCursor } from '../failure-rows.ts'
import { filterLanguage } from '../matching/filter-language.ts'
import { mostScannedBytes } from '../matching/line-cutting.ts'
import { createRowScanner, type RowScanner } from '../matching/scan.ts'
import type { CompiledFilter } from '../plugin.ts'
import { loadModule } from '../wasm-matcher/load-module.ts'
import { inPieces, createModuleScanner, RunningModule } from '../wasm-matcher/module-scanner.ts'
import { jsonLine } from './json-line.ts'
import { loadEngines } from './load-engines.ts'
import { print, styled } from './output.ts'
import { builtModule } from './plugin-module.ts'
import { table } from './table.ts'

export interface BenchOptions {
  readonly failregex?: readonly string[]
  readonly datepattern?: string
  readonly rounds?: string
  readonly json?: true
}

/** What a way of matching took and found. */
interface Way {
  readonly name: string
  readonly scanner: RowScanner
  readonly ms: number[]
  lines: number
  failures: number
  /** Stands for the lines and their addresses. */
  sum: number
}

interface OpenLog {
  readonly fd: number
  readonly size: number
  readonly log: string
}

/**
 * Measures the way of the agent from the file to the rows that the judge counts, in time of the processor: medians of
 * rounds that take turns. Answers the exit code: 65 where both do not find the same.
 */
export async function benchPlugin(file: string, log: string, options: BenchOptions): Promise<number> {
  const rounds = readRounds(options.rounds ?? '5')
  const { module, remove } = await builtModule(resolve(file))
  const opened = openLog(log)
  try {
    const ways = [moduleWay(module), ...(await patternWay(options))]
    for (let round = 0; round <= rounds; round++)
      for (const way of ways) {
        const ms = scanAll(way, opened, round > 0)
        // The first round warms up.
        if (round > 0) way.ms.push(ms)
      }
    return report(ways, opened.size, options.json === true)
  } finally {
    closeSync(opened.fd)
    await remove()
  }
}

function readRounds(given: string): number {
  const rounds = Number(given)
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 1000) return rounds
  throw new BailiffError('usage', `--rounds is a whole number from 1 to 1000, but is ${quote(given)}`)
}

function openLog(log: string): OpenLog {
  try {
    const fd = openSync(log, 'r')
    return { fd, size: fstatSync(fd).size, log }
  } catch (cause) {
    throw new BailiffError('no-input', `the log ${quote(log)} cannot be read: ${whyUnreadable(cause)}`, { cause })
  }
}

/** As in the agent, where it runs in a thread of its own that is watched from outside. */
function moduleWay(file: string): Way {
  const module = loadModule({ name: basename(file), file, options: {} })
  const without = { programs: null, prefregex: null, failregex: [], ignoreregex: [], structure: null }
  const compile = (filters: readonly CompiledFilter[]) =>
    createModuleScanner(filters, { instanceOf: (one) => new RunningModule(one), cut: inPieces })
  return wayOf('matcher', { name: 'matcher', ...without, module }, [{ compile }])
}

async function patternWay({ failregex, datepattern }: BenchOptions): Promise<Way[]> {
  if (failregex === undefined) return []
  const source = { name: 'failregex', programs: null, prefregex: null, failregex, ignoreregex: [] }
  const filter = filterLanguage.compileFilter(source)
  const year = new Date().getFullYear()
  const dates = datepattern === undefined ? {} : { dates: filterLanguage.compileDates([datepattern], null, year) }
  return [wayOf('failregex', { ...filter, ...dates }, await loadEngines())]
}

function wayOf(name: string, filter: CompiledFilter, engines: Parameters<typeof createRowScanner>[0]['engines']): Way {
  return {
    name,
    scanner: createRowScanner({ jails: [{ jail: name, filter }], engines }, 1),
    ms: [],
    lines: 0,
    failures: 0,
    sum: 0,
  }
}

/** Scans the log and answers the milliseconds that it took; what was found is looked at where nobody measures. */
function scanAll(way: Way, { fd, size, log }: OpenLog, isMeasured: boolean): number {
  let [lines, failures, sum] = [0, 0, 0]
  const before = process.cpuUsage()
  for (let start = 0, insideLine = false; start < size;) {
    const data = { fd, start, end: Math.min(start + mostScannedBytes, size) }
    const chunk = { log, jails: [way.name], data, arrivedAt: 0, live: false, undatedAt: null, insideLine }
    const result = way.scanner.scan(chunk)
    lines += result.lines
    insideLine = result.insideLine
    start += result.consumed
    failures += countRows(result.rows)
    if (!isMeasured) sum = (sum + sumOf(result.rows)) | 0
    if (result.consumed === 0) break
  }
  const { user, system } = process.cpuUsage(before)
  if (!isMeasured) Object.assign(way, { lines, failures, sum })
  return (user + system) / 1000
}

/** The same for the same lines and addresses, in whatever rows they are. */
function sumOf(rows: FailureRows): number {
  let sum = 0
  const row = new RowCursor(rows)
  while (row.next()) {
    let mixed = 17
    for (const character of row.address) mixed = (Math.imul(mixed, 31) + character.charCodeAt(0)) | 0
    sum = (sum + Math.imul(mixed, row.lines)) | 0
  }
  return sum
}

function report(ways: readonly Way[], size: number, json: boolean): number {
  const rates = ways.map(({ ms }) => size / 1e3 / median(ms))
  const [first = 0, second] = rates
  const share = second === undefined ? null : first / second
  const same = new Set(ways.map(({ failures, sum }) => `${failures} ${sum}`)).size === 1
  if (json)
    print(
      jsonLine({
        ways: ways.map(({ name, ms, lines, failures }, index) => ({
          name,
          ms: Math.round(median(ms)),
          megabytesPerSecond: Math.round(rates[index] ?? 0),
          lines,
          failures,
        })),
        share,
        same,
      }),
    )
  else {
    print(
      table(
        ['', 'MS', 'MB/S', 'LINES', 'FAILURES'],
        ways.map(({ name, ms, lines, failures }, index) => [
          name,
          Math.round(median(ms)),
          Math.round(rates[index] ?? 0),
          lines,
          failures,
        ]),
      ),
    )
    if (share !== null)
      print(`\nthe matcher has ${Math.round(share * 100)} % of the speed of the built-in engine with these failregexes`)
    if (!same) print(styled('red', 'they do not find the same, so their times say nothing'))
  }
  return same ? 0 : exitCodes.data
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
