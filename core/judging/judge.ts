import type { Address, Prefix } from '../address.ts'
import type { Ban, LogChunk, Match, Ports } from '../events.ts'
import { banLength, foreverIfLong, type Bantime } from './bantime.ts'
import { Excerpts } from './excerpts.ts'
import { FailureTable } from './failure-table.ts'
import { IgnoreList, type IgnoreRules } from './ignore-list.ts'
import { Offences, type Offence } from './offences.ts'

/** A live line whose date is further than this from its arrival counts at its arrival. */
const trustedSkewMs = 60_000
/** Lines kept with a ban. */
const linesOfBan = 10

/** What a jail asks of the judge. */
export interface JailRules {
  readonly name: string
  readonly maxretry: number
  readonly findtimeMs: number
  readonly bantime: Bantime
  readonly ports: Ports
  readonly ignore: IgnoreRules
}

/** What a jail has seen since it was configured. */
export interface JailCounts {
  /** Failures that counted, and those that an ignore rule spared. */
  readonly failures: number
  readonly ignored: number
  /** Addresses that failed but are not banned. */
  readonly tracked: number
  readonly bans: number
}

/** Failures of one address in one jail that have not led to a ban; times in unix ms, ascending. */
export interface PendingFailures {
  readonly jail: string
  readonly address: Address
  readonly times: readonly number[]
}

interface Jail {
  readonly rules: JailRules
  readonly table: FailureTable
  readonly ignore: IgnoreList
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
  readonly #excerpts: Excerpts
  readonly #offences: Offences
  readonly #maxAddresses: number
  readonly #isBanned: (prefix: Prefix, jail: string) => boolean
  readonly #onNameFailure: (name: string, error: Error) => void

  constructor(options: {
    readonly offences: Iterable<Offence>
    /** Whether the jail's ban of the prefix is in force: its lines need no second decision. */
    readonly isBanned: (prefix: Prefix, jail: string) => boolean
    readonly onNameFailure: (name: string, error: Error) => void
    readonly maxAddresses?: number
    readonly excerptBytes?: number
  }) {
    this.#offences = new Offences(options.offences)
    this.#excerpts = new Excerpts(options.excerptBytes ?? 8 * 1024 * 1024)
    this.#maxAddresses = options.maxAddresses ?? 200_000
    this.#isBanned = options.isBanned
    this.#onNameFailure = options.onNameFailure
  }

  /** Takes over the jails of a new configuration. Counts go on where window and threshold are the same. */
  async configure(jails: readonly JailRules[]): Promise<void> {
    const before = new Map(this.#jails)
    this.#jails.clear()
    for (const rules of jails) {
      const old = before.get(rules.name)
      const same = old?.rules.maxretry === rules.maxretry && old.rules.findtimeMs === rules.findtimeMs
      const table = same ? old.table : new FailureTable({ ...rules, maxAddresses: this.#maxAddresses })
      const { failures, ignored, bans } = old ?? { failures: 0, ignored: 0, bans: 0 }
      const ignore = new IgnoreList(rules.ignore, this.#onNameFailure)
      this.#jails.set(rules.name, { rules, table, ignore, failures, ignored, bans })
    }
    for (const old of before.values()) old.ignore.stop()
    await Promise.all([...this.#jails.values()].map(({ ignore }) => ignore.start()))
  }

  /** The failures that have not led to a ban, for `resume` after a restart. */
  pending(): PendingFailures[] {
    return [...this.#jails].flatMap(([jail, { table }]) => [...table].map((tracked) => ({ jail, ...tracked })))
  }

  /** Counts failures of before the start. To be called once, after the first `configure`. */
  resume(pending: Iterable<PendingFailures>): void {
    for (const { jail, address, times } of pending) {
      for (const time of times) this.#jails.get(jail)?.table.add(address, time, 1, (previous) => previous)
    }
  }

  stop(): void {
    for (const { ignore } of this.#jails.values()) ignore.stop()
  }

  /** The clock was set by so many milliseconds: failures stay as old as they are. */
  shift(ms: number): void {
    for (const { table } of this.#jails.values()) table.shift(ms)
  }

  /** Counts a failure; a ban when it is the one too many, else null. */
  count(match: Match, chunk: Pick<LogChunk, 'arrivedAt' | 'live' | 'undatedAt'>): Ban | null {
    const jail = this.#jails.get(match.jail)
    const time = timeOf(match, chunk)
    if (jail === undefined || time === null || this.#isBanned(match.address, match.jail)) return null
    if (jail.ignore.sparing(match.address) !== undefined) {
      jail.ignored += match.attempts
      return null
    }
    jail.failures += match.attempts
    const keep = (previous: number) => this.#excerpts.add(match.line, previous)
    const failures = jail.table.add(match.address, time, match.attempts, keep)
    if (failures < jail.rules.maxretry) return null

    const lines = this.#excerpts.last(jail.table.look(match.address)?.excerpt ?? 0, Math.min(failures, linesOfBan))
    jail.table.forget(match.address)
    const count = this.#offences.count(match.address, match.jail) + 1
    const since = chunk.live ? chunk.arrivedAt : time
    const length = banLength(jail.rules.bantime, count)
    const until = length === null ? null : since + length
    // Read too late: it was never in force, and makes the next one no longer.
    if (until !== null && until <= chunk.arrivedAt) return null
    jail.bans++
    this.#offences.add(match.address, match.jail)
    return { prefix: match.address, jail: match.jail, ports: jail.rules.ports, since, until, count, failures, lines }
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

  /** An entry of the jail's ignore list that has an address in common with the prefix; for a ban without a jail, of any jail's. */
  sparing(prefix: Prefix, jailName: string): Prefix | undefined {
    const jail = this.#jails.get(jailName)
    const lists = jail ? [jail] : [...this.#jails.values()]
    return lists.map(({ ignore }) => ignore.sparing(prefix)).find((entry) => entry !== undefined)
  }

  counts(jailName: string): JailCounts | undefined {
    const jail = this.#jails.get(jailName)
    return jail && { failures: jail.failures, ignored: jail.ignored, tracked: jail.table.size, bans: jail.bans }
  }
}

/**
 * The time at which a failure counts: the log's own, never after its arrival. A live line that is
 * dated more than 60 s off counts when it arrived: its clock or zone is wrong, and it is known to be new.
 */
function timeOf(match: Match, chunk: Pick<LogChunk, 'arrivedAt' | 'live' | 'undatedAt'>): number | null {
  const time = match.time ?? chunk.undatedAt
  if (time === null) return null
  if (chunk.live && Math.abs(chunk.arrivedAt - time) > trustedSkewMs) return chunk.arrivedAt
  return Math.floor(Math.min(time, chunk.arrivedAt))
}
