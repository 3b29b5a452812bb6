/**
 * The agent: wires the stages, and knows all of them. The way of a line is `#scan`:
 *
 *   sources ─► intake ─► matching workers ─► sessions ─► judge ─► wanted set ─► enforcer ─► actions
 *                                                          │          └─► store, announcer ─► notifiers
 *
 * What belongs to one stage is in the neighbour of its name: how a configuration is taken over in
 * `agent-configuration.ts`, what the judge hears in `agent-judge.ts`, who carries a ban out in `agent-enforcing.ts`,
 * what is kept in `agent-storing.ts`.
 */
import { join } from 'node:path'
import { AgentAllowing } from './agent-allowing.ts'
import { AgentClock } from './agent-clock.ts'
import { AgentConfiguration, type Configuration } from './agent-configuration.ts'
import { AgentControl } from './agent-control.ts'
import { AgentEnforcing } from './agent-enforcing.ts'
import { AgentFail2ban } from './agent-fail2ban.ts'
import { AgentFirewall, startEarly } from './agent-firewall.ts'
import { AgentHealth, type Health } from './agent-health.ts'
import { agentJudge } from './agent-judge.ts'
import { AgentLists } from './agent-lists.ts'
import { AgentMetrics } from './agent-metrics.ts'
import { AgentOwnLog } from './agent-own-log.ts'
import { AgentStoring } from './agent-storing.ts'
import { AgentWarnings } from './agent-warnings.ts'
import { claimSocket, startControl } from './control/server.ts'
import { CurrentPool } from './current-pool.ts'
import { Announcer } from './enforcing/announcer.ts'
import { WantedSet } from './enforcing/wanted-set.ts'
import type { AgentEvent, Ban, LogChunk, LogPosition, ScanResult } from './events.ts'
import { countRows, RowCursor } from './failure-rows.ts'
import type { FirewallHelper, FirewallOptions } from './firewall/client.ts'
import { Instances } from './instances.ts'
import { createIntake, positionAfter, type Intake } from './intake/intake.ts'
import type { Scanned } from './intake/scanner.ts'
import { JailEvents } from './jail-events.ts'
import { JailSight } from './jail-sight.ts'
import type { ReadyJail } from './jails.ts'
import type { Judge } from './judging/judge.ts'
import { createSessions } from './matching/sessions.ts'
import { MemoryWatch } from './memory-watch.ts'
import type { Logger } from './plugin.ts'
import type { PluginHosts } from './plugin-host/plugin-hosts.ts'
import { openStore, type Store } from './store/store.ts'

const notifierGraceMs = 3000
const dayMs = 86_400_000

export interface AgentOptions {
  readonly version: string
  /** Reads the configuration, now and at every reload. It throws where nothing of it can be used. */
  readonly configure: () => Promise<Configuration>
  /** Where the matchers are, in the order in which they are asked (`matcherFiles` of built-in.ts). */
  readonly matcherFiles: readonly string[]
  /** Counts and tells, and touches neither firewall nor other actions. */
  readonly observe: boolean
  /** Runs the plugins that are not built in. */
  readonly pluginHosts?: PluginHosts
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
  readonly intake: Intake
  /** The matching workers. */
  readonly pool: CurrentPool
  readonly firewall: AgentFirewall
  readonly allowing: AgentAllowing
  readonly lists: AgentLists
  readonly storing: AgentStoring
  readonly enforcing: AgentEnforcing
  readonly announcer = new Announcer()
  readonly counts = new JailEvents()
  readonly sight = new JailSight()
  readonly metrics = new AgentMetrics(this)
  readonly warnings = new AgentWarnings(this)
  readonly clock = new AgentClock(this)
  readonly fail2ban = new AgentFail2ban(this)
  /** What happens, as lines of Fail2ban's own log, where that is wanted. */
  readonly ownLog = new AgentOwnLog((subject, message) => this.alarm(subject, message))
  readonly memory: MemoryWatch
  readonly instances: Instances
  /** Who hears of every event at once, beside the notifiers. */
  readonly watchers = new Set<(event: AgentEvent) => void>()

  readonly #configuration: AgentConfiguration
  readonly #health = new AgentHealth(this)
  readonly #sessions = createSessions()
  #socket: { stop(): Promise<void> } | null = null
  #ticks: NodeJS.Timeout | null = null

  constructor(
    options: AgentOptions,
    configuration: Configuration,
    store: Store,
    helper: Promise<FirewallHelper> | null,
  ) {
    const { log, matcherFiles } = options
    const { state, memoryBytes: cap } = configuration.settings
    const alarm = (subject: string, message: string) => this.alarm(subject, message)
    this.options = options
    this.#configuration = new AgentConfiguration(this, configuration)
    this.store = store
    this.judge = agentJudge(this)
    const { positions } = store.loaded
    const ended = () => options.ended?.()
    this.intake = createIntake({
      positions,
      log,
      alarm,
      ended,
      scan: (chunk, position) => this.#scan(chunk, position),
      dates: (range, jails, now) => this.pool.dates(range, jails, now),
    })
    this.firewall = new AgentFirewall(this, state, helper)
    this.allowing = new AgentAllowing(this, state)
    this.lists = new AgentLists(this, state)
    this.pool = new CurrentPool(matcherFiles, log, { alarm, broken: (jails) => this.fail2ban.setAside(jails) })
    this.memory = new MemoryWatch({
      cap,
      alarm: (message) => alarm('memory', message),
      relieve: (scarcity) => this.judge.relieve(scarcity),
    })
    const folder = join(state, 'plugins')
    this.instances = new Instances({ folder, log, alarm, firewall: () => this.firewall.helper })
    // In this order: a change is handed to the store before the actions hear of it.
    this.storing = new AgentStoring(this)
    this.enforcing = new AgentEnforcing(this)
    options.pluginHosts?.listen({ alarm, restarted: (hosts) => this.enforcing.restarted(hosts) })
  }

