import { createContext, Script } from 'node:vm'
import type { ProcessorTime } from './processor-time.ts'

/**
 * Stops synchronous work of this thread when its time is over, also inside a regular expression, and
 * leaves the thread as it is. `node:vm` is used for its timer only, and keeps nothing from the work:
 * the time-out interrupts V8 wherever it is. It costs a thread of its own each time, about 0.1 ms, so
 * whole blocks are guarded and single lines only when a block was stopped.
 */
export class LineGuard {
  readonly #processor: ProcessorTime
  readonly #sandbox: { work: () => void }
  readonly #call = new Script('work()')

  constructor(processor: ProcessorTime) {
    this.#processor = processor
    this.#sandbox = { work: () => {} }
    createContext(this.#sandbox)
  }

  /**
   * Runs `work` for at most so many milliseconds. Null: it is done. Otherwise it was stopped, and the
   * answer says how many milliseconds of the processor it had: on a busy machine maybe none. What the
   * work throws is thrown.
   */
  run(work: () => void, ms: number): number | null {
    const before = this.#processor.ms
    this.#sandbox.work = work
    try {
      this.#call.runInContext(this.#sandbox, { timeout: Math.max(1, Math.floor(ms)) })
      return null
    } catch (error) {
      if (!isTimeout(error)) throw error
      return this.#processor.ms - before
    }
  }
}

/** The error may come from the sandbox, whose `Error` is another one. */
function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}
