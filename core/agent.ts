/**
 * The agent: wires the stages, and knows all of them. The way of a line is `#scan`:
 *
 *   sources ─► intake ─► matching workers ─► sessions ─► judge ─► wanted set ─► enforcer ─► actions
 *                                                          │          └─► store, announcer ─► notifiers
 */
import { join } from 'node:path'
import { AgentAllowing } from './agent-allowing.ts'
import { AgentControl } from './agent-control.ts'
import { AgentLists } from './agent-lists.ts'
import { AgentMetrics } from './agent-metrics.ts'
import { AgentWarnings } from './agent-warnings.ts'
import { AgentHealth, type Health } from './agent-health.ts'
import { AgentClock } from './agent-clock.ts'
import { AgentFirewall, startEarly } from './agent-firewall.ts'
import { CurrentPool } from './current-pool.ts'
import { claimSocket, startControl } from './control/server.ts'
import type { ActionQueue } from './enforcing/action-queue.ts'
import { Announcer, type NotifierState } from './enforcing/announcer.ts'
import { Bite } from './enforcing/bite.ts'
import { Enforcer } from './enforcing/enforcer.ts'
import { WantedSet, type WantedChange } from './enforcing/wanted-set.ts'
import { describeError } from './errors.ts'
import type { Prefix } from './address.ts'
import {
  listOfJail,
  type AgentEvent,
  type Ban,
  type LogChunk,
  type LogPosition,
  type ScanResult,
  type UnbanReason,
} from './events.ts'
import type { FirewallHelper, FirewallOptions } from './firewall/client.ts'
import { endIgnoredBans } from './ignored-bans.ts'
import { Instances } from './instances.ts'
import { createIntake, positionAfter, type Intake } from './intake/intake.ts'
import type { ReadyJail, ReadyJails } from './jails.ts'
import { JailEvents } from './jail-events.ts'
import { JailSight } from './jail-sight.ts'
import type { BannedLine } from './judging/judge-options.ts'
import { Judge } from './judging/judge.ts'
import { circumstances, likelyCause } from './enforcing/likely-cause.ts'
import { createSessions } from './matching/sessions.ts'
import { MemoryWatch } from './memory-watch.ts'
import type { Logger } from './plugin.ts'
import type { Settings } from './settings/load-settings.ts'
import { openStore, type Changes, type Store } from './store/store.ts'

const notifierGraceMs = 3000
const dayMs = 86_400_000

/** A configuration that can run: what it says, and its jails made ready. */
export interface Configuration {
  readonly settings: Settings
  readonly ready: ReadyJails
}

export interface AgentOptions {
  readonly version: string
  /** Reads the configuration, now and at every reload. It throws where nothing of it can be used. */
  readonly configure: () => Promise<Configuration>
  /** Where the matchers are, in the order in which they are asked (`Registry.matcherFiles`). */
  readonly matcherFiles: readonly string[]
  /** Counts and tells, and touches neither firewall nor other actions. */
  readonly observe: boolean
  readonly log: Logger
  /** Where the firewall helper is, and who starts it. */
  readonly firewall?: Omit<FirewallOptions, 'log'>
  /** Called when all sources have ended for good, and all they brought was judged: it is time to stop. */
  readonly ended?: () => void
}

/** A running agent. */
export interface RunningAgent {
  /** The control socket it answers on. */
  readonly control: string
  reload(): Promise<void>
  /** How its stages do. */
  look(): Health
  /** Ends it. Bans stay in the kernel until their time is over, and are found again by the next start. */
  stop(): Promise<void>
}

