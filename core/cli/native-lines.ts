import { createFilterTracer } from '../../matchers/regexp/filter-matcher.ts'
import { closeSync } from 'node:fs'
import { BailiffError, printable } from '../errors.ts'
import type { LogChunk, Match } from '../events.ts'
import { LineReader } from '../matching/lines.ts'
import { createLogScanner, type LogScanner } from '../matching/scan.ts'
import type { CompiledFilter, LineBlock, MatcherPlugin } from '../plugin.ts'
import type { PlainFile } from './counting/file-count.ts'
import { failureOf, LineCounter } from './counting/line-counter.ts'
import { DateCounts } from './date-counts.ts'
import { jailOfFilter, nativeProbes, ruleOfJail, whoIgnores, type NativeProbe } from './native-probes.ts'
import { LineNumbers } from './line-numbers.ts'
import { datedBytes, isPlainFile, openBytes, openPlainFile } from './native-bytes.ts'
import type { NativeChoice } from './native-choice.ts'
import { asksThreads, outputForm, threadsOf, timeOf, triesAll, type TestOptions } from './test-options.ts'
import type { SeenLine, TestedFailure, TestedFilter, TestOutput } from './tested-filter.ts'

/** Small, so that what a chunk brings forth dies young; two lines of the longest length fit. */
const chunkBytes = 128 * 1024
const newline = 10

/** A filter of our own over logs, through the scanner of the agent: in this one thread, or counted by several. */
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
  readonly #look: { readonly scanner: LogScanner } | { readonly counter: LineCounter }
  readonly #threads: number
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
    this.#threads = threadsOf(options)
    if (asksThreads(options) && filter.module !== undefined)
      throw new BailiffError('usage', '--threads: what a matcher in WebAssembly keeps is kept by one thread', {
        hint: 'leave it out',
      })
    const isCounted = outputForm(options) === 'summary'
    const setup = { jails, yesNo: options.yesNo === true, now: this.#now }
    this.#look = isCounted
      ? { counter: new LineCounter(setup, engines) }
      : { scanner: createLogScanner({ jails, engines }) }
    this.#trace = filter.prefregex !== null && outputForm(options) === 'report' ? createFilterTracer(filter) : null
    this.#reader = new LineReader(filter.dates ?? null)
    this.#reader.reference = this.#now
    this.uses = choice.uses
    this.rules = rulesOf(filter)
    const malformed = filter.structure === null ? null : 0
    const addresses = isCounted && !options.yesNo ? 0 : null
    this.tally = { lines: 0, matches: 0, ignored: null, skipped: 0, malformed, bytes: 0, addresses }
  }

  async read(log: string, output: TestOutput): Promise<void> {
    const { journalmatch, date } = this.#options
    const look = this.#look
    if ('counter' in look && date && isPlainFile(log)) {
      await this.#countFile(log, look.counter)
      return
    }
    const plain = openBytes(log, { journalmatch, sources: this.#choice.sources })
    const bytes = date ? plain : datedBytes(plain, this.#now)
    const file = log === '-' ? 'stdin' : log
    // How its first lines begin says what a line without a date is worth.
    const head = date && isPlainFile(log) ? openPlainFile(log).fd : null
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
        const result =
          'counter' in look
            ? this.#count(look.counter, file, chunk, insideLine, read)
            : this.#scan(look.scanner, file, withHead(chunk, head), insideLine, read)
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
      if (head !== null) closeSync(head)
    }
  }

  dateHits(): ReturnType<TestedFilter['dateHits']> {
    return this.#dates.rows().map(([hits, name]) => ({ name, hits, more: [] }))
  }

  #scan(scanner: LogScanner, log: string, data: LogChunk['data'], insideLine: boolean, bytes: number): ScannedLines {
    const jails = this.#probes.map(({ jail }) => jail)
    const result = scanner.scan({
      log,
      jails,
      data,
      arrivedAt: this.#now,
      live: false,
      undatedAt: null,
      insideLine,
    })
    const { lines, skipped, malformed, matches, slow } = result
    this.tally.lines += lines
    this.tally.skipped += skipped
    if (this.tally.malformed !== null) this.tally.malformed += malformed
    this.tally.matches += this.#probes.length === 1 ? matches.length : matches.filter(isOfFilter).length
    this.tally.bytes += bytes
    this.#tellFailure(failureOf(slow))
    return result
  }

  #count(counter: LineCounter, log: string, data: Buffer, insideLine: boolean, bytes: number): ScannedLines {
    const result = counter.count(log, data, insideLine, bytes)
    this.#takeCounts(counter)
    return { ...result, matches: [] }
  }

  async #countFile(log: string, counter: LineCounter): Promise<void> {
    const { fd, size } = openPlainFile(log)
    try {
      if (this.#threads === 1) counter.countRange(log, fd, 0, size)
      else await this.#countTogether(counter, { log, fd, size })
    } finally {
      closeSync(fd)
    }
    this.#takeCounts(counter)
  }

  /** What starts threads is loaded only for who wants them. */
  async #countTogether(counter: LineCounter, file: PlainFile): Promise<void> {
    const { countFile } = await import('./counting/file-count.ts')
    await countFile(counter, file, { threads: this.#threads })
  }

  #takeCounts({ counts, addresses }: LineCounter): void {
    const { lines, matches, skipped, malformed, bytes, failure } = counts
    const { tally } = this
    Object.assign(tally, { lines, matches, skipped, bytes, addresses })
    if (tally.malformed !== null) tally.malformed = malformed
    this.#tellFailure(failure)
  }

  /** Tells the first one. */
  #tellFailure(failure: string | null): void {
    if (failure === null || this.#toldFailure) return
    this.#toldFailure = true
    process.stderr.write(`bailiff: the matcher failed, and lines are skipped: ${printable(failure)}\n`)
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
    const found = matches.filter(isOfFilter)
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

/** Bytes of a file that is open, whose begin may be looked at; offsets are those in the bytes. */
function withHead(bytes: Buffer, fd: number | null): LogChunk['data'] {
  return fd === null ? bytes : { fd, start: 0, end: bytes.length, bytes }
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

function isOfFilter({ jail }: Match): boolean {
  return jail === jailOfFilter
}
