import { parseAddress, parsePrefix, type Prefix } from '../address.ts'
import type { Ban, CountedFailures, Failure, Kept, Match } from '../events.ts'
import { countedAt, skewOf, type Arrival } from './arrival.ts'
import { banAsFailure } from './ban-as-failure.ts'
import { banLength, type Bantime } from './bantime.ts'
import { Excerpts } from './excerpts.ts'
import { Fail2banSentences, type Fail2banRules } from './fail2ban-sentences.ts'
import type { CountedFailure, Reached } from './failure-counter.ts'
import { FailureLog, readEntries } from './failure-log.ts'
import type { JailCounts, JailRules, Standing } from './jail-rules.ts'
import { withUsual, type BannedLine, type FullJudgeOptions, type JudgeOptions } from './judge-options.ts'
import { isFail2ban, judgedJail, type JudgedJail } from './judged-jail.ts'
import { networkOf } from './networks.ts'
import type { Offence } from './offences.ts'
import { RuleNumbers } from './rule-numbers.ts'
import { Sentences } from './sentences.ts'

/** Addresses that each jail goes on tracking, however scarce memory is. */
const leastAddresses = 4096

export type { JailCounts, JailRules, Standing }

/**
 * Decides who is banned: counts failures by jail and address, each jail by its rule, over the log's own time, and
 * answers with a ban when they reach `maxretry`.
 */
export class Judge {
  readonly #jails = new Map<string, JudgedJail>()
  readonly #log = new FailureLog()
  readonly #excerpts: Excerpts
  readonly #rules = new RuleNumbers()
  readonly #sentences: Sentences
  readonly #fail2ban: Fail2banSentences
  readonly #options: FullJudgeOptions
  #knowsOffenders = false

  constructor(options: JudgeOptions) {
    this.#options = withUsual(options)
    this.#sentences = new Sentences(options.offences, this.#rules)
    this.#excerpts = new Excerpts(this.#options.excerptBytes)
    const { banOf, onCounting: news, onKept: keep } = this.#options
    this.#fail2ban = new Fail2banSentences({ banOf, news, keep, rules: this.#rules })
  }

