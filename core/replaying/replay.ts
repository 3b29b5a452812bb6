/** Judges the matches of stored logs as an agent would that had watched them being written. */
import type { Prefix } from '../address.ts'
import { WantedSet } from '../enforcing/wanted-set.ts'
import type { Ban, Failure, FilterHit } from '../events.ts'
import type { RowCursor } from '../failure-rows.ts'
import type { VitalPrefix } from '../judging/ignore-list.ts'
import { Judge, type JailRules } from '../judging/judge.ts'
import { createSessions } from '../matching/sessions.ts'
import type { CompiledFilter } from '../plugin.ts'
import type { ReplayedTreeJail, TreeReplay } from './tree-replay.ts'

/** A line that is dated further behind the one before it was late: an agent counts it when it arrives. */
const lateMs = 60_000

/** A jail as far as a replay needs it: neither its sources nor its actions are loaded. */
export interface ReplayJail extends JailRules {
  readonly mode: 'enforce' | 'observe'
  readonly filter: CompiledFilter
  /** Null, or absent: it is a jail of ours. */
  readonly tree?: ReplayedTreeJail | null
}

/** A ban that would have been, on the clock of the logs. */
export interface ReplayedBan extends Ban {
  /** Whether its jail, or the whole agent, only observes. */
  readonly observed: boolean
}

/** What a jail would have done. */
export interface JailTotals {
  readonly jail: string
  /** Failures that counted, those that an ignore rule spared, and lines of addresses that were banned. */
  failures: number
  ignored: number
  afterBan: number
  bans: number
  /** Addresses and networks that were banned, each once. */
  addresses: number
}

export interface ReplayOptions {
  readonly jails: readonly ReplayJail[]
  readonly observe: boolean
  readonly vital: () => readonly VitalPrefix[]
  readonly onNameFailure: (name: string, error: Error) => void
  readonly onBan: (ban: ReplayedBan) => void
  /** A ban whose time was over before the logs ended. */
  readonly onUnban: (ban: Ban) => void
  /** A ban in force that ends later now, as in jails of a Fail2ban tree. */
  readonly onProlonged?: (ban: ReplayedBan) => void
}

/** Judge, sessions and wanted set on the clock of the logs. Matches are to come in the order of their time. */
export class Replay {
  readonly #options: ReplayOptions
  readonly #judge: Judge
  readonly #wanted = new WantedSet()
  readonly #observing: ReadonlySet<string>
  readonly #totals: Map<string, JailTotals>
  /** Lines of banned addresses, by the lists of jails that the judge names. */
  readonly #afterBan = new Map<readonly string[], number>()
  readonly #sessions = createSessions({ now: () => this.#clock })
  #clock = 0
  #swept = 0
  /** Whether the last line was late. */
  #late = false
  #undated = 0
  /** Whom the last ban is of. */
  #banned: Prefix | null = null

