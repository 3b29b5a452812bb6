/** When a line is looked at, and what is known of when it was written. Unix seconds. */
export interface Moment {
  readonly now: number
  /** When the line was written, where its source says so: then no date is searched. */
  readonly time: number | null
  /** The date as the source writes it, which stands before the line where it is shown. */
  readonly dateText?: string
  /** The log was read to its end once, so its lines are new. */
  readonly inOperation: boolean
  /** Older failures do not count. Null: the age of lines is not looked at, as `fail2ban-regex` does. */
  readonly findtime: number | null
}

/** What is odd about the time of a line, for people: their clock, zone or `datepattern` may be wrong. */
export type TimeTrouble =
  /** Written within the last hour, and more than a minute ago, though the log is live: it counts as now. */
  | 'late'
  /** Otherwise far from now though the log is live: it counts as now. */
  | 'elsewhere'
  /** Older than findtime when the log is read for the first time: passed over. */
  | 'old'
  /** It matched, and has no date that is understood. */
  | 'undated'
  /** Its date is one at which Fail2ban fails: passed over. */
  | 'unreadable'
