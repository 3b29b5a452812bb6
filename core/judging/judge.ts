import { parseAddress, type Address, type Prefix } from '../address.ts'
import type { Ban, CountedFailures, LogChunk, Match, Ports } from '../events.ts'
import { isMappedKey, readKey } from './address-key.ts'
import { banLength, foreverIfLong, type Bantime } from './bantime.ts'
import { Excerpts, type Excerpt } from './excerpts.ts'
import { entryKinds, FailureLog, readEntries, type Entry } from './failure-log.ts'
import { FailureTable } from './failure-table.ts'
import { banAsFailure } from './ban-as-failure.ts'
import { IgnoreList, type IgnoreListOptions, type IgnoreRules, type SparingRule } from './ignore-list.ts'
import { networkOf, Networks, type Failure } from './networks.ts'
import { Offences, type Offence } from './offences.ts'
import { RuleNumbers } from './rule-numbers.ts'
import { SparedFailures } from './spared-failures.ts'

/** A live line whose date is further than this from its arrival counts at its arrival. */
const trustedSkewMs = 60_000
/** Failures told to the store at once. */
const toldAtOnce = 20_000
/** Addresses that each jail goes on tracking, however scarce memory is. */
const leastAddresses = 4096
/** Lines kept with a ban. */
const linesOfBan = 10

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

/** How the line of a failure arrived. */
type Arrival = Pick<LogChunk, 'arrivedAt' | 'live' | 'undatedAt'>

interface Jail {
  readonly rules: JailRules
  readonly table: FailureTable
  readonly networks: Networks
  readonly ignore: IgnoreList
  readonly spared: SparedFailures
  skewMs: number | null
  failures: number
  ignored: number
  bans: number
}

/**
 * Decides who is banned: counts failures by jail and address in the window of `findtime` that slides
 * over the log's own time, and answers with a ban when they reach `maxretry`.
 */
export class Judge {
  readonly #jails = new Map<string, Jail>()
  readonly #log = new FailureLog()
  readonly #excerpts: Excerpts
  readonly #rules = new RuleNumbers()
  readonly #offences: Offences
  readonly #maxAddresses: number
  readonly #isBanned: (prefix: Prefix, jail: string) => boolean
  readonly #onBanned: (match: Match, prefix: Prefix, chunk: Pick<LogChunk, 'arrivedAt' | 'live'>) => void
  readonly #onSpared: (jail: string, address: Address, why: string) => void
  readonly #allowed: (prefix: Prefix) => string | undefined
  readonly #ignoring: IgnoreListOptions

  constructor(
    options: IgnoreListOptions & {
      readonly offences: Iterable<Offence>
      /** Whether the jail's ban of the prefix is in force: its lines need no second decision. */
      readonly isBanned: (prefix: Prefix, jail: string) => boolean
      /** Hears of failures of a prefix that is banned, which are not counted. */
      readonly onBanned?: (match: Match, prefix: Prefix, chunk: Pick<LogChunk, 'arrivedAt' | 'live'>) => void
      /** Hears of each vital address of which failures come and are ignored; once. */
      readonly onSpared?: (jail: string, address: Address, why: string) => void
      /** Why people let the prefix in for a time, in words for people; undefined: they do not. */
      readonly allowed?: (prefix: Prefix) => string | undefined
      readonly maxAddresses?: number
      readonly excerptBytes?: number
    },
  ) {
    this.#offences = new Offences(options.offences)
    this.#excerpts = new Excerpts(options.excerptBytes ?? 8 * 1024 * 1024)
    this.#maxAddresses = options.maxAddresses ?? 200_000
    this.#isBanned = options.isBanned
    this.#onBanned = options.onBanned ?? (() => {})
    this.#onSpared = options.onSpared ?? (() => {})
    this.#allowed = options.allowed ?? (() => undefined)
    this.#ignoring = options
  }

