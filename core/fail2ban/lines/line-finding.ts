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

/** What a line looks like before its patterns are asked. */
export interface LineGlance {
  /** It has a date that the filter reads, or its source knows one. */
  readonly dated: boolean
  /** It has one of the words that every failure has; false also where nothing is known of such words. */
  readonly hasWords: boolean
}

/** What is found in a line in which nothing is. */
export function withoutHits(line: DatedLine, prefixed = false): LineFinding {
  return { hits: none, ignoredBy: none, prefixed, line, trouble: line.trouble }
}

/** Groups of which one at least tells whom a line is about, or which session it belongs to. */
export const identifying: readonly string[] = ['fid', 'ip4', 'ip6', 'dns', 'mlfid']

const none: readonly never[] = []