/** Starts an agent. Throws a BailiffError where it cannot run at all: no usable configuration, another one running. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const configuration = await options.configure()
  const { state, control, historyMs } = configuration.settings
  await claimSocket(control)
  const helper = startEarly(options, configuration)
  const store = await openStore({
    path: join(state, 'bailiff.sqlite'),
    log: options.log,
    historyDays: historyMs / dayMs,
  }).catch(async (error: unknown) => {
    await helper?.then((started) => started.stop()).catch(() => {})
    throw error
  })
  const agent = new Agent(options, configuration, store, helper)
  try {
    await agent.start()
  } catch (error) {
    await agent.stop()
    throw error
  }
  return agent
}

/** The stages and what flows between them. Made and started by `startAgent`. */
export class Agent implements RunningAgent {
  readonly options: AgentOptions
  readonly startedAt = Date.now()
  readonly store: Store
  readonly wanted = new WantedSet()
  /** What jails in observe mode would have banned. Nothing enforces it. */
  readonly observed = new WantedSet()
  readonly judge: Judge
  /** Whether bans hold in truth what they promise. */
  readonly bite: Bite
  readonly intake: Intake
  readonly firewall: AgentFirewall
  readonly allowing: AgentAllowing
  readonly lists: AgentLists
  readonly enforcer: Enforcer
  readonly counts = new JailEvents()
  readonly sight = new JailSight()
  readonly metrics = new AgentMetrics(this)
  /** Changes that were written to the store, and how long that took for all together. */
  readonly commits = { count: 0, ms: 0 }
  readonly memory: MemoryWatch
  readonly instances: Instances
  configuration: Configuration
  /** What was handed to the store and is not on the disk yet, the oldest first; some of it where it is much. */
  readonly unstored = new Set<{ readonly since: number }>()

  readonly #clock = new AgentClock(this)
  readonly #health = new AgentHealth(this)
  readonly #sessions = createSessions()
  readonly #announcer = new Announcer()
  readonly #refusals = new Map<string, string>()
  #jails = new Map<string, ReadyJail>()
  /** What `queuesOf` answers, by jail; '' stands for those that are none. */
  readonly #queues = new Map<string, readonly ActionQueue[]>()
  readonly #pool: CurrentPool
  #socket: { stop(): Promise<void> } | null = null
  #ticks: NodeJS.Timeout | null = null
  readonly #warnings = new AgentWarnings(this)
  #resumed = false
  #reloading: Promise<void> = Promise.resolve()

