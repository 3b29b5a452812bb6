/** The instances of plugins that one host has, by what the agent and by what the process calls them. */
import { instanceSignal } from '../enforcing/deadline.ts'
import type { Host } from '../plugin.ts'
import type { PluginKind } from '../settings/plugin-use.ts'
import { HostedInstance } from './hosted-instance.ts'

/** An instance that was ended is forgotten when it has not stopped by then. */
const stopMs = 12_000

export interface HostedInstancesOptions {
  /** The agent has ended an instance; only `stop` is still called. */
  readonly ended: (instance: HostedInstance) => void
  readonly forgotten: (instance: HostedInstance) => void
}

export class HostedInstances {
  readonly #options: HostedInstancesOptions
  readonly #byHost = new Map<Host, HostedInstance>()
  readonly #byNumber = new Map<number, HostedInstance>()
  #numbers = 0

  constructor(options: HostedInstancesOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#byHost.size
  }

  get all(): readonly HostedInstance[] {
    return [...this.#byHost.values()]
  }

  numbered(number: number): HostedInstance | undefined {
    return this.#byNumber.get(number)
  }

  /** Whether there is or was an instance of this number: what a plugin says of one that has ended may still be on its way. */
  wasGiven(number: number): boolean {
    return number > 0 && number <= this.#numbers
  }

  /** The instance that is known by this host, made where there is none. */
  of(kind: PluginKind, host: Host): HostedInstance {
    const known = this.#byHost.get(host)
    if (known) return known
    const instance = new HostedInstance(++this.#numbers, kind, host)
    this.#byHost.set(host, instance)
    this.#byNumber.set(instance.number, instance)
    const signal = instanceSignal(host)
    if (signal.aborted) this.#end(instance)
    else signal.addEventListener('abort', () => this.#end(instance), { once: true })
    return instance
  }

  forget(instance: HostedInstance): void {
    if (!this.#byHost.delete(instance.host)) return
    this.#byNumber.delete(instance.number)
    this.#options.forgotten(instance)
  }

  #end(instance: HostedInstance): void {
    instance.over = true
    this.#options.ended(instance)
    setTimeout(() => this.forget(instance), instance.begun === null ? 0 : stopMs).unref()
  }
}
