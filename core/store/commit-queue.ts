import { setTimeout as sleep } from 'node:timers/promises'
import { BailiffError, describeError } from '../errors.ts'
import type { LogPosition } from '../events.ts'
import type { Change } from './tables.ts'

/** Changes that wait while the disk takes none. Beyond, the oldest are given up: the firewall holds them still. */
const maxWaiting = 100_000
const firstPauseMs = 250
const longestPauseMs = 15_000
const tellEveryMs = 10 * 60_000

interface Batch {
  readonly changes: Change[]
  readonly positions: Map<string, LogPosition>
  readonly done: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: BailiffError) => void
  givenUp: number
}

export interface CommitQueueOptions {
  /** Writes all of it in one transaction, or rejects and has written nothing. */
  readonly write: (changes: readonly Change[], positions: readonly LogPosition[]) => Promise<void>
  readonly alarm: (message: string) => void
  /** Positions alone may wait so long for company: a position that is behind costs only reading again. */
  readonly positionsWaitMs: number
}

/**
 * Group commit: while one transaction is under way, everything that comes is gathered for the next. A
 * transaction that fails is tried again, with pauses, until it holds.
 */
export class CommitQueue {
  readonly #options: CommitQueueOptions
  #next = newBatch()
  #current: Batch | null = null
  #running: Promise<void> | null = null
  #hurry = new AbortController()
  #closing = false
  #failing = false
  #toldAt = -Infinity

  constructor(options: CommitQueueOptions) {
    this.#options = options
  }

  /** Resolves when all of it is on the disk. Need not be awaited: what rejects is told as well. */
  add(changes: readonly Change[], positions: readonly LogPosition[]): Promise<void> {
    if (this.#closing) return refused(new BailiffError('unavailable', 'the store is closed'))
    const batch = this.#next
    for (const change of changes) batch.changes.push(change)
    for (const position of positions) batch.positions.set(position.path, position)
    if (this.#failing) this.#bound(batch)
    if (changes.length > 0) this.#hurry.abort()
    this.#running ??= this.#run()
    return batch.done
  }

  /** Writes what waits, then takes no more. What cannot be written within `waitMs` rejects. */
  async close(waitMs: number): Promise<void> {
    this.#closing = true
    this.#hurry.abort()
    const late = new AbortController()
    await Promise.race([this.#running, sleep(waitMs, undefined, { signal: late.signal }).catch(() => {})])
    late.abort()
    const error = new BailiffError('io', 'the store was closed before this could be written')
    for (const batch of [this.#current, this.#next]) batch?.reject(error)
  }

  async #run(): Promise<void> {
    // One turn later, so that what is committed in one turn is one transaction.
    await Promise.resolve()
    while (this.#next.changes.length + this.#next.positions.size > 0) {
      if (this.#next.changes.length === 0) await this.#wait(this.#options.positionsWaitMs)
      this.#current = this.#next
      this.#next = newBatch()
      await this.#write(this.#current)
      this.#current = null
    }
    this.#running = null
  }

  async #write(batch: Batch): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        await this.#options.write(batch.changes, [...batch.positions.values()])
        this.#failing = false
        if (batch.givenUp === 0) batch.resolve()
        else batch.reject(new BailiffError('io', `${batch.givenUp} changes were given up while the disk took none`))
        return
      } catch (error) {
        this.#failing = true
        this.#tell(error)
        if (this.#closing) return batch.reject(new BailiffError('io', describeError(error)))
        await this.#wait(Math.min(longestPauseMs, firstPauseMs * 2 ** failures), true)
      }
    }
  }

  /** Waits that long; unless `patient`, a change ends it. A close ends it always. */
  async #wait(ms: number, patient = false): Promise<void> {
    if (patient && !this.#closing) this.#hurry = new AbortController()
    await sleep(ms, undefined, { signal: this.#hurry.signal }).catch(() => {})
    if (!this.#closing) this.#hurry = new AbortController()
  }

  #tell(error: unknown): void {
    if (performance.now() - this.#toldAt < tellEveryMs) return
    this.#toldAt = performance.now()
    const after = 'Bans go on; a restart would not know of those since. It is tried again: free the disk.'
    this.#options.alarm(`the store cannot be written: ${describeError(error)}. ${after}`)
  }

  #bound(batch: Batch): void {
    const over = batch.changes.length - maxWaiting
    if (over <= 0) return
    batch.changes.splice(0, over)
    batch.givenUp += over
  }
}

function newBatch(): Batch {
  let resolve = () => {}
  let reject: Batch['reject'] = () => {}
  const done = new Promise<void>((yes, no) => ([resolve, reject] = [yes, no]))
  done.catch(() => {})
  return { changes: [], positions: new Map(), done, resolve, reject, givenUp: 0 }
}

/** A rejection that nobody has to catch. */
function refused(error: BailiffError): Promise<void> {
  const promise = Promise.reject(error)
  promise.catch(() => {})
  return promise
}
