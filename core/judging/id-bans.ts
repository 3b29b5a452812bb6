import { parsePrefix, type Prefix } from '../address.ts'
import type { Kept } from '../events.ts'

/** Bans at most; beyond, the oldest ends. */
const most = 50_000

/** A ban of an id. */
export interface IdBan {
  readonly id: string
  readonly jail: string
  /** Whom a firewall keeps away for it; null: nobody. */
  readonly prefix: Prefix | null
  readonly since: number
  /** Unix milliseconds; Infinity: never. */
  readonly until: number
  readonly count: number
}

/**
 * The last ban of each id that is no address, by jail: nothing else knows of them, for the wanted set has only prefixes.
 * Bounded; those that are over are forgotten when others need their room. `keep` hears of every change, for the store.
 */
export class IdBans {
  readonly #bans = new Map<string, IdBan>()
  /** The keys of those whose end was not answered yet. */
  readonly #holding = new Set<string>()
  readonly #keep: (kept: Kept) => void

  constructor(keep: (kept: Kept) => void) {
    this.#keep = keep
  }

  /** The ban of the id by the jail that holds at `now`. */
  get(id: string, jail: string, now: number): IdBan | undefined {
    const ban = this.#bans.get(keyOf(id, jail))
    return ban !== undefined && ban.until >= now ? ban : undefined
  }

  /** Takes a ban in, and answers those that end with it: one of the same id that was over, the oldest of too many. */
  put(ban: IdBan): IdBan[] {
    const key = keyOf(ban.id, ban.jail)
    const before = this.#bans.get(key)
    const isNew = before !== undefined && before.since !== ban.since
    const over = isNew && this.#holding.has(key) ? [before] : []
    this.#bans.delete(key)
    this.#bans.set(key, ban)
    this.#holding.add(key)
    this.#keep(keptBan(key, ban))
    for (const oldest of this.#bans.keys()) {
      if (this.#bans.size <= most) break
      over.push(...this.#forget(oldest))
    }
    return over
  }

  /** Ends the bans that hold no more at `now`, and answers them. */
  expire(now: number): IdBan[] {
    const over: IdBan[] = []
    for (const key of this.#holding) {
      const ban = this.#bans.get(key)
      if (ban === undefined || ban.until >= now) continue
      this.#holding.delete(key)
      over.push(ban)
    }
    return over
  }

  /** Ends the bans for which a firewall kept the prefix away, and answers them. */
  lift(prefix: Prefix, jail: string): IdBan[] {
    const lifted = [...this.#bans].filter(([, ban]) => ban.prefix === prefix && ban.jail === jail)
    return lifted.flatMap(([key]) => this.#forget(key))
  }

  /** The clock was set by so many milliseconds. */
  shift(ms: number): void {
    for (const [key, { since, until, ...rest }] of this.#bans) {
      const ban = { ...rest, since: since + ms, until: until + ms }
      this.#bans.set(key, ban)
      this.#keep(keptBan(key, ban))
    }
  }

  /** All of them, for a store that has none. */
  *kept(): Generator<Kept> {
    for (const [key, ban] of this.#bans) yield keptBan(key, ban)
  }

  /** Takes one up that an earlier agent kept, which holds at `now` or not; null: it is none, or this agent knows a later one. */
  take({ kind, key, value }: Kept, now: number): IdBan | null {
    const ban = kind === 'id-ban' ? readBan(value) : null
    if (ban === null || this.#bans.has(key) || keyOf(ban.id, ban.jail) !== key) return null
    this.#bans.set(key, ban)
    if (ban.until >= now) this.#holding.add(key)
    return ban
  }

  /** Answers the ban if it was not known to be over. */
  #forget(key: string): IdBan[] {
    const ban = this.#bans.get(key)
    this.#bans.delete(key)
    this.#keep({ kind: 'id-ban', key, value: null })
    return this.#holding.delete(key) && ban !== undefined ? [ban] : []
  }
}

const keyOf = (id: string, jail: string) => `${jail} ${id}`

/** JSON has no Infinity. */
function keptBan(key: string, { until, ...ban }: IdBan): Kept {
  return { kind: 'id-ban', key, value: { ...ban, until: until === Infinity ? null : until } }
}

function readBan(value: object | null): IdBan | null {
  const { jail, id, prefix: stored, since, until, count } = (value ?? {}) as Partial<Record<string, unknown>>
  const prefix = typeof stored === 'string' ? parsePrefix(stored) : null
  if (typeof jail !== 'string' || typeof id !== 'string' || (prefix === null && stored !== null)) return null
  if (typeof since !== 'number' || typeof count !== 'number' || (typeof until !== 'number' && until !== null))
    return null
  return { jail, id, prefix, since, until: until ?? Infinity, count }
}
