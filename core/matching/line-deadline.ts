import type { LineSpan, ProgressCell } from './messages.ts'
import { processorMsOf } from './processor-time.ts'

/** A thread that is stuck before its first line, or between lines, gets this many times as long. */
const patienceWithoutLine = 10
const looks = 4
/** A thread that had the processor for less of the time was not stuck: it waited, and goes on. */
const ownShare = 0.5

/** Watches a task from the moment a thread takes it up, and stops it when it is at one line for too long. */
export class LineDeadline {
  /** The line it was stopped at; null while it was not, and where it was at none. */
  stuckAt: LineSpan | null = null
  readonly #timer: NodeJS.Timeout
  readonly #ms: number
  readonly #cell: ProgressCell
  #at: LineSpan | null = null
  #looks = 0
  #processorMs = 0

  /**
   * `alive`: whether there is any thread that could take the task up; `lingers` hears each time that it is still at the
   * same line, when it has been there for a quarter of its time and was at work.
   */
  constructor(ms: number, cell: ProgressCell, alive: () => boolean, stop: () => void, lingers = () => {}) {
    this.#ms = ms
    this.#cell = cell
    this.#timer = setInterval(() => {
      if (!cell.begun && alive()) return
      if (!this.#isStuck()) {
        if (this.#lingers) lingers()
        return
      }
      this.end()
      this.stuckAt = this.#at
      stop()
    }, ms / looks)
  }

  end(): void {
    clearInterval(this.#timer)
  }

  #isStuck(): boolean {
    const line = this.#cell.at
    if (this.#looks === 0 || line?.start !== this.#at?.start || line?.end !== this.#at?.end) {
      this.#at = line
      this.#looks = 0
      this.#processorMs = processorMsOf(this.#cell.thread)
    }
    if (++this.#looks <= looks * this.#patience) return false
    return this.#usedMs >= this.#ms * this.#patience * ownShare
  }

  get #lingers(): boolean {
    return this.#looks > this.#patience && this.#usedMs >= this.#ms * (this.#patience / looks) * ownShare
  }

  get #patience(): number {
    return this.#at === null ? patienceWithoutLine : 1
  }

  /** What the thread has had of the processor since it came to the line. */
  get #usedMs(): number {
    return processorMsOf(this.#cell.thread) - this.#processorMs
  }
}