  constructor(options: ReplayOptions) {
    this.#options = options
    const { jails, observe } = options
    this.#observing = new Set(jails.filter(({ mode }) => observe || mode === 'observe').map(({ name }) => name))
    this.#totals = new Map(jails.map(({ name }) => [name, { jail: name, ...none }]))
    this.#judge = new Judge({
      offences: [],
      isBanned: (prefix, jail) => this.#wanted.has(prefix, jail),
      isBannedKey: (words, bits, jail) => this.#wanted.hasKey(words, bits, jail),
      banOf: (prefix, jail) => this.#wanted.get(prefix, jail),
      banStamp: (words, bits) => this.#wanted.stampOf(words, bits),
      onBanned: ({ jails }) => void this.#afterBan.set(jails, (this.#afterBan.get(jails) ?? 0) + 1),
      vital: options.vital,
      onNameFailure: options.onNameFailure,
    })
    this.#wanted.onChange(({ before, after }) => {
      if (after === null && before !== null) options.onUnban(before)
    })
  }

  /** To be awaited before the first match: names of the ignore lists are looked up. */
  async start(): Promise<void> {
    await this.#judge.configure(this.#options.jails)
  }

  /** Counts the failures of a row of this log. */
  countRow(row: RowCursor, log: string): void {
    let time = this.#arrival(row.time)
    // The row may be two late lines in a row.
    if (row.lines > 1) time = this.#arrival(row.time)
    if (time === null) {
      this.#undated += row.lines * row.jails.length
      return
    }
    this.#wanted.expire(time)
    const arrival = { arrivedAt: time, live: true, undatedAt: time }
    const attempts = () => this.#sessions.attempts(row, log)
    this.#judge.countRow(row, attempts, arrival, (ban) => this.#decide(ban))
  }

  /** Takes a hit of a jail of a Fail2ban tree; `tree` counts what becomes of it by `countFailure`. */
  takeHit(hit: FilterHit, tree: TreeReplay): Promise<void> | undefined {
    const time = this.#arrival(hit.time)
    if (time === null) {
      this.#undated++
      return undefined
    }
    this.#wanted.expire(time)
    // Fail2ban forgets on its clock, and what it forgot changes its estimates.
    if (Math.abs(time - this.#swept) >= sweepEveryMs) this.#judge.sweep((this.#swept = time))
    return tree.take(hit, time)
  }

  /** Counts a failure of a Fail2ban tree at this time. */
  countFailure(failure: Failure, time: number): void {
    for (const ban of this.#judge.countFailure(failure, { arrivedAt: time, live: true, undatedAt: time }))
      this.#decide(ban)
  }

  /** Notes that a jail ignored a failure before it came to the judge. */
  noteIgnored(jail: string): void {
    this.#total(jail).ignored++
  }

  /** Ends the bans that are over when the logs end, and answers what each jail did. */
  end(): readonly JailTotals[] {
    this.#wanted.expire(this.#clock)
    this.#judge.stop()
    for (const [jails, lines] of this.#afterBan) for (const jail of jails) this.#total(jail).afterBan += lines
    this.#afterBan.clear()
    return [...this.#totals.values()].map((total) => {
      const { failures = 0, ignored = 0, bans = 0 } = this.#judge.counts(total.jail) ?? {}
      return { ...total, failures, ignored: total.ignored + ignored, bans }
    })
  }

  /** Failures that did not count, for they have no date and none came before them. */
  get undated(): number {
    return this.#undated
  }

  /** The time of the last line, unix ms; 0: there was none. */
  get clock(): number {
    return this.#clock
  }

  /** How many bans are in force now. */
  get inForce(): number {
    return this.#wanted.size
  }

  /**
   * When the line arrived. The clock of the logs goes on with their lines; a line dated before the clock
   * arrived late. Two late ones in a row mean that the clock had gone wrong: then it goes back.
   */
  #arrival(time: number | null): number | null {
    if (time === null) return this.#clock === 0 ? null : this.#clock
    const late = time < this.#clock - lateMs
    if (!late || this.#late) this.#clock = late ? time : Math.max(this.#clock, time)
    this.#late = late && !this.#late
    return this.#clock
  }

  #decide(ban: Ban): void {
    // Several jails may ban the same.
    if (ban.prefix !== this.#banned) this.#banned = copyOf(ban.prefix)
    const copied = { ...ban, prefix: this.#banned, observed: this.#observing.has(ban.jail) }
    const isProlonged = this.#wanted.has(copied.prefix, copied.jail)
    this.#wanted.add(copied, 'new')
    if (isProlonged) return this.#options.onProlonged?.(copied)
    if (ban.count === 1) this.#total(ban.jail).addresses++
    this.#options.onBan(copied)
  }

  #total(jail: string): JailTotals {
    const known = this.#totals.get(jail)
    if (known !== undefined) return known
    const fresh = { jail, ...none }
    this.#totals.set(jail, fresh)
    return fresh
  }
}

const sweepEveryMs = 1000
const none = { failures: 0, ignored: 0, afterBan: 0, bans: 0, addresses: 0 }

/** The address is a part of the text of a whole chunk, which it would keep in memory. */
function copyOf(prefix: Prefix): Prefix {
  return Buffer.from(prefix).toString() as Prefix
}
