import { dirname } from 'node:path'
import type { FilePosition, LogCursor, LogPosition, ScanCounts } from '../events.ts'
import type { Logger } from '../plugin.ts'
import { Claims } from './claims.ts'
import { FileReader, type DatesOf } from './file-reader.ts'
import { waitingLog, type LogState } from './log-state.ts'
import { type Alarm, pause, type Scan, Scanner } from './scanner.ts'
import { type IntakeSource, SourceRun } from './source-run.ts'
import { Watches } from './watches.ts'

export type { Alarm, IntakeSource, LogState, Scan }

export interface IntakeOptions {
  /** Where reading stopped the last time, by path. */
  readonly positions: readonly LogPosition[]
  readonly scan: Scan
  /** Looks at the dates of a range, for the first look at a large log; unless given, each is read from its beginning. */
  readonly dates?: DatesOf
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

/** Logs that are looked at in one tick although the kernel tells of nothing. */
const looksATick = 32
/** Files often come in crowds. */
const gatherMs = 20

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
export function positionAfter(position: FilePosition, result: ScanCounts): FilePosition {
  if (result.consumed === 0) return position
  return { ...position, offset: position.offset + result.consumed, insideLine: result.insideLine }
}

class SourceIntake implements Intake {
  readonly #options: Required<Omit<IntakeOptions, 'dates'>> & Pick<IntakeOptions, 'dates'>
  readonly #scanner: Scanner
  readonly #watches: Watches
  readonly #positions: Map<string, LogPosition>
  readonly #runs = new Map<string, SourceRun>()
  readonly #readers = new Map<string, FileReader>()
  readonly #timer: NodeJS.Timeout
  readonly #claims = new Claims((path, other) => this.#areRelated(path, other))
  /** Those whose turn to be looked at comes yet. */
  #turn: FileReader[] = []
  #changed: NodeJS.Timeout | null = null
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
    if (this.#changed !== null) clearTimeout(this.#changed)
    await this.configure([])
    this.#watches.close()
  }

