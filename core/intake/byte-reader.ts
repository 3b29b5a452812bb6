import { BailiffError } from '../errors.ts'
import type { LogCursor, ScanCounts } from '../events.ts'
import { ScanCount, type LogState } from './log-state.ts'
import { maxChunkBytes, type Scanner } from './scanner.ts'

/** A line longer than this is passed over, as in files. */
const maxLineBytes = 64 * 1024
/** A source that does not wait for `emit` is refused more than this. */
const maxQueuedBytes = 16 * 1024 * 1024

export interface ByteReaderOptions {
  /** As it stands in `LogChunk.log`. */
  readonly log: string
  /** As it stands in `LogCursor.path`. */
  readonly kept: string
  readonly scanner: Scanner
  readonly now: () => number
  readonly signal: AbortSignal
}

/** What a source says of bytes, as in `EmitFrom`. */
export interface Emitted {
  readonly cursor?: string | null
  readonly live?: boolean
  readonly writtenAt?: number
}

/**
 * The lines of one log of a source that brings bytes. It keeps the unfinished rest of the last line,
 * at most 64 KiB and one chunk, and scans one chunk at a time, in order. Only where a line ends there is
 * a cursor to go on from.
 */
export class ByteReader {
  jails: readonly string[] = []
  readonly #options: ByteReaderOptions
  readonly #count = new ScanCount()
  #rest: Uint8Array = new Uint8Array()
  #insideLine = false
  #cursor: string | null = null
  #taken = 0
  #queued = 0
  #last: Promise<void> = Promise.resolve()

  constructor(options: ByteReaderOptions) {
    this.#options = options
  }

  /** Resolves when all whole lines of the bytes have been scanned. Rejects when the source is stopped. */
  emit(bytes: Uint8Array, from: Emitted = {}): Promise<void> {
    if (this.#queued + bytes.length > maxQueuedBytes) {
      const message = `source ${this.#options.log} hands over more bytes before the earlier ones are taken`
      return Promise.reject(new BailiffError('software', message, { hint: 'A source has to await each call of emit.' }))
    }
    this.#queued += bytes.length
    const turn = this.#last.then(() => this.#takeAll(bytes, from))
    this.#last = turn.catch(() => {})
    return turn.finally(() => (this.#queued -= bytes.length))
  }

  /** Of the last bytes that are done with; null: none of them had one. */
  get cursor(): string | null {
    return this.#cursor
  }

  /** Resolves when nothing is under way. Never rejects. */
  settled(): Promise<void> {
    return this.#last
  }

  /** What comes next begins with a line. */
  forgetRest(): void {
    this.#rest = new Uint8Array()
    this.#insideLine = false
  }

  get state(): LogState {
    return {
      log: this.#options.log,
      pattern: null,
      jails: this.jails,
      state: 'reading',
      trouble: null,
      behind: this.#queued + this.#rest.length,
      lines: this.#count.lines,
      skipped: this.#count.skipped,
      malformed: this.#count.malformed,
      position: this.#taken,
      lastGrowth: this.#count.lastGrowth,
      live: true,
    }
  }

  async #takeAll(bytes: Uint8Array, from: Emitted): Promise<void> {
    let start = 0
    for (; start + maxChunkBytes < bytes.length; start += maxChunkBytes) {
      await this.#take(bytes.subarray(start, start + maxChunkBytes), { ...from, cursor: null })
    }
    await this.#take(bytes.subarray(start), from)
  }

  async #take(piece: Uint8Array, from: Emitted): Promise<void> {
    this.#count.lastGrowth = this.#options.now()
    this.#taken += piece.length
    const data = Buffer.concat([this.#rest, piece])
    // A copy either way: the source may use its buffer again, and a small rest must not hold a large one.
    this.#rest = data
    const endsLine = piece.includes(0x0a)
    const between = data.length === 0 ? !this.#insideLine : data.at(-1) === 0x0a
    const done = between ? (from.cursor ?? null) : null
    if (!endsLine && data.length <= maxLineBytes && !this.#insideLine && done === null) return
    const made = () => [this.#chunk(data, from), this.#positionAt(done)] as const
    const result = await this.#options.scanner.run(made, this.#options.signal)
    if (result === null) throw new BailiffError('unavailable', `source ${this.#options.log} was stopped`)
    this.#advance(data, result)
    this.#cursor = done ?? this.#cursor
  }

  #positionAt(cursor: string | null): LogCursor | null {
    return cursor === null ? null : { path: this.#options.kept, cursor, named: this.#options.now() }
  }

  #chunk(data: Uint8Array, { writtenAt, live = writtenAt === undefined }: Emitted) {
    const { log, now } = this.#options
    const at = now()
    const undatedAt = writtenAt === undefined ? at : Math.min(writtenAt, at)
    return { log, jails: this.jails, data, arrivedAt: at, live, undatedAt, insideLine: this.#insideLine }
  }

  #advance(data: Uint8Array, result: ScanCounts): void {
    this.#count.add(result)
    const rest = data.subarray(Math.min(data.length, Math.max(0, result.consumed)))
    if (result.consumed > 0) this.#insideLine = result.insideLine
    if (rest.length > maxLineBytes) {
      this.#count.skipped++
      this.#insideLine = true
      this.#rest = new Uint8Array()
    } else this.#rest = new Uint8Array(rest)
  }
}
