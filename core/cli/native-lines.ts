import { createFilterTracer } from '../../matchers/regexp/filter-matcher.ts'
import { closeSync, readSync } from 'node:fs'
import { printable } from '../errors.ts'
import type { LogChunk, Match } from '../events.ts'
import { mostScannedBytes } from '../matching/line-cutting.ts'
import { LineReader } from '../matching/lines.ts'
import { LineCounts, MatchCounts } from './match-counts.ts'
import {
  createCountScanner,
  createLogScanner,
  type ChunkScanner,
  type CountedResult,
  type LogScanner,
} from '../matching/scan.ts'
import type { CompiledFilter, LineBlock, MatcherPlugin } from '../plugin.ts'
import { DateCounts } from './date-counts.ts'
import { jailOfFilter, nativeProbes, ruleOfJail, whoIgnores, type NativeProbe } from './native-probes.ts'
import { LineNumbers } from './line-numbers.ts'
import { datedBytes, isPlainFile, openBytes, openPlainFile } from './native-bytes.ts'
import type { NativeChoice } from './native-choice.ts'
import { timeOf, triesAll, outputForm, type TestOptions } from './test-options.ts'
import type { SeenLine, TestedFailure, TestedFilter, TestOutput } from './tested-filter.ts'

/** Small, so that what a chunk brings forth dies young; two lines of the longest length fit. */
const chunkBytes = 128 * 1024
const newline = 10

/** A filter of our own over logs, in this one thread, through the scanner of the agent. */
export class NativeLines implements TestedFilter {
  readonly encoding = 'UTF-8'
  readonly uses: readonly string[]
  readonly rules: TestedFilter['rules']
  readonly tally: {
    lines: number
    matches: number
    ignored: null
    skipped: number
    malformed: number | null
    bytes: number
    addresses: number | null
  }
  readonly #choice: NativeChoice
  readonly #options: TestOptions
  readonly #now: number
  readonly #probes: readonly NativeProbe[]
  /** What makes records; or what counts, where nothing else is asked for. */
  readonly #look: { readonly scanner: LogScanner } | { readonly counter: ChunkScanner<CountedResult> }
  readonly #counts: MatchCounts | null
  readonly #dates = new DateCounts()
  readonly #trace: ReturnType<typeof createFilterTracer> | null
  readonly #reader: LineReader
  #toldFailure = false

