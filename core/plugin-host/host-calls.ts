/** The calls of the agent that a process of a plugin host has not answered. */
import { BailiffError } from '../errors.ts'
import { RetryLater } from '../plugin.ts'
import { NotAllowed } from './fields.ts'
import type { FailedItem, HostFailure } from './messages.ts'

/** Calls that nobody waits for any more and that are still not answered. */
const mostAbandoned = 1000
const sweepEveryMs = 1000
/** Who wants to be called again at once is called again soon. */
const leastRetryMs = 500
const longestRetryMs = 24 * 60 * 60_000

interface Waiting {
  /** What it asks for, for people; null: its failures are told elsewhere. */
  readonly what: string | null
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly deadlineMs: number | null
  /** Of a call for many items: hears what came of some of them. */
  readonly carried: Carried | null
  until: number
}

/** Hears of items by their index; null: it was carried out. Throws `NotAllowed` for one that it did not ask for. */
export type Carried = (index: number, error: Error | null) => void

export interface HostCallsOptions {
  /** The file of the plugin, where its lines are. */
  readonly file: string
  readonly abort: (call: number) => void
  /** Called with whether anything is waited for. */
  readonly hold: (held: boolean) => void
  /** Called with what went wrong with a call that was to carry something out, for people. */
  readonly failed: (what: string) => void
  /** Called when so many were never answered that it is no use any more. */
  readonly hopeless: (why: string) => void
}

/** Numbers calls and settles them. Every call is settled once: by its answer, at its deadline, or by `end`. */
export class HostCalls {
  readonly #options: HostCallsOptions
  readonly #waiting = new Map<number, Waiting>()
  readonly #abandoned = new Set<number>()
  #calls = 0
  #sweep: NodeJS.Timeout | null = null

  constructor(options: HostCallsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#waiting.size
  }

  /**
   * Has `send` send a call under a number of its own. `deadlineMs` null: it may take for ever. With `carried` the
   * deadline is that of the next item that is told of.
   */
  async make(
    deadlineMs: number | null,
    send: (call: number) => void | Promise<void>,
    { what = null, carried = null }: { readonly what?: string | null; readonly carried?: Carried | null } = {},
  ): Promise<unknown> {
    const call = ++this.#calls
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(call, { what, resolve, reject, deadlineMs, carried, until: untilOf(deadlineMs) })
    })
    answer.catch(() => {})
    this.#options.hold(true)
    this.#sweep ??= setInterval(() => this.#endLate(), sweepEveryMs).unref()
    await send(call)
    return answer
  }

  answer(call: number, value: unknown): void {
    this.#settled(call)?.resolve(value)
  }

  fail(call: number, failure: HostFailure): void {
    const waiting = this.#settled(call)
    if (waiting === undefined) return
    this.#tell(waiting, failure)
    waiting.reject(this.#errorOf(failure))
  }

  /** Something of a call for many items is done, so it has its whole time again. */
  carried(call: number, done: readonly number[], failed: readonly FailedItem[]): void {
    const waiting = this.#waiting.get(call)
    if (waiting === undefined && this.#abandoned.has(call)) return
    if (waiting === undefined || waiting.carried === null) throw new NotAllowed('items of a call that has none')
    waiting.until = untilOf(waiting.deadlineMs)
    for (const index of done) waiting.carried(index, null)
    for (const { index, failure } of failed) {
      this.#tell(waiting, failure)
      waiting.carried(index, this.#errorOf(failure))
    }
  }

  /** Settles a call that the host was never told of. */
  drop(call: number): void {
    this.#waiting.get(call)?.resolve(null)
    this.#waiting.delete(call)
    this.#options.hold(this.#waiting.size > 0)
  }

  /** Fails all that waits. */
  end(error: Error): void {
    if (this.#sweep) clearInterval(this.#sweep)
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(error)
  }

  #settled(call: number): Waiting | undefined {
    const waiting = this.#waiting.get(call)
    this.#waiting.delete(call)
    if (waiting === undefined && !this.#abandoned.delete(call)) throw new NotAllowed('an answer that nobody asked for')
    this.#options.hold(this.#waiting.size > 0)
    return waiting
  }

  #errorOf({ message, hint, line, option, retryAfterMs }: HostFailure): Error {
    if (retryAfterMs !== null) return new RetryLater(Math.min(longestRetryMs, Math.max(leastRetryMs, retryAfterMs)))
    const { file } = this.#options
    return Object.assign(
      new BailiffError('unavailable', message, {
        ...(line === null ? {} : { where: { file, line } }),
        ...(hint === null ? {} : { hint }),
      }),
      { option },
    )
  }

  #tell({ what }: Waiting, { message, line, retryAfterMs }: HostFailure): void {
    // Who asks for more time does nothing that it should not.
    if (what === null || retryAfterMs !== null) return
    this.#options.failed(`${what} failed: ${message}${line === null ? '' : ` (line ${line})`}`)
  }

  #endLate(): void {
    const now = performance.now()
    for (const [call, { what, until, deadlineMs, reject }] of this.#waiting) {
      if (until > now) continue
      this.#waiting.delete(call)
      this.#abandoned.add(call)
      this.#options.abort(call)
      if (what !== null) this.#options.failed(`${what} did not answer within ${(deadlineMs ?? 0) / 1000} s`)
      reject(new BailiffError('unavailable', 'the plugin did not answer in time'))
    }
    this.#options.hold(this.#waiting.size > 0)
    if (this.#abandoned.size > mostAbandoned) this.#options.hopeless(`it left ${mostAbandoned} calls unanswered`)
  }
}

function untilOf(deadlineMs: number | null): number {
  return deadlineMs === null ? Infinity : performance.now() + deadlineMs
}
