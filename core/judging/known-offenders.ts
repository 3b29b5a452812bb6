import { randomInt } from 'node:crypto'
import { HashedWords, hashKey, type HashKey } from './hashed-words.ts'
import { roundHalfEven } from './round-half-even.ts'

/** How Fail2ban knows that somebody was banned before: by one record an id and jail, of the last ban. */
export interface LastBan {
  /** The how-manieth ban it was, by Fail2ban's counting. */
  readonly count: number
  /** When the failure was that led to it, unix seconds. */
  readonly time: number
  /** Seconds; -1: for ever. */
  readonly length: number
}

/** The longest that a record holds; longer bans are as good as for ever. */
const maxLength = 2 ** 31 - 1
/** Records at most. */
const maxRecords = 1_000_000
/** Fail2ban looks for outdated records this often, and first after that time. */
const purgeEverySeconds = 3600
/** A ban is outdated when it is over for three times as long as it lasted, and for the age beyond which it is purged. */
const outdatedFactor = 3

/**
 * The last ban of each id by each jail, for ban times that grow and attempts that count more. Bounded: of more than a
 * million records the older half is forgotten. About 40 bytes each.
 */
export class KnownOffenders {
  readonly #seed = randomInt(2 ** 32)
  readonly #half: number
  readonly #jails = new Set<string>()
  #young = new HashedWords(3)
  #old = new HashedWords(3)
  #nextPurge = Infinity

  constructor(max = maxRecords) {
    this.#half = Math.ceil(max / 2)
  }

  /** The last ban of the id by the jail; undefined: there was none, or it is long ago. */
  last(id: string, jail: string): LastBan | undefined {
    const key = this.#keyOf(id, jail)
    const table = this.#young.get(key) === undefined ? this.#old : this.#young
    const count = table.get(key)
    if (count === undefined || count === 0) return undefined
    return { count, time: table.get(key, 1) ?? 0, length: (table.get(key, 2) ?? 0) | 0 }
  }

  /** As if all jails were one: counts and lengths are added up, the latest time counts. */
  overall(id: string): LastBan | undefined {
    return [...this.#jails].map((jail) => this.last(id, jail)).reduce(together, undefined)
  }

  /** Notes the last ban of an id by a jail, in place of the one before. */
  note(id: string, jail: string, { count, time, length }: LastBan): void {
    this.#jails.add(jail)
    this.#young.set(this.#keyOf(id, jail), [
      count,
      roundHalfEven(time),
      Math.max(-1, Math.min(Math.round(length), maxLength)),
    ])
    if (this.#young.size < this.#half) return
    this.#old = this.#young
    this.#young = new HashedWords(3)
  }

  /** Somebody took the ban back: it never was. */
  forget(id: string, jail: string): void {
    const key = this.#keyOf(id, jail)
    // Nothing is taken out of a table but when it is purged; a count of 0 says that there was no ban.
    if (this.last(id, jail) !== undefined) this.#young.set(key, [0, 0, 0])
  }

  /** Forgets bans that are long over, once an hour; `ageSeconds` is `dbpurgeage`. To be called now and then. */
  purge(now: number, ageSeconds: number): void {
    if (this.#nextPurge === Infinity) this.#nextPurge = now + purgeEverySeconds
    if (now < this.#nextPurge) return
    this.#nextPurge = now + purgeEverySeconds
    const before = Math.trunc(now) - ageSeconds
    const isKept = ([count = 0, time = 0, length = 0]: Uint32Array) =>
      count > 0 && (time >= before || (length | 0) === -1 || time + (length | 0) * outdatedFactor >= before)
    this.#young.keepIf(isKept)
    this.#old.keepIf(isKept)
  }

  /** The clock was set: bans stay as long ago as they are. */
  shift(seconds: number): void {
    for (const table of [this.#young, this.#old])
      for (const words of table.words()) words[1] = (words[1] ?? 0) + seconds
  }

  #keyOf(id: string, jail: string): HashKey {
    return hashKey(`${id} ${jail}`, this.#seed)
  }
}

function together(one: LastBan | undefined, other: LastBan | undefined): LastBan | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return {
    count: one.count + other.count,
    time: Math.max(one.time, other.time),
    length: one.length + other.length,
  }
}
