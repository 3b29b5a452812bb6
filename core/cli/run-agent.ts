import type { Logger } from 'pino'
import { startAgent, type RunningAgent } from '../agent.ts'
import { describeError } from '../errors.ts'
import { prepareJails } from '../jails.ts'
import { compileFilter } from '../matching/filters.ts'
import { Registry } from '../registry.ts'
import { loadSettings } from '../settings/load-settings.ts'
import { createLog } from './agent-log.ts'
import type { RunOptions } from './run.ts'

/** Runs an agent until SIGINT or SIGTERM, then stops it in order. A second signal ends it at once. */
export async function runAgent(options: RunOptions & { readonly version: string }): Promise<void> {
  const log = createLog(options.log, options.logLevel)
  const registry = new Registry()
  const agent = await startAgent({
    version: options.version,
    observe: options.observe === true,
    matcherFiles: registry.matcherFiles(),
    log,
    configure: async () => {
      const settings = await loadSettings(options.config === undefined ? {} : { file: options.config })
      return { settings, ready: await prepareJails(settings, compileFilter, registry) }
    },
  })
  process.on('SIGHUP', () => void reload(agent, log))
  await stopSignal()
  log.info({}, 'stopping')
  await agent.stop()
  // A plugin that still holds something open must not keep a stopped agent alive.
  process.exit(0)
}

async function reload(agent: RunningAgent, log: Logger): Promise<void> {
  try {
    await agent.reload()
    log.info({}, 'the configuration was read again')
  } catch (error) {
    log.error({}, `the configuration is not usable, so the old one stays: ${describeError(error)}`)
  }
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
