import type { Address, Prefix } from '../address.ts'
import { prefixOfKey } from '../address-words.ts'
import type { Ban, Kept, LogChunk } from '../events.ts'
import type { CountingNews } from './fail2ban-counting.ts'
import type { IgnoreListOptions } from './ignore-list.ts'
import type { Key } from './keyed-rows.ts'
import type { Offence } from './offences.ts'

/** A line of somebody who is banned. What it says holds during the call: texts may be made when they are asked for. */
export interface BannedLine {
  /** Whose bans they are: one jail at least. */
  readonly jails: readonly string[]
  /** The time written in it, unix ms; null where it has none. */
  readonly written: number | null
  /** Printable, cut as in `Match`. */
  readonly line: string
}

/** What the judge knows of the rest of the agent. */
export interface JudgeOptions extends IgnoreListOptions {
  readonly offences: Iterable<Offence>
  /** Whether the jail's ban of the prefix is in force: its lines need no second decision. */
  readonly isBanned: (prefix: Prefix, jail: string) => boolean
  /** The same of an address as `writeKey` writes it (128 bits), or of its network of 64 bits; by default as `isBanned` says. */
  readonly isBannedKey?: (words: Key, bits: 64 | 128, jail: string) => boolean
  /**
   * A number that stands for the bans there are of such an address or network: while it is the same, `isBannedKey` answers
   * the same for each jail. 0: no for all. By default `NaN`, which is never the same.
   */
  readonly banStamp?: (words: Key, bits: 64 | 128) => number
  /** That ban; only asked for jails that count as Fail2ban, which let it last longer. */
  readonly banOf?: (prefix: Prefix, jail: string) => Ban | undefined
  /** Hears of failures of a prefix that is banned. */
  readonly onBanned?: (line: BannedLine, prefix: () => Prefix, chunk: Pick<LogChunk, 'arrivedAt' | 'live'>) => void
  /** Hears of each vital address of which failures come and are ignored; once. */
  readonly onSpared?: (jail: string, address: Address, why: string) => void
  /** Hears what jails do that count as Fail2ban. */
  readonly onCounting?: (news: CountingNews) => void
  /** Hears what is to outlive the agent beside bans of prefixes and `Judge.counted`, in the turn in which it is counted. */
  readonly onKept?: (kept: Kept) => void
  /** Why people let the prefix in for a time, in words for people; undefined: they do not. */
  readonly allowed?: (prefix: Prefix) => string | undefined
  /** Whether they let anybody in. Unless given, `allowed` is always asked. */
  readonly allowsAny?: () => boolean
  readonly maxAddresses?: number
  readonly excerptBytes?: number
}

/** The options with all that was left out. */
export type FullJudgeOptions = IgnoreListOptions & Required<Omit<JudgeOptions, keyof IgnoreListOptions>>

export function withUsual(options: JudgeOptions): FullJudgeOptions {
  const { isBanned, allowed } = options
  return {
    isBannedKey: (words, bits, jail) => isBanned(prefixOfKey(words, bits), jail),
    banStamp: () => Number.NaN,
    allowsAny: () => allowed !== undefined,
    banOf: () => undefined,
    onBanned: () => {},
    onSpared: () => {},
    onCounting: () => {},
    onKept: () => {},
    allowed: () => undefined,
    maxAddresses: 200_000,
    excerptBytes: 4 * 1024 * 1024,
    ...options,
  }
}
