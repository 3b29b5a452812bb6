import type { Agent } from './agent.ts'
import { describeError } from './errors.ts'
import { endIgnoredBans } from './ignored-bans.ts'
import type { ReadyJail, ReadyJails } from './jails.ts'
import type { Settings } from './settings/load-settings.ts'

/** A configuration that can run: what it says, and its jails made ready. */
export interface Configuration {
  readonly settings: Settings
  readonly ready: ReadyJails
}

/** The configuration that the agent runs, and how the stages take another one over. */
export class AgentConfiguration {
  readonly #agent: Agent
  #current: Configuration
  #jails: ReadonlyMap<string, ReadyJail> = new Map()
  /** Whether what was counted before the start has been taken up. */
  #resumed = false
  #reloading: Promise<void> = Promise.resolve()

  constructor(agent: Agent, first: Configuration) {
    this.#agent = agent
    this.#current = first
  }

  /** The one that was taken over last, as a whole. */
  get current(): Configuration {
    return this.#current
  }

  /** The jails that run, by name: none before the start, and in a reload those of the next configuration early on. */
  get jails(): ReadonlyMap<string, ReadyJail> {
    return this.#jails
  }

  /** Lets the stages begin with the first configuration. */
  async start(): Promise<void> {
    await this.#apply(this.#current)
  }

  /** Reads the configuration again, one reload after the other. A bad one throws and changes nothing. */
  async reload(): Promise<void> {
    const turn = this.#reloading.then(async () => {
      const next = await this.#agent.options.configure()
      await this.#apply(next)
      this.#current = next
    })
    this.#reloading = turn.catch(() => {})
    await turn
  }

  /** Takes a configuration over, stage by stage against the flow: who receives is ready before who sends. */
  async #apply(configuration: Configuration): Promise<void> {
    const { settings, ready } = configuration
    const { jails } = ready
    const { ownLog, pool, lists, firewall, instances, announcer, enforcing, judge, fail2ban } = this.#agent
    const { allowing, store, intake, metrics, storing } = this.#agent
    this.#tell(configuration)
    ownLog.configure(settings.ownLog, jails)
    // At the start threads load their engines beside the rest; later jails change before the pool does.
    const loading = this.#resumed ? null : pool.replace(jails, settings.workers)
    loading?.catch(() => {})
    if (!this.#resumed) await lists.load(jails)
    await firewall.start(jails)
    const { fresh, listeners, sources, retire } = instances.take(ready)
    this.#jails = new Map(jails.map((jail) => [jail.name, jail]))
    enforcing.forgetQueues()
    await announcer.configure(listeners)
    firewall.holdBack()
    enforcing.configure(fresh)
    await judge.configure(jails)
    await fail2ban.configure(jails)
    allowing.enforce()
    endIgnoredBans(this.#agent)
    lists.screen()
    if (!this.#resumed) {
      judge.resume(store.loaded.failures)
      storing.resume(store.loaded.kept)
      store.forgetLoaded()
    }
    this.#resumed = true
    await (loading ?? pool.replace(jails, settings.workers))
    await intake.configure(sources)
    await metrics.serve(settings.metrics)
    storing.seeLogs()
    await retire()
  }

  /** What people should know of a configuration before it runs. */
  #tell({ settings, ready: { jails, problems, warnings } }: Configuration): void {
    const { log } = this.#agent.options
    for (const problem of problems) log.error({}, describeError(problem))
    if (jails.length === 0) log.warn({}, 'no jail is on, so nothing is watched; "bailiff check" tells more')
    for (const { name, sourceChoice } of jails)
      if (sourceChoice !== null) log.info({ jail: name }, `where ${name} is read: ${sourceChoice}`)
    for (const warning of [...settings.warnings, ...warnings]) log.warn({}, describeError(warning))
  }
}
