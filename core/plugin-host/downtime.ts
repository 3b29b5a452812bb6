/** Why a plugin host is down, and until when. */
import { BailiffError } from '../errors.ts'
import type { PluginHostState } from '../events.ts'
import type { Logger } from '../plugin.ts'
import { Strikes } from './strikes.ts'

export interface DowntimeOptions {
  readonly name: string
  readonly log: Logger
  readonly alarm: (subject: string, message: string) => void
  /** Called when the pause is over. */
  readonly over: () => void
}

/** From a crash to the end of the pause that follows it; what comes again and again has longer pauses. */
export class Downtime {
  readonly #options: DowntimeOptions
  readonly #strikes = new Strikes()
  #now: { readonly why: string; readonly until: number; readonly aside: boolean } | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(options: DowntimeOptions) {
    this.#options = options
  }

  get isNow(): boolean {
    return this.#now !== null
  }

  get state(): Pick<PluginHostState, 'startsAgainAt'> & { readonly word: 'restarting' | 'set aside' } {
    return { startsAgainAt: this.#now?.until ?? null, word: this.#now?.aside === true ? 'set aside' : 'restarting' }
  }

  /** It crashed. */
  begin(why: string): void {
    const { name, log, alarm, over } = this.#options
    const { pauseMs, aside } = this.#strikes.add(performance.now())
    this.#now = { why, aside, until: Date.now() + pauseMs }
    log.error({ plugin: name }, `the plugin ${name} is down: ${why}; it starts again in ${pauseMs / 1000} s`)
    if (aside)
      alarm(
        name,
        `the plugin ${name} crashes again and again and is put aside for ${pauseMs / 60_000} minutes: ${why}; ` +
          'mend it and run "bailiff reload"',
      )
    this.#timer = setTimeout(over, pauseMs).unref()
  }

  /** A crash of a plugin that nothing uses: it counts, and that is all. */
  count(): void {
    this.#strikes.add(performance.now())
  }

  /** Somebody mended it, or says so: it is no longer known for its crashes. */
  forgive(): void {
    this.#strikes.forget()
  }

  end(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    this.#now = null
  }

  /** What a call is told meanwhile; `why` where it is over already. */
  error(): BailiffError {
    const { name } = this.#options
    if (this.#now === null) return new BailiffError('unavailable', `the plugin ${name} was down; try again`)
    const { why, until, aside } = this.#now
    const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000))
    return aside
      ? new BailiffError('unavailable', `the plugin ${name} is put aside, since it crashes again and again: ${why}`, {
          hint: 'mend it and run "bailiff reload"',
        })
      : new BailiffError('unavailable', `the plugin ${name} is down: ${why}; it starts again in ${seconds} s`)
  }
}
