import type { Address } from '../address.ts'
import type { PatternSpan } from '../matching/pattern-tree.ts'

/**
 * Why a line counts or does not, the least far first: of several jails the one in which the line comes the
 * farthest says the cause, and before that one in which it would match but for the cause.
 */
export const causes = [
  /** No jail of the configuration has anything to do with the line. */
  'no-jail',
  'other-jail',
  'other-program',
  'no-header',
  'no-literal',
  /** Lines of text in a filter that reads fields. */
  'other-format',
  'prefregex',
  /** Begins as lines of the filter do, and is none. */
  'malformed',
  /** Some of what a filter asks of fields, or just one thing, is not so. */
  'conditions',
  'condition',
  'failregex',
  'ignoreregex',
  /** In a jail of a Fail2ban tree: known and no failure, or one whose session has not yet told whose. */
  'no-failure',
  'waiting',
  'no-address',
  'too-long',
  'too-slow',
  /** What the line lacks, or what stands in its way, and it would count otherwise. */
  'no-date',
  'wrong-mode',
  'jail-off',
  'log-not-read',
  'unfinished',
  'already-banned',
  'already-counted',
  'ignored',
  'allowed',
  'never-banned',
  'wrong-year',
  'too-old',
  /** It counts. */
  'clock-skew',
  'observed',
  'counts',
  'bans',
] as const
export type Cause = (typeof causes)[number]

/** One step of the way of a line. `ok`: it went on; false: it ended here; null: only to be known. */
export interface Step {
  readonly step: string
  readonly ok: boolean | null
  readonly detail: string
}

/** Where the failregex that came nearest and the line part. Offsets are UTF-16 units. */
export interface Nearest {
  /** Index of the failregex, from 0; null: it is the prefregex. */
  readonly rule: number | null
  /** Its text, and where it stands (`file:line`). */
  readonly pattern: string
  readonly place: string
  readonly patternSpan: PatternSpan
  /** What the pattern saw, printable, and where in it. */
  readonly text: string
  readonly textAt: number
  /** Whether the part of the pattern is missing from there on, and not just there. */
  readonly somewhere: boolean
}

/** The way of a line in one jail. All texts are printable. */
export interface JailTrace {
  readonly jail: string
  readonly filter: string
  readonly state: 'on' | 'observe' | 'off'
  readonly cause: Cause
  /** Whether the line matches, or would but for the cause. */
  readonly nearly: boolean
  /** Whether the jail reads the log in which the line stands; null: no log was named. */
  readonly readsLog: boolean | null
  /** The cause in a plain sentence. */
  readonly verdict: string
  readonly steps: readonly Step[]
  readonly address: Address | null
  /** The failregex that matched: `file:line`. */
  readonly rule: string | null
  readonly nearest: Nearest | null
}

/** What becomes of a line, and why. */
export interface LineExplanation {
  /** Printable, cut to 512 characters. */
  readonly line: string
  readonly cause: Cause
  /** One plain sentence. */
  readonly verdict: string
  /** The jail that the verdict is about. */
  readonly jail: string | null
  /** Unix milliseconds; null: no date was found. */
  readonly time: number | null
  /** The jails, the one that the verdict is about first. */
  readonly jails: readonly JailTrace[]
  /** What may be done, or is worth knowing. */
  readonly hints: readonly string[]
}
