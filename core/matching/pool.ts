/**
 * Scans chunks in threads. A chunk that breaks its deadline costs its thread: the thread is stopped,
 * the line it was stuck at is known from shared memory, and the chunk is scanned again without that
 * line. Results of a stopped thread are lost with it, so nothing is matched twice.
 */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { BailiffError } from '../errors.ts'
import type { LogChunk, Match, ScanResult } from '../events.ts'
import type { Logger } from '../plugin.ts'
import { chunkLength, chunkPart, inWhole, joinResults, passedOver } from './chunk-parts.ts'
import { ProgressCell, type JailFilter, type LineSpan, type ScanTask, type WorkerSetup } from './messages.ts'
import { unpackResult, type PackedResult } from './packed-results.ts'

export interface MatchingPool {
  /**
   * Scans a chunk; several may be under way, each by one thread. Rejects with a BailiffError when the
   * thread crashed twice over the chunk, or the pool is closed.
   */
  scan(chunk: LogChunk): Promise<ScanResult>
  /** Resolves when what is under way is done and the threads are gone. */
  close(): Promise<void>
}

export interface PoolOptions extends WorkerSetup {
  readonly jails: readonly JailFilter[]
  /** By default as many as there are processors, at most 4; never less than 2, so that one stuck line stops nobody else. */
  readonly maxThreads?: number
  /** How long a chunk may take before its thread is stopped. */
  readonly deadlineMs?: number
  readonly log: Logger
}

/** The pool starts one thread at once and more while chunks wait. */
export function createPool(options: PoolOptions): MatchingPool {
  return new Pool(options)
}

/** Threads that have had nothing to do for so long end, but for one. */
const idleTimeoutMs = 10_000
/** A skipped line is logged at once, the next ones together after this time. */
const quietMs = 10_000

type Attempt = { readonly result: ScanResult } | Late

interface Late {
  readonly line: LineSpan
  /** Whether that one line took most of the time; otherwise all the lines together did. */
  readonly guilty: boolean
}

class Pool implements MatchingPool {
  #piscina: Piscina<ScanTask, PackedResult>
  readonly #start: () => Piscina<ScanTask, PackedResult>
  readonly #deadlineMs: number
  readonly #log: Logger
  readonly #underWay = new Set<Promise<ScanResult>>()
  #closed = false
  #loggedAt = -Infinity
  #unlogged = 0

