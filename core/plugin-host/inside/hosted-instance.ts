/** An instance of a plugin in its host: the `host` object that the plugin sees, and the calls of the agent. */
import type { EachCall } from '../../enforcing/call-each.ts'
import { Call, withDeadline, withSignal } from '../../enforcing/deadline.ts'
import { createHost, type HostedInstance as Hosted } from '../../host.ts'
import { programOutput } from '../../intake/program-output.ts'
import type { ActionBan, ActionHost, Host, Logger, SourceHost } from '../../plugin.ts'
import { BailiffError, quote } from '../../errors.ts'
import type { Fence, ToHost, Verb } from '../messages.ts'
import type { Channel } from './channel.ts'
import { Emitter } from './emitter.ts'
import type { FirewallQuestions } from './firewall.ts'

type Create = Extract<ToHost, { type: 'create' }>

/** In calls that return at once the agent is heard so often, at least. */
const turnMs = 20

/** What `callEach` is to do. */
export type EachItem = Omit<EachCall, 'host'>

/** The functions of a plugin, whatever its kind. */
export type Functions = Readonly<Record<string, ((...words: unknown[]) => unknown) | undefined>>

export interface InstanceParts {
  readonly create: Create
  readonly channel: Channel
  readonly log: Logger
  readonly firewall: FirewallQuestions
  readonly mayUseFirewall: boolean
  readonly fence: Fence | null
}

/** Made when the agent first calls it; `options` are those that the plugin's schema made. */
export class HostedInstance {
  readonly emitter: Emitter | null
  readonly #plugin: Functions
  readonly #hosted: Hosted
  readonly #host: Host
  readonly #running = new Map<number, Pick<Call, 'end'>>()

  constructor(
    { create, channel, log, firewall, mayUseFirewall, fence }: InstanceParts,
    plugin: Functions,
    options: unknown,
  ) {
    const { name, kind, instance, stateFolder } = create
    this.#plugin = plugin
    this.#hosted = createHost({
      name,
      options,
      folder: stateFolder,
      log,
      firewall: mayUseFirewall ? firewall.of(instance) : null,
    })
    const signal = this.#hosted.host.signal
    this.emitter = kind === 'source' ? new Emitter(channel, instance, signal) : null
    this.#host =
      this.emitter === null
        ? this.#hosted.host
        : sourceHost(this.#hosted.host, this.emitter, { channel, instance, fence })
  }

  /** Calls a function of the plugin. `given` is a list for those that take many. */
  async call(call: number, verb: Verb, given: unknown): Promise<unknown> {
    const running = new Call(this.#hosted.host.signal)
    this.#running.set(call, running)
    try {
      return await withSignal(running, () => this.#carryOut(verb, given))
    } finally {
      this.#running.delete(call)
    }
  }

  /** Calls a function for each of many items, as `EachCall` says. Resolves when all that were begun have ended. */
  async callEach(call: number, { verb, items, atOnce, deadlineMs, carried }: EachItem): Promise<void> {
    const { host } = this.#hosted
    let next = 0
    let over = false
    this.#running.set(call, { end: () => (over = true) })
    const carryOut = async () => {
      const turn = new Turn()
      while (next < items.length && !over) {
        const index = next++
        try {
          await withDeadline(host, deadlineMs, () => this.#carryOut(verb, items[index]))
          carried(index, null)
        } catch (error) {
          carried(index, error ?? new Error('it threw nothing'))
          if (atOnce === 1) over = true
        }
        await turn.end()
      }
    }
    try {
      await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, carryOut))
    } finally {
      this.#running.delete(call)
    }
  }

  /** The call took too long. */
  abort(call: number): void {
    this.#running.get(call)?.end(new BailiffError('unavailable', 'the call took too long'))
  }

  end(): void {
    this.#hosted.end()
  }

  #carryOut(verb: Verb, given: unknown): unknown {
    if (verb === 'start' && this.emitter !== null) return this.#plugin.start?.(this.emitter.emit, this.#host)
    if (verb === 'start' || verb === 'stop') return this.#plugin[verb]?.(this.#host)
    if (verb === 'sync' && this.#plugin.syncEach) return this.#plugin.syncEach(given as ActionBan[], this.#host)
    return this.#plugin[verb]?.(given, this.#host)
  }
}

/** Lets a process that calls one function after the other do something else now and then. */
class Turn {
  #began = performance.now()

  async end(): Promise<void> {
    if (performance.now() - this.#began < turnMs) return
    await new Promise((resolve) => setImmediate(resolve))
    this.#began = performance.now()
  }
}

function sourceHost(
  host: ActionHost,
  emitter: Emitter,
  { channel, instance, fence }: { channel: Channel; instance: number; fence: Fence | null },
): SourceHost {
  const { signal } = host
  const parts: Omit<SourceHost, keyof Host> = {
    follow: (path) => void channel.ask({ ask: 'follow', instance, path: String(path) }),
    followMatching: (pattern, { exclude = [], limit } = {}) =>
      void channel.ask({ ask: 'follow-matching', instance, pattern: String(pattern), exclude, limit: limit ?? null }),
    cursor: (log = '') => emitter.cursor(log),
    since: () => Number(channel.ask({ ask: 'since', instance })),
    run: (command, running) => {
      if (fence !== null && !fence.programs.includes(command[0] ?? '')) {
        const what = `it may not run ${quote(command[0])}`
        channel.send({ type: 'denied', what })
        throw new BailiffError('no-permission', `${what}: the manifest of the plugin does not name it`)
      }
      return programOutput(command, { log: host.log, ...running }, signal)
    },
    ended: () => emitter.ended(),
  }
  return Object.create(host, Object.getOwnPropertyDescriptors(parts)) as SourceHost
}
