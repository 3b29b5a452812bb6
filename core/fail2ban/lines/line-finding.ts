import type { DatedLine } from './line-dates.ts'
import type { LineHit } from './line-hit.ts'
import type { TimeTrouble } from './moment.ts'

/** What a line filter found in a line. */
export interface LineFinding {
  /** Usually none or one; with `all` one for each failregex that matched. */
  readonly hits: readonly LineHit[]
  /** The indexes of the ignoreregexes that matched. */
  readonly ignoredBy: readonly number[]
  /** Whether the prefregex matched. */
  readonly prefixed: boolean
  /** The line and its time; null: it was passed over. */
  readonly line: DatedLine | null
  readonly trouble: TimeTrouble | null
}

/** What is known of the dates of the lines that were read. */
export interface SightOfDates {
  /** How many had none. */
  readonly undated: number
  /** One had a date, which is remembered. */
  readonly isDateKnown: boolean
}

/** What is found in a line in which nothing is. */
export function withoutHits(line: DatedLine, prefixed = false): LineFinding {
  return { hits: none, ignoredBy: none, prefixed, line, trouble: line.trouble }
}

/** Groups of which one at least tells whom a line is about, or which session it belongs to. */
export const identifying: readonly string[] = ['fid', 'ip4', 'ip6', 'dns', 'mlfid']

const none: readonly never[] = []
