import { prefixParts, PrefixSet, type Prefix } from '../address.ts'
import type { Ban, BanReason, UnbanReason } from '../events.ts'

/** A change of what is wanted: a ban that came (`before` null), was extended, or ended (`after` null). */
export interface WantedChange {
  readonly before: Ban | null
  readonly after: Ban | null
  readonly reason: BanReason | UnbanReason
}

/**
 * What should be enforced: at most one ban a prefix and jail. Everything that enforces, stores or
 * tells subscribes to its changes. Bans that are over leave it within a second.
 */
export class WantedSet {
  readonly #bans = new Map<Prefix, Map<string, Ban>>()
  /** Which bans to look at in which second. A ban that was extended meanwhile is simply not over yet. */
  readonly #ending = new Map<number, Set<Prefix>>()
  readonly #listeners: ((change: WantedChange) => void)[] = []
  #size = 0
  #lookedAt: number

  /** `now` is the time (unix ms) from which on endings are looked at. */
  constructor(now: number) {
    this.#lookedAt = second(now)
  }

  /** Number of bans. */
  get size(): number {
    return this.#size
  }

  /** Calls `listener` after every change, in the order of the changes. */
  onChange(listener: (change: WantedChange) => void): void {
    this.#listeners.push(listener)
  }

  /** Adds a ban, or extends the one of the same prefix and jail; one that would end sooner changes nothing. */
  add(ban: Ban, reason: BanReason): void {
    const jails = this.#bans.get(ban.prefix) ?? new Map<string, Ban>()
    const before = jails.get(ban.jail) ?? null
    if (before && endOf(before) >= endOf(ban)) return
    if (!before) this.#size++
    this.#bans.set(ban.prefix, jails.set(ban.jail, ban))
    this.#watchEnd(ban)
    this.#tell({ before, after: ban, reason: before ? 'extended' : reason })
  }

  /** Ends the bans of everything inside `prefix`, of one jail or (null) of all, and answers them. */
  remove(prefix: Prefix, jail: string | null): Ban[] {
    const inside =
      this.#bans.has(prefix) && prefixParts(prefix).length === bits(prefix)
        ? [prefix]
        : [...this.#bans.keys()].filter((banned) => new PrefixSet([prefix]).covering(banned) !== undefined)
    const ended = inside.flatMap((banned) => this.of(banned).filter((ban) => jail === null || ban.jail === jail))
    for (const ban of ended) this.#end(ban, 'unbanned')
    return ended
  }

  /** Ends the bans whose time is over at `now` (unix ms). To be called about every second. */
  expire(now: number): void {
    const until = second(now)
    // After a jump of the clock there may be more seconds to look at than there are endings.
    const due =
      until - this.#lookedAt > this.#ending.size
        ? [...this.#ending.keys()].filter((at) => at <= until)
        : range(this.#lookedAt, until)
    this.#lookedAt = until
    for (const at of due) {
      const prefixes = this.#ending.get(at)
      this.#ending.delete(at)
      for (const prefix of prefixes ?? []) {
        for (const ban of this.of(prefix)) {
          if (endOf(ban) <= now) this.#end(ban, 'expired')
          else this.#watchEnd(ban)
        }
      }
    }
  }

  /**
   * The clock was set by so many milliseconds: each ban, but for those spared, goes on for as long as it
   * would have, and so ends at another time. Answers those; listeners are not told, for nothing is to be done.
   */
  shift(ms: number, spares: (ban: Ban) => boolean): Ban[] {
    const moved = [...this].filter((ban) => ban.until !== null && !spares(ban))
    this.#lookedAt = 0
    const shifted = moved.map((ban) => ({ ...ban, until: endOf(ban) + ms }))
    for (const ban of shifted) this.#bans.get(ban.prefix)?.set(ban.jail, ban)
    this.#ending.clear()
    for (const ban of this) this.#watchEnd(ban)
    return shifted
  }

  get(prefix: Prefix, jail: string): Ban | undefined {
    return this.#bans.get(prefix)?.get(jail)
  }

  /** The bans of exactly this prefix. */
  of(prefix: Prefix): readonly Ban[] {
    return [...(this.#bans.get(prefix)?.values() ?? [])]
  }

  *[Symbol.iterator](): Iterator<Ban> {
    for (const jails of this.#bans.values()) yield* jails.values()
  }

  #end(ban: Ban, reason: UnbanReason): void {
    const jails = this.#bans.get(ban.prefix)
    if (!jails?.delete(ban.jail)) return
    if (jails.size === 0) this.#bans.delete(ban.prefix)
    this.#size--
    this.#tell({ before: ban, after: null, reason })
  }

  #watchEnd(ban: Ban): void {
    if (ban.until === null) return
    const at = Math.max(second(ban.until), this.#lookedAt)
    const prefixes = this.#ending.get(at)
    if (prefixes) prefixes.add(ban.prefix)
    else this.#ending.set(at, new Set([ban.prefix]))
  }

  #tell(change: WantedChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}

/** When a ban ends as a number that can be compared; for ever is beyond all others. */
export function endOf(ban: Pick<Ban, 'until'>): number {
  return ban.until ?? Number.POSITIVE_INFINITY
}

/** What makes two bans the same entry of an action: prefix and ports. */
export function entryKey({ prefix, ports }: Pick<Ban, 'prefix' | 'ports'>): string {
  return `${prefix} ${ports.protocol} ${ports.ports.join(',')}`
}

const second = (time: number): number => Math.floor(time / 1000)
const bits = (prefix: Prefix): number => (prefix.includes(':') ? 128 : 32)

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}
