import { BailiffError, describeError, printable, quote } from '../errors.ts'
import type { LogCursor } from '../events.ts'
import type { Emit, Matching, SourceHost, SourcePlugin } from '../plugin.ts'
import { ByteReader, type ByteReaderOptions } from './byte-reader.ts'
import type { LogState } from './log-state.ts'
import { MatchedFiles } from './matched-files.ts'
import { programOutput } from './program-output.ts'
import { type Alarm, pause } from './scanner.ts'
import type { Watches } from './watches.ts'

const firstPauseMs = 1000
const longestPauseMs = 60_000
/** A source that ran so long before it failed starts again after the first pause. */
const steadyMs = 5 * 60_000
const maxLogsOfOneSource = 256
/** A log without news for so long may give its room to another. */
const quietMs = 60_000
const maxLeft = 1024
const maxLogName = 512
const maxCursor = 4096
const stopDeadlineMs = 5000
/** Files that one pattern follows, unless its user says otherwise: each takes a descriptor and some KiB. */
const usualLimit = 4096
/** What failed and has run so long again is believed to run. */
const recoveredMs = 20_000

/** A source as the configuration wants it. */
export interface IntakeSource {
  /** In logs and status. */
  readonly name: string
  /** What makes it the same source after a reload: the plugin and its options. It then goes on running. */
  readonly key: string
  /** What its cursors are kept under: the same after a restart, also of another version, while plugin and options are. */
  readonly id: string
  readonly jails: readonly string[]
  /** How long failures count, in the jail where they do longest. */
  readonly findtimeMs: number
  readonly plugin: SourcePlugin
  /** Makes what the plugin sees, with these parts of it; `signal` aborts when the source is to stop. */
  host(parts: SourceParts): SourceHost
}

/** What of a plugin's host belongs to its run. */
export type SourceParts = Pick<
  SourceHost,
  'follow' | 'followMatching' | 'cursor' | 'since' | 'run' | 'ended' | 'signal'
>

export interface SourceRunOptions extends Omit<ByteReaderOptions, 'log' | 'signal' | 'kept'> {
  readonly source: IntakeSource
  readonly alarm: Alarm
  readonly watches: Watches
  readonly patienceMs: number
  /** Called for each path that the plugin follows. */
  readonly followed: (path: string) => void
  /** Called when patterns mean other files than before. */
  readonly changed: () => void
  /** What was written before this time its jails have seen already, from other sources; null: they begin with this one. */
  readonly takesOverAt: number | null
  /** Called when the plugin says that nothing will come any more. */
  readonly over: () => void
  /** The cursor that is kept by this path. */
  readonly kept: (path: string) => LogCursor | null
}

/** A running source: starts its plugin, again after a failure, and takes what it brings. */
export class SourceRun {
  readonly paths = new Set<string>()
  /** By pattern and what is excluded from it. */
  readonly matched = new Map<string, MatchedFiles>()
  readonly streams = new Map<string, ByteReader>()
  /** Whether nothing will come any more. */
  over = false
  readonly #options: SourceRunOptions
  readonly #stopping = new AbortController()
  readonly #host: SourceHost
  readonly #ended: Promise<void>
  /** Logs that the plugin asked for the cursor of. */
  readonly #asked = new Set<string>()
  /** Cursors of logs that were quiet when others needed their room. */
  readonly #left = new Map<string, string>()
  #jails: readonly string[]
  #findtimeMs: number
  /** When the plugin was started, while it runs. */
  #runsSince: number | null = null
  #failure: string | null = null

