import type { RawFailure } from '../fail2ban/lines/raw-failure.ts'

/** A filter of either dialect, ready to be tried on logs. */
export interface TestedFilter {
  readonly rules: TestedRules
  /** What is used, in lines for people. */
  readonly uses: readonly string[]
  /** How lines are decoded. */
  readonly encoding: string
  /** What was read so far. */
  readonly tally: TestTally
  /**
   * Reads a log (a file, `-`, `systemd-journal`, or lines) to its end and tells the output of its lines, in order. Rejects
   * with a BailiffError where it cannot be read.
   */
  read(log: string, output: TestOutput): Promise<void>
  /** How often each form of date was found, in the order of the report; null: no dates are searched. */
  dateHits(): readonly DateHits[] | null
}

/** The patterns of a filter as they were written, and how they are called. */
export interface TestedRules {
  readonly failing: string
  readonly ignoring: string
  /** Tags expanded; null: there is none. */
  readonly prefregex: string | null
  readonly failregex: readonly string[]
  readonly ignoreregex: readonly string[]
}

/** How often a form of date was found; `more`: what else is known of it. */
export interface DateHits {
  readonly name: string
  readonly hits: number
  readonly more: readonly string[]
}

/** Counts of what was read; null: that is not counted. */
export interface TestTally {
  lines: number
  matches: number
  /** Lines that are known and no failures. */
  ignored: number | null
  /** Lines that are too long. */
  skipped: number | null
  /** Lines that are not of the form that the filter names. */
  malformed: number | null
  bytes: number | null
  /** Addresses that failed; null: nobody counted them. */
  addresses: number | null
}

/** A failure that a line tells of, or a line that a failregex knows and that is none. */
export interface TestedFailure extends RawFailure {
  /** How many failures it stands for. */
  readonly attempts: number
  /** All groups that its patterns have, in their order; absent where that is not known. */
  readonly names?: readonly string[]
  /** Its time is a whole number of seconds in Python: the date names a zone. */
  readonly isWhole?: boolean
}

/** A line and what became of it. */
export interface SeenLine {
  readonly file: string
  /** Its number in the file, from 1. */
  readonly number: number
  /** As it was written, without its line break. */
  readonly text: string
  /** Usually none or one; where every failregex is tried one for each that matched. */
  readonly failures: readonly TestedFailure[]
  /** The indexes of the ignoreregexes that took it out. */
  readonly ignoredBy: readonly number[]
  /** Whether the prefregex matched. */
  readonly prefixed: boolean
  /** What it captured, as Python writes it; null: it did not match, or nobody wants to know. */
  readonly prefixGroups: string | null
  /** Unix seconds; null: it has no date. */
  readonly time: number | null
  /** The form of its date; null: it has none, or nobody says. */
  readonly date: string | null
  /** Lines before it that had matched nothing, and belong to what this one matched. */
  readonly taken: readonly string[]
}

/** Hears of lines, and prints. */
export interface TestOutput {
  /** What it is to hear of: every line, lines with failures, or none, for it prints the tally alone. */
  readonly wants: 'lines' | 'failures' | 'counts'
  take(line: SeenLine): void
  /** A piece of a log has been told: what was held back is to be printed. */
  pieceTold(): void
  end(): void
}

/** What became of a line: it tells of a failure, it is known and none, or nothing is known of it. */
export type LineKind = 'matched' | 'ignored' | 'missed'

/** Lines that are known and no failures count as ignored, as `fail2ban-regex` has it. */
export function kindOf({
  failures,
  ignoredBy,
}: {
  readonly failures: readonly RawFailure[]
  readonly ignoredBy: readonly number[]
}): LineKind {
  if (ignoredBy.length > 0 || failures.some(({ nofail }) => nofail)) return 'ignored'
  return failures.length > 0 ? 'matched' : 'missed'
}
