import { printable } from '../errors.ts'
import type { Logger } from '../plugin.ts'
import type { LogChunk } from '../events.ts'
import type { SlowLine } from './messages.ts'

/** How long one line of a slow log may take the patterns of a jail: the first ones, and when there are many. */
export const patientLineMs = 20
const hastyLineMs = 4
const patientFor = 8
/**
 * Chunks in a row that took so long together, and so long for each byte, have slow lines, though none was slow enough to be
 * stopped; those that took less than `quickMs` have none. Bytes are those for one filter. Many filters take their time with
 * a usual line as well, and more of it while V8 compiles their patterns; but one that is slow has to show among them: so
 * many are allowed for by their root.
 */
const slowChunkMs = 100
const quickMs = 10
const slowBytesPerMs = 1000
/** A log without slow lines for so long is as any other again. */
const memoryMs = 60_000
/** Logs remembered; with more, the one that was slow first is forgotten. */
const maxLogs = 1000
/** A line that was passed over is told at once, the next ones together after this time. */
const quietMs = 10_000

/** Remembers which logs had lines that took too long, and tells of lines passed over. */
export class SlowLogs {
  readonly #log: Logger
  readonly #logs = new Map<string, { lines: number; last: number }>()
  /** What the last chunks of a log took that were not quick. */
  readonly #taking = new Map<string, { readonly bytes: number; readonly ms: number }>()
  #toldAt = -Infinity
  #untold = 0

  constructor(log: Logger) {
    this.#log = log
  }

  /** How long one line of this log may take a jail; null for a log of which nothing is feared. */
  lineMs(log: string): number | null {
    const known = this.#logs.get(log)
    if (known !== undefined && performance.now() - known.last > memoryMs) this.#logs.delete(log)
    else if (known !== undefined) return known.lines < patientFor ? patientLineMs : hastyLineMs
    return null
  }

  /** A line of this log took so long that its thread was stopped. */
  note(log: string, lines = 1): void {
    const known = this.#logs.get(log)?.lines ?? 0
    this.#logs.set(log, { lines: known + lines, last: performance.now() })
    for (const oldest of this.#logs.keys()) {
      if (this.#logs.size <= maxLogs) break
      this.#logs.delete(oldest)
    }
  }

  /** Of a chunk so many bytes were matched, in so many milliseconds of the processor, by so many different filters. */
  took(log: string, bytes: number, ms: number, filters: () => number): void {
    const before = this.#taking.get(log)
    this.#taking.delete(log)
    if (ms < quickMs) return
    const sum = { bytes: bytes + (before?.bytes ?? 0), ms: ms + (before?.ms ?? 0) }
    if (sum.ms >= slowChunkMs) {
      if (sum.bytes * Math.sqrt(filters()) < sum.ms * slowBytesPerMs) this.note(log)
    } else if (this.#taking.size < maxLogs) this.#taking.set(log, sum)
  }

  /** These lines of the chunk were passed over. */
  passedOver(chunk: LogChunk, lines: readonly SlowLine[]): void {
    const last = lines.at(-1)
    if (last === undefined) return
    this.note(chunk.log, lines.length)
    this.#untold += lines.length
    if (performance.now() - this.#toldAt < quietMs) return
    const offset = (chunk.data instanceof Uint8Array ? 0 : chunk.data.start) + last.start
    const fields = { log: chunk.log, jail: last.jail, offset, bytes: last.end - last.start, lines: this.#untold }
    const why =
      last.failure === undefined
        ? 'took the patterns of a jail too long'
        : `made the matcher of a jail fail (${printable(last.failure)})`
    this.#log.warn(fields, `lines that ${why} were skipped for it; this is the last`)
    this.#toldAt = performance.now()
    this.#untold = 0
  }
}
