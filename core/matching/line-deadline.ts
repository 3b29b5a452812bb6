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

  /** `alive`: whether there is any thread that could take the task up; `lingers` hears each time that it is still at the same line. */
  constructor(ms: number, cell: ProgressCell, alive: () => boolean, stop: () => void, lingers = () => {}) {
    this.#ms = ms
    this.#cell = cell
    this.#timer = setInterval(() => {
      if (!cell.begun && alive()) return
      if (!this.#isStuck()) {
        if (this.#looks > 1) lingers()
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
    const times = line === null ? patienceWithoutLine : 1
    if (++this.#looks <= looks * times) return false
    return processorMsOf(this.#cell.thread) - this.#processorMs >= this.#ms * times * ownShare
  }
}
