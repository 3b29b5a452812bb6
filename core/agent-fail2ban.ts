import { setTimeout as sleep } from 'node:timers/promises'
import type { Agent } from './agent.ts'
import { describeError, type BailiffError } from './errors.ts'
import type { Kept, LogChunk, ScanResult } from './events.ts'
import { FailureGate } from './fail2ban/counting/failure-gate.ts'
import { keptWaiting, waitingOf } from './fail2ban/counting/kept-failures.ts'
import { lineHit } from './fail2ban/lines/jail-lines.ts'
import { Sessions } from './fail2ban/lines/sessions.ts'
import { brokenFilter } from './fail2ban/running/filter-problem.ts'
import { OptionPlaces } from './fail2ban/running/option-place.ts'
import { treeFailure } from './fail2ban/running/tree-failures.ts'
import type { ReadyJail } from './jails.ts'
import type { BrokenJail } from './matching/messages.ts'

/** What waits for names or commands has so long to be decided when the agent stops. */
const settleMs = 2000
/** Logs of which is known who has seen them; beyond, all are forgotten. */
const maxLogs = 5000

/**
 * The way of a line that a jail of a Fail2ban tree found: put together with those of its session, names looked up,
 * ignored ones left out, then the judge.
 */
export class AgentFail2ban {
  readonly #agent: Agent
  readonly #gate: FailureGate
  #jails = new Map<string, { readonly jail: ReadyJail; readonly sessions: Sessions }>()
  #restored = false
  /** The jails that have seen a piece of a log, by the log. */
  readonly #started = new Map<string, Set<string>>()
  /** Jails whose filter cannot be used, and why. */
  readonly broken = new Map<string, BailiffError>()

  constructor(agent: Agent) {
    this.#agent = agent
    this.#gate = new FailureGate({
      count: (failure, arrival) => {
        for (const ban of agent.judge.countFailure(failure, arrival)) agent.decide(ban)
      },
      keep: (key, waiting) => agent.storing.commit({ kept: [keptWaiting(key, waiting)], counted: waiting === null }),
      onIgnored: (jail, id, source) => source !== null && agent.ownLog.ignored(jail, id, source),
      warn: (jail, message) => agent.options.log.warn(jail === null ? {} : { jail }, message),
    })
  }

  /** Takes over the jails of a configuration; sessions go on where the filter is the same. */
  async configure(jails: readonly ReadyJail[]): Promise<void> {
    const before = this.#jails
    this.#jails = new Map()
    this.broken.clear()
    for (const jail of jails) {
      const texts = jail.fail2ban?.texts
      if (!texts) continue
      const old = before.get(jail.name)
      const isSame = JSON.stringify(old?.jail.fail2ban?.texts) === JSON.stringify(texts)
      const sessions = old && isSame ? old.sessions : new Sessions({ raw: texts.usedns === 'raw' })
      this.#jails.set(jail.name, { jail, sessions })
    }
    const wrong = await this.#gate.configure(jails.flatMap(({ fail2ban }) => fail2ban?.gate ?? []))
    for (const [jail, problem] of wrong) this.#agent.options.log.error({ jail }, describeError(problem))
    if (this.#restored) return
    this.#restored = true
    void this.#askAnew()
  }

  /** Whether the jail reads this log from its end on, and the piece is of what stood there before anybody looked at it. */
  skips({ fail2ban }: ReadyJail, { log, live, undatedAt }: LogChunk): boolean {
    return !live && undatedAt === null && (fail2ban?.tailed.includes(log) ?? false)
  }

  /**
   * The jails that read this log for the first time. As in Fail2ban its lines are old ones to them then, also where it
   * grew since the start, unless they read it from its end on.
   */
  starting({ log, jails }: LogChunk): readonly string[] {
    return jails.filter((name) => {
      const { texts = null, tailed = [] } = this.#jails.get(name)?.jail.fail2ban ?? {}
      return texts !== null && !texts.journal && !tailed.includes(log) && !this.#started.get(log)?.has(name)
    })
  }

  /** Takes what was found in a chunk, in the order of its lines. */
  take({ hits = [], odd = [] }: ScanResult, chunk: LogChunk): void {
    if (odd.length > 0) this.#agent.warnings.oddTimes(chunk.log, odd)
    const { log, jails, starting = [] } = chunk
    this.#noteStarted(log, jails)
    const old = { ...chunk, live: false, undatedAt: null }
    for (const hit of hits) {
      const { jail, sessions } = this.#jails.get(hit.jail) ?? {}
      const raw = sessions?.merge(lineHit(hit), chunk.arrivedAt / 1000)
      const failure = raw && jail ? treeFailure(raw, { ...hit, filter: jail.filter.name }) : null
      if (failure !== null) this.#gate.take(failure, starting.includes(hit.jail) ? old : chunk)
    }
  }

  /** Jails whose filter a thread cannot use. The others run. */
  setAside(jails: readonly BrokenJail[]): void {
    for (const { jail: name, option, message, hint } of jails) {
      const { jail } = this.#jails.get(name) ?? {}
      if (!jail?.fail2ban || this.broken.has(name)) continue
      const where = new OptionPlaces(jail.fail2ban.folder).ofFilter(name, jail.filter.name, option ?? 'failregex')
      const problem = brokenFilter({ message, hint }, where)
      this.broken.set(name, problem)
      this.#agent.options.log.error({ jail: name }, describeError(problem))
    }
  }

  /** Takes up what waited for names or commands when an agent ended, in the turn in which what it counted is taken up. */
  resume(kept: readonly Kept[]): void {
    this.#gate.resume(waitingOf(kept))
  }

  /** What waits now, for the store. */
  *kept(): Generator<Kept> {
    for (const [key, waiting] of this.#gate.waiting()) yield keptWaiting(key, waiting)
  }

  /** Gives what waits a moment to be decided. What is not is decided after the next start. */
  async stop(): Promise<void> {
    const late = new AbortController()
    await Promise.race([this.#gate.settled(), sleep(settleMs, undefined, { signal: late.signal }).catch(() => {})])
    late.abort()
    this.#gate.stop()
  }

  #noteStarted(log: string, jails: readonly string[]): void {
    const started = this.#started.get(log) ?? new Set()
    for (const jail of jails) if (this.#jails.has(jail)) started.add(jail)
    if (started.size === 0) return
    this.#started.set(log, started)
    if (this.#started.size > maxLogs) this.#started.clear()
  }

  /** Whom a jail ignores now it also lets go of who was banned before the start. */
  async #askAnew(): Promise<void> {
    const { wanted, ownLog, options } = this.#agent
    for (const { prefix, jail } of [...wanted].filter((ban) => this.#jails.has(ban.jail))) {
      const source = await this.#gate.ignoring(jail, prefix).catch(() => null)
      if (source === null) continue
      wanted.remove(prefix, jail)
      ownLog.ignored(jail, prefix, source)
      options.log.info({ jail }, `${prefix} is ignored now (${source}), so its ban of before ends`)
    }
  }
}
