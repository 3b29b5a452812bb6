import type { FilePosition, LogCursor, LogPosition, ScanResult } from '../events.ts'
import type { Logger } from '../plugin.ts'
import { FileReader } from './file-reader.ts'
import type { LogState } from './log-state.ts'
import { type Alarm, pause, type Scan, Scanner } from './scanner.ts'
import { type IntakeSource, SourceRun } from './source-run.ts'
import { Watches } from './watches.ts'

export type { Alarm, IntakeSource, LogState, Scan }

export interface IntakeOptions {
  /** Where reading stopped the last time, by path. */
  readonly positions: readonly LogPosition[]
  readonly scan: Scan
  readonly log: Logger
  readonly alarm?: Alarm
  /** Unix milliseconds. */
  readonly now?: () => number
  /** How often each log is looked at although nothing was heard of it. Default 1000. */
  readonly lookEveryMs?: number
  /** How long a log may be missing or unreadable before that is an alarm. Default 3000. */
  readonly patienceMs?: number
  /** Chunks under way at once over all logs. Default 64. */
  readonly atOnce?: number
  /** Called when every source has said that nothing will come any more. */
  readonly ended?: () => void
}

/** Brings the lines of all logs, in order, each once. */
export interface Intake {
  /**
   * Makes the running sources these: sources with a known key go on and only learn their jails, new
   * ones start, others stop. A log that is followed before and after is read on without a gap.
   */
  configure(sources: readonly IntakeSource[]): Promise<void>
  /** Stops all sources, waits for the chunks under way (five seconds at most) and closes all files. */
  stop(): Promise<void>
  logs(): readonly LogState[]
  /** Where each log stands: to be kept at a stop, for `scan` hears only of files that had something to read. */
  positions(): readonly LogPosition[]
}

/** Makes an intake without sources. `scan` decides the pace: one chunk of a log is under way at a time. */
export function createIntake(options: IntakeOptions): Intake {
  return new SourceIntake(options)
}

/** The position behind a chunk that began at `position`: what is to be kept together with what came of the chunk. */
export function positionAfter(position: FilePosition, result: ScanResult): FilePosition {
  if (result.consumed === 0) return position
  return { ...position, offset: position.offset + result.consumed, insideLine: result.insideLine }
}

class SourceIntake implements Intake {
  readonly #options: Required<IntakeOptions>
  readonly #scanner: Scanner
  readonly #watches: Watches
  readonly #positions: Map<string, LogPosition>
  readonly #runs = new Map<string, SourceRun>()
  readonly #readers = new Map<string, FileReader>()
  readonly #timer: NodeJS.Timeout
  #last: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: IntakeOptions) {
    const { log } = options
    const alarm: Alarm = (subject, message) => log.error({ subject }, message)
    const defaults = { alarm, now: Date.now, lookEveryMs: 1000, patienceMs: 3000, atOnce: 64, ended: () => {} }
    this.#options = { ...defaults, ...options }
    this.#scanner = new Scanner(this.#options)
    this.#watches = new Watches(log)
    this.#positions = new Map(options.positions.map((position) => [position.path, position]))
    this.#timer = setInterval(() => this.#tick(), this.#options.lookEveryMs)
  }

  configure(sources: readonly IntakeSource[]): Promise<void> {
    const turn = this.#last.then(() => this.#configure(this.#stopped ? [] : sources))
    this.#last = turn.catch(() => {})
    return turn
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.configure([])
    this.#watches.close()
  }

  logs(): readonly LogState[] {
    const ofSources = [...this.#runs.values()].flatMap((run) => run.states())
    return [...[...this.#readers.values()].map(({ state }) => state), ...ofSources]
  }

  positions(): readonly LogPosition[] {
    const files = [...this.#readers.values()].map(({ position }) => position)
    const cursors = [...this.#runs.values()].flatMap((run) => run.cursors())
    const all = new Map(this.#positions)
    for (const position of [...files, ...cursors]) if (position !== null) all.set(position.path, position)
    return [...all.values()]
  }

  async #configure(sources: readonly IntakeSource[]): Promise<void> {
    const wanted = new Map<string, IntakeSource>()
    for (const source of sources) {
      const same = wanted.get(source.key)
      wanted.set(source.key, same ? joined(same, source) : source)
    }
    const gone = [...this.#runs].filter(([key]) => !wanted.has(key))
    for (const [key] of gone) this.#runs.delete(key)
    for (const [key, source] of wanted) this.#start(key, source)
    this.#followAll()
    await Promise.all([...gone.map(([, run]) => this.#end(run)), this.#dropReaders()])
  }

  #start(key: string, source: IntakeSource): void {
    const known = this.#runs.get(key)
    if (known !== undefined) known.serve(union([source.jails]), source.findtimeMs)
    else {
      const { now, alarm } = this.#options
      const followed = () => this.#followAll()
      const asked = { ...source, jails: union([source.jails]) }
      const kept = (path: string) => this.#cursor(path)
      const over = () => this.#over()
      this.#runs.set(key, new SourceRun({ source: asked, scanner: this.#scanner, now, alarm, followed, over, kept }))
    }
  }

  /** Gives each path a reader, and each reader the jails of all sources that follow its path. */
  #followAll(): void {
    const jails = this.#jailsByPath()
    for (const [path, all] of jails) (this.#readers.get(path) ?? this.#open(path)).jails = all
  }

  async #end(run: SourceRun): Promise<void> {
    await run.stop()
    for (const cursor of run.cursors()) this.#positions.set(cursor.path, cursor)
  }

  #over(): void {
    // Not before all sources of a configuration have begun.
    void this.#last.then(() => {
      if (!this.#stopped && [...this.#runs.values()].every(({ over }) => over)) this.#options.ended()
    })
  }

  #cursor(path: string): LogCursor | null {
    const position = this.#positions.get(path)
    return position !== undefined && 'cursor' in position ? position : null
  }

  #open(path: string): FileReader {
    const kept = this.#positions.get(path)
    const position = kept === undefined || 'cursor' in kept ? null : kept
    const reader = new FileReader({ ...this.#options, path, position, scanner: this.#scanner })
    this.#readers.set(path, reader)
    this.#watches.follow(path, (why) => reader.wake(why))
    reader.start()
    return reader
  }

  /** Stops the readers that no source follows any more, and keeps where they stopped. */
  async #dropReaders(): Promise<void> {
    const jails = this.#jailsByPath()
    const gone = [...this.#readers.values()].filter(({ path }) => !jails.has(path))
    for (const { path } of gone) this.#watches.unfollow(path)
    await Promise.all(gone.map((reader) => this.#drop(reader)))
    // A source may have followed one of them again meanwhile.
    this.#followAll()
  }

  async #drop(reader: FileReader): Promise<void> {
    const late = new AbortController()
    await Promise.race([reader.stop(), pause(5000, late.signal)])
    late.abort()
    this.#readers.delete(reader.path)
    if (reader.position !== null) this.#positions.set(reader.path, reader.position)
  }

  #jailsByPath(): Map<string, readonly string[]> {
    const found = new Map<string, readonly string[]>()
    for (const run of this.#runs.values()) {
      for (const path of run.paths) found.set(path, union([found.get(path) ?? [], run.jails]))
    }
    return found
  }

  #tick(): void {
    this.#watches.renew()
    for (const reader of this.#readers.values()) reader.wake('tick')
  }
}

function joined(one: IntakeSource, other: IntakeSource): IntakeSource {
  const findtimeMs = Math.max(one.findtimeMs, other.findtimeMs)
  return { ...one, jails: union([one.jails, other.jails]), findtimeMs }
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())].toSorted()
}
