/**
 * Scans chunks in threads. A line that takes too long costs its thread the first time: the thread is
 * stopped and its results are lost with it, so nothing is matched twice. From then on the log is a slow
 * one: its chunks are scanned in small pieces under a guard (`guarded-scan.ts`) that gives up slow lines
 * within milliseconds, and there is always a thread left for the other logs.
 */
import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { BailiffError } from '../errors.ts'
import type { FileRange, LogChunk, RangeDates, ScanCounts, ScanResult } from '../events.ts'
import { joinRows, noRows, ownRows } from '../failure-rows.ts'
import type { Logger } from '../plugin.ts'
import { chunkLength, chunkPart, inWhole, joinCounts, passedOver } from './chunk-parts.ts'
import { LentMemory, SharedMemory } from './lent-memory.ts'
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
import { patientLineMs, SlowLogs } from './slow-logs.ts'

export interface MatchingPool {
  /**
   * Scans a chunk; several may be under way, each by one thread. Rejects with a BailiffError when the thread crashed twice
   * over the chunk, or the pool is closed.
   */
  scan(chunk: LogChunk): Promise<ScanResult>
  /**
   * As `scan`, for who takes the results of its parts, in order, as soon as they are there. Their rows are to be read in
   * the call: they are in memory that is used again.
   */
  scanInParts(chunk: LogChunk, part: (result: ScanResult) => void): Promise<ScanCounts>
  /**
   * When the lines of a range were written, as these jails read their dates: a look of some KiB. `now` is unix
   * milliseconds. Rejects with a BailiffError where it takes too long, a pattern of dates may, or a thread crashed.
   */
  dates(range: FileRange, jails: readonly string[], now: number): Promise<RangeDates>
  /** Resolves when what is under way is done and the threads are gone. */
  close(): Promise<void>
}

