import type { Prefix } from '../address.ts'

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
 * Bans of ids that are no addresses, as long as they hold, for nothing else knows of them: the wanted set has only
 * prefixes. Bounded; they are not stored.
 */
export class IdBans {
  readonly #bans = new Map<string, IdBan>()

  /** The ban of the id by the jail that holds at `now`. */
  get(id: string, jail: string, now: number): IdBan | undefined {
    const ban = this.#bans.get(keyOf(id, jail))
    return ban !== undefined && ban.until >= now ? ban : undefined
  }

  /** Takes a ban in, and answers those that end with it: one of the same id that was over, the oldest of too many. */
  put(ban: IdBan): IdBan[] {
    const key = keyOf(ban.id, ban.jail)
    const before = this.#bans.get(key)
    this.#bans.delete(key)
    this.#bans.set(key, ban)
    const over = before === undefined || before.since === ban.since ? [] : [before]
    if (this.#bans.size <= most) return over
    const [oldest] = this.#bans
    if (oldest === undefined) return over
    this.#bans.delete(oldest[0])
    return [...over, oldest[1]]
  }

  /** Ends the bans that hold no more at `now`, and answers them. */
  expire(now: number): IdBan[] {
    return this.#end(({ until }) => until < now)
  }

  /** Ends the bans for which a firewall kept the prefix away, and answers them. */
  lift(prefix: Prefix, jail: string): IdBan[] {
    return this.#end((ban) => ban.prefix === prefix && ban.jail === jail)
  }

  /** The clock was set by so many milliseconds. */
  shift(ms: number): void {
    for (const [key, { since, until, ...ban }] of this.#bans)
      this.#bans.set(key, { ...ban, since: since + ms, until: until + ms })
  }

  #end(isOver: (ban: IdBan) => boolean): IdBan[] {
    const over: IdBan[] = []
    for (const [key, ban] of this.#bans) {
      if (!isOver(ban)) continue
      this.#bans.delete(key)
      over.push(ban)
    }
    return over
  }
}

const keyOf = (id: string, jail: string) => `${jail} ${id}`
