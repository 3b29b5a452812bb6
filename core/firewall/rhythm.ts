/**
 * Work that is done when it is asked for, never twice at once, and no more of it than its share of the
 * time: a burst is free, then it waits until what it took is earned. Work that fails is tried again after
 * growing pauses.
 */

export interface RhythmOptions {
  /** How much of the time it may take in the long run: 0.1 is a tenth. */
  readonly share: number
  /** How many milliseconds it may take before it has to wait. */
  readonly burstMs: number
  /** Hears why the work failed, and the how-manieth time in a row that was. */
  readonly failed: (error: unknown, times: number) => void
}

/** What is to be done; it may answer how many milliseconds count for its share, else all that it took do. */
export type Work = () => Promise<number | void>

const firstPauseMs = 100
const longestPauseMs = 2000
/** Nobody waits longer than this for his share, however long the work took. */
const longestWaitMs = 60_000

export class Rhythm {
  readonly #work: Work
  readonly #options: RhythmOptions
  /** What it took beyond its share, in milliseconds, at `#countedAt`. */
  #debtMs = 0
  #countedAt = 0
  #dueAt = Number.POSITIVE_INFINITY
  #running: Promise<void> | undefined
  #busy = false
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #stopped = false

  constructor(work: Work, options: RhythmOptions) {
    this.#work = work
    this.#options = options
  }

  /** Asks for the work in so many milliseconds; it comes later where its share of the time is used up. */
  soon(ms: number): void {
    const dueAt = performance.now() + ms
    if (this.#stopped || dueAt >= this.#dueAt) return
    this.#dueAt = dueAt
    if (!this.#busy) this.#arm()
  }

  /** Resolves when no work is under way; none is done after it. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  #arm(): void {
    clearTimeout(this.#timer)
    const now = performance.now()
    const ms = Math.max(this.#dueAt - now, this.#waitMs(now), 0)
    this.#timer = setTimeout(() => (this.#running = this.#run()), Math.min(ms, 2 ** 31 - 1)).unref()
  }

  async #run(): Promise<void> {
    const started = performance.now()
    this.#busy = true
    this.#dueAt = Number.POSITIVE_INFINITY
    try {
      const tookMs = await this.#work()
      this.#failures = 0
      // What fails has its pauses: an nft that hung took time, but none of the processor's.
      this.#waitMs(performance.now())
      this.#debtMs += tookMs ?? performance.now() - started
    } catch (error) {
      this.#options.failed(error, ++this.#failures)
      // Whoever asked for it meanwhile waits as well.
      this.#dueAt = performance.now() + Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#failures - 1, 10))
    }
    this.#busy = false
    if (!this.#stopped && this.#dueAt < Number.POSITIVE_INFINITY) this.#arm()
  }

  /** How long to wait until enough is earned. */
  #waitMs(now: number): number {
    const { share, burstMs } = this.#options
    const most = burstMs + longestWaitMs * share
    this.#debtMs = Math.min(most, Math.max(0, this.#debtMs - (now - this.#countedAt) * share))
    this.#countedAt = now
    return Math.min(longestWaitMs, Math.max(0, (this.#debtMs - burstMs) / share))
  }
}
