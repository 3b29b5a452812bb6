import { readFileSync } from 'node:fs'
import { createContext, Script } from 'node:vm'

/** Work that got less than this share of its time from the processor was not slow, only waiting. */
const ownShare = 0.5
/** So often a work that only waited is begun again. */
const maxTries = 3

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
    this.#sandbox = { work: () => {} }
    createContext(this.#sandbox)
  }

  /** Runs `work` for at most so many milliseconds. False: it was stopped. What it throws is thrown. */
  run(work: () => void, ms: number): boolean {
    this.#sandbox.work = work
    try {
      this.#call.runInContext(this.#sandbox, { timeout: Math.max(1, Math.floor(ms)) })
      return true
    } catch (error) {
      if (isTimeout(error)) return false
      throw error
    }
  }

  /**
   * As `run`, for work that may be done again after `undo`: on a busy machine the time may be over before
   * the work has had the processor, and then it is tried again.
   */
  runFairly(work: () => void, ms: number, undo: () => void): boolean {
    for (let tries = 1; ; tries++) {
      const before = processorMs()
      if (this.run(work, ms)) return true
      undo()
      if (tries === maxTries || processorMs() - before >= ms * ownShare) return false
    }
  }
}

/** Processor time of this thread, as proc_pid_schedstat(5) has it; where it does not, time that has passed. */
function processorMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ', 1)[0]) / 1e6
  } catch {
    return performance.now()
  }
}

/** The error may come from the sandbox, whose `Error` is another one. */
function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}
