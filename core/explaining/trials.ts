import type { Prefix } from '../address.ts'
import { createFilterTracer, type FilterTrace } from '../../matchers/regexp/filter-matcher.ts'
import { createFieldTracer, type FieldTrace } from '../../matchers/structured/field-trace.ts'
import { LineGuard } from '../matching/line-guard.ts'
import { createLogScanner, type LogScanner, type RecordedResult } from '../matching/scan.ts'
import type { CompiledFilter, LineHead, MatcherPlugin } from '../plugin.ts'
import { inOtherMode, type Candidate } from './candidate.ts'

/** A line takes the patterns of a jail no longer than this, as in the agent where a log is slow. */
const lineMs = 20
const jail = 'trial'

/** Where a line is read, as the scanner has to know it. */
export interface LinePlace {
  readonly log: string
  /** The log, open: whether its lines have heads decides whether a line without one is believed. Null: not at hand. */
  readonly fd: number | null
  /** Decides the year of dates without one, unix milliseconds. */
  readonly now: number
  /** The trusted proxies of the jail; they are always the same for a filter. */
  readonly proxies: readonly Prefix[]
}

interface Prepared {
  readonly scanner: LogScanner
  readonly trace: (head: LineHead) => FilterTrace
}

/** Hands lines to the scanner that the agent uses, to see what becomes of them. It keeps what it made of each filter. */
export class Trials {
  /** For patterns that are tried beside the scanner: lines may be made to hold them up. */
  readonly guard = new LineGuard()
  readonly #engines: readonly MatcherPlugin[]
  readonly #prepared = new Map<CompiledFilter, Prepared>()
  readonly #otherModes = new Map<string, Candidate>()
  readonly #ofAnyProgram = new Map<CompiledFilter, CompiledFilter>()
  readonly #ofUsualDates = new Map<CompiledFilter, CompiledFilter>()

  constructor(engines: readonly MatcherPlugin[]) {
    this.#engines = engines
  }

  /** Scans one line (without its newline) for a filter. The jail of what is found is `trial`. */
  scan(filter: CompiledFilter, line: Buffer, { log, fd, now, proxies }: LinePlace): RecordedResult {
    const bytes = Buffer.concat([line, Buffer.from('\n')])
    const data = fd === null ? bytes : { fd, start: 0, end: bytes.length, bytes }
    const chunk = { log, jails: [jail], data, arrivedAt: now, live: false, undatedAt: now, insideLine: false }
    return this.#prepare(filter, proxies).scanner.scan(chunk, undefined, lineMs)
  }

  /** Whether the filter finds an address in the line. */
  matches(filter: CompiledFilter, line: Buffer, place: LinePlace): boolean {
    return this.scan(filter, line, place).matches.length > 0
  }

  /** How far a line comes in a filter; null: its patterns take too long. */
  trace(filter: CompiledFilter, head: LineHead, { proxies }: LinePlace): FilterTrace | null {
    const { trace } = this.#prepare(filter, proxies)
    let found: FilterTrace | null = null
    this.guard.run(() => (found = trace(head)), 500)
    return found
  }

  /** How the fields of a line fare in a filter that reads some; null: its patterns take too long. */
  traceFields(filter: CompiledFilter, line: Buffer, head: LineHead): FieldTrace | null {
    const trace = createFieldTracer(filter)
    let found: FieldTrace | null = null
    if (trace !== null) this.guard.run(() => (found = trace(line, head)), 500)
    return found
  }

  /** The candidate with its filter in another mode. */
  inMode(candidate: Candidate, mode: string): Candidate {
    const key = `${candidate.state} ${candidate.jail} ${mode}`
    const known = this.#otherModes.get(key) ?? inOtherMode(candidate, mode)
    this.#otherModes.set(key, known)
    return known
  }

  /** The filter as if it read lines of all programs. */
  ofAnyProgram(filter: CompiledFilter): CompiledFilter {
    const known = this.#ofAnyProgram.get(filter) ?? { ...filter, programs: null }
    this.#ofAnyProgram.set(filter, known)
    return known
  }

  /** The filter as if it had no `datepattern`. */
  ofUsualDates(filter: CompiledFilter): CompiledFilter {
    const known = this.#ofUsualDates.get(filter) ?? { ...filter, dates: null }
    this.#ofUsualDates.set(filter, known)
    return known
  }

  #prepare(filter: CompiledFilter, proxies: readonly Prefix[]): Prepared {
    const known = this.#prepared.get(filter)
    if (known !== undefined) return known
    const scanner = createLogScanner({ jails: [{ jail, filter, proxies }], engines: this.#engines })
    const prepared = { scanner, trace: createFilterTracer(filter) }
    this.#prepared.set(filter, prepared)
    return prepared
  }
}