  constructor(
    options: AgentOptions,
    configuration: Configuration,
    store: Store,
    helper: Promise<FirewallHelper> | null,
  ) {
    const { log } = options
    this.options = options
    this.configuration = configuration
    this.store = store
    const { bans, offences, positions } = store.loaded
    const alarm = (subject: string, message: string) => this.alarm(subject, message)
    this.judge = new Judge({
      offences,
      isBanned: (prefix, jail) => this.wanted.has(prefix, jail) || this.observed.has(prefix, jail),
      banOf: (prefix, jail) => this.wanted.get(prefix, jail) ?? this.observed.get(prefix, jail),
      onCounting: (news) => this.#warnings.counting(news),
      onBanned: (match, prefix, chunk) => this.#bannedLine(match, prefix, chunk),
      vital: () => this.firewall.vital(),
      allowed: (prefix) => this.allowing.list.sparing(prefix),
      onSpared: (jail, address, why) =>
        log.warn(
          { jail },
          `failures of ${address} are ignored: ${why}; if it is a proxy, let the service log the true address`,
        ),
      onNamesChanged: () => {
        endIgnoredBans(this)
        this.lists.screen()
      },
      onNameFailure: (name, error) => alarm('ignoreip', `the name ${name} cannot be looked up: ${error.message}`),
    })
    const ended = () => options.ended?.()
    this.intake = createIntake({ positions, log, alarm, ended, scan: (chunk, position) => this.#scan(chunk, position) })
    this.bite = new Bite((ban, line) =>
      alarm(
        ban.jail,
        `lines of ${ban.prefix} still arrive although it is banned: ${likelyCause(ban, line, circumstances())}`,
      ),
    )
    this.firewall = new AgentFirewall(this, configuration.settings.state, helper)
    this.allowing = new AgentAllowing(this, configuration.settings.state)
    this.lists = new AgentLists(this, configuration.settings.state)
    this.#pool = new CurrentPool(options.matcherFiles, log)
    this.memory = new MemoryWatch({
      cap: configuration.settings.memoryBytes,
      alarm: (message) => alarm('memory', message),
      relieve: (scarcity) => this.judge.relieve(scarcity),
    })
    this.instances = new Instances({
      folder: join(configuration.settings.state, 'plugins'),
      log,
      alarm,
      firewall: () => this.firewall.helper,
    })
    for (const ban of bans) {
      this.wanted.add(ban, 'restored')
      this.#clock.restored(ban)
    }
    store.hold({
      bans: () => storedBans(this.wanted),
      counted: () => this.judge.counted(),
      everything: () => this.judge.everything(),
      positions: () => this.intake.positions(),
      restored: (late) => this.#restore(late),
    })
    this.wanted.onChange((change) => this.#keep(change))
    this.enforcer = new Enforcer(this.wanted, {
      enforced: (ban, reason, action) => {
        if (listOfJail(ban.jail) !== null) return
        this.bite.confirmed(ban, Date.now())
        this.#tell({ type: 'ban', time: Date.now(), ban, reason, action })
      },
      refused: (ban, action, reason) => this.refuse(ban, action, reason),
    })
  }

  get control(): string {
    return this.configuration.settings.control
  }

  get observing(): boolean {
    return this.options.observe || this.configuration.settings.observe
  }

  async start(): Promise<void> {
    await this.allowing.load()
    this.#socket = await startControl(this.control, new AgentControl(this))
    this.#ticks = setInterval(() => this.#expire(), 1000)
    if (this.wanted.size > 0) this.options.log.info({}, `bans of before go on: ${this.wanted.size}`)
    await this.#apply(this.configuration)
    this.firewall.tellPause()
    this.memory.start()
    this.#tell({ type: 'start', time: this.startedAt, jails: [...this.#jails.keys()] })
  }

  look(): Health {
    return this.#health.look()
  }

  /** Reads the configuration again. A bad one throws and changes nothing; no ban is lost either way. */
  async reload(): Promise<void> {
    const turn = this.#reloading.then(async () => {
      const next = await this.options.configure()
      await this.#apply(next)
      this.configuration = next
    })
    this.#reloading = turn.catch(() => {})
    await turn
  }

  async stop(): Promise<void> {
    if (this.#ticks) clearInterval(this.#ticks)
    this.memory.stop()
    await this.#socket?.stop()
    await this.metrics.stop()
    await this.intake.stop()
    this.firewall.unwatch()
    this.judge.stop()
    this.allowing.stop()
    this.lists.stop()
    await this.#pool.close()
    await this.instances.settled()
    this.#tell({ type: 'stop', time: Date.now() })
    await this.#announcer.stop(notifierGraceMs)
    await this.instances.stop()
    await this.firewall.stop()
    this.store.seen(this.intake.positions())
    await this.store.close()
  }

  /** The queues of a jail's actions, first action first. A jail that is gone, or `manual`, has those that come first in some jail. */
  queuesOf(jail: string): readonly ActionQueue[] {
    if (this.observing) return []
    // Asked for several times for each ban, and lists have a million.
    const key = this.#jails.has(jail) ? jail : ''
    const known = this.#queues.get(key) ?? this.#findQueues(key)
    this.#queues.set(key, known)
    return known
  }

  #findQueues(jail: string): readonly ActionQueue[] {
    const ready = this.#jails.get(jail)
    if (ready) return ready.actions.map((instance) => this.instances.queue(instance))
    const first = [...this.#jails.values()].flatMap(({ actions }) => actions.slice(0, 1))
    return [...new Set(first.map((instance) => this.instances.queue(instance)))]
  }

  notifierQueues(): readonly NotifierState[] {
    return this.#announcer.states
  }

  /** Whether every action of its jail has confirmed the ban. */
  isEnforced(ban: Ban): boolean {
    const queues = this.queuesOf(ban.jail)
    return queues.length > 0 && queues.every((queue) => queue.confirmed(ban))
  }

  /** Why an action refused the ban of this prefix by this jail, if it did. */
  refusal(prefix: string, jail: string): string | undefined {
    return this.#refusals.get(`${prefix} ${jail}`)
  }

  /** Carries a decision on: into the wanted set, or, when the jail only observes, to the notifiers alone. */
  decide(ban: Ban): void {
    if (ban.until !== null && ban.until <= Date.now()) return
    if (!this.observing && this.#jails.get(ban.jail)?.mode !== 'observe') {
      this.wanted.add(ban, 'new')
      return
    }
    this.observed.add(ban, 'new')
    this.counts.add(ban.jail, 'wouldBans')
    this.#tell({ type: 'would-ban', time: Date.now(), ban })
  }

  /** The way of a piece of a log: matched in a worker, merged by session, judged; then its position is kept. */
  async #scan(chunk: LogChunk, position: LogPosition | null): Promise<ScanResult> {
    // While a reload is under way, intake may still speak of a jail that is gone.
    const jails = chunk.jails.filter((jail) => this.#jails.has(jail))
    const { setBy } = this.#clock
    let at = position
    const take = (result: ScanResult) => {
      this.#followClock()
      this.sight.note(chunk, result)
      this.#judge(result, { ...chunk, arrivedAt: chunk.arrivedAt + this.#clock.setBy - setBy })
      if (at !== null && !('cursor' in at)) at = positionAfter(at, result)
      // In the same transaction as the bans above and what was counted: what is read again after a crash is
      // neither decided nor counted yet. So nothing is to be awaited in between.
      this.#commit({ positions: at === null ? [] : [at], counted: result.matches.length > 0 })
    }
    if (position === null || !('cursor' in position)) return this.#pool.scan({ ...chunk, jails }, take)
    // There is no cursor for a part of the chunk.
    const whole = await this.#pool.scan({ ...chunk, jails })
    take(whole)
    return whole
  }

  #judge(result: ScanResult, chunk: LogChunk): void {
    if (result.bare) this.#warnings.bareLog(chunk.log, result.matches, this.#jails)
    for (const match of this.#sessions.merge(result.matches)) {
      for (const ban of this.judge.count(match, chunk)) this.decide(ban)
    }
  }

  /** Bans in force should keep their address away: lines that are new are looked at. */
  #bannedLine(match: BannedLine, prefix: Prefix, { arrivedAt, live }: Pick<LogChunk, 'arrivedAt' | 'live'>): void {
    const ban = this.wanted.get(prefix, match.jail)
    if (!live || ban === undefined || !this.isEnforced(ban) || !this.#protects(match.jail)) return
    this.bite.line(ban, match.time === null ? arrivedAt : Math.min(match.time, arrivedAt), match.line)
  }

  /** The in-memory firewall keeps nobody away, and says so itself. */
  #protects(jail: string): boolean {
    return this.#jails.get(jail)?.actions.some(({ name }) => name !== 'memory') ?? true
  }

