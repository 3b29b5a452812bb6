import { parseAddress, parsePrefix, type Prefix } from '../address.ts'
import { prefixOfKey } from '../address-words.ts'
import type { Ban, CountedFailures, Failure, Kept, Match } from '../events.ts'
import type { RowCursor } from '../failure-rows.ts'
import { AddressFailure } from './address-failure.ts'
import { countedAt, skewOf, type Arrival } from './arrival.ts'
import { banAsFailure } from './ban-as-failure.ts'
import { banLength, type Bantime } from './bantime.ts'
import { Excerpts } from './excerpts.ts'
import { Fail2banSentences, type Fail2banRules } from './fail2ban-sentences.ts'
import type { CountedFailure, Reached } from './failure-counter.ts'
import { FailureLog, readEntries } from './failure-log.ts'
import type { JailCounts, JailRules, Standing } from './jail-rules.ts'
import { withUsual, type BannedLine, type FullJudgeOptions, type JudgeOptions } from './judge-options.ts'
import type { BannedJails, JailGroup } from './jail-group.ts'
import { countsAlike, groupJails, isFail2ban } from './judged-jail.ts'
import { networkOf } from './networks.ts'
import type { Offence } from './offences.ts'
import { RuleNumbers } from './rule-numbers.ts'
import { Sentences } from './sentences.ts'

/** Addresses that each jail goes on tracking, however scarce memory is. */
const leastAddresses = 4096
const nobody: readonly never[] = []

export type { JailCounts, JailRules, Standing }

/**
 * Decides who is banned: counts failures by jail and address, each jail by its rule, over the log's own time, and
 * answers with a ban when they reach `maxretry`.
 */
export class Judge {
  /** By jail, the group that counts for it. */
  readonly #groups = new Map<string, JailGroup>()
  /** By list of jails, the groups that count for them: for as long as no group falls apart. */
  #groupsOf = new WeakMap<readonly string[], readonly JailGroup[]>()
  /** The list asked for last, and its groups; null: to be looked up. */
  #lastJails: readonly string[] | null = null
  #lastGroups: readonly JailGroup[] = []
  /** The jails that count bans. */
  #countingBans: readonly JailRules[] = []
  /** Whether `everything` is being told. */
  #telling = false
  readonly #log = new FailureLog()
  readonly #excerpts: Excerpts
  readonly #rules = new RuleNumbers()
  readonly #sentences: Sentences
  readonly #fail2ban: Fail2banSentences
  readonly #options: FullJudgeOptions
  /** A ban of the one may be a failure of the other. */
  readonly #ofRow = new AddressFailure()
  readonly #ofMatch = new AddressFailure()
  #knowsOffenders = false
  /** The group that counts now, and whom it bans in no case. */
  #counting: JailGroup | null = null
  readonly #spares = (network: Prefix) =>
    this.#counting !== null && this.#sparing(this.#counting, network) !== undefined

  constructor(options: JudgeOptions) {
    this.#options = withUsual(options)
    this.#sentences = new Sentences(options.offences, this.#rules)
    this.#excerpts = new Excerpts(this.#options.excerptBytes)
    const { banOf, onCounting: news, onKept: keep } = this.#options
    this.#fail2ban = new Fail2banSentences({ banOf, news, keep, rules: this.#rules })
  }

