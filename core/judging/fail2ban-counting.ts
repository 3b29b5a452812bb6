import type { Prefix } from '../address.ts'

/**
 * What a jail says that counts as Fail2ban does, beside `maxretry`, `findtime` and the base of `bantime`: its rate
 * estimate, attempts that count more for known offenders, bans that last longer by a formula.
 */
export interface Fail2banCounting {
  /** Lines kept for a ban; 0: none. */
  readonly maxmatches: number
  /**
   * How many seconds a ban lasts (-1: for ever) of an id that was banned `count` times before, at least once, by the
   * base in seconds; where it throws, the base holds. Null: `bantime.increment` is off, and nobody is known.
   */
  readonly lengthen: ((seconds: number, count: number) => number) | null
  /** Whether the bans of all jails count (`bantime.overalljails`). */
  readonly overalljails: boolean
  /** `dbpurgeage`: bans that were over that long ago, three times as long as they lasted, are forgotten. */
  readonly purgeAgeSeconds: number
}

/** What a jail that counts as Fail2ban tells of what it does, for those who write Fail2ban's log. Times are unix ms. */
export type CountingNews = { readonly jail: string; readonly id: string } & (
  | { readonly type: 'found'; readonly time: number }
  /** A failure of somebody who was banned so often counts so many attempts. */
  | {
      readonly type: 'bad'
      readonly time: number
      readonly bans: number
      readonly attempts: number
      readonly isBan: boolean
    }
  | { readonly type: 'already-banned'; readonly afterMs: number }
  /** The ban would be over already. */
  | { readonly type: 'expired' }
  /** A ban that lasts longer (or less long) than the first; `lengthSeconds` -1: for ever. */
  | {
      readonly type: 'increased'
      readonly count: number
      readonly lengthSeconds: number
      readonly until: number | null
    }
  /**
   * A new ban of an id that is no address, one that goes on for longer, or one of before the start. It holds here; `prefix`:
   * whom a firewall keeps away for it.
   */
  | {
      readonly type: 'id-banned' | 'id-prolonged' | 'id-restored'
      readonly prefix: Prefix | null
      readonly since: number
      readonly until: number | null
      readonly count: number
    }
  /** Such a ban is over. */
  | { readonly type: 'id-unbanned'; readonly prefix: Prefix | null }
)

/** Beyond so many bans attempts count no more. */
const mostBans = 20

/** How many attempts a failure of somebody counts who was banned so often before; `maxretry` is what it counts at most. */
export function knownAttempts(bans: number): number {
  return 2 ** (Math.min(bans, mostBans) - 1) + 1
}