  get configuration(): Configuration {
    return this.#configuration.current
  }

  /** As `AgentConfiguration.jails`. */
  get jails(): ReadonlyMap<string, ReadyJail> {
    return this.#configuration.jails
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
    this.#ticks = setInterval(() => this.#tick(), 1000)
    if (this.wanted.size > 0) this.options.log.info({}, `bans of before go on: ${this.wanted.size}`)
    await this.#configuration.start()
    this.firewall.tellPause()
    this.memory.start()
    this.tell({ type: 'start', time: this.startedAt, jails: [...this.jails.keys()] })
  }

  look(): Health {
    return this.#health.look()
  }

  /** Reads the configuration again. A bad one throws and changes nothing; no ban is lost either way. */
  async reload(): Promise<void> {
    await this.#configuration.reload()
  }

  /** Ends the stages with the flow, and the store last. */
  async stop(): Promise<void> {
    if (this.#ticks) clearInterval(this.#ticks)
    this.memory.stop()
    await this.#socket?.stop()
    await this.metrics.stop()
    await this.intake.stop()
    this.firewall.unwatch()
    this.judge.stop()
    await this.fail2ban.stop()
    this.allowing.stop()
    this.lists.stop()
    await this.pool.close()
    await this.instances.settled()
    this.tell({ type: 'stop', time: Date.now() })
    await this.ownLog.stop()
    await this.announcer.stop(notifierGraceMs)
    await this.instances.stop()
    await this.options.pluginHosts?.stop()
    await this.firewall.stop()
    await this.storing.stop()
  }

  /** Carries a decision on: into the wanted set, or, when the jail only observes, to the notifiers alone. */
  decide(ban: Ban): void {
    if (ban.until !== null && ban.until <= Date.now()) return
    if (!this.observing && this.jails.get(ban.jail)?.mode !== 'observe') {
      this.wanted.add(ban, 'new')
      return
    }
    const isKnown = this.observed.has(ban.prefix, ban.jail)
    this.observed.add(ban, 'new')
    if (isKnown) return
    this.counts.add(ban.jail, 'wouldBans')
    this.tell({ type: 'would-ban', time: Date.now(), ban })
  }

  /** Tells of something that somebody should look at, as `AgentEvent` has it. */
  alarm(subject: string, message: string): void {
    this.tell({ type: 'alarm', time: Date.now(), subject, message })
  }

  /** Tells the notifiers, and all others who hear of events, what happened. */
  tell(event: AgentEvent): void {
    this.announcer.tell(event)
    this.ownLog.event(event)
    for (const watcher of this.watchers) watcher(event)
  }

  /** The way of a piece of a log: matched in a worker, merged by session, judged; then its position is kept. */
  async #scan(chunk: LogChunk, position: LogPosition | null): Promise<Scanned> {
    // While a reload is under way, intake may still speak of a jail that is gone.
    const jails = chunk.jails.filter((name) => {
      const jail = this.jails.get(name)
      return jail !== undefined && !this.fail2ban.skips(jail, chunk)
    })
    const led = { ...chunk, jails, starting: this.fail2ban.starting({ ...chunk, jails }) }
    const { setBy } = this.clock
    let at = position
    let found = 0
    const take = (result: ScanResult) => {
      this.clock.follow()
      this.sight.note(chunk, result)
      found += countRows(result.rows)
      this.#judge(result, { ...led, arrivedAt: chunk.arrivedAt + this.clock.setBy - setBy })
      if (at !== null && !('cursor' in at)) at = positionAfter(at, result)
      // In the same transaction as the bans above and what was counted: what is read again after a crash is
      // neither decided nor counted yet. So nothing is to be awaited in between.
      this.storing.commit({
        positions: at === null ? [] : [at],
        counted: result.rows.words.length + (result.hits?.length ?? 0) > 0,
      })
    }
    if (position === null || !('cursor' in position)) {
      const counts = await this.pool.scanInParts(led, take)
      return { ...counts, found }
    }
    // There is no cursor for a part of the chunk.
    const whole = await this.pool.scan(led)
    take(whole)
    return { ...whole, found }
  }

  #judge(result: ScanResult, chunk: LogChunk): void {
    if (result.bare) this.warnings.bareLog(chunk.log, result.rows, this.jails)
    this.fail2ban.take(result, chunk)
    const row = new RowCursor(result.rows)
    const attempts = () => {
      const counting = this.#sessions.attempts(row, chunk.log)
      if (counting > 0 && this.ownLog.wanted)
        for (const jail of row.jails)
          this.ownLog.seen(row, jail, chunk, this.judge.sparing(row.address, jail) !== undefined)
      return counting
    }
    const decide = (ban: Ban) => this.decide(ban)
    while (row.next()) this.judge.countRow(row, attempts, chunk, decide)
  }

  /** What is due every second. */
  #tick(): void {
    this.clock.follow()
    const now = Date.now()
    this.wanted.expire(now)
    this.observed.expire(now)
    this.judge.sweep(now)
    this.allowing.expire(now)
    this.lists.expire(now)
    this.sight.look(this.configuration.ready.jails, this.intake.logs(), now)
    this.warnings.blindJails(now)
    this.warnings.fullTables(this.jails.keys())
  }
}