  constructor(choice: NativeChoice, engines: readonly MatcherPlugin[], options: TestOptions) {
    const { filter, proxies } = choice
    this.#choice = choice
    this.#options = options
    this.#now = timeOf(options) * 1000
    this.#probes = nativeProbes(filter, triesAll(options), outputForm(options) !== 'summary')
    const jails = this.#probes.map((probe) => ({ ...probe, proxies }))
    const isCounted = outputForm(options) === 'summary'
    this.#counts = isCounted && !options.yesNo ? new MatchCounts({ jail: jailOfFilter, filter, proxies }) : null
    this.#look = isCounted
      ? { counter: createCountScanner({ jails, engines }, this.#counts ?? new LineCounts()) }
      : { scanner: createLogScanner({ jails, engines }) }
    this.#trace = filter.prefregex !== null && outputForm(options) === 'report' ? createFilterTracer(filter) : null
    this.#reader = new LineReader(filter.dates ?? null)
    this.#reader.reference = this.#now
    this.uses = choice.uses
    this.rules = rulesOf(filter)
    const malformed = filter.structure === null ? null : 0
    this.tally = { lines: 0, matches: 0, ignored: null, skipped: 0, malformed, bytes: 0, addresses: this.#counts && 0 }
  }

  async read(log: string, output: TestOutput): Promise<void> {
    const { journalmatch, date } = this.#options
    const look = this.#look
    if ('counter' in look && date && isPlainFile(log)) {
      this.#countFile(log, look.counter)
      return
    }
    const plain = openBytes(log, { journalmatch, sources: this.#choice.sources })
    const bytes = date ? plain : datedBytes(plain, this.#now)
    const file = log === '-' ? 'stdin' : log
    const numbers = new LineNumbers()
    const buffer = Buffer.allocUnsafe(chunkBytes)
    let [held, insideLine] = [0, false]
    try {
      for (;;) {
        const filled = bytes.fill(buffer.subarray(held))
        const read = typeof filled === 'number' ? filled : await filled
        if (read === 0 && held === 0) break
        // What is not ended by a newline at the end of a stored log is a line all the same.
        const chunk = buffer.subarray(0, held + (read === 0 ? buffer.write('\n', held) : read))
        this.tally.bytes += read
        const result =
          'counter' in look
            ? this.#count(look.counter, file, chunk, insideLine)
            : this.#scan(look.scanner, file, chunk, insideLine)
        // The rest of a line that is too long is no line.
        const start = insideLine ? chunk.indexOf(newline) + 1 || result.consumed : 0
        if (output.wants !== 'counts') this.#tell(output, { file, chunk, start, result, numbers })
        output.pieceTold()
        insideLine = result.insideLine
        numbers.pass(chunk, result.consumed)
        buffer.copy(buffer, 0, result.consumed, chunk.length)
        held = chunk.length - result.consumed
        if (read === 0) break
      }
    } finally {
      bytes.close()
    }
  }

  dateHits(): ReturnType<TestedFilter['dateHits']> {
    return this.#dates.rows().map(([hits, name]) => ({ name, hits, more: [] }))
  }

  #scan(scanner: LogScanner, log: string, data: Buffer, insideLine: boolean): ScannedLines {
    const result = scanner.scan(this.#chunk(log, data, insideLine))
    const { matches } = result
    const own = this.#probes.length === 1 ? matches : matches.filter(({ jail }) => jail === jailOfFilter)
    this.#note(result, own.length)
    if (this.tally.malformed !== null) this.tally.malformed += result.malformed
    return result
  }

  /** A file is read where the engine looks at it. */
  #countFile(path: string, counter: ChunkScanner<CountedResult>): void {
    const { fd, size } = openPlainFile(path)
    try {
      let [at, insideLine] = [0, false]
      for (;;) {
        const data = { fd, start: at, end: Math.min(at + mostScannedBytes, size) }
        const result = counter.scan(this.#chunk(path, data, insideLine))
        this.#noteCounted(result)
        insideLine = result.insideLine
        at += result.consumed
        if (result.consumed === 0) break
      }
      const rest = Buffer.alloc(size - at)
      const read = readSync(fd, rest, 0, rest.length, at)
      this.tally.bytes += at + read
      if (read === 0 && !insideLine) return
      // What is not ended by a newline at the end of a stored log is a line all the same.
      const line = Buffer.concat([rest.subarray(0, read), Buffer.of(newline)])
      this.#noteCounted(counter.scan(this.#chunk(path, line, insideLine)))
    } finally {
      closeSync(fd)
    }
  }

  #count(counter: ChunkScanner<CountedResult>, log: string, data: Buffer, insideLine: boolean): ScannedLines {
    const result = counter.scan(this.#chunk(log, data, insideLine))
    this.#noteCounted(result)
    return { ...result, matches: [] }
  }

  #noteCounted(result: CountedResult): void {
    this.#note(result, result.matches)
    if (this.tally.malformed !== null) this.tally.malformed += result.malformed
    if (this.#counts !== null) this.tally.addresses = this.#counts.addresses
  }

  #chunk(log: string, data: LogChunk['data'], insideLine: boolean): LogChunk {
    const jails = this.#probes.map(({ jail }) => jail)
    return { log, jails, data, arrivedAt: this.#now, live: false, undatedAt: null, insideLine }
  }

  #note({ lines, skipped, slow }: Pick<CountedResult, 'lines' | 'skipped' | 'slow'>, matches: number): void {
    const [failure] = this.#toldFailure ? [] : slow.flatMap((one) => one.failure ?? [])
    if (failure !== undefined) tellFailure(failure)
    this.#toldFailure ||= failure !== undefined
    this.tally.lines += lines
    this.tally.skipped += skipped
    this.tally.matches += matches
  }

  #tell(output: TestOutput, told: ToldChunk): void {
    const { chunk, start, result, file, numbers } = told
    const bytes = chunk.subarray(0, result.consumed)
    const text = bytes.toString('latin1')
    const block = this.#reader.block(bytes, text, 0)
    let next = 0
    const own = (offset: number) => {
      const first = next
      while (result.matches[next]?.offset === offset) next++
      return result.matches.slice(first, next)
    }
    if (output.wants === 'failures')
      while (next < result.matches.length) {
        const offset = result.matches[next]?.offset ?? 0
        const found = own(offset)
        output.take(this.#seen(block, { file, number: 0, start: offset, end: text.indexOf('\n', offset) }, found))
      }
    else
      for (let at = start, end = text.indexOf('\n', at); end >= 0; at = end + 1, end = text.indexOf('\n', at)) {
        output.take(this.#seen(block, { file, number: numbers.at(chunk, at), start: at, end }, own(at)))
      }
  }

  #seen(block: LineBlock, { file, number, start, end }: LinePlace, matches: readonly Match[]): SeenLine {
    const head = block.head(start, end)
    const found = matches.filter(({ jail }) => jail === jailOfFilter)
    const all = matches.filter(({ jail }) => ruleOfJail(jail) !== null)
    const ofRules = all.length > 0 ? all : found
    const date = this.#options.date ? this.#reader.dateForm(block, start, end) : null
    this.#dates.count(date)
    const time = this.#options.date ? head.time : (head.time ?? this.#now)
    return {
      file,
      number,
      text: head.line,
      failures: ofRules.map((match) => this.#failure(match, head.line)),
      ignoredBy: found.length > 0 ? [] : whoIgnores(matches, this.rules.ignoreregex.length),
      prefixGroups: null,
      prefixed: this.#trace !== null && this.#trace(head).content !== null,
      time: time === null ? null : time / 1000,
      date,
      taken: [],
    }
  }

  #failure({ address, time, rule, groups, attempts, jail }: Match, line: string): TestedFailure {
    const when = time ?? (this.#options.date ? null : this.#now)
    return {
      rule: ruleOfJail(jail) ?? rule,
      id: address,
      ip: address,
      dns: null,
      time: when === null ? null : when / 1000,
      groups: { ...groups, [address.includes(':') ? 'ip6' : 'ip4']: address },
      users: [],
      nofail: false,
      lines: [line],
      attempts,
    }
  }
}

/** As the scanner has it, whatever else it says. */
type ScannedLines = Pick<ReturnType<LogScanner['scan']>, 'matches' | 'consumed' | 'insideLine'>

/** A chunk that was scanned; `start`: where its first whole line begins. */
interface ToldChunk {
  readonly file: string
  readonly chunk: Buffer
  readonly start: number
  readonly result: ScannedLines
  readonly numbers: LineNumbers
}

interface LinePlace {
  readonly file: string
  readonly number: number
  readonly start: number
  readonly end: number
}

function rulesOf({ prefregex, failregex, ignoreregex, structure }: CompiledFilter): TestedFilter['rules'] {
  const texts = (list: readonly { readonly text: string }[]) => list.map(({ text }) => text)
  if (structure !== null)
    return {
      failing: 'Match',
      ignoring: 'Ignore',
      prefregex: null,
      failregex: texts(structure.match),
      ignoreregex: texts(structure.ignore),
    }
  return {
    failing: 'Failregex',
    ignoring: 'Ignoreregex',
    prefregex: prefregex?.text ?? null,
    failregex: texts(failregex),
    ignoreregex: texts(ignoreregex),
  }
}

function tellFailure(failure: string): void {
  process.stderr.write(`bailiff: the matcher failed, and lines are skipped: ${printable(failure)}\n`)
}
