import type { LogBlock } from './block-lines.ts'
import type { FilterTexts } from './filter-texts.ts'
import type { DecodeLine } from './line-decoding.ts'
import { LineFilter } from './line-filter.ts'
import type { LineFinding } from './line-finding.ts'
import type { GroupValue, LineHit } from './line-hit.ts'
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
   * The failures that lines of a block tell of, in order, each of which is dated by itself; and how many lines there were.
   * Empty lines and those that begin with # are not looked at.
   */
  scan(block: LogBlock, moment: Moment, decode: DecodeLine): BlockFailures {
    const { all = false, harmless = false } = this.#options
    const failures: RawFailure[][] = []
    let foundAt = -1
    const found = (hit: LineHit, start: number) => {
      const failure = this.#sessions.merge(detached(hit), moment.now)
      if (failure === null) return
      if (foundAt === start) failures.at(-1)?.push(failure)
      else failures.push([failure])
      foundAt = start
    }
    const knows = (session: string) => this.#sessions.knows(session, moment.now)
    const lines = this.lines.scan(block, {
      moment,
      decode,
      found,
      withoutComments: true,
      ...(all || harmless ? {} : { knows }),
    })
    return { lines, failures }
  }
}

/** What became of the lines of a block. */
export interface BlockFailures {
  readonly lines: number
  /** Of each line that tells of failures. */
  readonly failures: readonly (readonly RawFailure[])[]
}

/** What sessions remember must not keep all of the block in memory, of which its texts are parts. */
function detached({ rule, time, groups, lines }: LineHit): LineHit {
  const own: Record<string, GroupValue> = {}
  for (const name in groups) {
    const value = groups[name] ?? ''
    own[name] = typeof value === 'string' && value.length >= shortestPart ? copied(value) : value
  }
  return { rule, time, groups: own, lines: lines.map(copied) }
}

/** V8 copies shorter ones by itself. */
const shortestPart = 13

/** V8 makes a text of its own of two that are put together, as soon as it is cut. */
function copied(text: string): string {
  return ` ${text}`.slice(1)
}

const noFailures: readonly never[] = []