  /** Takes a configuration over, stage by stage against the flow: who receives is ready before who sends. */
  async #apply({ settings, ready }: Configuration): Promise<void> {
    const { jails } = ready
    for (const problem of ready.problems) this.options.log.error({}, describeError(problem))
    if (jails.length === 0)
      this.options.log.warn({}, 'no jail is on, so nothing is watched; "bailiff check" tells more')
    for (const { name, sourceChoice } of jails)
      if (sourceChoice !== null) this.options.log.info({ jail: name }, `where ${name} is read: ${sourceChoice}`)
    for (const warning of settings.warnings) this.options.log.warn({}, describeError(warning))
    // At the start threads load their engines beside the rest; later jails change before the pool does.
    const pool = this.#resumed ? null : this.#pool.replace(jails, settings.workers)
    pool?.catch(() => {})
    if (!this.#resumed) await this.lists.load(jails)
    await this.firewall.start(jails)
    const { fresh, listeners, sources, retire } = this.instances.take(ready)
    this.#jails = new Map(jails.map((jail) => [jail.name, jail]))
    this.#queues.clear()
    await this.#announcer.configure(listeners)
    this.firewall.holdBack()
    this.enforcer.configure((jail) => this.queuesOf(jail), this.observing ? [] : fresh)
    await this.judge.configure(jails)
    this.allowing.enforce()
    endIgnoredBans(this)
    this.lists.screen()
    if (!this.#resumed) this.judge.resume(this.store.loaded.failures)
    if (!this.#resumed) this.store.forgetLoaded()
    this.#resumed = true
    await (pool ?? this.#pool.replace(jails, settings.workers))
    await this.intake.configure(sources)
    await this.metrics.serve(settings.metrics)
    // What is written to an empty log from now on is new, also to an agent that was killed meanwhile.
    const isEmpty = (position: LogPosition) => 'offset' in position && position.offset + position.headLength === 0
    this.store.seen(this.intake.positions().filter((position) => isEmpty(position) || 'cursor' in position))
    await retire()
  }

  /** Bans of before the start that the store could not read then. */
  #restore(bans: Iterable<Ban>): void {
    for (const ban of bans) {
      this.judge.note(ban)
      this.wanted.add(ban, 'restored')
    }
  }

  #followClock(): void {
    const moved = this.#clock.follow()
    if (moved.length > 0) this.#commit({ bans: moved })
  }

  #expire(): void {
    this.#followClock()
    const now = Date.now()
    this.wanted.expire(now)
    this.observed.expire(now)
    this.judge.sweep(now)
    this.allowing.expire(now)
    this.lists.expire(now)
    this.sight.look(this.configuration.ready.jails, this.intake.logs(), now)
    this.#warnings.blindJails(now)
    this.#warnings.fullTables(this.#jails.keys())
  }

