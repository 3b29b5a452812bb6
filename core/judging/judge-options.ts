import type { Address, Prefix } from '../address.ts'
import type { Ban, Kept, LogChunk, Match } from '../events.ts'
import type { CountingNews } from './fail2ban-counting.ts'
import type { IgnoreListOptions } from './ignore-list.ts'
import type { Offence } from './offences.ts'

/** A line of somebody who is banned. */
export type BannedLine = Pick<Match, 'jail' | 'time' | 'line'>

/** What the judge knows of the rest of the agent. */
export interface JudgeOptions extends IgnoreListOptions {
  readonly offences: Iterable<Offence>
  /** Whether the jail's ban of the prefix is in force: its lines need no second decision. */
  readonly isBanned: (prefix: Prefix, jail: string) => boolean
  /** That ban; only asked for jails that count as Fail2ban, which let it last longer. */
  readonly banOf?: (prefix: Prefix, jail: string) => Ban | undefined
  /** Hears of failures of a prefix that is banned. */
  readonly onBanned?: (line: BannedLine, prefix: Prefix, chunk: Pick<LogChunk, 'arrivedAt' | 'live'>) => void
  /** Hears of each vital address of which failures come and are ignored; once. */
  readonly onSpared?: (jail: string, address: Address, why: string) => void
  /** Hears what jails do that count as Fail2ban. */
  readonly onCounting?: (news: CountingNews) => void
  /** Hears what is to outlive the agent beside bans of prefixes and `Judge.counted`, in the turn in which it is counted. */
  readonly onKept?: (kept: Kept) => void
  /** Why people let the prefix in for a time, in words for people; undefined: they do not. */
  readonly allowed?: (prefix: Prefix) => string | undefined
  readonly maxAddresses?: number
  readonly excerptBytes?: number
}

/** The options with all that was left out. */
export type FullJudgeOptions = IgnoreListOptions & Required<Omit<JudgeOptions, keyof IgnoreListOptions>>

export function withUsual(options: JudgeOptions): FullJudgeOptions {
  return {
    banOf: () => undefined,
    onBanned: () => {},
    onSpared: () => {},
    onCounting: () => {},
    onKept: () => {},
    allowed: () => undefined,
    maxAddresses: 200_000,
    excerptBytes: 8 * 1024 * 1024,
    ...options,
  }
}
