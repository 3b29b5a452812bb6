/**
 * Scans chunks in threads. A line that takes too long costs its thread the first time: the thread is
 * stopped and its results are lost with it, so nothing is matched twice. From then on the log is a slow
 * one: its chunks are scanned in small pieces under a guard (`guarded-scan.ts`) that gives up slow lines
 * within milliseconds, and there is always a thread left for the other logs.
 */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { BailiffError } from '../errors.ts'
import type { FileRange, LogChunk, RangeDates, ScanResult } from '../events.ts'
import type { Logger } from '../plugin.ts'
import { chunkLength, chunkPart, inWhole, joinResults, passedOver } from './chunk-parts.ts'
import { LineDeadline } from './line-deadline.ts'
import { LogMemories } from './log-memories.ts'
import {
  ProgressCell,
  type BrokenJail,
  type DatesTask,
  type GuardedResult,
  type JailFilter,
  type LineSpan,
  type ScanTask,
  type WorkerSetup,
} from './messages.ts'
import { unpackResult, type PackedResult } from './packed-results.ts'
import { patientLineMs, SlowLogs } from './slow-logs.ts'

export interface MatchingPool {
  /**
   * Scans a chunk; several may be under way, each by one thread. `part` gets the results of its parts, in
   * order, as soon as they are there; the answer has all of them. Rejects with a BailiffError when
   * the thread crashed twice over the chunk, or the pool is closed.
   */
  scan(chunk: LogChunk, part?: (result: ScanResult) => void): Promise<ScanResult>
  /**
   * When the lines of a range were written, as these jails read their dates: a look of some KiB. `now` is unix
   * milliseconds. Rejects with a BailiffError where it takes too long, a pattern of dates may, or a thread crashed.
   */
  dates(range: FileRange, jails: readonly string[], now: number): Promise<RangeDates>
  /** Resolves when what is under way is done and the threads are gone. */
  close(): Promise<void>
}

export interface PoolOptions extends WorkerSetup {
  readonly jails: readonly JailFilter[]
  /** By default as many as there are processors, at most 4; never less than 2, so that one stuck line stops nobody else. */
  readonly maxThreads?: number
  /** How long a thread may be at one line before it is stopped. */
  readonly deadlineMs?: number
  readonly log: Logger
  /** Hears of jails whose filter cannot be used, each time a thread says so. */
  readonly broken?: (jails: readonly BrokenJail[]) => void
}

/** The pool starts one thread at once and more while chunks wait. */
export function createPool(options: PoolOptions): MatchingPool {
  return new Pool(options)
}

/** Threads that have had nothing to do for so long end, but for one. */
const idleTimeoutMs = 10_000
/** What of a slow log is scanned in one go: what it finds is not to wait for many slow lines. */
const pieceBytes = 4096
/** Under the guard lines end by themselves; this is for an engine that cannot be interrupted. */
const guardedDeadlineMs = 10_000

/** A look at some dates takes a millisecond; at a start threads load first. */
const datesWithinMs = 10_000

/** A task is a chunk to scan, or a question for dates, which has a function of its own in the thread. */
type Threads = Piscina<ScanTask | DatesTask, PackedResult | RangeDates>
type Attempt = { readonly result: GuardedResult } | { readonly stuckAt: LineSpan }

class Pool implements MatchingPool {
  #piscina: Threads
  readonly #start: () => Threads
  readonly #deadlineMs: number
  readonly #log: Logger
  readonly #underWay = new Set<Promise<ScanResult>>()
  readonly #slow: SlowLogs
  readonly #memories = new LogMemories()
  readonly #broken: (jails: readonly BrokenJail[]) => void
  /** Threads that slow logs may take at once, and who waits for one. */
  readonly #slowTurns: Turns
  #closed = false