  constructor(options: SourceRunOptions) {
    this.#options = options
    this.#jails = options.source.jails
    this.#findtimeMs = options.source.findtimeMs
    this.#host = options.source.host({
      follow: (path) => this.#follow(path),
      followMatching: (pattern, matching = {}) => this.#followMatching(pattern, matching),
      cursor: (log = '') => this.#cursor(log),
      since: () => Math.max(options.now() - this.#findtimeMs, options.takesOverAt ?? 0),
      run: (command, running) => programOutput(command, { log: this.#host.log, ...running }, this.#stopping.signal),
      ended: () => {
        this.over = true
        options.over()
      },
      signal: this.#stopping.signal,
    })
    this.#ended = this.#run()
  }

  get jails(): readonly string[] {
    return this.#jails
  }

  /** How long failures count, in the jail where they do longest. */
  get findtimeMs(): number {
    return this.#findtimeMs
  }

  /** After a reload: whom its lines are for. */
  serve(jails: readonly string[], findtimeMs: number): void {
    this.#jails = jails
    this.#findtimeMs = findtimeMs
    for (const stream of this.streams.values()) stream.jails = jails
  }

  /** Where each of its logs is; `named` is now, for they are those of a source that runs. */
  cursors(): LogCursor[] {
    const named = this.#options.now()
    return [...new Set([...this.#asked, ...this.#left.keys(), ...this.streams.keys()])].flatMap((log) => {
      const path = this.#pathOf(log)
      const cursor = this.streams.get(log)?.cursor ?? this.#left.get(log) ?? this.#options.kept(path)?.cursor
      return cursor === undefined ? [] : [{ path, cursor, named }]
    })
  }

  /** How its logs do; before the first has come, how the source itself does. */
  states(): LogState[] {
    const { name } = this.#options.source
    const runs = this.#runsSince !== null && this.#options.now() - this.#runsSince > recoveredMs
    const trouble = runs ? null : this.#failure
    const states = [...this.streams.values()].map(({ state }) => state)
    const nothing = { behind: 0, lines: 0, skipped: 0, malformed: 0, position: 0, lastGrowth: null, live: false }
    const itself = {
      log: name,
      pattern: null,
      jails: this.#jails,
      state: 'reading',
      trouble: null,
      ...nothing,
    } as const
    const all = states.length === 0 && (trouble !== null || this.#runsSince !== null) ? [itself] : states
    return trouble === null ? all : all.map((state) => ({ ...state, state: 'unreadable', trouble }))
  }

  /** Resolves when the plugin has stopped, and after five seconds in any case. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const matched of this.matched.values()) matched.stop()
    const { plugin, name } = this.#options.source
    const stopped = (async () => {
      await plugin.stop?.(this.#host)
      await this.#ended
    })()
    const late = new AbortController()
    const deadline = pause(stopDeadlineMs, late.signal).then(() => 'late' as const)
    const outcome = await Promise.race([stopped.catch((error: unknown) => describeError(error)), deadline])
    late.abort()
    if (outcome !== undefined) {
      const why = outcome === 'late' ? `it took more than ${stopDeadlineMs / 1000} s` : outcome
      this.#host.log.warn({ source: name }, `the source did not stop well: ${why}`)
    }
  }

  async #run(): Promise<void> {
    const { source, alarm, now } = this.#options
    const { signal } = this.#stopping
    for (let failures = 0; !signal.aborted; failures++) {
      const started = now()
      this.#runsSince = started
      try {
        await source.plugin.start(this.#emit, this.#host)
        return
      } catch (error) {
        if (signal.aborted) return
        this.#failure = describeError(error).replaceAll(/\n\s*/g, '; ')
        this.#runsSince = null
        if (now() - started > steadyMs) failures = 0
        const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10))
        const message = `the source failed and starts again in ${pauseMs / 1000} s: ${describeError(error)}`
        if (failures === 0) alarm(source.name, message)
        else this.#host.log.warn({ source: source.name, failures: failures + 1 }, message)
        await pause(pauseMs, signal)
        await Promise.all([...this.streams.values()].map((stream) => stream.settled()))
        // The end of an unfinished line will not come: what runs next begins with a line.
        for (const stream of this.streams.values()) stream.forgetRest()
      } finally {
        this.#runsSince = null
      }
    }
  }

  #follow(path: string): void {
    if (!path.startsWith('/')) throw new BailiffError('data', `"${path}" is not an absolute path`)
    if (this.#stopping.signal.aborted || this.paths.has(path)) return
    this.paths.add(path)
    this.#options.followed(path)
  }

  #followMatching(pattern: string, { exclude = [], limit = usualLimit }: Matching): void {
    const key = JSON.stringify([pattern, exclude, limit])
    if (this.#stopping.signal.aborted || this.matched.has(key)) return
    this.matched.set(key, new MatchedFiles({ ...this.#options, pattern, exclude, limit }))
    this.#options.changed()
  }

  readonly #emit: Emit = (bytes, from = {}) => {
    try {
      if (!(bytes instanceof Uint8Array)) throw new TypeError('emit takes bytes: a Uint8Array or a Buffer')
      const stream = this.#stream(from.log ?? '', from.cursor)
      this.#failure = null
      return stream.emit(bytes, from)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #cursor(log: string): string | null {
    if (this.#asked.size < maxLogsOfOneSource) this.#asked.add(log)
    const stream = this.streams.get(log)
    stream?.forgetRest()
    return stream?.cursor ?? this.#left.get(log) ?? this.#options.kept(this.#pathOf(log))?.cursor ?? null
  }

  #pathOf(log: string): string {
    return `${this.#options.source.id}/${log}`
  }

  /** The reader of a log. Throws a BailiffError where it may have none, or not this cursor. */
  #stream(log: string, cursor: string | undefined): ByteReader {
    const { scanner, now, source } = this.#options
    const { name } = source
    const { signal } = this.#stopping
    if (signal.aborted) throw new BailiffError('unavailable', `source ${name} was stopped`)
    if (cursor !== undefined && cursor.length > maxCursor)
      throw new BailiffError('software', `source ${name} gives a cursor of more than ${maxCursor} characters`)
    const known = this.streams.get(log)
    if (known !== undefined) return known
    if (this.streams.size >= maxLogsOfOneSource && !this.#forgetQuiet())
      throw new BailiffError('unavailable', `source ${name} names more than ${maxLogsOfOneSource} logs at once`)
    if (log.length > maxLogName)
      throw new BailiffError(
        'software',
        `source ${name} names a log of more than ${maxLogName} characters: ${quote(log)}`,
      )
    const shown = log === '' ? name : `${name}/${printable(log)}`
    const stream = new ByteReader({ log: shown, kept: this.#pathOf(log), scanner, now, signal })
    stream.jails = this.#jails
    this.streams.set(log, stream)
    return stream
  }

  /** Makes room for the log of a container that came: of those without news for long the quietest goes. Its cursor stays. */
  #forgetQuiet(): boolean {
    const quiet = [...this.streams]
      .map(([log, stream]) => ({ log, stream, grew: stream.state.lastGrowth ?? 0 }))
      .filter(({ stream, grew }) => stream.state.behind === 0 && this.#options.now() - grew > quietMs)
      .toSorted((a, b) => a.grew - b.grew)[0]
    if (quiet === undefined) return false
    const { log, stream } = quiet
    this.streams.delete(log)
    if (stream.cursor !== null) this.#left.set(log, stream.cursor)
    for (const oldest of this.#left.keys()) {
      if (this.#left.size <= maxLeft) break
      this.#left.delete(oldest)
    }
    return true
  }
}
