import type { LineSpan, ProgressCell } from './messages.ts'

/** A thread that is stuck before its first line, or between lines, gets this many times as long. */
const patienceWithoutLine = 10
const looks = 4

/** Watches a task from the moment a thread takes it up, and stops it when it is at one line for too long. */
export class LineDeadline {
  /** The line it was stopped at; null while it was not, and where it was at none. */
  stuckAt: LineSpan | null = null
  readonly #timer: NodeJS.Timeout
  #at: LineSpan | null = null
  #since = 0

  /** `alive`: whether there is any thread that could take the task up. */
  constructor(ms: number, cell: ProgressCell, alive: () => boolean, stop: () => void) {
    this.#timer = setInterval(() => {
      if (!cell.begun && alive()) return
      const line = cell.at
      this.#since = line?.start === this.#at?.start && line?.end === this.#at?.end ? this.#since + 1 : 0
      this.#at = line
      if (this.#since < (line === null ? looks * patienceWithoutLine : looks)) return
      this.end()
      this.stuckAt = line
      stop()
    }, ms / looks)
  }

  end(): void {
    clearInterval(this.#timer)
  }
}