  logs(): readonly LogState[] {
    const runs = [...this.#runs.values()]
    const ofFiles = [...this.#readers.values()].map(({ state }) => state)
    return [...ofFiles, ...runs.flatMap((run) => run.states()), ...runs.flatMap(blindPatterns)]
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
    const before = new Set([...this.#runs, ...gone].flatMap(([, { jails }]) => jails))
    for (const [key, source] of wanted) this.#start(key, source, before)
    this.#followAll()
    await Promise.all([...gone.map(([, run]) => this.#end(run)), this.#dropReaders()])
  }

  #start(key: string, source: IntakeSource, before: ReadonlySet<string>): void {
    const known = this.#runs.get(key)
    if (known !== undefined) known.serve(union([source.jails]), source.findtimeMs)
    else {
      const { now, alarm, patienceMs } = this.#options
      const followed = (path: string) => this.#follow(path)
      const changed = () => this.#followSoon()
      const asked = { ...source, jails: union([source.jails]) }
      const kept = (path: string) => this.#cursor(path)
      const over = () => this.#over()
      const takesOverAt = asked.jails.every((jail) => before.has(jail)) ? now() : null
      const surroundings = { scanner: this.#scanner, watches: this.#watches, now, alarm, patienceMs, takesOverAt }
      this.#runs.set(key, new SourceRun({ source: asked, ...surroundings, followed, changed, over, kept }))
    }
  }

  /** Gives each path a reader, and each reader the jails of all sources that follow its path. */
  #followAll(): void {
    for (const [path, followed] of this.#followedPaths()) this.#give(path, followed)
  }

  #follow(path: string): void {
    // A source that follows while it is being made is not among the runs yet: that is seen to then.
    const followed = this.#followedPaths((run) => run.paths.has(path)).get(path)
    if (followed !== undefined) this.#give(path, followed)
  }

  /** Files come and go in crowds: one turn for all of a moment. */
  #followSoon(): void {
    if (this.#stopped) return
    this.#changed ??= setTimeout(() => {
      this.#changed = null
      this.#last = this.#last.then(() => this.#refollow()).catch(() => {})
    }, gatherMs)
  }

  async #refollow(): Promise<void> {
    if (this.#stopped) return
    this.#followAll()
    await this.#dropReaders()
  }

  #give(path: string, followed: Followed): void {
    const reader = this.#readers.get(path) ?? this.#open(path, followed.fresh)
    reader.jails = followed.jails
    reader.pattern = followed.pattern
    reader.findtimeMs = followed.findtimeMs
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

  #open(path: string, fresh: boolean): FileReader {
    const kept = this.#positions.get(path)
    const position = kept === undefined || 'cursor' in kept ? null : kept
    const claims = this.#claims
    const reader = new FileReader({ ...this.#options, path, position, fresh, claims, scanner: this.#scanner })
    this.#readers.set(path, reader)
    this.#watches.follow(path, (why) => reader.wake(why))
    reader.start()
    return reader
  }

  /** Stops the readers that no source follows any more, and keeps where they stopped. */
  async #dropReaders(): Promise<void> {
    const followed = this.#followedPaths()
    const gone = [...this.#readers.values()].filter(({ path }) => !followed.has(path))
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

  /** What is followed, as some of the runs want it; paths that others may be rotated files of come first. */
  #followedPaths(wanted: (run: SourceRun) => boolean = () => true): Map<string, Followed> {
    const found = new Map<string, Followed>()
    for (const run of [...this.#runs.values()].filter(wanted)) {
      for (const path of run.paths) found.set(path, { ...both(found.get(path), run), pattern: null })
      for (const matched of run.matched.values()) {
        for (const path of matched.paths) {
          const known = found.get(path)
          const pattern = known === undefined ? matched.pattern.text : known.pattern
          found.set(path, { ...both(known, run), pattern, fresh: matched.isFresh(path) })
        }
      }
    }
    return found
  }

  /** Whether one source follows both. */
  #areRelated(path: string, other: string): boolean {
    return [...this.#runs.values()].some(({ paths, matched }) => {
      const all = [...matched.values()]
      const follows = (one: string) => paths.has(one) || all.some((files) => files.has(one))
      return follows(path) && follows(other)
    })
  }

  /** Looks at logs that the kernel may not tell of, and at a share of the others: looking at all each time costs. */
  #tick(): void {
    for (const { matched } of this.#runs.values()) for (const one of matched.values()) one.tick()
    if (this.#turn.length === 0) this.#turn = [...this.#readers.values()]
    const due = new Set(this.#turn.splice(0, looksATick))
    for (const reader of this.#readers.values())
      if (reader.needsLooks || !this.#watches.tells(dirname(reader.path))) due.add(reader)
    for (const reader of due) {
      this.#watches.renew(reader.path)
      reader.wake('tick')
    }
  }
}

/** How a path is followed. */
interface Followed {
  readonly jails: readonly string[]
  /** How long failures count, in the jail where they do longest. */
  readonly findtimeMs: number
  /** The pattern that found it; null where it is named itself. */
  readonly pattern: string | null
  readonly fresh: boolean
}

function both(known: Followed | undefined, { jails, findtimeMs }: SourceRun): Followed {
  if (known === undefined) return { jails, findtimeMs, pattern: null, fresh: false }
  const all = known.jails === jails ? jails : union([known.jails, jails])
  return { ...known, jails: all, findtimeMs: Math.max(known.findtimeMs, findtimeMs) }
}

/** A pattern that means no file is a log that is waited for. */
function blindPatterns({ matched, jails }: SourceRun): LogState[] {
  return [...matched.values()].flatMap(({ pattern: { text }, trouble }) =>
    trouble === null ? [] : [waitingLog(text, jails, trouble)],
  )
}

function joined(one: IntakeSource, other: IntakeSource): IntakeSource {
  const findtimeMs = Math.max(one.findtimeMs, other.findtimeMs)
  return { ...one, jails: union([one.jails, other.jails]), findtimeMs }
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())].toSorted()
}