  /** Takes over the jails of a new configuration. Counts go on where window and threshold are the same. */
  async configure(jails: readonly JailRules[]): Promise<void> {
    const before = new Map(this.#jails)
    this.#jails.clear()
    for (const rules of jails) {
      const old = before.get(rules.name)
      const same = old?.rules.maxretry === rules.maxretry && old.rules.findtimeMs === rules.findtimeMs
      const table = same ? old.table : new FailureTable({ ...rules, maxAddresses: this.#maxAddresses })
      const networks = same ? old.networks : new Networks(rules)
      const { failures, ignored, bans } = old ?? { failures: 0, ignored: 0, bans: 0 }
      const ignore = new IgnoreList(rules.ignore, this.#ignoring)
      const spared = old?.spared ?? new SparedFailures()
      const skewMs = old?.skewMs ?? null
      this.#jails.set(rules.name, { rules, table, networks, ignore, spared, skewMs, failures, ignored, bans })
    }
    // Counters that are gone must not come back from the store.
    if ([...before].some(([name, { table }]) => table !== this.#jails.get(name)?.table)) this.#log.void()
    for (const old of before.values()) old.ignore.stop()
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
    const jails = [...this.#jails.values()]
    for (const { rules, table, networks } of jails) {
      const rowsAtOnce = Math.max(1, Math.floor(toldAtOnce / rules.maxretry))
      for (let end = table.size; end > 0;) {
        const start = Math.max(0, end - rowsAtOnce)
        table.each(start, end, (words, at, time, first) =>
          this.#log.addKey(first ? entryKinds.addressFirst : entryKinds.addressNext, rules.name, words, at, time, 1),
        )
        yield* this.#told()
        end = Math.min(start, table.size)
      }
      for (const [index, network] of networks.networks().entries()) {
        this.#tellNetwork(rules.name, networks.failuresOf(network))
        if (index % rowsAtOnce === 0) yield* this.#told()
      }
      yield* this.#told()
    }
  }

  /** Counts failures of before the start. To be called once, after the first `configure`. */
  resume(counted: Iterable<CountedFailures>): void {
    for (const each of counted) readEntries(each, (entry) => this.#recount(entry))
  }

  /** Knows of a ban that somebody else decided. */
  note(offence: Offence): void {
    this.#offences.note(offence)
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
    for (const { table, networks } of this.#jails.values()) {
      table.limit(left(table.size))
      networks.shrink(left(networks.size))
    }
  }

  /** The clock was set by so many milliseconds: failures stay as old as they are. */
  shift(ms: number): void {
    for (const { table, networks } of this.#jails.values()) {
      table.shift(ms)
      networks.shift(ms)
    }
    // What the store was told has other times.
    this.#log.void()
  }

  /**
   * Counts a failure. Answers the bans that it leads to: of the address, of its IPv6 network, or of both, and
   * those of jails that count bans.
   */
  count(match: Match, chunk: Arrival): readonly Ban[] {
    const bans = this.#count(match, match.address, chunk)
    return bans.length === 0 ? bans : [...bans, ...this.#countBans(bans, chunk)]
  }

  /** What comes of bans in the jails that count those of others; a ban of these counts nowhere. */
  #countBans(bans: readonly Ban[], chunk: Arrival): Ban[] {
    const counting = [...this.#jails.values()].filter(({ rules }) => rules.bansOf)
    return counting.flatMap(({ rules }) =>
      bans
        .filter((ban) => this.#countsFor(rules, ban) && !this.#isBanned(ban.prefix, rules.name))
        .flatMap((ban) => this.#count(banAsFailure(ban, rules.name), ban.prefix, chunk)),
    )
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
    const time = timeOf(match, chunk)
    if (jail === undefined || time === null) return []
    if (chunk.live && match.time !== null) jail.skewMs = skewOf(match.time, chunk.arrivedAt)
    const network = jail.rules.ipv6prefix === 64 ? networkOf(address) : null
    const banned = [prefix, ...(network === null ? [] : [network])].find((each) => this.#isBanned(each, match.jail))
    if (banned !== undefined) {
      this.#onBanned(match, banned, chunk)
      return []
    }
    if (this.#sparing(jail, prefix) !== undefined) {
      jail.ignored += match.attempts
      jail.spared.add(address, match.attempts)
      const why = jail.ignore.newsOf(address)
      if (why !== undefined) this.#onSpared(match.jail, address, why)
      return []
    }
    jail.failures += match.attempts
    const rule = this.#rules.number(jail.rules.ruleNames?.[match.rule])
    const keep = (previous: number) => this.#excerpts.add(match.line, previous, rule)
    const failures = jail.table.add(address, time, match.attempts, keep)
    this.#log.addKey(entryKinds.failed, match.jail, jail.table.key, 0, time, match.attempts)
    const ofNetwork = network === null ? 0 : jail.networks.add(network, { address, time, attempts: match.attempts })
    const lines = this.#linesOf(jail, address, Math.max(failures, ofNetwork))
    const since = chunk.live ? chunk.arrivedAt : time
    const bans: Ban[] = []
    if (failures >= jail.rules.maxretry) {
      jail.table.forget(address)
      this.#log.add(entryKinds.addressForgotten, match.jail, address)
      bans.push(...this.#sentence(jail, prefix, failures, lines, since, chunk.arrivedAt))
    }
    if (network !== null && network !== prefix && ofNetwork > 0 && this.#sparing(jail, network) === undefined) {
      const all = this.#linesOfNetwork(jail, network, address, lines)
      jail.networks.forget(network)
      this.#log.add(entryKinds.networkForgotten, match.jail, network)
      bans.push(...this.#sentence(jail, network, ofNetwork, all, since, chunk.arrivedAt))
    }
    return bans
  }

  #sparing(jail: Jail, prefix: Prefix): string | undefined {
    return this.#allowed(prefix) ?? jail.ignore.sparing(prefix)
  }

  *#told(): Generator<CountedFailures> {
    const told = this.#log.take()
    if (told !== null) yield told
  }

  #tellNetwork(jail: string, failures: readonly Failure[]): void {
    for (const [index, { address, time, attempts }] of failures.entries()) {
      this.#log.add(index === 0 ? entryKinds.networkFirst : entryKinds.networkNext, jail, address, time, attempts)
    }
  }

  #recount(entry: Entry): void {
    const jail = this.#jails.get(entry.jail)
    if (jail === undefined) return
    recountAddress(jail.table, entry)
    const { words, at } = entry
    if (jail.rules.ipv6prefix === 64 && !isMappedKey(words, at)) recountNetwork(jail.networks, entry)
  }

  #linesOf(jail: Jail, address: Address, failures: number): readonly Excerpt[] {
    if (failures < jail.rules.maxretry) return []
    return this.#excerpts.last(jail.table.look(address)?.excerpt ?? 0, Math.min(failures, linesOfBan))
  }

  /** Lines of as many of its addresses as there is room for; `own` are those of `last`, the address that failed last. */
  #linesOfNetwork(jail: Jail, network: Prefix, last: Address, own: readonly Excerpt[]): readonly Excerpt[] {
    const addresses = new Set(jail.networks.failuresOf(network).map(({ address }) => address))
    addresses.delete(last)
    const share = Math.max(1, Math.floor(linesOfBan / (addresses.size + 1)))
    const others = [...addresses].flatMap((address) =>
      this.#excerpts.last(jail.table.look(address)?.excerpt ?? 0, share),
    )
    const room = Math.max(share, linesOfBan - others.length)
    return [...others, ...own.slice(-room)].slice(-linesOfBan)
  }

  /** The ban; none where it would be over already, since the lines were read too late. That makes the next no longer. */
  #sentence(
    jail: Jail,
    prefix: Prefix,
    failures: number,
    excerpts: readonly Excerpt[],
    since: number,
    now: number,
  ): Ban[] {
    const { name, ports, bantime } = jail.rules
    const count = this.#offences.count(prefix, name) + 1
    const length = banLength(bantime, count)
    const until = length === null ? null : since + length
    if (until !== null && until <= now) return []
    jail.bans++
    this.#offences.add(prefix, name)
    const lines = excerpts.map(({ line }) => line)
    const rules = excerpts.map(({ rule }) => this.#rules.name(rule))
    const known = rules.some((rule) => rule !== '')
    return [{ prefix, jail: name, ports, since, until, count, failures, lines, ...(known ? { rules } : {}) }]
  }

  /** A ban that a person asks for: of a jail, or of no jail and then for all ports. Throws nothing; ignores nothing. */
  decree(prefix: Prefix, jailName: string, since: number, lengthMs: number | null | undefined, fallback: Bantime): Ban {
    const jail = this.#jails.get(jailName)
    const ports: Ports = jail?.rules.ports ?? { protocol: 'all', ports: [] }
    const count = this.#offences.add(prefix, jailName)
    const length = lengthMs === undefined ? banLength(jail?.rules.bantime ?? fallback, count) : foreverIfLong(lengthMs)
    const until = length === null ? null : since + length
    return { prefix, jail: jailName, ports, since, until, count, failures: 0, lines: [] }
  }

  /** Why the jail does not ban the prefix, in words for people; for a ban without a jail, why any jail does not. */
  sparing(prefix: Prefix, jailName: string): string | undefined {
    const allowed = this.#allowed(prefix)
    if (allowed !== undefined) return allowed
    const jail = this.#jails.get(jailName)
    const lists = jail ? [jail] : [...this.#jails.values()]
    return lists.map(({ ignore }) => ignore.sparing(prefix)).find((entry) => entry !== undefined)
  }

  /** How the address, or exactly this prefix, stands with the jail; undefined where there is no such jail. */
  standing(prefix: Prefix, jailName: string): Standing | undefined {
    const jail = this.#jails.get(jailName)
    if (jail === undefined) return undefined
    const { rules, table, networks, ignore, spared, skewMs } = jail
    const address = parseAddress(prefix)
    const around = address === null ? prefix : networkOf(address)
    const counted = rules.ipv6prefix === 64 && around !== null && around.includes(':')
    const bansBefore = this.#offences.count(prefix, jailName)
    return {
      failures: address === null ? [] : table.timesOf(address),
      network: counted ? { prefix: around, failures: networks.failuresOf(around) } : null,
      rule: ignore.rule(prefix) ?? null,
      spared: address === null ? 0 : spared.of(address),
      bansBefore,
      nextBanMs: banLength(rules.bantime, bansBefore + 1),
      skewMs,
    }
  }

  /** The failures of an address that a jail counts now; 0 of anything wider. */
  failuresOf(prefix: Prefix, jailName: string): number {
    return prefix.includes('/') ? 0 : (this.#jails.get(jailName)?.table.look(prefix as Address)?.failures ?? 0)
  }

  /** Whom some jail never bans. */
  spared(): readonly Prefix[] {
    return [...new Set([...this.#jails.values()].flatMap(({ ignore }) => ignore.prefixes))]
  }

  counts(jailName: string): JailCounts | undefined {
    const jail = this.#jails.get(jailName)
    if (jail === undefined) return undefined
    const { failures, ignored, table, networks, bans } = jail
    return { failures, ignored, tracked: table.size, givenUp: table.evicted + networks.evicted, bans }
  }
}

/**
 * The time at which a failure counts: the log's own, never after its arrival. A live line that is
 * dated more than 60 s off counts when it arrived: its clock or zone is wrong, and it is known to be new.
 */
function timeOf(match: Match, chunk: Arrival): number | null {
  const time = match.time ?? chunk.undatedAt
  if (time === null) return null
  if (chunk.live && Math.abs(chunk.arrivedAt - time) > trustedSkewMs) return chunk.arrivedAt
  return Math.floor(Math.min(time, chunk.arrivedAt))
}

/** How far off a date is where that is more than is believed; null where it is not. */
function skewOf(time: number, arrivedAt: number): number | null {
  return Math.abs(arrivedAt - time) > trustedSkewMs ? time - arrivedAt : null
}

function recountAddress(table: FailureTable, { kind, words, at, time, attempts }: Entry): void {
  if (kind === entryKinds.addressForgotten || kind === entryKinds.addressFirst) table.forgetKey(words, at)
  if (kind === entryKinds.failed || kind === entryKinds.addressFirst || kind === entryKinds.addressNext)
    table.addKey(words, at, time, attempts)
}

function recountNetwork(networks: Networks, { kind, words, at, time, attempts }: Entry): void {
  const address = readKey(words, at)
  const network = networkOf(address)
  if (network === null) return
  if (kind === entryKinds.networkForgotten || kind === entryKinds.networkFirst) networks.forget(network)
  if (kind === entryKinds.failed || kind === entryKinds.networkFirst || kind === entryKinds.networkNext)
    networks.add(network, { address, time, attempts })
}
