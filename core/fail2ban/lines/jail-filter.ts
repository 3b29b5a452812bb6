import type { FilterTexts } from './filter-texts.ts'
import { LineFilter } from './line-filter.ts'
import type { LineFinding } from './line-finding.ts'
import type { Moment } from './moment.ts'
import type { RawFailure } from './raw-failure.ts'
import { Sessions } from './sessions.ts'

/** How a filter is run that somebody tries, as far as it differs from a jail's. */
export interface JailFilterOptions {
  /** Every failregex is tried, not only up to the first that matches. */
  readonly all?: boolean
  /** Names stay names, whatever `usedns` says. */
  readonly raw?: boolean
  /** Failures whose session has not yet told whom they are about are answered too. */
  readonly pending?: boolean
  /** Lines that a failregex knows and that are no failures are answered too. */
  readonly harmless?: boolean
  /** The zone of the host; by default the system's. */
  readonly hostZone?: string
  /** Lines that cannot match are passed over early, which changes no failure. */
  readonly prefiltered?: boolean
}

/** What became of a line. */
export interface ExaminedLine extends LineFinding {
  readonly failures: readonly RawFailure[]
}

/**
 * One jail's filter over the lines of a log, with the state that Fail2ban's has: dates, lines that wait for others,
 * sessions. Lines must come in their order, each without its line break.
 */
export class JailFilter {
  readonly lines: LineFilter
  readonly #sessions: Sessions

  /** Throws a PatternError that names list, index and position of what is wrong. */
  constructor(texts: FilterTexts, { raw = false, ...options }: JailFilterOptions = {}) {
    this.lines = new LineFilter(texts, options)
    this.#sessions = new Sessions({ ...options, raw: raw || texts.usedns === 'raw' })
  }

  /** The failures that the next line tells of. */
  process(line: string, moment: Moment): readonly RawFailure[] {
    return this.examine(line, moment).failures
  }

  /** All that became of the next line. `isAscii`: it holds ASCII alone; false: it need not. */
  examine(line: string, moment: Moment, isAscii?: boolean): ExaminedLine {
    const { hits, ignoredBy, prefixed, line: dated, trouble } = this.lines.find(line, moment, isAscii)
    if (hits.length === 0) return { hits, ignoredBy, prefixed, line: dated, trouble, failures: noFailures }
    const failures: RawFailure[] = []
    for (const hit of hits) {
      const failure = this.#sessions.merge(hit, moment.now)
      if (failure !== null) failures.push(failure)
    }
    return { hits, ignoredBy, prefixed, line: dated, trouble, failures }
  }
}

const noFailures: readonly never[] = []
