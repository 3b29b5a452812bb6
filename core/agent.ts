/**
 * The agent: wires the stages, and knows all of them. The way of a line is `#scan`:
 *
 *   sources ─► intake ─► matching workers ─► sessions ─► judge ─► wanted set ─► enforcer ─► actions
 *                                                          │          └─► store, announcer ─► notifiers
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AgentControl } from './agent-control.ts'
import { AgentHealth, type Health } from './agent-health.ts'
import { Clock } from './clock.ts'
import { claimSocket, startControl } from './control/server.ts'
import type { ActionQueue } from './enforcing/action-queue.ts'
import { Announcer } from './enforcing/announcer.ts'
import { Bite } from './enforcing/bite.ts'
import { Enforcer } from './enforcing/enforcer.ts'
import { WantedSet, type WantedChange } from './enforcing/wanted-set.ts'
import { describeError } from './errors.ts'
import { PrefixSet, type Prefix } from './address.ts'
import type { AgentEvent, Ban, LogChunk, LogPosition, Match, ScanResult, UnbanReason } from './events.ts'
import { adoptable } from './adopted-bans.ts'
import { FullTables } from './full-tables.ts'
import { startFirewall, type FirewallHelper, type FirewallOptions } from './firewall/client.ts'
import { refusalReasons } from './firewall/messages.ts'
import { NeverBanned } from './firewall/never-banned.ts'
import { Instances } from './instances.ts'
import { createIntake, positionAfter, type Intake } from './intake/intake.ts'
import type { ReadyJail, ReadyJails } from './jails.ts'
import { Judge } from './judging/judge.ts'
import { circumstances, likelyCause } from './enforcing/likely-cause.ts'
import { createPool, type MatchingPool } from './matching/pool.ts'
import { createSessions } from './matching/sessions.ts'
import { MemoryWatch } from './memory-watch.ts'
import { Pause } from './pause.ts'
import type { Logger } from './plugin.ts'
import type { Settings } from './settings/load-settings.ts'
import { openStore, type Changes, type Store } from './store/store.ts'

const notifierGraceMs = 3000
const dayMs = 86_400_000
const pausedMeans = 'no ban is in the firewall; "bailiff resume" puts all back'

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
  const store = await openStore({
    path: join(state, 'bailiff.sqlite'),
    log: options.log,
    historyDays: historyMs / dayMs,
  })
  const agent = new Agent(options, configuration, store)
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
  readonly pause: Pause
  readonly memory: MemoryWatch
  readonly instances: Instances
  configuration: Configuration
  /** What was handed to the store and is not on the disk yet, the oldest first; some of it where it is much. */
  readonly unstored = new Set<{ readonly since: number }>()

  readonly #clock = new Clock()
  /** How far the clock was set in all since the start. */
  #setBy = 0
  /** Bans that began, as they say, after the start: the clock is behind until somebody sets it. */
  readonly #ahead = new Set<string>()
  readonly #health = new AgentHealth(this)
  readonly #sessions = createSessions()
  readonly #announcer = new Announcer()
  readonly #enforcer: Enforcer
  readonly #refusals = new Map<string, string>()
  /** Whom the helper would refuse to ban, so that nobody is told of a ban that does not come. */
  readonly #neverBanned = new NeverBanned()
  #jails = new Map<string, ReadyJail>()
  #pool: { readonly key: string; readonly pool: MatchingPool } | null = null
  #firewall: FirewallHelper | null = null
  #socket: { stop(): Promise<void> } | null = null
  #ticks: NodeJS.Timeout | null = null
  readonly #bareLogs = new Set<string>()
  readonly #full = new FullTables((subject, message) => this.#alarm(subject, message))
  #resumed = false
  #reloading: Promise<void> = Promise.resolve()

  constructor(options: AgentOptions, configuration: Configuration, store: Store) {
    const { log } = options
    this.options = options
    this.configuration = configuration
    this.store = store
    const { bans, offences, positions } = store.loaded
    const alarm = (subject: string, message: string) => this.#alarm(subject, message)
    this.judge = new Judge({
      offences,
      isBanned: (prefix, jail) => this.wanted.has(prefix, jail) || this.observed.has(prefix, jail),
      onBanned: (match, prefix, chunk) => this.#bannedLine(match, prefix, chunk),
      vital: () =>
        this.#neverBanned.at(performance.now()).map(({ prefix, reason }) => ({ prefix, why: refusalReasons[reason] })),
      onSpared: (jail, address, why) =>
        log.warn(
          { jail },
          `failures of ${address} are ignored: ${why}; if it is a proxy, let the service log the true address`,
        ),
      onNameFailure: (name, error) => alarm('ignoreip', `the name ${name} cannot be looked up: ${error.message}`),
    })
    this.intake = createIntake({ positions, log, alarm, scan: (chunk, position) => this.#scan(chunk, position) })
    this.bite = new Bite((ban, line) =>
      alarm(
        ban.jail,
        `lines of ${ban.prefix} still arrive although it is banned: ${likelyCause(ban, line, circumstances())}`,
      ),
    )
    this.pause = new Pause(configuration.settings.state)
    this.memory = new MemoryWatch({
      cap: configuration.settings.memoryBytes,
      alarm: (message) => alarm('memory', message),
      relieve: (scarcity) => this.judge.relieve(scarcity),
    })
    this.instances = new Instances({
      folder: join(configuration.settings.state, 'plugins'),
      log,
      alarm,
      firewall: () => this.#firewall,
    })
    for (const ban of bans) {
      this.wanted.add(ban, 'restored')
      if (ban.since > this.startedAt) this.#ahead.add(`${ban.prefix} ${ban.jail} ${ban.since}`)
    }
    store.hold({
      bans: () => this.wanted,
      counted: () => this.judge.counted(),
      everything: () => this.judge.everything(),
      restored: (late) => this.#restore(late),
    })
    this.wanted.onChange((change) => this.#keep(change))
    this.#enforcer = new Enforcer(this.wanted, {
      enforced: (ban, reason, action) => {
        this.bite.confirmed(ban, Date.now())
        this.#tell({ type: 'ban', time: Date.now(), ban, reason, action })
      },
      refused: (ban, action, reason) => this.#refuse(ban, action, reason),
    })
  }

  get control(): string {
    return this.configuration.settings.control
  }

  get observing(): boolean {
    return this.options.observe || this.configuration.settings.observe
  }

  async start(): Promise<void> {
    this.#neverBanned.onChange(() => this.#spare())
    this.#socket = await startControl(this.control, new AgentControl(this))
    this.#ticks = setInterval(() => this.#expire(), 1000)
    if (this.wanted.size > 0) this.options.log.info({}, `${this.wanted.size} bans of before go on`)
    await this.#apply(this.configuration)
    const { since } = this.pause
    if (since !== null) this.#alarm('firewall', `paused since ${new Date(since).toISOString()}: ${pausedMeans}`)
    this.memory.start()
    this.#tell({ type: 'start', time: this.startedAt, jails: [...this.#jails.keys()] })
  }

  get firewall(): FirewallHelper | null {
    return this.#firewall
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
    await this.intake.stop()
    this.#neverBanned.stop()
    this.judge.stop()
    await this.#pool?.pool.close()
    await this.instances.settled()
    this.#tell({ type: 'stop', time: Date.now() })
    await this.#announcer.stop(notifierGraceMs)
    await this.instances.stop()
    await this.#firewall?.stop()
    this.store.seen(this.intake.positions())
    await this.store.close()
  }

  /** The queues of a jail's actions, first action first. A jail that is gone, or `manual`, has those that come first in some jail. */
  queuesOf(jail: string): readonly ActionQueue[] {
    if (this.observing) return []
    const ready = this.#jails.get(jail)
    if (ready) return ready.actions.map((instance) => this.instances.queue(instance))
    const first = [...this.#jails.values()].flatMap(({ actions }) => actions.slice(0, 1))
    return [...new Set(first.map((instance) => this.instances.queue(instance)))]
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

  /** Takes all bans out of the firewall until `resumeFirewall`, over restarts too. Decisions go on. */
  pauseFirewall(): void {
    for (const queue of this.instances.firewallQueues()) queue.pause()
    try {
      this.pause.begin(Date.now())
    } catch (error) {
      this.#alarm('firewall', `the pause will not outlast a restart: ${describeError(error)}`)
    }
    this.#alarm('firewall', `paused: ${pausedMeans}`)
  }

  resumeFirewall(): void {
    this.pause.end()
    for (const queue of this.instances.firewallQueues()) queue.resume()
    this.#repair()
    this.options.log.info({}, `the firewall is resumed: ${this.wanted.size} bans are enforced again`)
  }

  /** Carries a decision on: into the wanted set, or, when the jail only observes, to the notifiers alone. */
  decide(ban: Ban): void {
    if (ban.until !== null && ban.until <= Date.now()) return
    if (!this.observing && this.#jails.get(ban.jail)?.mode !== 'observe') {
      this.wanted.add(ban, 'new')
      return
    }
    this.observed.add(ban, 'new')
    this.#tell({ type: 'would-ban', time: Date.now(), ban })
  }

  /** The way of a piece of a log: matched in a worker, merged by session, judged; then its position is kept. */
  async #scan(chunk: LogChunk, position: LogPosition | null): Promise<ScanResult> {
    if (!this.#pool) throw new Error('no jail is ready')
    // While a reload is under way, intake may still speak of a jail that is gone.
    const jails = chunk.jails.filter((jail) => this.#jails.has(jail))
    const setBefore = this.#setBy
    let at = position
    return this.#pool.pool.scan({ ...chunk, jails }, (result) => {
      this.#followClock()
      this.#judge(result, { ...chunk, arrivedAt: chunk.arrivedAt + this.#setBy - setBefore })
      if (at !== null) at = positionAfter(at, result)
      // In the same transaction as the bans above and what was counted: what is read again after a crash is
      // neither decided nor counted yet. So nothing is to be awaited in between.
      this.#commit({ positions: at === null ? [] : [at], counted: result.matches.length > 0 })
    })
  }

  #judge(result: ScanResult, chunk: LogChunk): void {
    if (result.bare) this.#warnOfBare(chunk.log, result.matches)
    for (const match of this.#sessions.merge(result.matches)) {
      for (const ban of this.judge.count(match, chunk)) this.decide(ban)
    }
  }

  /** Bans in force should keep their address away: lines that are new are looked at. */
  #bannedLine(match: Match, prefix: Prefix, { arrivedAt, live }: Pick<LogChunk, 'arrivedAt' | 'live'>): void {
    const ban = this.wanted.get(prefix, match.jail)
    if (!live || ban === undefined || !this.isEnforced(ban)) return
    this.bite.line(ban, match.time === null ? arrivedAt : Math.min(match.time, arrivedAt), match.line)
  }

  /** Told once a log: the service writes what its peers send, line breaks too, so a peer can forge lines. */
  #warnOfBare(log: string, matches: readonly Match[]): void {
    // A filter that names no programs expects no header either.
    const trusted = matches.some(({ jail }) => (this.#jails.get(jail)?.filter.programs ?? null) !== null)
    if (!trusted || this.#bareLogs.has(log)) return
    if (this.#bareLogs.size >= 1000) this.#bareLogs.clear()
    this.#bareLogs.add(log)
    this.#alarm(
      log,
      `the lines of ${log} have neither date nor syslog header: where a service logs so, a peer can forge lines and get others banned; let it log through syslog`,
    )
  }

  /** Takes a configuration over, stage by stage against the flow: who receives is ready before who sends. */
  async #apply({ settings, ready }: Configuration): Promise<void> {
    const { jails } = ready
    for (const problem of ready.problems) this.options.log.error({}, describeError(problem))
    if (jails.length === 0)
      this.options.log.warn({}, 'no jail is on, so nothing is watched; "bailiff check" tells more')
    for (const warning of settings.warnings) this.options.log.warn({}, describeError(warning))
    await this.#startFirewall(jails)
    const { fresh, listeners, sources, retire } = this.instances.take(ready)
    this.#jails = new Map(jails.map((jail) => [jail.name, jail]))
    await this.#announcer.configure(listeners)
    if (this.pause.since !== null) for (const queue of this.instances.firewallQueues()) queue.pause()
    this.#enforcer.configure((jail) => this.queuesOf(jail), this.observing ? [] : fresh)
    await this.judge.configure(jails)
    if (!this.#resumed) this.judge.resume(this.store.loaded.failures)
    if (!this.#resumed) this.store.forgetLoaded()
    this.#resumed = true
    await this.#replacePool(jails, settings.workers)
    await this.intake.configure(sources)
    // What is written to an empty log from now on is new, also to an agent that was killed meanwhile.
    this.store.seen(this.intake.positions().filter(({ offset, headLength }) => offset === 0 && headLength === 0))
    await retire()
  }

  /** Starts the helper when the first action needs it, and takes in what an earlier agent left in the kernel. */
  async #startFirewall(jails: readonly ReadyJail[]): Promise<void> {
    const needed = jails.some(({ actions }) => actions.some(({ plugin }) => plugin.capabilities?.includes('firewall')))
    if (!needed || this.observing || this.#firewall) return
    const firewall = await startFirewall({ ...this.options.firewall, log: this.options.log })
    this.#firewall = firewall
    firewall.onRestart(() => this.#repair())
    firewall.onAlarm((message) => this.#alarm('firewall', message))
    const found = await firewall.list().catch((error: unknown) => {
      this.options.log.error({}, `the firewall does not tell what it holds: ${describeError(error)}`)
      return []
    })
    for (const ban of await adoptable(found, this.wanted, jails, this.store, Date.now())) {
      this.judge.note(ban)
      this.wanted.add(ban, 'repaired')
    }
  }

  async #replacePool(jails: readonly ReadyJail[], maxThreads: number | null): Promise<void> {
    const filters = jails.map(({ name, filter }) => ({ jail: name, filter }))
    const key = JSON.stringify([filters, maxThreads])
    if (key === this.#pool?.key) return
    const old = this.#pool?.pool
    const { matcherFiles, log } = this.options
    const threads = maxThreads === null ? {} : { maxThreads }
    this.#pool = {
      key,
      pool: createPool({
        jails: filters,
        engineUrls: matcherFiles.map((file) => pathToFileURL(file).href),
        log,
        ...threads,
      }),
    }
    await old?.close()
    // The first line is not to wait for a thread that loads its engines.
    const now = Date.now()
    const nothing = {
      log: '',
      data: new Uint8Array(0),
      arrivedAt: now,
      live: false,
      undatedAt: null,
      insideLine: false,
    }
    await this.#pool.pool.scan({ ...nothing, jails: jails.map(({ name }) => name) })
  }

  /** Tells a helper that knows nothing what it has to hold. */
  #repair(): void {
    for (const queue of this.instances.firewallQueues()) this.#enforcer.restore(queue)
  }

  /** Bans of before the start that the store could not read then. */
  #restore(bans: Iterable<Ban>): void {
    for (const ban of bans) {
      this.judge.note(ban)
      this.wanted.add(ban, 'restored')
    }
  }

  /** Bans and failures do not end sooner or later because somebody set the clock. */
  #followClock(): void {
    const ms = this.#clock.step()
    if (ms === 0) return
    this.#setBy += ms
    this.options.log.warn({}, `the clock was set by ${ms / 1000} s; bans go on for as long as they would have`)
    const now = Date.now()
    const spares = (ban: Ban) => this.#ahead.has(`${ban.prefix} ${ban.jail} ${ban.since}`) && ban.since <= now
    this.#commit({ bans: this.wanted.shift(ms, spares) })
    this.observed.shift(ms, spares)
    this.judge.shift(ms)
    for (const queue of this.instances.queues()) queue.shift(ms)
  }

  #expire(): void {
    this.#followClock()
    const now = Date.now()
    this.wanted.expire(now)
    this.observed.expire(now)
    this.#tellFull()
  }

  /** What is given up because a table is full is told. */
  #tellFull(): void {
    const now = performance.now()
    for (const name of this.#jails.keys()) {
      const { givenUp = 0, tracked = 0 } = this.judge.counts(name) ?? {}
      const message = (more: number) =>
        `tracks ${tracked} addresses and no more fit: ${more} with the fewest failures were forgotten. Shorten findtime, or raise "memory:"`
      this.#full.look(`failures of ${name}`, name, givenUp, now, message)
    }
    const crowded = (more: number) =>
      `${this.wanted.size} bans are in force and no more fit: ${more} ended before their time or were not made. Shorten bantime`
    this.#full.look('bans', 'bans', this.wanted.crowdedOut, now, crowded)
  }

  #keep({ before, after, reason }: WantedChange): void {
    if (after) {
      if (reason !== 'restored') this.#commit({ bans: [after] })
    } else if (before) {
      const { prefix, jail } = before
      const at = Date.now()
      this.#commit({ unbans: [{ prefix, jail, at, reason: reason as UnbanReason }] })
      this.#tell({ type: 'unban', time: at, ban: before, reason: reason as UnbanReason })
    }
  }

  /** What the machine depends on from now on is banned no longer. */
  #spare(): void {
    this.judge.refresh()
    const list = this.#neverBanned.at(performance.now())
    const spared = new PrefixSet(list.map(({ prefix }) => prefix))
    for (const ban of this.wanted) {
      const found = spared.overlapping(ban.prefix)
      const reason = list.find(({ prefix }) => prefix === found)?.reason
      if (reason !== undefined) this.#refuse(ban, 'the firewall', refusalReasons[reason])
    }
  }

  /** Nothing is called banned that is not: a ban that an action refuses for good ends. */
  #refuse(ban: Ban, action: string, reason: string): void {
    this.#refusals.set(`${ban.prefix} ${ban.jail}`, reason)
    if (this.#refusals.size > 1000) this.#refusals.clear()
    this.#alarm(ban.jail, `${action} refuses to ban ${ban.prefix}: ${reason}`)
    this.wanted.remove(ban.prefix, ban.jail)
  }

  /** Nothing waits for the store; it tells itself when the disk fails, and rejects only what it cannot hold. */
  #commit(changes: Changes): void {
    const mark = { since: performance.now() }
    if (this.unstored.size < 1000) this.unstored.add(mark)
    this.store
      .commit(changes)
      .catch((error: unknown) => this.options.log.warn({}, `not stored: ${describeError(error)}`))
      .finally(() => this.unstored.delete(mark))
  }

  #alarm(subject: string, message: string): void {
    this.#tell({ type: 'alarm', time: Date.now(), subject, message })
  }

  #tell(event: AgentEvent): void {
    this.#announcer.tell(event)
  }
}
