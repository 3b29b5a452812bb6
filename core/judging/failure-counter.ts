import type { Address, Prefix } from '../address.ts'
import type { Excerpt, Excerpts } from './excerpts.ts'
import type { Entry, FailureLog } from './failure-log.ts'
import type { JailRules } from './jail-rules.ts'
import type { Key } from './keyed-rows.ts'
import type { Failure } from './networks.ts'

/** A failure that counts. */
export interface CountedFailure {
  /** What it is counted by: an address in canonical text, or with the rule `fail2ban` any other text. */
  readonly id: string
  /** Who would be banned for it: the address, or its whole network; null: nobody that a firewall knows. */
  readonly prefix: Prefix | null
  /** Unix milliseconds. */
  readonly time: number
  readonly attempts: number
  /** What found it, as `RuleNumbers` numbers it. */
  readonly rule: number
  /** Keeps its lines in front of a chain, and answers the new head of that. */
  keepLines(excerpts: Excerpts, previous: number): number
}

/** A failure of an address. */
export interface CountedAddress extends CountedFailure {
  /** The address as `writeKey` writes it. */
  readonly key: Key
  readonly id: Address
  readonly prefix: Prefix
}

/** Somebody of whom there are enough failures for a ban. Nothing of him is counted any more. */
export interface Reached {
  readonly id: string
  readonly prefix: Prefix | null
  /** When the latest failure was, unix milliseconds. */
  readonly time: number
  readonly failures: number
  /** The last lines, oldest first; to be asked before more is counted. */
  readonly lines: () => readonly Excerpt[]
}

/** What a counter shares with those of other jails. */
export interface CounterParts {
  /** Hears of all that is counted and forgotten, for the store. */
  readonly log: FailureLog
  readonly excerpts: Excerpts
  /** Ids tracked at most. */
  readonly maxAddresses: number
}

/** Counts the failures of one jail, or of several that count the same. The seam between the rules: `ExactCounter`, `Fail2banCounter`. */
export interface FailureCounter<Failed extends CountedFailure = CountedFailure> {
  /** Addresses tracked now, and those given up, with networks, because there were too many. */
  readonly size: number
  readonly evicted: number
  /** Counts a failure and answers who reached `maxretry` by it. `spares`: whom the jail bans in no case. `now`: unix ms. */
  count(failure: Failed, spares: (prefix: Prefix) => boolean, now: number): readonly Reached[]
  /** When the address failed, ascending, as far as that is known; what it counts for now is their number. */
  timesOf(address: Address): number[]
  /** Failures of the address that count now. */
  failuresOf(address: Address): number
  /** The failures of an IPv6 network that are remembered; null where networks are not counted. */
  networkFailures(network: Prefix): readonly Failure[] | null
  /** Forgets what is too old at `now` (unix ms), where that is not done with every failure. To be called about every second. */
  sweep(now: number): void
  /** Tells the log all that counts; yields when it told some thousands, so that they can be taken out. */
  tellAll(): Generator<void>
  /** Counts what an entry of the log says. */
  recount(entry: Entry): void
  /** From now on these jails count here: what is told to the log is told of them. To be called before anything is counted. */
  countFor(jails: readonly string[]): void
  /** One that has counted the same, and goes on by itself. It takes as much memory as this one. Absent: it is for one jail alone. */
  copy?(): FailureCounter<Failed>
  /** Goes on by rules that are other in what touches no count. */
  follow(rules: JailRules): void
  /** The clock was set by so many milliseconds. */
  shift(ms: number): void
  /** Tracks no more than what `left` answers for what there is. */
  limit(left: (size: number) => number): void
}

/** Failures told at once by `tellAll`. */
export const toldAtOnce = 20_000
