import { describeError } from '../errors.ts'
import type { FilePosition, FileRange, LogChunk, RangeDates } from '../events.ts'
import type { Logger } from '../plugin.ts'
import type { Claims } from './claims.ts'
import { Generations } from './generations.ts'
import type { LogFile } from './log-file.ts'
import { ScanCount, type LogState } from './log-state.ts'
import { Moment } from './moment.ts'
import { type Alarm, maxRangeBytes, pause, type Scanned, type Scanner } from './scanner.ts'
import { Trouble } from './trouble.ts'
import { beginOfWindow } from './window-search.ts'

/** On a log that is written without a pause, chunks gather for so long; a line after a pause is read at once. */
const gatherMs = 2
const gatherBelowBytes = 64 * 1024
/**
 * Chunks with more matches than this are too large, and the next ones are made smaller (but larger than a
 * line may be): they are judged in one go, each for each jail, which is to take some milliseconds at most.
 */
const manyMatches = 10_000
const leastChunkBytes = 96 * 1024
/**
 * With so little begins what comes after all has been read, and doubles: a thread cannot be interrupted between
 * lines that are slow, and who floods a log with them is noticed by the first chunk that took long.
 */
const firstChunkBytes = 16 * 1024
/** A file born this long before the log was first caught up with was not written while we watched. */
const bornSlackMs = 2000

/** When the lines of a range were written, as these jails read their dates. `now`: unix milliseconds. */
export type DatesOf = (range: FileRange, jails: readonly string[], now: number) => Promise<RangeDates>

export interface FileReaderOptions {
  readonly path: string
  readonly position: FilePosition | null
  readonly scanner: Scanner
  readonly claims: Claims
  /** Whether there was no file at the path a moment ago: what stands in it is new. */
  readonly fresh: boolean
  /** Absent: a log is read from its beginning, however old it is. */
  readonly dates?: DatesOf | undefined
  readonly now: () => number
  readonly log: Logger
  readonly alarm: Alarm
  /** How long a log may be missing or unreadable before that is an alarm. */
  readonly patienceMs: number
}

/** What woke the reader: `change` may wait while a chunk is under way, the others look at the path at once. */
export type Wake = 'change' | 'rename' | 'tick'

/**
 * Reads one log, through all its rotations: chunks in the order in which they were written, one under
 * way at a time. It does something only when it is woken, and any number of wake-ups is as one.
 */
export class FileReader {
  readonly path: string
  jails: readonly string[] = []
  /** How long failures count, in the jail where they do longest. */
  findtimeMs = Infinity
  /** The pattern that found the path; null where the path itself is asked for. */
  pattern: string | null = null
  readonly #options: FileReaderOptions
  readonly #generations: Generations
  readonly #trouble: Trouble
  readonly #count = new ScanCount()
  readonly #stopping = new AbortController()
  #running: Promise<void> | null = null
  #again = false
  #chunkBytes = firstChunkBytes
  #busy: LogFile | null = null
  #looked: Moment | null = null
  #caughtUpOnce: Moment | null = null

  constructor(options: FileReaderOptions) {
    this.path = options.path
    this.#options = options
    this.#generations = new Generations(options.path, options.position, options.claims, options.fresh)
    this.#trouble = new Trouble({ ...options, mayVanish: () => this.pattern !== null })
  }

