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
