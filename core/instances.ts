import { createHash } from 'node:crypto'
import { ActionQueue } from './enforcing/action-queue.ts'
import type { Listener } from './enforcing/announcer.ts'
import { createHost, type HostedInstance } from './host.ts'
import type { IntakeSource } from './intake/intake.ts'
import type { Instance, ReadyJail, ReadyJails } from './jails.ts'
import type { Firewall, Logger, SourceHost } from './plugin.ts'

/** A plugin that runs, across reloads while its file and its options stay the same. */
interface Running {
  readonly instance: Instance
  readonly hosted: HostedInstance
  /** Only actions have one. */
  readonly queue: ActionQueue | null
}

/** What a configuration makes of the running instances. */
export interface Taken {
  /** Queues of actions that were not running before. */
  readonly fresh: readonly ActionQueue[]
  readonly listeners: readonly Listener[]
  readonly sources: readonly IntakeSource[]
  /** Ends the instances that the configuration no longer has. To be called when nothing uses them any more. */
  retire(): Promise<void>
}

export interface InstancesOptions {
  /** Where instances keep their folders. */
  readonly folder: string
  readonly log: Logger
  readonly alarm: (subject: string, message: string) => void
  /** The helper, once it runs. */
  readonly firewall: () => Firewall | null
}

/** The running instances of plugins, one for each plugin and options, whatever the number of jails that use it. */
export class Instances {
  readonly #options: InstancesOptions
  #running = new Map<string, Running>()

  constructor(options: InstancesOptions) {
    this.#options = options
  }

  /** Takes a configuration over: what it shares with the one before goes on, the rest is made. */
  take({ jails, notifiers }: ReadyJails): Taken {
    const before = this.#running
    this.#running = new Map()
    const keep = (instance: Instance): Running => {
      const key = keyOf(instance)
      const old = before.get(key)
      const running = this.#running.get(key) ?? (old?.instance.plugin === instance.plugin ? old : this.#start(instance))
      this.#running.set(key, running)
      return running
    }
    const queues = jails.flatMap(({ actions }) => actions.map((instance) => keep(instance).queue))
    const known = new Set([...before.values()].map(({ queue }) => queue))
    const listeners = [
      ...notifiers.map((instance) => ({ plugin: instance.plugin, host: keep(instance).hosted.host, jails: null })),
      ...eachOnce(jails.flatMap((jail) => jail.notifiers)).map((instance) => ({
        plugin: instance.plugin,
        host: keep(instance).hosted.host,
        jails: new Set(jails.filter((jail) => jail.notifiers.includes(instance)).map(({ name }) => name)),
      })),
    ]
    const sources = jails.flatMap((jail) => jail.sources.map((source) => this.#source(source, jail)))
    const gone = [...before].filter(([key, running]) => this.#running.get(key) !== running)
    return {
      fresh: [...new Set(queues)].filter((queue) => queue !== null && !known.has(queue)) as ActionQueue[],
      listeners,
      sources,
      retire: async () => void (await Promise.all(gone.map(([, running]) => end(running)))),
    }
  }

  /** The queue of an action of the configuration that was taken last. */
  queue(instance: Instance<'action'>): ActionQueue {
    const queue = this.#running.get(keyOf(instance))?.queue
    if (!queue) throw new Error(`the action ${instance.id} does not run`)
    return queue
  }

  queues(): readonly ActionQueue[] {
    return [...this.#running.values()].map(({ queue }) => queue).filter((queue) => queue !== null)
  }

  firewallQueues(): readonly ActionQueue[] {
    const firewalls = [...this.#running.values()].filter(({ instance }) => hasFirewall(instance))
    return firewalls.map(({ queue }) => queue).filter((queue) => queue !== null)
  }

  /** Resolves when every action has carried out what it was given, or has failed once. */
  async settled(): Promise<void> {
    await Promise.all(this.queues().map((queue) => queue.settled()))
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map(end))
  }

  #start(instance: Instance): Running {
    const { folder, log, alarm, firewall } = this.#options
    const helper = hasFirewall(instance) ? firewall() : null
    const hosted = createHost({ name: instance.id, options: instance.options, folder, log, firewall: helper })
    const queue =
      instance.kind === 'action' ? new ActionQueue((instance as Instance<'action'>).plugin, hosted.host, alarm) : null
    return { instance, hosted, queue }
  }

  #source(instance: Instance<'source'>, { name: jail, findtimeMs }: ReadyJail): IntakeSource {
    const { folder, log } = this.#options
    return {
      name: instance.id,
      key: keyOf(instance),
      id: lastingIdOf(instance),
      jails: [jail],
      findtimeMs,
      plugin: instance.plugin,
      host: (parts) => {
        const { host } = createHost({ name: instance.id, options: instance.options, folder, log, firewall: null })
        return Object.create(host, Object.getOwnPropertyDescriptors(parts)) as SourceHost
      },
    }
  }
}

function keyOf({ kind, file, options }: Instance): string {
  return JSON.stringify([kind, file, options])
}

/** Without the file, which another version may have elsewhere. */
function lastingIdOf({ name, options }: Instance): string {
  return `${name}-${createHash('sha256').update(JSON.stringify(options)).digest('hex').slice(0, 16)}`
}

function hasFirewall(instance: Instance): boolean {
  return (
    instance.kind === 'action' && ((instance as Instance<'action'>).plugin.capabilities?.includes('firewall') ?? false)
  )
}

function eachOnce<T>(items: readonly T[]): T[] {
  return [...new Set(items)]
}

async function end({ hosted, queue }: Running): Promise<void> {
  hosted.end()
  await queue?.stop()
}
