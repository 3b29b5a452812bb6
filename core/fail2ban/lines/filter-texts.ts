/** A jail's filter as its tree says it: plain data, so that it crosses to threads. */
export interface FilterTexts {
  readonly name: string
  readonly prefregex: string | null
  /** Patterns as written, in order. */
  readonly failregex: readonly string[]
  readonly ignoreregex: readonly string[]
  /** Lines that are looked at together, at least 1. */
  readonly maxlines: number
  /** The lines of `datepattern`; null: the default list. */
  readonly datepattern: readonly string[] | null
  /** `logtimezone`; null: that of the host. */
  readonly timezone: string | null
  readonly usedns: 'yes' | 'warn' | 'no' | 'raw'
  /** A name of Python's codecs; `auto` is UTF-8. */
  readonly encoding: string
  /** Lines come from the journal: their time is known and no date is searched. */
  readonly journal: boolean
}