export interface PoolOptions extends Omit<WorkerSetup, 'sessionSeed'> {
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
/** Room for the rows of a range that is full of attacks. Rows that need more have memory of their own. */
const rowMemoryBytes = 2 * 1024 * 1024

/** A task is a chunk to scan, or a question for dates, which has a function of its own in the thread. */
type Threads = Piscina<ScanTask | DatesTask, GuardedResult | RangeDates>
type Attempt = { readonly result: GuardedResult; readonly giveBack: () => void } | { readonly stuckAt: LineSpan }
type TakePart = (result: ScanResult) => void

class Pool implements MatchingPool {
  #piscina: Threads
  readonly #start: () => Threads
  readonly #deadlineMs: number
  readonly #log: Logger
  readonly #underWay = new Set<Promise<ScanCounts>>()
  readonly #slow: SlowLogs
  /** By jail, its filter; those of a Fail2ban tree have each their own. */
  readonly #filters: ReadonlyMap<string, string>
  readonly #memories = new LogMemories()
  readonly #lent: LentMemory
  readonly #rowMemory: SharedMemory
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
    this.#filters = new Map(jails.map(({ jail, filter }) => [jail, filter.name]))
    this.#slowTurns = new Turns(Math.max(1, threads - 1))
    this.#lent = new LentMemory(threads)
    this.#rowMemory = new SharedMemory(threads, rowMemoryBytes)
    const sessionSeed = randomInt(2 ** 32)
    this.#start = () => {
      const piscina = new Piscina<ScanTask | DatesTask, GuardedResult | RangeDates>({
        filename: fileURLToPath(new URL('worker.js', import.meta.url)),
        workerData: { jails, engineUrls, sessionSeed, treeJails } satisfies WorkerSetup,
        minThreads: 1,
        maxThreads: threads,
        concurrentTasksPerWorker: 1,
        idleTimeout: idleTimeoutMs,
        // Room for what a chunk brings forth.
        resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 12 },
      })
      return piscina.on('error', (error: Error) => log.error({ error: error.message }, 'a matching thread ended'))
    }
    this.#piscina = this.#start()
  }

  async scan(chunk: LogChunk): Promise<ScanResult> {
    let rows = noRows
    const counts = await this.scanInParts(chunk, (part) => {
      rows = joinRows(rows, ownRows(part.rows))
    })
    return { ...counts, rows }
  }

  scanInParts(chunk: LogChunk, part: TakePart): Promise<ScanCounts> {
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

  async #scan(chunk: LogChunk, part: TakePart): Promise<ScanCounts> {
    let whole: ScanCounts | null = null
    while (this.#slow.lineMs(chunk.log) === null) {
      const start: number = whole?.consumed ?? 0
      const rest: LogChunk = whole === null ? chunk : restOf(chunk, whole)
      const attempt = await this.#attemptTwice(rest, null)
      if ('stuckAt' in attempt) {
        this.#slow.note(chunk.log)
        break
      }
      const { slow, ms, memories, broken: _, endsEarly = false, ...result } = attempt.result
      this.#memories.keep(chunk.log, memories)
      this.#slow.passedOver(rest, slow)
      this.#slow.took(chunk.log, endsEarly ? result.consumed : chunkLength(rest), ms, () => this.#filtersOf(rest))
      const { rows, ...counts } = inWhole(chunk, start, result)
      try {
        part({ ...counts, rows })
      } finally {
        attempt.giveBack()
      }
      whole = whole === null ? counts : joinCounts(whole, counts)
      if (!endsEarly) return whole
    }
    const before = whole ?? { ...passedOver(0, 0), insideLine: chunk.insideLine }
    return this.#slowTurns.take(() => this.#scanInPieces(chunk, before, part))
  }

  /** Scans what is behind `before`; answers that, and what was found behind it. */
  async #scanInPieces(chunk: LogChunk, before: ScanCounts, part: TakePart): Promise<ScanCounts> {
    const length = chunkLength(chunk)
    let whole = before
    for (let size = pieceBytes; whole.consumed < length;) {
      const start = whole.consumed
      const end = Math.min(start + size, length)
      const result = await this.#scanPiece({ ...chunkPart(chunk, start, end), insideLine: whole.insideLine })
      if (typeof result === 'number') size = result
      else if (result.consumed > 0) {
        const found = inWhole(chunk, start, result)
        part(found)
        whole = joinCounts(whole, found)
        size = pieceBytes
      } else if (end < length) size *= 2
      else break
    }
    return whole
  }

  /** How many different filters look at a chunk. */
  #filtersOf({ jails }: LogChunk): number {
    return new Set(jails.map((jail) => this.#filters.get(jail) ?? jail)).size
  }

  /** Scans a piece; where a thread had to be stopped at a later line, answers how much there is before that line. */
  async #scanPiece(piece: LogChunk): Promise<ScanResult | number> {
    const attempt = await this.#attemptTwice(piece, this.#slow.lineMs(piece.log) ?? patientLineMs)
    if ('result' in attempt) {
      const { slow, ms, memories, broken: _, ...result } = attempt.result
      this.#memories.keep(piece.log, memories)
      if (slow.length === 0) this.#slow.took(piece.log, chunkLength(piece), ms, () => this.#filtersOf(piece))
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

  /** Where a thread may have to be stopped, another one is started, so that nobody has to wait for it then. */
  #warmUp(piscina: Threads): void {
    if (piscina.threads.length < Math.min(2, piscina.options.maxThreads))
      piscina
        .run(nothingToDo)
        .catch((error: unknown) => this.#log.debug({ error: messageOf(error) }, 'no further thread'))
  }

  async #attempt(chunk: LogChunk, lineMs: number | null): Promise<Attempt> {
    const cell = new ProgressCell()
    const stop = new AbortController()
    const piscina = this.#piscina
    const alive = () => piscina.threads.length > 0
    const deadlineMs = lineMs === null ? this.#deadlineMs : guardedDeadlineMs
    const watch = new LineDeadline(
      deadlineMs,
      cell,
      alive,
      () => stop.abort(),
      () => this.#warmUp(piscina),
    )
    const lent = this.#lent.lend(chunk)
    // What is found in pieces is little.
    const rowMemory = lineMs === null ? this.#rowMemory.take() : undefined
    try {
      const memories = this.#memories.of(chunk.log)
      const task = { chunk: lent.chunk, lineMs, memories, progress: cell.memory, rowMemory }
      const result = (await piscina.run(task, { signal: stop.signal })) as GuardedResult
      if (result.broken !== undefined) this.#broken(result.broken)
      return { result, giveBack: () => this.#rowMemory.giveBack(rowMemory) }
    } catch (error) {
      this.#rowMemory.giveUp(rowMemory)
      if (!stop.signal.aborted || watch.stuckAt === null) throw error
      return { stuckAt: watch.stuckAt }
    } finally {
      lent.giveBack()
      watch.end()
    }
  }
}

/** A task without anything to do. */
const nothingToDo: ScanTask = {
  chunk: {
    log: '',
    jails: [],
    data: new Uint8Array(0),
    arrivedAt: 0,
    live: false,
    undatedAt: null,
    insideLine: false,
  },
  lineMs: null,
  memories: {},
  progress: new ProgressCell().memory,
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

function restOf(chunk: LogChunk, { consumed, insideLine }: ScanCounts): LogChunk {
  return { ...chunkPart(chunk, consumed, chunkLength(chunk)), insideLine }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