  /** Takes over the jails of a new configuration. Counts go on where window, threshold and rule are the same. */
  async configure(jails: readonly JailRules[]): Promise<void> {
    const before = new Map(this.#groups)
    const { maxAddresses, onCounting: news } = this.#options
    const { offenders } = this.#fail2ban
    const parts = { log: this.#log, excerpts: this.#excerpts, maxAddresses, news, offenders }
    const groups = groupJails(jails, before, parts, this.#options)
    this.#groups.clear()
    for (const { name } of jails)
      for (const group of groups) if (group.names.includes(name)) this.#groups.set(name, group)
    this.#forgetGroups()
    this.#countingBans = jails.filter(({ bansOf }) => bansOf)
    // Counters that are gone must not come back from the store.
    if ([...before].some(([name, { rules }]) => !this.#goesOn(name, rules))) this.#log.void()
    for (const old of new Set(before.values())) old.ignore.stop()
    if (jails.some(isFail2ban)) this.#learnOffenders()
    await Promise.all(groups.map(({ ignore }) => ignore.start()))
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
    const groups = this.#allGroups()
    this.#telling = true
    try {
      for (const { counter } of groups) {
        for (const _ of counter.tellAll()) {
          const told = this.#log.take()
          if (told !== null) yield told
        }
      }
    } finally {
      this.#telling = false
    }
  }

  /** Counts failures of before the start. To be called once, after the first `configure`. */
  resume(counted: Iterable<CountedFailures>): void {
    for (const each of counted)
      readEntries(each, (entry) => {
        for (const { counter } of this.#groupsFor(entry.jails)) counter.recount(entry)
      })
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
    for (const { rules, counter } of this.#allGroups()) {
      counter.sweep(now)
      if (rules.counting) purgeAge = Math.min(purgeAge, rules.counting.purgeAgeSeconds)
    }
    this.#fail2ban.sweep(now)
    if (purgeAge !== Infinity) this.#fail2ban.offenders.purge(now / 1000, purgeAge)
  }

  /** To be called when what is vital has changed. */
  refresh(): void {
    for (const { ignore } of this.#allGroups()) ignore.refresh()
  }

  stop(): void {
    for (const { ignore } of this.#allGroups()) ignore.stop()
  }

  /**
   * Makes do with less memory. 1: no lines are kept. 2: nor do tables grow, and with every call they give
   * up half of what they have, down to some thousand addresses. 3: they do so at once. 0: all as usual.
   */
  relieve(scarcity: 0 | 1 | 2 | 3): void {
    this.#excerpts.keep(scarcity === 0)
    const left = (size: number) =>
      scarcity < 2 ? Infinity : Math.max(leastAddresses, scarcity === 2 ? Math.ceil(size / 2) : 0)
    for (const { counter } of this.#allGroups()) counter.limit(left)
  }

  /** The clock was set by so many milliseconds: failures stay as old as they are. */
  shift(ms: number): void {
    for (const { counter } of this.#allGroups()) counter.shift(ms)
    this.#fail2ban.shift(ms)
    // What the store was told has other times.
    this.#log.void()
  }

  /**
   * Counts a failure. Answers the bans that it leads to: of the address, of its IPv6 network, or of both, and
   * those of jails that count bans.
   */
  count(match: Match, chunk: Arrival): readonly Ban[] {
    return this.#count(match, match.address, chunk)
  }

  /**
   * As `count`, for each of the row's lines and each of its jails. `attempts` says for how many failures the line stands;
   * 0: it does not count. A ban is told before anything else is counted, and is to be in force by then.
   */
  countRow(row: RowCursor, attempts: () => number, chunk: Arrival, decide: (ban: Ban) => void): void {
    const time = countedAt(row.time, chunk)
    const failed = this.#ofRow
    failed.ofRow(row)
    for (let left = row.lines; left > 0; left--, row.nextLine()) {
      failed.attempts = attempts()
      if (time === null || failed.attempts === 0) continue
      for (const group of this.#groupsFor(row.jails)) {
        this.#place(failed, group, row.rule, time, chunk)
        this.#countAddress(group, failed, chunk, decide)
      }
    }
  }

  /**
   * As `count`, for a failure of a Fail2ban tree, whose id is no name any more. Its bans are those of the id, or of the
   * address beside it; one whose end is later than that of the ban in force takes its place.
   */
  countFailure(failure: Failure, chunk: Arrival): readonly Ban[] {
    const [group] = this.#groupsFor([failure.jail])
    const time = countedAt(failure.time, chunk)
    const spelled = parsePrefix(failure.id)
    // As an action has it: beside an id of its own the address is banned.
    const prefix = (failure.ip === null ? null : parsePrefix(failure.ip)) ?? spelled
    if (group === undefined || time === null) return []
    const { rules } = group
    if (!isFail2ban(rules)) {
      const address = spelled === null ? null : parseAddress(spelled)
      const match = { ...failure, session: null, once: false }
      return address === null ? [] : this.count({ ...match, address }, chunk)
    }
    noteSkew(group, failure.time, chunk)
    const { attempts, lines } = failure
    const rule = this.#rules.number(rules.ruleNames?.[failure.rule])
    const failed: CountedFailure & BannedLine = {
      id: spelled ?? failure.id,
      prefix,
      time,
      attempts,
      rule,
      keepLines: (excerpts, previous) => excerpts.addAll(lines, previous, rule),
      jails: group.names,
      written: failure.time,
      line: failure.line,
    }
    return this.#andBansOfBans(this.#countAsFail2ban(group, rules, failed, chunk), chunk)
  }

  /** What comes of bans in the jails that count those of others; a ban of these counts nowhere. */
  #andBansOfBans(bans: readonly Ban[], chunk: Arrival): readonly Ban[] {
    if (bans.length === 0) return bans
    if (this.#countingBans.length === 0) return bans
    const more = this.#countingBans.flatMap((rules) =>
      bans
        .filter((ban) => this.#countsFor(rules, ban) && !this.#options.isBanned(ban.prefix, rules.name))
        .flatMap((ban) => this.#count(banAsFailure(ban, rules.name), ban.prefix, chunk)),
    )
    return [...bans, ...more]
  }

  #countsFor({ bansOf, mode }: JailRules, { jail }: Ban): boolean {
    const rules = this.#rulesOf(jail)
    if (rules === undefined || rules.bansOf || !bansOf) return false
    return (bansOf.jails?.includes(jail) ?? true) && (rules.mode !== 'observe' || mode === 'observe')
  }

  /** `prefix`: who would be banned for it, the address of the failure or its whole network. */
  #count(match: Match, prefix: Prefix, chunk: Arrival): readonly Ban[] {
    const [group] = this.#groupsFor([match.jail])
    const time = countedAt(match.time, chunk)
    if (group === undefined || time === null) return nobody
    const failed = this.#ofMatch
    failed.ofMatch(match, prefix)
    this.#place(failed, group, match.rule, time, chunk)
    const told: Ban[] = []
    this.#countAddress(group, failed, chunk, (ban) => told.push(ban))
    return told
  }

  #place(failed: AddressFailure, group: JailGroup, rule: number, time: number, chunk: Arrival): void {
    noteSkew(group, failed.written, chunk)
    failed.counted = time
    failed.rule = this.#rules.number(group.rules.ruleNames?.[rule])
  }

  /** Tells the bans of one jail after the other. What most failures do not come to is elsewhere: closures cost each of them. */
  #countAddress(group: JailGroup, failed: AddressFailure, chunk: Arrival, decide: (ban: Ban) => void): void {
    failed.jails = group.names
    const { rules } = group
    if (isFail2ban(rules)) return this.#tell(this.#countAsFail2ban(group, rules, failed, chunk), chunk, decide)
    const counting = this.#withoutBanned(group, failed, chunk)
    if (counting === null) return
    const reachedBy = this.#reachedBy(counting, failed, chunk.arrivedAt)
    if (reachedBy.length > 0) this.#sentence(counting, reachedBy, failed, chunk, decide)
  }

  #sentence(
    { jails }: JailGroup,
    reachedBy: readonly Reached[],
    failed: AddressFailure,
    chunk: Arrival,
    decide: (ban: Ban) => void,
  ): void {
    const since = chunk.live ? chunk.arrivedAt : failed.time
    for (const jail of jails) {
      const bans = reachedBy.flatMap(
        (reached) => this.#sentences.ban(jail.rules, reached, since, chunk.arrivedAt) ?? [],
      )
      jail.bans += bans.length
      this.#tell(bans, chunk, decide)
    }
  }

  #tell(bans: readonly Ban[], chunk: Arrival, decide: (ban: Ban) => void): void {
    for (const ban of this.#andBansOfBans(bans, chunk)) decide(ban)
  }

  /** The jails of the group that count the failure, since none of their bans is of whom it would ban; null: none does. */
  #withoutBanned(group: JailGroup, failed: AddressFailure, chunk: Arrival): JailGroup | null {
    const banned = group.bannedBy(failed, this.#options)
    return banned.length === 0 ? group : this.#partBanned(group, banned, failed, chunk)
  }

  #partBanned(
    group: JailGroup,
    banned: readonly BannedJails[],
    failed: AddressFailure,
    chunk: Arrival,
  ): JailGroup | null {
    for (const { bits, jails } of banned) {
      if (bits === 0) continue
      const { key } = failed
      failed.jails = jails
      this.#options.onBanned(failed, () => (bits === 128 ? failed.prefix : prefixOfKey(key, bits)), chunk)
    }
    const counting = banned.find(({ bits }) => bits === 0)?.jails
    if (counting === undefined) return null
    const { meant } = this.#split(group, (jail) => counting.includes(jail))
    failed.jails = counting
    return meant
  }

  #split(group: JailGroup, isMeant: (jail: string) => boolean): ReturnType<JailGroup['split']> {
    const parts = group.split(isMeant)
    const { meant, others } = parts
    if (meant === null || others === null) return parts
    for (const part of [meant, others]) for (const name of part.names) this.#groups.set(name, part)
    this.#forgetGroups()
    // Of a telling that is under way nobody could say whom it was of.
    if (this.#telling) this.#log.void()
    return parts
  }

  /** The groups that count for these jails and for no others; one that counts for more falls apart. */
  #groupsFor(jails: readonly string[]): readonly JailGroup[] {
    if (jails === this.#lastJails) return this.#lastGroups
    const groups = this.#groupsOf.get(jails) ?? this.#gather(jails)
    this.#groupsOf.set(jails, groups)
    this.#lastJails = jails
    this.#lastGroups = groups
    return groups
  }

  #gather(jails: readonly string[]): readonly JailGroup[] {
    const meant = new Set(jails)
    const groups = new Set<JailGroup>()
    for (const jail of jails) {
      const group = this.#groups.get(jail)
      if (group === undefined || groups.has(group)) continue
      const isWhole = group.names.every((name) => meant.has(name))
      const counting = isWhole ? group : this.#split(group, (name) => meant.has(name)).meant
      if (counting !== null) groups.add(counting)
    }
    return [...groups]
  }

  #forgetGroups(): void {
    this.#groupsOf = new WeakMap()
    this.#lastJails = null
  }

  #allGroups(): ReadonlySet<JailGroup> {
    return new Set(this.#groups.values())
  }

  #rulesOf(jail: string): JailRules | undefined {
    return this.#groups.get(jail)?.jails.find(({ rules }) => rules.name === jail)?.rules
  }

  /** Whether what a jail of these rules counted before goes on counting. */
  #goesOn(jail: string, rules: JailRules): boolean {
    const now = this.#rulesOf(jail)
    return now !== undefined && countsAlike(rules, now)
  }

  /** Fail2ban counts on while somebody is banned. */
  #countAsFail2ban(
    group: JailGroup,
    rules: Fail2banRules,
    failed: CountedFailure & BannedLine,
    chunk: Arrival,
  ): readonly Ban[] {
    const { isBanned, onBanned } = this.#options
    const { prefix } = failed
    if (prefix !== null && isBanned(prefix, rules.name)) onBanned(failed, () => prefix, chunk)
    return this.#reachedBy(group, failed, chunk.arrivedAt).flatMap((reached) => {
      const ban = this.#fail2ban.ban(rules, reached, chunk.arrivedAt)
      // One that goes on for longer began before.
      const [jail] = group.jails
      if (ban !== null && jail !== undefined && ban.since === reached.time) jail.bans++
      return ban ?? []
    })
  }

  /** Who reached `maxretry` by the failure; nobody where it is spared. */
  #reachedBy(group: JailGroup, failed: CountedFailure, now: number): readonly Reached[] {
    const { attempts } = failed
    if (this.#isSpared(group, failed)) {
      group.ignored += attempts
      this.#tellSpared(group, failed)
      return nobody
    }
    group.failures += attempts
    const { name, counting } = group.rules
    if (counting) this.#options.onCounting({ type: 'found', jail: name, id: failed.id, time: failed.time })
    this.#counting = group
    return group.counter.count(failed, this.#spares, now)
  }

  /** Of single addresses numbers say whether a look at the rules is worth it. */
  #isSpared(group: JailGroup, failed: CountedFailure): boolean {
    if (failed instanceof AddressFailure && failed.isSingle && !this.#options.allowsAny()) {
      if (!group.ignore.maySpare(failed.key)) return false
    }
    return failed.prefix !== null && this.#sparing(group, failed.prefix) !== undefined
  }

  #sparing({ ignore }: JailGroup, prefix: Prefix): string | undefined {
    return this.#options.allowed(prefix) ?? ignore.sparing(prefix)
  }

  #tellSpared({ spared, ignore, names }: JailGroup, { id, attempts }: CountedFailure): void {
    const address = parseAddress(id)
    if (address === null) return
    spared.add(address, attempts)
    const why = ignore.newsOf(address)
    if (why !== undefined) for (const name of names) this.#options.onSpared(name, address, why)
  }

  /** What the store knows is only read where a jail wants it: for native jails counts are enough. */
  #learnOffenders(): void {
    if (this.#knowsOffenders) return
    this.#knowsOffenders = true
    for (const offence of this.#options.offences) this.#fail2ban.note(offence)
  }

  /** A ban that a person asks for: of a jail, or of no jail and then for all ports. Throws nothing; ignores nothing. */
  decree(prefix: Prefix, jailName: string, since: number, lengthMs: number | null | undefined, fallback: Bantime): Ban {
    const rules = this.#rulesOf(jailName)
    const decree = { prefix, jail: jailName, rules, since, lengthMs }
    return rules !== undefined && isFail2ban(rules)
      ? this.#fail2ban.decree({ ...decree, rules })
      : this.#sentences.decree(decree, fallback)
  }

  /** Why the jail does not ban the prefix, in words for people; for a ban without a jail, why any jail does not. */
  sparing(prefix: Prefix, jailName: string): string | undefined {
    const allowed = this.#options.allowed(prefix)
    if (allowed !== undefined) return allowed
    const group = this.#groups.get(jailName)
    const lists = group ? [group] : [...this.#allGroups()]
    return lists.map(({ ignore }) => ignore.sparing(prefix)).find((entry) => entry !== undefined)
  }

  /** How the address, or exactly this prefix, stands with the jail; undefined where there is no such jail. */
  standing(prefix: Prefix, jailName: string): Standing | undefined {
    const group = this.#groups.get(jailName)
    const rules = this.#rulesOf(jailName)
    if (group === undefined || rules === undefined) return undefined
    const { counter, ignore, spared, skewMs } = group
    const address = parseAddress(prefix)
    const around = address === null ? prefix : networkOf(address)
    const ofNetwork = around === null || !around.includes(':') ? null : counter.networkFailures(around)
    return {
      failures: address === null ? [] : counter.timesOf(address),
      network: around === null || ofNetwork === null ? null : { prefix: around, failures: ofNetwork },
      rule: ignore.rule(prefix) ?? null,
      spared: address === null ? 0 : spared.of(address),
      ...this.#nextBan(rules, prefix),
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
    return address === null ? 0 : (this.#groups.get(jailName)?.counter.failuresOf(address) ?? 0)
  }

  /** Whom some jail never bans. */
  spared(): readonly Prefix[] {
    return [...new Set([...this.#allGroups()].flatMap(({ ignore }) => ignore.prefixes))]
  }

  counts(jailName: string): JailCounts | undefined {
    const group = this.#groups.get(jailName)
    if (group === undefined) return undefined
    const { failures, ignored, counter, jails } = group
    const bans = jails.find(({ rules }) => rules.name === jailName)?.bans ?? 0
    return { failures, ignored, tracked: counter.size, givenUp: counter.evicted, bans }
  }
}

function noteSkew(group: JailGroup, time: number | null, { live, arrivedAt }: Arrival): void {
  if (live && time !== null) group.skewMs = skewOf(time, arrivedAt)
}
