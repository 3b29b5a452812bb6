/** The host of one matcher in WebAssembly: keeps a thread of it, stops it at its deadline, and puts it aside. */
import { randomInt } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { BailiffError } from '../errors.ts'
import type { LogChunk, ScanResult } from '../events.ts'
import { LineDeadline } from '../matching/line-deadline.ts'
import { ProgressCell, type JailFilter } from '../matching/messages.ts'
import type { Logger, MatcherModule } from '../plugin.ts'
import { Strikes } from '../plugin-host/strikes.ts'
import { firstPlace, startingPlace, type ModuleAnswer, type ModuleSetup, type ModuleTask } from './thread-messages.ts'

/** How long it may take over one piece, or line; half of it must be time of the processor. It starts as quickly. */
const deadlineMs = 150
/** Lines of one chunk at which it may be stopped before the rest of the chunk is passed over. */
const stopsOfChunk = 2
/** Chunks in which it failed are told at once, the next ones together after this time. */
const quietMs = 10_000

/** How a matcher in WebAssembly does. */
export interface ModuleState {
  readonly plugin: string
  readonly file: string
  /** `set aside`: it failed again and again, or cannot be started, and its lines are passed over. */
  readonly state: 'running' | 'starting' | 'set aside'
  readonly pid: null
  readonly memoryBytes: number
  /** Threads that were started in place of one that was stopped. */
  readonly restarts: number
  /** What it did that it should not, last, for people; null: nothing. */
  readonly lastFault: { readonly at: number; readonly what: string } | null
  /** When it is tried again, unix milliseconds; null: not before the configuration is read again. */
  readonly startsAgainAt: number | null
}

export interface ModuleHostOptions {
  readonly module: MatcherModule
  /** All of them have this module. */
  readonly jails: readonly JailFilter[]
  readonly log: Logger
  readonly alarm: (subject: string, message: string) => void
}

/** A thread ended, by itself or since it was stopped. */
class ThreadEnded extends Error {}

export class ModuleHost {
  readonly #options: ModuleHostOptions
  readonly #setup: ModuleSetup
  readonly #strikes = new Strikes()
  #thread: Worker | null = null
  #turn: Promise<unknown> = Promise.resolve()
  #restarts = 0
  #memoryBytes = 0
  #lastFault: ModuleState['lastFault'] = null
  /** Until when it is put aside, on the clock that nobody sets. */
  #asideUntil = -Infinity
  #toldAt = -Infinity

  constructor(options: ModuleHostOptions) {
    this.#options = options
    this.#setup = { jails: options.jails, sessionSeed: randomInt(2 ** 32) }
  }

  get state(): ModuleState {
    const { name, file } = this.#options.module
    const left = this.#asideUntil - performance.now()
    return {
      plugin: name,
      file,
      state: left > 0 ? 'set aside' : this.#thread === null ? 'starting' : 'running',
      pid: null,
      memoryBytes: this.#memoryBytes,
      restarts: this.#restarts,
      lastFault: this.#lastFault,
      startsAgainAt: left > 0 && left < Infinity ? Date.now() + left : null,
    }
  }

  /**
   * Scans a chunk for these of its jails, one chunk after the other. What it cannot scan is passed over, and counted.
   * Rejects with a BailiffError where that is not the module's doing.
   */
  scan(chunk: LogChunk): Promise<ScanResult> {
    const scanning = this.#turn.then(() => this.#scan(chunk))
    this.#turn = scanning.catch(() => {})
    return scanning
  }

  /** Somebody mended it, or asks for another try: it is put aside no longer. */
  forgive(): void {
    this.#strikes.forget()
    this.#asideUntil = -Infinity
  }

  /** Resolves when what is under way is done and the thread is gone. */
  async close(): Promise<void> {
    await this.#turn
    await this.#thread?.terminate()
  }

