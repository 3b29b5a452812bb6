import { join } from 'node:path'
import type { Logger } from 'pino'
import { startAgent, type RunningAgent } from '../agent.ts'
import { builtTree, matcherFiles } from '../built-in.ts'
import { describeError, exitCodes } from '../errors.ts'
import { prepareJails } from '../jails.ts'
import { PluginHosts } from '../plugin-host/plugin-hosts.ts'
import { languageFor } from '../prepared-filters.ts'
import { Registry } from '../registry.ts'
import type { Settings } from '../settings/load-settings.ts'
import { defaultPlaces } from '../settings/places.ts'
import { Heartbeat } from '../systemd/heartbeat.ts'
import { openServiceNotifier } from '../systemd/service-notifier.ts'
import { createLog } from './agent-log.ts'
import { agentSettings } from './agent-settings.ts'
import { helperSocket, takeLessRights } from './less-rights.ts'
import type { RunOptions } from './run.ts'
import { refuseToStayRoot } from './trusted-configuration.ts'

/** So long plugins of others are waited for to load, where something can go on without them. */
const pluginPatienceMs = 4000
/** So often the configuration is read again for those that came later, until somebody asks for it. */
const mostForLate = 3

export interface AgentRun extends RunOptions {
  readonly version: string
  /** Whether an agent that root started becomes a user of its own. */
  readonly ownUser: boolean
}

/**
 * Runs an agent until SIGINT or SIGTERM, or until all sources have ended, then stops it in order. A second signal
 * ends it at once.
 */
export async function runAgent(options: AgentRun): Promise<void> {
  // A handler, whatever it does, keeps Node from opening its debugger, by which whoever connects steers the agent.
  process.on('SIGUSR1', () => {})
  // For a command it is the end when its reader has enough, and not for an agent, not even while it starts.
  process.stdout.removeAllListeners('error').on('error', () => {})
  const log = createLog(options.log, options.logLevel)
  const reloads = new Reloads(log)
  const notifier = openServiceNotifier({ log })
  // Those of root, also when this is another user later.
  const places = defaultPlaces()
  const load = () => agentSettings(options, places)
  const settings = await load()
  const ending = new AbortController()
  const ended = new AbortController()
  const running = process.env.BAILIFF_FIREWALL ?? settings.firewallSocket
  const needed = options.observe !== true && !settings.observe && running === null
  const helper = options.ownUser ? await takeLessRights(settings, { helper: needed, log }) : null
  const pluginHosts = new PluginHosts({
    folder: join(settings.state, 'plugins'),
    log,
    memoryBytes: settings.pluginMemoryBytes,
  })
  const registry = new Registry(builtTree, pluginHosts)
  let unused: Settings | null = settings
  const agent = await startAgent({
    version: options.version,
    observe: options.observe === true,
    matcherFiles: matcherFiles(),
    pluginHosts,
    log,
    configure: async () => {
      const current = unused ?? (await load())
      unused = null
      if (options.ownUser && current.user === 'root' && process.geteuid?.() === 0) refuseToStayRoot(current)
      const language = await languageFor(current.jails)
      const ready = await prepareJails(current, language, registry, pluginPatienceMs)
      for (const late of ready.late)
        late.then(
          () => reloads.askForLate(),
          (error: unknown) => log.error({}, describeError(error)),
        )
      return { settings: current, ready }
    },
    firewall: {
      ...(running === null ? { socket: helperSocket(settings) } : { running }),
      ...(helper === null ? {} : { started: helper }),
      lost: (why) => ending.abort(why),
    },
    ended: () => {
      log.info({}, 'all that there is to read has been read')
      ended.abort()
    },
  }).catch(async (error: unknown) => {
    await helper?.stop()
    throw error
  })
  reloads.begin(agent)
  surviveStrayErrors(agent, log)
  const heartbeat =
    notifier && new Heartbeat({ notifier, look: () => agent.look(), stuck: (what) => log.error({}, what) })
  await stopSignal(AbortSignal.any([ending.signal, ended.signal]))
  if (ending.signal.aborted)
    log.error(
      {},
      `${String(ending.signal.reason)}; without rights of root the agent cannot start another, so it ends, for its supervisor to start it anew`,
    )
  await heartbeat?.stop()
  await agent.stop()
  await helper?.stop()
  // A plugin that still holds something open must not keep a stopped agent alive.
  process.exit(ending.signal.aborted ? exitCodes.unavailable : 0)
}

/** Reads the configuration again at each SIGHUP; one that comes while the agent starts must not end it, and counts then. */
class Reloads {
  readonly #log: Logger
  #agent: RunningAgent | null = null
  #isAsked = false
  #forLate = 0

  constructor(log: Logger) {
    this.#log = log
    process.on('SIGHUP', () => {
      this.#forLate = 0
      this.#ask()
    })
  }

  /** A plugin has loaded that was not waited for. */
  askForLate(): void {
    if (this.#forLate++ < mostForLate) this.#ask()
  }

  #ask(): void {
    if (this.#agent === null) this.#isAsked = true
    else void this.#reload(this.#agent)
  }

  /** The agent runs now. */
  begin(agent: RunningAgent): void {
    this.#agent = agent
    if (this.#isAsked) void this.#reload(agent)
  }

  async #reload(agent: RunningAgent): Promise<void> {
    try {
      await agent.reload()
      this.#log.info({}, 'the configuration was read again')
    } catch (error) {
      this.#log.error({}, `the configuration is not usable, so the old one stays: ${describeError(error)}`)
    }
  }
}

/**
 * A promise that somebody forgot must not end the bans of all: it is told, and the agent goes on. An error that nobody
 * caught ends it, in order, so that whoever supervises it starts it anew.
 */
function surviveStrayErrors(agent: RunningAgent, log: Logger): void {
  const tell = (what: string, error: unknown) => log.error({}, `${what}: ${describeError(error)}`)
  process.on('unhandledRejection', (error) => tell('a promise was rejected and nobody listened', error))
  process.on('uncaughtException', (error) => {
    tell('an error that nobody caught', error)
    void agent.stop().finally(() => process.exit(exitCodes.software))
  })
}

function stopSignal(ending: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (ending.aborted) resolve()
    ending.addEventListener('abort', () => resolve())
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
