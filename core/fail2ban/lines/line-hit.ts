/** What a group captured; several parts for one put together by `<F-TUPLE_…>`, of which some may have matched nothing. */
export type GroupValue = string | readonly (string | null)[]

/** What a failregex captured, with what it inherits from the prefregex, by Python's name of the group. Groups that matched nothing are left out. */
export type Groups = Readonly<Record<string, GroupValue>>

/** A failregex that matched a line, before sessions are looked at. Plain data. */
export interface LineHit {
  /** Index of the failregex, from 0. */
  readonly rule: number
  /** Unix seconds; null: the line has no date, and nobody asked for one. */
  readonly time: number | null
  readonly groups: Groups
  /** The lines that matched, as they were written, dates included. */
  readonly lines: readonly string[]
}
