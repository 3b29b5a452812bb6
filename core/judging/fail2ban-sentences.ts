import { parsePrefix, type Prefix } from '../address.ts'
import type { Ban, Kept } from '../events.ts'
import { foreverIfLong } from './bantime.ts'
import type { CountingNews, Fail2banCounting } from './fail2ban-counting.ts'
import type { Reached } from './failure-counter.ts'
import { IdBans, type IdBan } from './id-bans.ts'
import type { JailRules } from './jail-rules.ts'
import { KnownOffenders } from './known-offenders.ts'
import type { Offence } from './offences.ts'
import type { RuleNumbers } from './rule-numbers.ts'
import { decreed, evidence, type Decree } from './sentences.ts'

/** A jail that counts as Fail2ban does. */
export type Fail2banRules = JailRules & { readonly counting: Fail2banCounting }

export interface Fail2banSentencesOptions {
  /** The ban of the prefix by the jail that is in force. */
  readonly banOf: (prefix: Prefix, jail: string) => Ban | undefined
  readonly rules: RuleNumbers
  readonly news: (news: CountingNews) => void
  /** Hears of bans that nothing else knows of, for the store. */
  readonly keep: (kept: Kept) => void
}

/** A ban that is in force. */
type Held = Pick<IdBan, 'since' | 'until' | 'count'>

/** How long the next ban of somebody lasts (null: for ever), and the how-manieth it is. */
interface Next {
  readonly count: number
  readonly lengthMs: number | null
  /** The failure came before the last ban: it is known already. */
  readonly isOld: boolean
}

/**
 * Decides as Fail2ban's actions and its observer do: a ban begins with its last failure; one that would be over is none;
 * who is banned already and fails on is banned from then on for the base; the first ban lasts as long as `bantime`, a
 * later one as the formula says.
 */
export class Fail2banSentences {
  /** The last ban of each, which the counters ask as well. */
  readonly offenders = new KnownOffenders()
  readonly #ids: IdBans
  readonly #options: Fail2banSentencesOptions

  constructor(options: Fail2banSentencesOptions) {
    this.#options = options
    this.#ids = new IdBans(options.keep)
  }

  /** Knows of a ban that was decided elsewhere, or before. */
  note({ jail, prefix, count, last, until }: Offence): void {
    if (last === undefined) return
    const length = until === null || until === undefined ? -1 : (until - last) / 1000
    this.offenders.note(prefix, jail, { count, time: last / 1000, length })
  }

  /** Bans of ids that are no addresses, as `keep` has heard of them. */
  kept(): Iterable<Kept> {
    return this.#ids.kept()
  }

  /** Takes up bans that an earlier agent kept; those that hold at `now` (unix ms) are told as restored. */
  takeKept(kept: Iterable<Kept>, now: number): void {
    for (const one of kept) {
      const ban = this.#ids.take(one, now)
      if (ban === null) continue
      const { id, jail, since, until, count } = ban
      this.offenders.note(id, jail, {
        count,
        time: since / 1000,
        length: until === Infinity ? -1 : (until - since) / 1000,
      })
      if (until >= now) this.#tell('id-restored', ban)
    }
  }