  wake(why: Wake): void {
    if (this.#stopping.signal.aborted) return
    this.#again = true
    // While a chunk is under way, files are opened before they are rotated further or deleted.
    if (this.#busy !== null && why !== 'change') this.#look()
    else if (this.#running !== null) this.#generations.hold()
    this.#running ??= this.#run()
  }

  /** Begins to read. What is written after this call is known to be new. */
  start(): void {
    this.#look()
    this.wake('tick')
  }

  get position(): FilePosition | null {
    return this.#generations.position
  }

  /** Whether it is to be looked at every time, although nothing is heard of it. */
  get needsLooks(): boolean {
    // Of many files that are gone, those that a pattern found will be let go.
    if (this.#trouble.state !== 'reading') return this.pattern === null
    return this.#generations.unsettled
  }

  get state(): LogState {
    return {
      log: this.path,
      pattern: this.pattern,
      jails: this.jails,
      state: this.#trouble.state,
      trouble: this.#trouble.text,
      remedy: this.#trouble.remedy,
      behind: this.#generations.behind,
      lines: this.#count.lines,
      skipped: this.#count.skipped,
      malformed: this.#count.malformed,
      position: this.position?.offset ?? 0,
      lastGrowth: this.#count.lastGrowth,
      live: this.#caughtUpOnce !== null,
    }
  }

  /** Resolves when the chunk under way has come back and all files are closed. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
    this.#generations.close()
  }

  async #run(): Promise<void> {
    // Started one turn later, so that the wake-ups of one turn are one look.
    await Promise.resolve()
    while (this.#again && !this.#stopping.signal.aborted) {
      this.#again = false
      try {
        await this.#read()
      } catch (error) {
        this.#trouble.set(error)
      }
    }
    this.#running = null
  }

  /** Looks once, and scans one chunk if there is one. */
  async #read(): Promise<void> {
    this.#generations.expire()
    this.#look()
    const file = this.#generations.next()
    if (file === null) return this.#caughtUp()
    this.#again = true
    if (file.isUnknown) await this.#passOld(file)
    const size = await this.#scan(file)
    if (size < gatherBelowBytes && !file.hasNews) await pause(gatherMs, this.#stopping.signal)
  }

  #look(): void {
    try {
      this.#generations.look(this.#busy)
      this.#trouble.clear()
    } catch (error) {
      this.#trouble.set(error)
    }
    this.#looked ??= new Moment(this.#options.now)
  }

  #caughtUp(): void {
    this.#generations.caughtUp()
    this.#chunkBytes = firstChunkBytes
    if (this.#trouble.state !== 'unreadable') this.#caughtUpOnce ??= new Moment(this.#options.now)
  }

  /** Scans the next chunk of the file and moves its position. Resolves with the length of the chunk. */
  async #scan(file: LogFile): Promise<number> {
    this.#busy = file
    let end = file.offset
    try {
      const signal = this.#stopping.signal
      const result = await this.#options.scanner.run(() => {
        // What was there before we looked and what is written since are not one chunk: dates may differ in worth.
        const edge = file.scannedEnd < file.oldEnd ? file.oldEnd : file.size
        end = Math.min(edge, file.size, file.offset + this.#chunkBytes)
        return [this.#chunk(file, end), this.#generations.holdsPosition(file) ? file.position(this.path) : null]
      }, signal)
      const length = end - file.offset
      if (result !== null) this.#advance(file, end, result)
      return length
    } finally {
      this.#busy = null
    }
  }

  /** Goes to where lines begin that may count. What is older is not read at all. */
  async #passOld(file: LogFile): Promise<void> {
    file.isUnknown = false
    const { dates, now, log } = this.#options
    if (dates === undefined || this.findtimeMs === Infinity) return
    this.#busy = file
    try {
      const at = now()
      const look = (start: number, end: number) => {
        this.#stopping.signal.throwIfAborted()
        return dates({ fd: file.fd, start, end }, this.jails, at)
      }
      const offset = await beginOfWindow(Math.min(file.size, file.oldEnd), at - this.findtimeMs, look)
      if (offset === 0) return
      file.resume({ offset, insideLine: false })
      const fields = { log: this.path, offset, bytes: file.size }
      log.info(fields, 'first look at a large log: what is older than findtime is not read')
    } catch (error) {
      // Then it is read from its beginning.
      if (!this.#stopping.signal.aborted) log.warn({ log: this.path }, `searched in vain: ${describeError(error)}`)
    } finally {
      this.#busy = null
    }
  }

  #chunk(file: LogFile, end: number): LogChunk {
    const arrivedAt = this.#options.now()
    const live = this.#isLive(file)
    this.#count.lastGrowth = arrivedAt
    const bytes = file.heldTo(end)
    const range = { fd: file.fd, start: file.offset, end }
    return {
      log: this.path,
      jails: this.jails,
      data: bytes === null ? range : { ...range, bytes },
      arrivedAt,
      live,
      undatedAt: live || this.#isNew(file) ? arrivedAt : this.#generations.resumed ? file.modifiedAt : null,
      insideLine: file.insideLine,
    }
  }

  #isLive(file: LogFile): boolean {
    return file.caughtUp || (this.#caughtUpOnce !== null && file.bornAt >= this.#caughtUpOnce.earliest - bornSlackMs)
  }

  /** Whether the next bytes were written after the log was first looked at, though there is older work before them. */
  #isNew(file: LogFile): boolean {
    if (file.oldEnd < Infinity) return file.scannedEnd >= file.oldEnd
    if (this.#options.fresh) return true
    return file.bornAt >= (this.#looked?.earliest ?? Infinity) - bornSlackMs
  }

  #advance(file: LogFile, end: number, result: Scanned): void {
    this.#count.add(result)
    file.triedEnd = end
    // A hit of a Fail2ban tree is a record with texts, and takes twenty times as long.
    const found = result.found + (result.hits?.length ?? 0) * 20
    const size = this.#chunkBytes
    const fewer = Math.max(size / 2, Math.min(size, leastChunkBytes))
    if (result.consumed > 0) this.#chunkBytes = found > manyMatches ? fewer : Math.min(size * 2, maxRangeBytes)
    // A line may be longer than the first chunk.
    else if (size < leastChunkBytes) this.#chunkBytes = leastChunkBytes
    if (result.consumed === 0 && end - file.offset >= Math.max(size, leastChunkBytes)) {
      // Truncated meanwhile: what is left of it may stand in a copy, which the next look finds.
      if (!file.look()) return
      // Not as the contract says: a line that long is to be passed over. Without this, nothing would move again.
      this.#options.log.error(
        { log: this.path },
        `nothing of ${end - file.offset} bytes was scanned: they are passed over`,
      )
      this.#count.skipped++
      file.resume({ offset: end, insideLine: true })
    } else {
      const offset = Math.min(end, file.offset + Math.max(0, result.consumed))
      file.resume({ offset, insideLine: result.consumed === 0 ? file.insideLine : result.insideLine })
    }
    if (file.insideLine) this.#passHole(file)
  }

  #passHole(file: LogFile): void {
    const offset = file.behindHole()
    if (offset === null) return
    const message = `${offset - file.offset} bytes of the log are a hole without data, and are passed over`
    this.#options.alarm(this.path, `${message}; a service that rewrites its log should open it for appending`)
    file.resume({ offset, insideLine: true })
  }
}
