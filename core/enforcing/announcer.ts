import { describeError } from '../errors.ts'
import type { AgentEvent } from '../events.ts'
import type { Host, NotifierPlugin } from '../plugin.ts'
import { callEach, takesEach } from './call-each.ts'
import { withDeadline } from './deadline.ts'

const longestQueue = 1000
const callDeadlineMs = 10_000
const tries = 3
/** Events that are told in one go to a notifier in a process of its own. */
const longestGroup = 200
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
  /** Events that are being told, and how often the first of them was tried. */
  #underWay = 0
  #attempt = 1
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
    const waiting = this.#events.length + this.#underWay
    return { notifier: this.#listener.host.name, waiting, dropped: this.#dropped }
  }

  put(event: AgentEvent): void {
    const { jails } = this.#listener
    const jail = 'ban' in event ? event.ban.jail : null
    if (jails && (jail === null || !jails.has(jail))) return
    if (this.#events.push(event) > longestQueue) {
      // More than one where a call that failed gave some back.
      this.#dropped += this.#events.splice(0, this.#events.length - longestQueue).length
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
    const most = takesEach(this.#listener.plugin) ? longestGroup : 1
    while (this.#events.length > 0 && !this.#stopped) {
      const events = this.#events.splice(0, most)
      this.#underWay = events.length
      const error = await this.#tell(events)
      const rest = events.slice(events.length - this.#underWay)
      this.#underWay = 0
      if (error !== null) await this.#failed(rest, error)
    }
  }

  /** What the first event that was not told failed with; null: all of them were told. */
  async #tell(events: readonly AgentEvent[]): Promise<unknown> {
    const { host, plugin } = this.#listener
    let failure: unknown = null
    const carried = (_: number, error: unknown) => {
      if (error !== null) failure = error
      else this.#told()
    }
    try {
      if (!this.#started) await withDeadline(host, callDeadlineMs, () => plugin.start?.(host))
      this.#started = true
      if (takesEach(plugin)) {
        const calls = { verb: 'notify', items: events, host, atOnce: 1, deadlineMs: callDeadlineMs, carried } as const
        await withDeadline(host, null, () => plugin[callEach](calls))
        return failure
      }
      for (const event of events) {
        await withDeadline(host, callDeadlineMs, () => plugin.notify(event, host))
        this.#told()
      }
      return null
    } catch (error) {
      return error ?? 'it threw nothing'
    }
  }

  #told(): void {
    this.#underWay--
    this.#attempt = 1
  }

  /** The first of the rest failed: it is tried again after a pause, some times, and the others after it. */
  async #failed(rest: readonly AgentEvent[], error: unknown): Promise<void> {
    const [first, ...others] = rest
    const { host } = this.#listener
    const attempt = this.#attempt++
    const fields = { notifier: host.name, event: first?.type, attempt, dropped: this.#dropped }
    host.log.warn(fields, `the notifier ${host.name} failed: ${describeError(error)}`)
    if (attempt >= tries) this.#attempt = 1
    this.#events.unshift(...(attempt < tries ? rest : others))
    if (attempt < tries && !this.#stopped) await new Promise((resolve) => setTimeout(resolve, 1000 * attempt))
  }
}
