import { Worker } from 'node:worker_threads'
import { BailiffError, describeError } from '../errors.ts'
import type { Logger } from '../plugin.ts'
import type { LoadedPart, Reply, Request, ThreadData } from './messages.ts'

/** The store is not the one it was: nothing of what the agent holds is in it. */
export class StoreEmptied extends Error {}

type Answer = Extract<Reply, { type: 'answer' }>

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: BailiffError | StoreEmptied) => void
}

export interface ThreadOptions {
  readonly data: ThreadData
  readonly log: Logger
  readonly alarm: (message: string) => void
  readonly loaded: (part: LoadedPart) => void
}

/** The agent's end of one thread of the store. */
export class Thread {
  /** Resolves when the store has been loaded; rejects where somebody has to change something first. */
  readonly ready: Promise<void>
  /** Resolves when the thread is gone, however it ended. */
  readonly gone: Promise<void>
  readonly #options: ThreadOptions
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #over = false

  constructor(options: ThreadOptions) {
    this.#options = options
    // `node:sqlite` works and yet says on each start that it is new.
    const execArgv = ['--disable-warning=ExperimentalWarning']
    const resourceLimits = { maxYoungGenerationSizeMb: 6 }
    this.#worker = new Worker(new URL('./store-thread.js', import.meta.url), {
      workerData: options.data,
      execArgv,
      resourceLimits,
    })
    this.#worker.on('error', (error) => options.log.error({ error: describeError(error) }, 'the store failed'))
    this.gone = new Promise((resolve) => this.#worker.once('exit', () => resolve(this.#end())))
    this.ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (reply: Reply) => {
        if (reply.type === 'ready') resolve()
        else if (reply.type === 'refused')
          reject(new BailiffError('cannot-create', reply.message, { hint: reply.hint }))
        else this.#hear(reply)
      })
      void this.gone.then(() => reject(new BailiffError('software', 'the thread of the store ended')))
    })
    this.ready.catch(() => {})
  }

  /**
   * Rejects with a `BailiffError` when the store cannot do it, or when the thread ends before, and with
   * `StoreEmptied` when everything is to be written anew. `handedOver`: memory that is the thread's from now on.
   */
  ask(request: Request, handedOver: readonly ArrayBuffer[] = []): Promise<Answer> {
    if (this.#over) return Promise.reject(new BailiffError('unavailable', 'the store is closed'))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#worker.postMessage(request, handedOver)
    })
  }

  async kill(): Promise<void> {
    await this.#worker.terminate()
  }

  #hear(reply: Exclude<Reply, { type: 'ready' | 'refused' }>): void {
    if (reply.type === 'loaded') this.#options.loaded(reply.part)
    else if (reply.type === 'alarm') this.#options.alarm(reply.message)
    else if (reply.type === 'answer') this.#waiting.shift()?.resolve(reply)
    else
      this.#waiting
        .shift()
        ?.reject(reply.needsAll ? new StoreEmptied(reply.message) : new BailiffError('io', reply.message))
  }

  #end(): void {
    this.#over = true
    for (const { reject } of this.#waiting.splice(0)) reject(new BailiffError('io', 'the thread of the store ended'))
  }
}
