import { createContext, Script } from 'node:vm'

/**
 * Stops synchronous work of this thread when its time is over, also inside a regular expression, and
 * leaves the thread as it is. `node:vm` is used for its timer only, and keeps nothing from the work:
 * the time-out interrupts V8 wherever it is. It costs a thread of its own each time, about 0.1 ms, so
 * whole blocks are guarded and single lines only when a block was stopped.
 */
export class LineGuard {
  readonly #sandbox: { work: () => void }
  readonly #call = new Script('work()')

  constructor() {
    // Node loads it at its first use. Were that stopped half way, it would be undefined for the rest of this thread.
    performance.now()
    this.#sandbox = { work: () => {} }
    createContext(this.#sandbox)
  }

  /** Runs `work` for at most so many milliseconds. False: it was stopped. What the work throws is thrown. */
  run(work: () => void, ms: number): boolean {
    this.#sandbox.work = work
    try {
      this.#call.runInContext(this.#sandbox, { timeout: Math.max(1, Math.floor(ms)) })
      return true
    } catch (error) {
      if (!isTimeout(error)) throw error
      return false
    }
  }
}

/** The error may come from the sandbox, whose `Error` is another one. */
function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}