  /** First all at once; where it does not come back, line by line without those at which it was stopped. */
  async #scan(chunk: LogChunk): Promise<ScanResult> {
    const without: number[] = []
    let how: ModuleTask['how'] = performance.now() < this.#asideUntil ? 'none' : 'whole'
    for (;;) {
      const attempt = await this.#attempt({ chunk, how, without })
      if ('result' in attempt) {
        this.#memoryBytes = attempt.memoryBytes
        const [fault] = attempt.faults
        if (fault !== undefined) this.#fault(fault, chunk)
        return attempt.result
      }
      if ('failed' in attempt) throw new BailiffError('software', `matching ${chunk.log} failed: ${attempt.failed}`)
      if ('refused' in attempt) {
        this.#setAside(`it cannot be started: ${attempt.refused}`, Infinity)
        how = 'none'
        continue
      }
      how = this.#stopped(attempt.stoppedAt, how, without, chunk)
    }
  }

  /** How to go on after the thread was stopped at this place. */
  #stopped(place: number, how: ModuleTask['how'], without: number[], chunk: LogChunk): ModuleTask['how'] {
    this.#restarts++
    if (place === startingPlace) {
      this.#setAside('it cannot be started: it was stopped, for it came to no end', Infinity)
      return 'none'
    }
    this.#fault(`it was stopped, for it came to no end ${how === 'whole' ? 'with some lines' : 'with a line'}`, chunk)
    if (how === 'by line') without.push(place - firstPlace)
    const isAside = performance.now() < this.#asideUntil
    return isAside || without.length >= stopsOfChunk ? 'none' : 'by line'
  }

  async #attempt(task: Omit<ModuleTask, 'progress'>): Promise<ModuleAnswer | { readonly stoppedAt: number }> {
    const thread = (this.#thread ??= this.#start())
    const cell = new ProgressCell()
    const alive = () => this.#thread === thread
    const watch = new LineDeadline(deadlineMs, cell, alive, () => void thread.terminate())
    try {
      return await answered(thread, { ...task, progress: cell.memory })
    } catch (error) {
      if (!(error instanceof ThreadEnded)) throw error
      if (this.#thread === thread) this.#thread = null
      if (watch.stuckAt !== null) return { stoppedAt: watch.stuckAt.start }
      // It took the thread down with it: the place it was at is where that happened.
      return task.how === 'none' ? { failed: error.message } : { stoppedAt: cell.at?.start ?? startingPlace }
    } finally {
      watch.end()
    }
  }

  #start(): Worker {
    const thread = new Worker(new URL('thread.js', import.meta.url), {
      workerData: this.#setup,
      resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 12 },
      stdout: false,
      stderr: false,
    })
    thread.on('error', (error: Error) =>
      this.#options.log.warn({ error: error.message }, 'the thread of a matcher ended'),
    )
    // It keeps nothing from ending that waits for no answer.
    thread.unref()
    return thread
  }

  #fault(what: string, { log }: LogChunk): void {
    const { module, log: logger } = this.#options
    this.#lastFault = { at: Date.now(), what }
    const { aside, pauseMs } = this.#strikes.add(performance.now())
    if (performance.now() - this.#toldAt >= quietMs) {
      this.#toldAt = performance.now()
      logger.warn({ matcher: module.name, log }, `the matcher ${module.name} failed: ${what}`)
    }
    if (aside) this.#setAside(what, pauseMs)
  }

  #setAside(what: string, pauseMs: number): void {
    const { module, jails, alarm } = this.#options
    this.#lastFault = { at: Date.now(), what }
    this.#asideUntil = performance.now() + pauseMs
    const again =
      pauseMs === Infinity ? 'until the configuration is read again' : `for ${Math.round(pauseMs / 60_000)} minutes`
    const blind = jails.map(({ jail }) => jail).join(', ')
    alarm(module.name, `the matcher is put aside ${again}, so these jails see nothing: ${blind}. Last: ${what}`)
  }
}

/** The answer of a thread. Rejects with ThreadEnded where it ends before. */
function answered(thread: Worker, task: ModuleTask): Promise<ModuleAnswer> {
  return new Promise((resolve, reject) => {
    const done = () => {
      thread.off('message', hear)
      thread.off('exit', gone)
      thread.unref()
    }
    const hear = (answer: ModuleAnswer) => {
      done()
      resolve(answer)
    }
    const gone = () => {
      done()
      reject(new ThreadEnded('its thread ended'))
    }
    thread.on('message', hear)
    thread.on('exit', gone)
    thread.ref()
    thread.postMessage(task)
  })
}
