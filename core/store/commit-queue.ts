import { setTimeout as sleep } from 'node:timers/promises'
import { BailiffError, describeError } from '../errors.ts'
import type { LogPosition } from '../events.ts'
import type { Change } from './tables.ts'

/** Changes that wait while the disk takes none. Of more, none is kept, and everything is written anew when it does. */
const maxWaiting = 100_000
/** The same while the disk works: a long list of bans comes at once. */
const maxGathered = 1_000_000
const firstPauseMs = 250
const longestPauseMs = 15_000
const tellEveryMs = 10 * 60_000

/** What is written in one transaction. */
export interface Batch {
  readonly changes: Change[]
  /** By path. */
  readonly positions: Map<string, LogPosition>
  /** Whether the judge counted something since the last batch. */
  counted: boolean
  readonly done: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: BailiffError) => void
}

export interface CommitQueueOptions {
  /**
   * Writes all of a batch in one transaction, or rejects. `again`: the last call rejected, and nobody
   * knows whether what it was to write was written.
   */
  readonly write: (batch: Batch, again: boolean) => Promise<void>
  /** More waits than is kept: it was dropped, and everything has to be written anew. */
  readonly overflow: () => void
  readonly alarm: (message: string) => void
  /** What no ban depends on may wait so long for company: a position that is behind costs only reading again. */
  readonly waitMs: number
}

/**
 * Group commit: while one transaction is under way, everything that comes is gathered for the next. A
 * transaction that fails is tried again, with pauses and with all that came meanwhile, until it holds.
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
  add(changes: readonly Change[], positions: readonly LogPosition[], counted = false): Promise<void> {
    if (this.#closing) return refused(new BailiffError('unavailable', 'the store is closed'))
    const batch = this.#next
    for (const change of changes) batch.changes.push(change)
    for (const position of positions) batch.positions.set(position.path, position)
    batch.counted ||= counted
    if (!isToBeWritten(batch)) return Promise.resolve()
    this.#bound(batch)
    // Once is enough: an abort makes an error with a stack, whether or not anybody waits.
    if (changes.length > 0 && !this.#hurry.signal.aborted) this.#hurry.abort()
    this.#running ??= this.#run()
    return batch.done
  }

  /** Adds what came meanwhile to the batch that is being written. */
  gather(batch: Batch): void {
    const next = this.#next
    this.#next = newBatch()
    for (const change of next.changes) batch.changes.push(change)
    for (const [path, position] of next.positions) batch.positions.set(path, position)
    batch.counted ||= next.counted
    batch.done.then(next.resolve, next.reject)
    this.#bound(batch)
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
    while (isToBeWritten(this.#next)) {
      if (this.#next.changes.length === 0) await this.#wait(this.#options.waitMs)
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
        await this.#options.write(batch, failures > 0)
        this.#failing = false
        return batch.resolve()
      } catch (error) {
        this.#failing = true
        this.#tell(error)
        if (this.#closing) return batch.reject(new BailiffError('io', describeError(error)))
        await this.#wait(Math.min(longestPauseMs, firstPauseMs * 2 ** failures), true)
        this.gather(batch)
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
    if (batch.changes.length <= (this.#failing ? maxWaiting : maxGathered)) return
    batch.changes.length = 0
    batch.counted = true
    this.#options.overflow()
  }
}

/** What brings nothing is no reason to write, and would wait for one: most chunks of a source without cursors. */
function isToBeWritten({ changes, positions, counted }: Batch): boolean {
  return counted || changes.length > 0 || positions.size > 0
}

function newBatch(): Batch {
  let resolve = () => {}
  let reject: Batch['reject'] = () => {}
  const done = new Promise<void>((yes, no) => ([resolve, reject] = [yes, no]))
  done.catch(() => {})
  return { changes: [], positions: new Map(), counted: false, done, resolve, reject }
}

/** A rejection that nobody has to catch. */
function refused(error: BailiffError): Promise<void> {
  const promise = Promise.reject(error)
  promise.catch(() => {})
  return promise
}