  constructor({ jails, engineUrls, treeJails = [], maxThreads, deadlineMs = 150, log, broken }: PoolOptions) {
    this.#broken = broken ?? (() => {})
    const threads = maxThreads ?? Math.max(2, Math.min(availableParallelism(), 4))
    this.#deadlineMs = deadlineMs
    this.#log = log
    this.#slow = new SlowLogs(log)
    this.#slowTurns = new Turns(Math.max(1, threads - 1))
    this.#start = () => {
      const piscina = new Piscina<ScanTask | DatesTask, PackedResult | RangeDates>({
        filename: fileURLToPath(new URL('worker.js', import.meta.url)),
        workerData: { jails, engineUrls, treeJails } satisfies WorkerSetup,
        minThreads: 1,
        maxThreads: threads,
        concurrentTasksPerWorker: 1,
        idleTimeout: idleTimeoutMs,
        // Room for the matches of a chunk, which live until it is done.
        resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 12 },
      })
      return piscina.on('error', (error: Error) => log.error({ error: error.message }, 'a matching thread ended'))
    }
    this.#piscina = this.#start()
  }

  scan(chunk: LogChunk, part: (result: ScanResult) => void = () => {}): Promise<ScanResult> {
    if (this.#closed) return Promise.reject(new BailiffError('software', 'the matching threads are closed'))
    const scanning = this.#scan(chunk, part)
    this.#underWay.add(scanning)
    const done = () => this.#underWay.delete(scanning)
    scanning.then(done, done)
    return scanning
  }

  async dates(range: FileRange, jails: readonly string[], now: number): Promise<RangeDates> {
    const task: DatesTask = { range, jails, now }
    try {
      const signal = AbortSignal.timeout(datesWithinMs)
      return (await this.#piscina.run(task, { name: 'dates', signal })) as RangeDates
    } catch (cause) {
      throw new BailiffError('software', `its dates cannot be looked at: ${messageOf(cause)}`, { cause })
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#underWay)
    await this.#piscina.destroy()
  }

  async #scan(chunk: LogChunk, part: (result: ScanResult) => void): Promise<ScanResult> {
    if (this.#slow.lineMs(chunk.log) === null) {
      const attempt = await this.#attemptTwice(chunk, null)
      if ('result' in attempt) {
        const { slow, ms, memories, broken: _, ...result } = attempt.result
        this.#memories.keep(chunk.log, memories)
        this.#slow.passedOver(chunk, slow)
        this.#slow.took(chunk.log, chunkLength(chunk), ms)
        part(result)
        return result
      }
      this.#slow.note(chunk.log)
    }
    return this.#slowTurns.take(() => this.#scanInPieces(chunk, part))
  }

  async #scanInPieces(chunk: LogChunk, part: (result: ScanResult) => void): Promise<ScanResult> {
    const length = chunkLength(chunk)
    let whole: ScanResult = { ...passedOver(0, 0), insideLine: chunk.insideLine }
    for (let size = pieceBytes; whole.consumed < length;) {
      const start = whole.consumed
      const end = Math.min(start + size, length)
      const result = await this.#scanPiece({ ...chunkPart(chunk, start, end), insideLine: whole.insideLine })
      if (typeof result === 'number') size = result
      else if (result.consumed > 0) {
        const found = inWhole(chunk, start, result)
        part(found)
        whole = joinResults(whole, found)
        size = pieceBytes
      } else if (end < length) size *= 2
      else break
    }
    return whole
  }

  /** Scans a piece; where a thread had to be stopped at a later line, answers how much there is before that line. */
  async #scanPiece(piece: LogChunk): Promise<ScanResult | number> {
    const attempt = await this.#attemptTwice(piece, this.#slow.lineMs(piece.log) ?? patientLineMs)
    if ('result' in attempt) {
      const { slow, ms, memories, broken: _, ...result } = attempt.result
      this.#memories.keep(piece.log, memories)
      if (slow.length === 0) this.#slow.took(piece.log, chunkLength(piece), ms)
      this.#slow.passedOver(piece, slow)
      return result
    }
    const { stuckAt } = attempt
    if (stuckAt.start > 0) return stuckAt.start
    const slow = piece.jails.map((jail) => ({ ...stuckAt, jail }))
    this.#slow.passedOver(piece, slow)
    return passedOver(stuckAt.end, 1)
  }

  /** A thread that crashed is given one more chance: it may have died of what another chunk left behind. */
  async #attemptTwice(chunk: LogChunk, lineMs: number | null): Promise<Attempt> {
    try {
      return await this.#attempt(chunk, lineMs)
    } catch (error) {
      this.#log.warn({ log: chunk.log, error: messageOf(error) }, 'a matching thread failed; once more')
    }
    // Piscina starts no more threads after one that failed while it started.
    if (this.#piscina.threads.length === 0) {
      void this.#piscina.destroy()
      this.#piscina = this.#start()
    }
    try {
      return await this.#attempt(chunk, lineMs)
    } catch (cause) {
      throw new BailiffError('software', `matching ${chunk.log} failed: ${messageOf(cause)}`, { cause })
    }
  }

  async #attempt(chunk: LogChunk, lineMs: number | null): Promise<Attempt> {
    const cell = new ProgressCell()
    const stop = new AbortController()
    const piscina = this.#piscina
    const alive = () => piscina.threads.length > 0
    const deadlineMs = lineMs === null ? this.#deadlineMs : guardedDeadlineMs
    const watch = new LineDeadline(deadlineMs, cell, alive, () => stop.abort())
    try {
      const packed = (await piscina.run(
        { chunk, lineMs, memories: this.#memories.of(chunk.log), progress: cell.memory },
        { signal: stop.signal },
      )) as PackedResult
      if (packed.broken !== undefined) this.#broken(packed.broken)
      return { result: unpackResult(packed) }
    } catch (error) {
      if (!stop.signal.aborted || watch.stuckAt === null) throw error
      return { stuckAt: watch.stuckAt }
    } finally {
      watch.end()
    }
  }
}

/** Lets no more than so many run at once; the others wait for their turn, first come, first served. */
class Turns {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(free: number) {
    this.#free = free
  }

  async take<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#free--
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
