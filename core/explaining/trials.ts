import { createLogScanner } from '../matching/scan.ts'
import type { GuardedResult, JailFilter } from '../matching/messages.ts'
import type { CompiledFilter, MatcherPlugin } from '../plugin.ts'

/** A line takes the patterns of a jail no longer than this, as in the agent where a log is slow. */
const lineMs = 20

/** Where a line is read, as the scanner has to know it. */
export interface LinePlace {
  readonly log: string
  /** The log, open: whether its lines have heads decides whether a line without one is believed. Null: not at hand. */
  readonly fd: number | null
  /** Decides the year of dates without one, unix milliseconds. */
  readonly now: number
}

/** Hands lines to the scanner that the agent uses, to see what becomes of them. */
export class Trials {
  readonly #engines: readonly MatcherPlugin[]

  constructor(engines: readonly MatcherPlugin[]) {
    this.#engines = engines
  }

  /** Scans one line (without its newline) for these jails. */
  scan(jails: readonly JailFilter[], line: Buffer, { log, fd, now }: LinePlace): GuardedResult {
    const bytes = Buffer.concat([line, Buffer.from('\n')])
    const scanner = createLogScanner({ jails, engines: this.#engines })
    const data = fd === null ? bytes : { fd, start: 0, end: bytes.length, bytes }
    const chunk = { log, jails: jails.map(({ jail }) => jail), data, arrivedAt: now, live: false }
    return scanner.scan({ ...chunk, undatedAt: now, insideLine: false }, undefined, lineMs)
  }

  /** Whether the filter finds an address in the line. */
  matches(filter: CompiledFilter, line: Buffer, place: LinePlace): boolean {
    return this.scan([{ jail: 'trial', filter }], line, place).matches.length > 0
  }
}