  /** The ban for a firewall, if there is one: a new one, or that in force until later. `now` is unix ms. */
  ban(rules: Fail2banRules, reached: Reached, now: number): Ban | null {
    const { id, prefix, time, failures, lines } = reached
    const { name: jail, ports, bantime } = rules
    const { news } = this.#options
    const end = bantime.baseMs === null ? Infinity : time + bantime.baseMs
    if (end < now) {
      news({ type: 'expired', jail, id })
      return null
    }
    const held = this.#held(reached, jail, now)
    if (held !== undefined) {
      news({ type: 'already-banned', jail, id, afterMs: time - held.since })
      // A failure of before the ban prolongs it from its begin.
      const later = Math.max(end, held.since + (bantime.baseMs ?? Infinity))
      return end > held.until ? this.#prolonged(rules, reached, held, later) : null
    }
    const next = this.next(rules, id, time)
    const until = next.lengthMs === null ? null : time + next.lengthMs
    if (next.lengthMs !== bantime.baseMs) this.#tellIncreased(jail, id, next, until)
    if (until !== null && until < now) return null
    this.#noteBan(rules, id, time, next)
    const { count } = next
    if (id !== prefix) this.#keepId({ id, jail, prefix, since: time, until: until ?? Infinity, count })
    if (prefix === null) return null
    return { prefix, jail, ports, since: time, until, count, failures, ...evidence(lines, this.#options.rules) }
  }

  /** A ban that a person asks for counts as any other, and as any other it prolongs one that is in force. */
  decree({ prefix, jail, rules, since, lengthMs }: Decree & { readonly rules: Fail2banRules }): Ban {
    const held = this.#options.banOf(prefix, jail)
    if (held !== undefined) {
      const length = lengthMs === undefined ? rules.bantime.baseMs : foreverIfLong(lengthMs)
      return { ...held, until: length === null ? null : since + length }
    }
    const next = this.next(rules, prefix, since)
    const given = lengthMs === undefined ? next : { ...next, lengthMs: foreverIfLong(lengthMs) }
    this.#noteBan(rules, prefix, since, given)
    return decreed(prefix, jail, rules, since, given.lengthMs, given.count)
  }

  /** How the next ban of the id would be, for a failure at that time (unix ms). */
  next({ name, bantime, counting }: Fail2banRules, id: string, time: number): Next {
    const base = bantime.baseMs
    const { lengthen, overalljails } = counting
    const last = overalljails ? this.offenders.overall(id) : this.offenders.last(id, name)
    if (lengthen === null || base === null || last === undefined) return { count: 1, lengthMs: base, isOld: false }
    const count = last.count + 1
    const lengthMs = lengthened(lengthen, base, last.count)
    // An expression that fails ends its observer's look at the ban, before it would find that it is old.
    if (lengthMs === undefined) return { count, lengthMs: base, isOld: false }
    return { count, lengthMs, isOld: time / 1000 <= last.time }
  }

  /** Somebody ended the ban before its time: it never was. */
  lifted(prefix: Prefix, jail: string): void {
    this.offenders.forget(prefix, jail)
    this.#tellOver(this.#ids.lift(prefix, jail))
  }

  /** Ends the bans of ids whose time is over at `now` (unix ms). */
  sweep(now: number): void {
    this.#tellOver(this.#ids.expire(now))
  }

  shift(ms: number): void {
    this.offenders.shift(ms / 1000)
    this.#ids.shift(ms)
  }

  #held({ id, prefix }: Reached, jail: string, now: number): Held | undefined {
    if (id !== prefix) return this.#ids.get(id, jail, now)
    const ban = this.#options.banOf(prefix, jail)
    return ban && { ...ban, until: ban.until ?? Infinity }
  }

  #prolonged({ name: jail, ports }: Fail2banRules, reached: Reached, { since, count }: Held, end: number): Ban | null {
    const { id, prefix, failures, lines } = reached
    const until = end === Infinity ? null : end
    if (id !== prefix) {
      const ban = { id, jail, prefix, since, until: end, count }
      this.#tellOver(this.#ids.put(ban))
      this.#tell('id-prolonged', ban)
    }
    if (prefix === null) return null
    const before = this.#options.banOf(prefix, jail)
    if (before !== undefined) return { ...before, until }
    return { prefix, jail, ports, since, until, count, failures, ...evidence(lines, this.#options.rules) }
  }

  #keepId(ban: IdBan): void {
    this.#tellOver(this.#ids.put(ban))
    this.#tell('id-banned', ban)
  }

  #tell(type: 'id-banned' | 'id-prolonged' | 'id-restored', { id, jail, prefix, since, until, count }: IdBan): void {
    const end = until === Infinity ? null : until
    this.#options.news({ type, jail, id, prefix, since, until: end, count })
  }

  #tellOver(bans: readonly IdBan[]): void {
    for (const { id, jail, prefix } of bans) this.#options.news({ type: 'id-unbanned', jail, id, prefix })
  }

  #noteBan({ name }: Fail2banRules, id: string, time: number, { count, lengthMs, isOld }: Next): void {
    if (isOld) return
    this.offenders.note(parsePrefix(id) ?? id, name, {
      count,
      time: time / 1000,
      length: lengthMs === null ? -1 : lengthMs / 1000,
    })
  }

  #tellIncreased(jail: string, id: string, { count, lengthMs }: Next, until: number | null): void {
    const lengthSeconds = lengthMs === null ? -1 : lengthMs / 1000
    this.#options.news({ type: 'increased', jail, id, count, lengthSeconds, until })
  }
}

/** The length in ms by the formula; null: for ever; undefined: the formula fails. */
function lengthened(
  lengthen: (seconds: number, count: number) => number,
  baseMs: number,
  count: number,
): number | null | undefined {
  try {
    const seconds = lengthen(baseMs / 1000, count)
    if (Number.isNaN(seconds)) return undefined
    return seconds === -1 ? null : foreverIfLong(Math.round(seconds * 1000))
  } catch {
    return undefined
  }
}
