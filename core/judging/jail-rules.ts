import type { Prefix } from '../address.ts'
import type { Ports } from '../events.ts'
import type { Bantime } from './bantime.ts'
import type { Fail2banCounting } from './fail2ban-counting.ts'
import type { IgnoreRules, SparingRule } from './ignore-list.ts'
import type { Failure } from './networks.ts'

/** What a jail asks of the judge. */
export interface JailRules {
  readonly name: string
  readonly maxretry: number
  readonly findtimeMs: number
  readonly bantime: Bantime
  readonly ports: Ports
  /** 64: an IPv6 network of which several addresses fail is banned as a whole; 128: only single addresses are. */
  readonly ipv6prefix: 64 | 128
  readonly ignore: IgnoreRules
  /** `observe`: nobody is banned by it, so its bans count only for jails that observe as well. */
  readonly mode?: 'enforce' | 'observe'
  /** Whose bans it counts in place of lines; null, or absent: it counts lines. */
  readonly bansOf?: { readonly jails: readonly string[] | null } | null
  /** The name of each failregex, by its index: it is kept with the lines that it finds. */
  readonly ruleNames?: readonly string[]
  /** Counts as Fail2ban does, and of `bantime` only the base holds; null, or absent: exactly, in a window that slides. */
  readonly counting?: Fail2banCounting | null
}

/** How an address stands with a jail. */
export interface Standing {
  /** When it failed, ascending, at most the last `maxretry` times. */
  readonly failures: readonly number[]
  /** Its IPv6 network and what is remembered of that, also from before the window; null where networks are not counted. */
  readonly network: { readonly prefix: Prefix; readonly failures: readonly Failure[] } | null
  readonly rule: SparingRule | null
  /** How many of its failures a rule spared. */
  readonly spared: number
  readonly bansBefore: number
  /** How long the next ban would last; null: for ever. */
  readonly nextBanMs: number | null
  /** How far the dates of the last live lines were off; null: they were not. */
  readonly skewMs: number | null
}

/** What a jail has seen since it was configured. */
export interface JailCounts {
  /** Failures that counted, and those that an ignore rule spared. */
  readonly failures: number
  readonly ignored: number
  /** Addresses that failed but are not banned. */
  readonly tracked: number
  /** Addresses and networks given up because there were too many. */
  readonly givenUp: number
  readonly bans: number
}