  #keep({ before, after, reason }: WantedChange): void {
    // Lists have files of their own, and are told of as a whole.
    if (listOfJail((after ?? before)?.jail ?? '') !== null) return
    if (after) {
      if (before === null && reason === 'new') this.counts.add(after.jail, 'bans')
      if (reason !== 'restored') this.#commit({ bans: [after] })
    } else if (before) {
      const { prefix, jail } = before
      const at = Date.now()
      this.counts.add(jail, 'unbans')
      if (reason === 'unbanned') this.judge.lifted(prefix, jail)
      this.#commit({ unbans: [{ prefix, jail, at, reason: reason as UnbanReason }] })
      this.#tell({ type: 'unban', time: at, ban: before, reason: reason as UnbanReason })
    }
  }

  /** Nothing is called banned that is not: a ban that an action refuses for good ends. */
  refuse(ban: Ban, action: string, reason: string): void {
    if (listOfJail(ban.jail) !== null) return this.lists.refused(ban, reason)
    this.#refusals.set(`${ban.prefix} ${ban.jail}`, reason)
    if (this.#refusals.size > 1000) this.#refusals.clear()
    this.alarm(ban.jail, `${action} refuses to ban ${ban.prefix}: ${reason}`)
    this.wanted.remove(ban.prefix, ban.jail)
  }

  /** Nothing waits for the store; it tells itself when the disk fails, and rejects only what it cannot hold. */
  #commit(changes: Changes): void {
    const mark = { since: performance.now() }
    if (this.unstored.size < 1000) this.unstored.add(mark)
    this.store
      .commit(changes)
      .catch((error: unknown) => this.options.log.warn({}, `not stored: ${describeError(error)}`))
      .finally(() => {
        this.commits.count++
        this.commits.ms += performance.now() - mark.since
        this.unstored.delete(mark)
      })
  }

  alarm(subject: string, message: string): void {
    this.#tell({ type: 'alarm', time: Date.now(), subject, message })
  }

  #tell(event: AgentEvent): void {
    this.#announcer.tell(event)
  }
}

/** Named lists have files of their own. */
function* storedBans(wanted: Iterable<Ban>): Generator<Ban> {
  for (const ban of wanted) if (listOfJail(ban.jail) === null) yield ban
}
