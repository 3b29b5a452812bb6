import { describeError } from '../errors.ts'
import type { AgentEvent } from '../events.ts'
import type { Host, NotifierPlugin } from '../plugin.ts'
import { withDeadline } from './deadline.ts'

const longestQueue = 1000
const callDeadlineMs = 10_000
const tries = 3
/** A notifier that is too slow is told of again after so long. */
const tellAgainMs = 10 * 60_000

/** A notifier with the jails it tells about; `jails` null: all of them, and the agent itself. */
export interface Listener {
  readonly plugin: NotifierPlugin
  readonly host: Host
  readonly jails: ReadonlySet<string> | null
}

/** How a notifier does: events that wait for it, and those that were dropped since the start. */
export interface NotifierState {
  readonly notifier: string
  readonly waiting: number
  readonly dropped: number
}

/** Tells the notifiers what happens. Nothing ever waits for one: of a queue that is full the oldest event is dropped. */
export class Announcer {
  #queues: NotifierQueue[] = []

  /** Takes over the notifiers of a new configuration; queues of those that stay the same go on. */
  async configure(listeners: readonly Listener[]): Promise<void> {
    const before = this.#queues
    this.#queues = listeners.map(
      (listener) => before.find((queue) => queue.serves(listener)) ?? new NotifierQueue(listener),
    )
    await Promise.all(before.filter((queue) => !this.#queues.includes(queue)).map((queue) => queue.stop()))
  }

  tell(event: AgentEvent): void {
    for (const queue of this.#queues) queue.put(event)
  }

  /** How the queues do. */
  get states(): readonly NotifierState[] {
    return this.#queues.map(({ state }) => state)
  }

  /** Lets every notifier finish what it has, for at most `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs)))
    await Promise.race([Promise.all(this.#queues.map((queue) => queue.drained())), grace])
    clearTimeout(timer)
    await Promise.all(this.#queues.map((queue) => queue.stop()))
  }
}

class NotifierQueue {
  readonly #listener: Listener
  readonly #events: AgentEvent[] = []
  #running: Promise<void> | null = null
  #started = false
  #stopped = false
  #dropped = 0
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(listener: Listener) {
    this.#listener = listener
  }

  serves({ host, jails }: Listener): boolean {
    const own = this.#listener
    return own.host === host && [...(own.jails ?? [])].join() === [...(jails ?? [])].join()
  }

  get state(): NotifierState {
    return { notifier: this.#listener.host.name, waiting: this.#events.length, dropped: this.#dropped }
  }

  put(event: AgentEvent): void {
    const { jails } = this.#listener
    const jail = 'ban' in event ? event.ban.jail : null
    if (jails && (jail === null || !jails.has(jail))) return
    if (this.#events.push(event) > longestQueue) {
      this.#events.shift()
      this.#dropped++
      this.#tellDropped()
    }
    this.#running ??= this.#work().finally(() => {
      this.#running = null
    })
  }

  #tellDropped(): void {
    const { host } = this.#listener
    if (host.now() - this.#toldAt < tellAgainMs) return
    this.#toldAt = host.now()
    const fields = { notifier: host.name, dropped: this.#dropped }
    host.log.error(fields, `the notifier ${host.name} is too slow: ${this.#dropped} events were dropped so far`)
  }

  async drained(): Promise<void> {
    await this.#running
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const { plugin, host } = this.#listener
    if (this.#started) await withDeadline(host, callDeadlineMs, () => plugin.stop?.(host)).catch(() => {})
  }

  async #work(): Promise<void> {
    for (let event = this.#events.shift(); event && !this.#stopped; event = this.#events.shift())
      await this.#notify(event)
  }

  async #notify(event: AgentEvent): Promise<void> {
    const { plugin, host } = this.#listener
    for (let attempt = 1; attempt <= tries && !this.#stopped; attempt++) {
      try {
        if (!this.#started) await withDeadline(host, callDeadlineMs, () => plugin.start?.(host))
        this.#started = true
        await withDeadline(host, callDeadlineMs, () => plugin.notify(event, host))
        return
      } catch (error) {
        const fields = { notifier: host.name, event: event.type, attempt, dropped: this.#dropped }
        host.log.warn(fields, `the notifier ${host.name} failed: ${describeError(error)}`)
        if (attempt < tries) await new Promise((resolve) => setTimeout(resolve, 1000 * attempt))
      }
    }
  }
}