  /** Takes over the jails of a new configuration. Counts go on where window, threshold and rule are the same. */
  async configure(jails: readonly JailRules[]): Promise<void> {
    const before = new Map(this.#jails)
    this.#jails.clear()
    const { maxAddresses, onCounting: news } = this.#options
    const { offenders } = this.#fail2ban
    const parts = { log: this.#log, excerpts: this.#excerpts, maxAddresses, news, offenders }
    for (const rules of jails)
      this.#jails.set(rules.name, judgedJail(rules, before.get(rules.name), parts, this.#options))
    // Counters that are gone must not come back from the store.
    if ([...before].some(([name, { counter }]) => counter !== this.#jails.get(name)?.counter)) this.#log.void()
    for (const old of before.values()) old.ignore.stop()
    if (jails.some(isFail2ban)) this.#learnOffenders()
    await Promise.all([...this.#jails.values()].map(({ ignore }) => ignore.start()))
  }

  /**
   * What was counted since the last call, for the store; null where there is nothing. Counted again by
   * `resume`, in order, it leads to the same counters. `too-many`: more was counted than is kept so
   * long, or counters were given up, and what was told before is void: `everything` has to be told.
   */
  counted(): CountedFailures | 'too-many' | null {
    return this.#log.overflowed ? 'too-many' : this.#log.take()
  }

  /**
   * All that counts, in place of what was told before, in pieces that take a few ms each; what is
   * counted between two of them is in the later one, and after the last `counted` goes on.
   */
  *everything(): Generator<CountedFailures> {
    this.#log.clear()
    // A reload may change the jails meanwhile; then all is void anyway.
    const counters = [...this.#jails.values()].map(({ counter }) => counter)
    for (const counter of counters) {
      for (const _ of counter.tellAll()) {
        const told = this.#log.take()
        if (told !== null) yield told
      }
    }
  }

  /** Counts failures of before the start. To be called once, after the first `configure`. */
  resume(counted: Iterable<CountedFailures>): void {
    for (const each of counted) readEntries(each, (entry) => this.#jails.get(entry.jail)?.counter.recount(entry))
  }

  /** All that `onKept` was told and that still is. */
  kept(): Iterable<Kept> {
    return this.#fail2ban.kept()
  }

  /** Takes up what an earlier judge kept. */
  takeKept(kept: Iterable<Kept>): void {
    this.#fail2ban.takeKept(kept, Date.now())
  }

  /** Knows of a ban that somebody else decided. */
  note(known: Offence | Ban): void {
    const offence = 'since' in known ? { ...known, last: known.since } : known
    this.#sentences.note(offence)
    this.#fail2ban.note(offence)
  }

  /** Knows that somebody ended a ban before its time. To a jail that counts as Fail2ban it never was. */
  lifted(prefix: Prefix, jail: string): void {
    this.#fail2ban.lifted(prefix, jail)
  }

  /** Forgets what is too old at `now` (unix ms). To be called about every second. */
  sweep(now: number): void {
    let purgeAge = Infinity
    for (const { rules, counter } of this.#jails.values()) {
      counter.sweep(now)
      if (rules.counting) purgeAge = Math.min(purgeAge, rules.counting.purgeAgeSeconds)
    }
    this.#fail2ban.sweep(now)
    if (purgeAge !== Infinity) this.#fail2ban.offenders.purge(now / 1000, purgeAge)
  }

  /** To be called when what is vital has changed. */
  refresh(): void {
    for (const { ignore } of this.#jails.values()) ignore.refresh()
  }

  stop(): void {
    for (const { ignore } of this.#jails.values()) ignore.stop()
  }

  /**
   * Makes do with less memory. 1: no lines are kept. 2: nor do tables grow, and with every call they give
   * up half of what they have, down to some thousand addresses. 3: they do so at once. 0: all as usual.
   */
  relieve(scarcity: 0 | 1 | 2 | 3): void {
    this.#excerpts.keep(scarcity === 0)
    const left = (size: number) =>
      scarcity < 2 ? Infinity : Math.max(leastAddresses, scarcity === 2 ? Math.ceil(size / 2) : 0)
    for (const { counter } of this.#jails.values()) counter.limit(left)
  }

  /** The clock was set by so many milliseconds: failures stay as old as they are. */
  shift(ms: number): void {
    for (const { counter } of this.#jails.values()) counter.shift(ms)
    this.#fail2ban.shift(ms)
    // What the store was told has other times.
    this.#log.void()
  }

  /**
   * Counts a failure. Answers the bans that it leads to: of the address, of its IPv6 network, or of both, and
   * those of jails that count bans.
   */
  count(match: Match, chunk: Arrival): readonly Ban[] {
    return this.#andBansOfBans(this.#count(match, match.address, chunk), chunk)
  }

  /**
   * As `count`, for a failure of a Fail2ban tree, whose id is no name any more. Its bans are those of the id, or of the
   * address beside it; one whose end is later than that of the ban in force takes its place.
   */
  countFailure(failure: Failure, chunk: Arrival): readonly Ban[] {
    const jail = this.#jails.get(failure.jail)
    const time = countedAt(failure.time, chunk)
    const spelled = parsePrefix(failure.id)
    // As an action has it: beside an id of its own the address is banned.
    const prefix = (failure.ip === null ? null : parsePrefix(failure.ip)) ?? spelled
    if (jail === undefined || time === null) return []
    if (!isFail2ban(jail.rules)) {
      const address = spelled === null ? null : parseAddress(spelled)
      const match = { ...failure, session: null, once: false }
      return address === null ? [] : this.count({ ...match, address }, chunk)
    }
    noteSkew(jail, failure, chunk)
    const { attempts, lines } = failure
    const rule = this.#rules.number(jail.rules.ruleNames?.[failure.rule])
    const failed = { id: spelled ?? failure.id, prefix, time, attempts, lines, rule }
    return this.#andBansOfBans(this.#countAsFail2ban(jail, jail.rules, failed, failure, chunk), chunk)
  }

  /** What comes of bans in the jails that count those of others; a ban of these counts nowhere. */
  #andBansOfBans(bans: readonly Ban[], chunk: Arrival): readonly Ban[] {
    if (bans.length === 0) return bans
    const counting = [...this.#jails.values()].filter(({ rules }) => rules.bansOf)
    const more = counting.flatMap(({ rules }) =>
      bans
        .filter((ban) => this.#countsFor(rules, ban) && !this.#options.isBanned(ban.prefix, rules.name))
        .flatMap((ban) => this.#count(banAsFailure(ban, rules.name), ban.prefix, chunk)),
    )
    return [...bans, ...more]
  }

  #countsFor({ bansOf, mode }: JailRules, { jail }: Ban): boolean {
    const rules = this.#jails.get(jail)?.rules
    if (rules === undefined || rules.bansOf || !bansOf) return false
    return (bansOf.jails?.includes(jail) ?? true) && (rules.mode !== 'observe' || mode === 'observe')
  }

  /** `prefix`: who would be banned for it, the address of the failure or its whole network. */
  #count(match: Match, prefix: Prefix, chunk: Arrival): readonly Ban[] {
    const { address } = match
    const jail = this.#jails.get(match.jail)
    const time = countedAt(match.time, chunk)
    if (jail === undefined || time === null) return []
    noteSkew(jail, match, chunk)
    // Written out: this runs for every failure, and copying the match took longer than counting it.
    const rule = this.#rules.number(jail.rules.ruleNames?.[match.rule])
    const failed = { id: address, prefix, time, attempts: match.attempts, lines: [match.line], rule }
    if (isFail2ban(jail.rules)) return this.#countAsFail2ban(jail, jail.rules, failed, match, chunk)
    const network = jail.rules.ipv6prefix === 64 ? networkOf(address) : null
    const { isBanned, onBanned } = this.#options
    const banned = [prefix, ...(network === null ? [] : [network])].find((each) => isBanned(each, match.jail))
    if (banned !== undefined) {
      onBanned(match, banned, chunk)
      return []
    }
    const since = chunk.live ? chunk.arrivedAt : time
    const reachedBy = this.#reachedBy(jail, failed, chunk.arrivedAt)
    if (reachedBy.length === 0) return []
    const bans = reachedBy.flatMap((reached) => this.#sentences.ban(jail.rules, reached, since, chunk.arrivedAt) ?? [])
    jail.bans += bans.length
    return bans
  }

  /** Fail2ban counts on while somebody is banned. */
  #countAsFail2ban(
    jail: JudgedJail,
    rules: Fail2banRules,
    failed: CountedFailure,
    line: BannedLine,
    chunk: Arrival,
  ): readonly Ban[] {
    const { isBanned, onBanned } = this.#options
    const { prefix } = failed
    if (prefix !== null && isBanned(prefix, rules.name)) onBanned(line, prefix, chunk)
    return this.#reachedBy(jail, failed, chunk.arrivedAt).flatMap((reached) => {
      const ban = this.#fail2ban.ban(rules, reached, chunk.arrivedAt)
      // One that goes on for longer began before.
      if (ban !== null && ban.since === reached.time) jail.bans++
      return ban ?? []
    })
  }

  /** Who reached `maxretry` by the failure; nobody where it is spared. */
  #reachedBy(jail: JudgedJail, failed: CountedFailure, now: number): readonly Reached[] {
    const { prefix, attempts } = failed
    if (prefix !== null && this.#sparing(jail, prefix) !== undefined) {
      jail.ignored += attempts
      this.#tellSpared(jail, failed)
      return []
    }
    jail.failures += attempts
    const { name, counting } = jail.rules
    if (counting) this.#options.onCounting({ type: 'found', jail: name, id: failed.id, time: failed.time })
    return jail.counter.count(failed, (network) => this.#sparing(jail, network) !== undefined, now)
  }

  #sparing(jail: JudgedJail, prefix: Prefix): string | undefined {
    return this.#options.allowed(prefix) ?? jail.ignore.sparing(prefix)
  }

  #tellSpared({ spared, ignore, rules }: JudgedJail, { id, attempts }: CountedFailure): void {
    const address = parseAddress(id)
    if (address === null) return
    spared.add(address, attempts)
    const why = ignore.newsOf(address)
    if (why !== undefined) this.#options.onSpared(rules.name, address, why)
  }

  /** What the store knows is only read where a jail wants it: for native jails counts are enough. */
  #learnOffenders(): void {
    if (this.#knowsOffenders) return
    this.#knowsOffenders = true
    for (const offence of this.#options.offences) this.#fail2ban.note(offence)
  }

  /** A ban that a person asks for: of a jail, or of no jail and then for all ports. Throws nothing; ignores nothing. */
  decree(prefix: Prefix, jailName: string, since: number, lengthMs: number | null | undefined, fallback: Bantime): Ban {
    const rules = this.#jails.get(jailName)?.rules
    const decree = { prefix, jail: jailName, rules, since, lengthMs }
    return rules !== undefined && isFail2ban(rules)
      ? this.#fail2ban.decree({ ...decree, rules })
      : this.#sentences.decree(decree, fallback)
  }

  /** Why the jail does not ban the prefix, in words for people; for a ban without a jail, why any jail does not. */
  sparing(prefix: Prefix, jailName: string): string | undefined {
    const allowed = this.#options.allowed(prefix)
    if (allowed !== undefined) return allowed
    const jail = this.#jails.get(jailName)
    const lists = jail ? [jail] : [...this.#jails.values()]
    return lists.map(({ ignore }) => ignore.sparing(prefix)).find((entry) => entry !== undefined)
  }

  /** How the address, or exactly this prefix, stands with the jail; undefined where there is no such jail. */
  standing(prefix: Prefix, jailName: string): Standing | undefined {
    const jail = this.#jails.get(jailName)
    if (jail === undefined) return undefined
    const { counter, ignore, spared, skewMs } = jail
    const address = parseAddress(prefix)
    const around = address === null ? prefix : networkOf(address)
    const ofNetwork = around === null || !around.includes(':') ? null : counter.networkFailures(around)
    return {
      failures: address === null ? [] : counter.timesOf(address),
      network: around === null || ofNetwork === null ? null : { prefix: around, failures: ofNetwork },
      rule: ignore.rule(prefix) ?? null,
      spared: address === null ? 0 : spared.of(address),
      ...this.#nextBan(jail.rules, prefix),
      skewMs,
    }
  }

  #nextBan(rules: JailRules, prefix: Prefix): Pick<Standing, 'bansBefore' | 'nextBanMs'> {
    if (isFail2ban(rules)) {
      const { count, lengthMs } = this.#fail2ban.next(rules, prefix, Date.now())
      return { bansBefore: count - 1, nextBanMs: lengthMs }
    }
    const bansBefore = this.#sentences.before(prefix, rules.name)
    return { bansBefore, nextBanMs: banLength(rules.bantime, bansBefore + 1) }
  }

  /** The failures of an address that a jail counts now; 0 of anything wider. */
  failuresOf(prefix: Prefix, jailName: string): number {
    const address = parseAddress(prefix)
    return address === null ? 0 : (this.#jails.get(jailName)?.counter.failuresOf(address) ?? 0)
  }

  /** Whom some jail never bans. */
  spared(): readonly Prefix[] {
    return [...new Set([...this.#jails.values()].flatMap(({ ignore }) => ignore.prefixes))]
  }

  counts(jailName: string): JailCounts | undefined {
    const jail = this.#jails.get(jailName)
    if (jail === undefined) return undefined
    const { failures, ignored, counter, bans } = jail
    return { failures, ignored, tracked: counter.size, givenUp: counter.evicted, bans }
  }
}

function noteSkew(jail: JudgedJail, { time }: Pick<Match, 'time'>, { live, arrivedAt }: Arrival): void {
  if (live && time !== null) jail.skewMs = skewOf(time, arrivedAt)
}
