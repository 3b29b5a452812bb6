import type { Groups } from './line-hit.ts'

/** A failure that a jail's filter found, or a line that it knows and that is none. */
export interface RawFailure {
  /** Index of the failregex, from 0. */
  readonly rule: number
  /** What is counted and banned: an address, a network, any other text, or the name in `dns`. Null: the session has not told yet. */
  readonly id: string | null
  /** The address, where there is one; beside an id of another kind it may be a name too. */
  readonly ip: string | null
  /** The name that `usedns` turns into addresses; null: the id is final. */
  readonly dns: string | null
  /** Unix seconds; null: the line has no date. */
  readonly time: number | null
  /** What the line and its session captured. */
  readonly groups: Groups
  /** The users that the lines of the session named so far. */
  readonly users: readonly string[]
  /** The line tells of no failure. */
  readonly nofail: boolean
  /** The lines of this failure, as they were written. */
  readonly lines: readonly string[]
}
