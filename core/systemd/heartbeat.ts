/** Feeds the watchdog of systemd while the service does its work. */
import type { ServiceNotifier } from './service-notifier.ts'

/** How the service does. */
export interface Health {
  /** What stands still, so that only a new start can help; null: nothing. */
  readonly stuck: string | null
  /** One line for people: what it does, and what of it does not work. */
  readonly status: string
}

export interface HeartbeatOptions {
  readonly notifier: ServiceNotifier
  /** Called at each beat: that it is called shows that the event loop turns. */
  readonly look: () => Health
  /** Called once each time that something begins to stand still. */
  readonly stuck: (what: string) => void
}

/** Where systemd does not watch, the status is told in this rhythm. */
const usualMs = 10_000

/** Says that the service is ready, and then, three times in the time the watchdog grants, how it does. */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  #timer: NodeJS.Timeout | undefined
  #status = ''
  #stuck: string | null = null

  constructor(options: HeartbeatOptions) {
    this.#options = options
    options.notifier.tell('READY=1')
    this.#beat()
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#options.notifier.tell('STOPPING=1')
    await this.#options.notifier.close()
  }

  #beat(): void {
    const { notifier, look, stuck } = this.#options
    const { status, stuck: what } = look()
    if (status !== this.#status) notifier.tell(`STATUS=${status}`)
    if (what === null) notifier.tell('WATCHDOG=1')
    else if (this.#stuck === null) stuck(what)
    this.#status = status
    this.#stuck = what
    const everyMs = notifier.watchdogMs === null ? usualMs : notifier.watchdogMs / 3
    this.#timer = setTimeout(() => this.#beat(), everyMs)
  }
}
