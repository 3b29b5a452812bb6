import type { LogBlock } from './block-lines.ts'
import type { FilterTexts } from './filter-texts.ts'
import type { DecodeLine } from './line-decoding.ts'
import { LineFilter } from './line-filter.ts'
import type { LineFinding } from './line-finding.ts'
import type { LineHit } from './line-hit.ts'
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
  /** As in `LineFilterOptions`. */
  readonly largeBlock?: number
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
  readonly #options: JailFilterOptions

  /** Throws a PatternError that names list, index and position of what is wrong. */
  constructor(texts: FilterTexts, { raw = false, ...options }: JailFilterOptions = {}) {
    this.#options = options
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

  /**
   * Tells of the failures of the lines of a block, in order, each of which is dated by itself, and with it of where its line
   * begins; answers how many lines there were. Empty lines and those that begin with # are not looked at.
   */
  scan(
    block: LogBlock,
    moment: Moment,
    decode: DecodeLine,
    tell: (failure: RawFailure, start: number) => void,
  ): number {
    const { all = false, harmless = false } = this.#options
    const found = (hit: LineHit, start: number) => {
      const failure = this.#sessions.merge(hit, moment.now)
      if (failure !== null) tell(failure, start)
    }
    const sessions = {
      knows: (session: string) => this.#sessions.knows(session, moment.now),
      keys: () => this.#sessions.keys(),
      open: (session: string, line: () => LineHit) => this.#sessions.open(session, line, moment.now),
    }
    const more = all || harmless ? {} : { sessions }
    return this.lines.scan(block, { moment, decode, found, withoutComments: true, ...more })
  }
}

const noFailures: readonly never[] = []