  constructor({ jails, engineUrls, maxThreads, deadlineMs = 500, log }: PoolOptions) {
    this.#deadlineMs = deadlineMs
    this.#log = log
    this.#start = () => {
      const piscina = new Piscina<ScanTask, PackedResult>({
        filename: fileURLToPath(new URL('worker.js', import.meta.url)),
        workerData: { jails, engineUrls } satisfies WorkerSetup,
        minThreads: 1,
        maxThreads: maxThreads ?? Math.max(2, Math.min(availableParallelism(), 4)),
        concurrentTasksPerWorker: 1,
        idleTimeout: idleTimeoutMs,
        // Room for the matches of a chunk, which live until it is done.
        resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 96 },
      })
      return piscina.on('error', (error: Error) => log.error({ error: error.message }, 'a matching thread ended'))
    }
    this.#piscina = this.#start()
  }

  scan(chunk: LogChunk): Promise<ScanResult> {
    if (this.#closed) return Promise.reject(new BailiffError('software', 'the matching threads are closed'))
    const scanning = this.#scan(chunk)
    this.#underWay.add(scanning)
    const done = () => this.#underWay.delete(scanning)
    scanning.then(done, done)
    return scanning
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#underWay)
    await this.#piscina.destroy()
  }

  async #scan(chunk: LogChunk): Promise<ScanResult> {
    const attempt = await this.#attemptTwice(chunk)
    if ('result' in attempt) return attempt.result
    const { line, guilty } = attempt
    const before = line.start === 0 ? passedOver(0, 0) : await this.#scan(chunkPart(chunk, 0, line.start))
    // Less than was there before: the file was cut short under us, and the rest is gone.
    if (before.consumed < line.start) return before
    const behind = guilty ? line.end : line.start
    const joined = guilty ? joinResults(before, await this.#scanJailByJail(chunk, line)) : before
    if (behind >= chunkLength(chunk)) return joined
    const after = await this.#scan(chunkPart(chunk, behind, chunkLength(chunk)))
    return joinResults(joined, inWhole(chunk, behind, after))
  }

  /**
   * Scans one line that took too long for each jail alone: only those whose own patterns are slow on it
   * miss it. It is also the second chance of a line that happened to be under way when the machine stood still.
   */
  async #scanJailByJail(chunk: LogChunk, line: LineSpan): Promise<ScanResult> {
    const part = chunkPart(chunk, line.start, line.end)
    const matches: Match[] = []
    let skipped = 0
    for (const jail of chunk.jails) {
      const attempt = await this.#attemptTwice({ ...part, jails: [jail] })
      if ('result' in attempt) matches.push(...inWhole(chunk, line.start, attempt.result).matches)
      else {
        this.#reportSkipped(chunk, line, jail)
        skipped = 1
      }
    }
    return { ...passedOver(line.end - line.start, 1), matches, skipped }
  }

  /** A thread that crashed is given one more chance: it may have died of what another chunk left behind. */
  async #attemptTwice(chunk: LogChunk): Promise<Attempt> {
    try {
      return await this.#attempt(chunk)
    } catch (error) {
      this.#log.warn({ log: chunk.log, error: messageOf(error) }, 'a matching thread failed; once more')
    }
    // Piscina starts no more threads after one that failed while it started.
    if (this.#piscina.threads.length === 0) {
      void this.#piscina.destroy()
      this.#piscina = this.#start()
    }
    try {
      return await this.#attempt(chunk)
    } catch (cause) {
      throw new BailiffError('software', `matching ${chunk.log} failed: ${messageOf(cause)}`, { cause })
    }
  }

  async #attempt(chunk: LogChunk): Promise<Attempt> {
    const cell = new ProgressCell()
    const stop = new AbortController()
    const piscina = this.#piscina
    const alive = () => piscina.threads.length > 0
    const watch = new Deadline(this.#deadlineMs, cell, alive, () => stop.abort())
    try {
      const packed = await piscina.run({ chunk, progress: cell.memory }, { signal: stop.signal })
      return { result: unpackResult(packed) }
    } catch (error) {
      if (!stop.signal.aborted || watch.late === null) throw error
      return watch.late
    } finally {
      watch.end()
    }
  }

  #reportSkipped(chunk: LogChunk, line: LineSpan, jail: string): void {
    this.#unlogged++
    if (performance.now() - this.#loggedAt < quietMs) return
    const offset = (chunk.data instanceof Uint8Array ? 0 : chunk.data.start) + line.start
    const fields = { log: chunk.log, jail, offset, bytes: line.end - line.start, lines: this.#unlogged }
    this.#log.warn(fields, `lines that took longer than ${this.#deadlineMs} ms to match were skipped; this is the last`)
    this.#loggedAt = performance.now()
    this.#unlogged = 0
  }
}

/** Watches a task from the moment a thread takes it up, and stops it when its time is over. */
class Deadline {
  /** Where it was when its time was over; null while it was not, or before the first line. */
  late: Late | null = null
  readonly #timer: NodeJS.Timeout
  readonly #cell: ProgressCell
  /** The lines it was at, at the end of each quarter of the time. */
  readonly #seen: (LineSpan | null)[] = []

  /** `alive`: whether there is any thread that could take the task up. */
  constructor(deadlineMs: number, cell: ProgressCell, alive: () => boolean, stop: () => void) {
    this.#cell = cell
    this.#timer = setInterval(() => {
      if (!cell.begun && alive()) return
      this.#seen.push(cell.at)
      if (this.#seen.length < quarters) return
      this.end()
      this.late = this.#verdict()
      stop()
    }, deadlineMs / quarters)
  }

  end(): void {
    clearInterval(this.#timer)
  }

  #verdict(): Late | null {
    const line = this.#cell.at
    if (line === null) return null
    const [before] = this.#seen.slice(-2)
    return { line, guilty: before?.start === line.start || line.start === 0 }
  }
}

const quarters = 4

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
