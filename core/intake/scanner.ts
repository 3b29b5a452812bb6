import { setTimeout as sleep } from 'node:timers/promises'
import { describeError } from '../errors.ts'
import type { LogChunk, LogPosition, ScanCounts } from '../events.ts'
import type { Logger } from '../plugin.ts'

/**
 * Matches a chunk, judges and keeps what came of it. `position` is where the chunk begins in a file, and in the log of a
 * source where it ends; null where none is kept.
 */
export type Scan = (chunk: LogChunk, position: LogPosition | null) => Promise<Scanned>

/** What became of a chunk that was scanned and judged. */
export interface Scanned extends ScanCounts {
  /** Failures that native filters found. */
  readonly found: number
}

/** Tells people of something that they should look at. */
export type Alarm = (subject: string, message: string) => void

/** The largest piece of bytes in one chunk: they are in memory twice. */
export const maxChunkBytes = 128 * 1024

/** The largest range of a file in one chunk. A larger one saves hardly any time, and what it brings forth takes more memory. */
export const maxRangeBytes = 512 * 1024

const firstPauseMs = 100
const longestPauseMs = 5000
const alarmAfterFailures = 5

export interface ScannerOptions {
  readonly scan: Scan
  readonly log: Logger
  readonly alarm: Alarm
  /** Chunks that may be under way at once, over all logs. */
  readonly atOnce: number
}

/** Scans chunks for all logs: no more than `atOnce` at a time, and each until it has been scanned. */
export class Scanner {
  readonly #options: ScannerOptions
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(options: ScannerOptions) {
    this.#options = options
    this.#free = options.atOnce
  }

  /**
   * Scans the chunk that `make` makes, called when its turn has come. A scan that fails is told and
   * tried again after a growing pause, so no line is lost to it. Null when `signal` aborts before.
   */
  async run(
    make: () => readonly [chunk: LogChunk, position: LogPosition | null],
    signal: AbortSignal,
  ): Promise<Scanned | null> {
    await this.#take()
    try {
      for (let failures = 0; !signal.aborted; failures++) {
        const [chunk, position] = make()
        try {
          return await this.#options.scan(chunk, position)
        } catch (error) {
          if (signal.aborted) return null
          this.#tell(chunk.log, failures, error)
          await pause(Math.min(longestPauseMs, firstPauseMs * 2 ** failures), signal)
        }
      }
      return null
    } finally {
      this.#give()
    }
  }

  #tell(log: string, failures: number, error: unknown): void {
    const message = `lines could not be matched and are tried again: ${describeError(error)}`
    if (failures === 0) this.#options.log.warn({ log }, message)
    if (failures === alarmAfterFailures) this.#options.alarm(log, message)
  }

  #take(): Promise<void> {
    if (this.#free === 0) return new Promise((resolve) => this.#waiting.push(resolve))
    this.#free--
    return Promise.resolve()
  }

  #give(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}

/** Resolves after that long, or at once when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}
