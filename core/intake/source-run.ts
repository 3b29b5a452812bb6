import { BailiffError, describeError } from '../errors.ts'
import type { Emit, Matching, SourceHost, SourcePlugin } from '../plugin.ts'
import { ByteReader, type ByteReaderOptions } from './byte-reader.ts'
import { MatchedFiles } from './matched-files.ts'
import { type Alarm, pause } from './scanner.ts'
import type { Watches } from './watches.ts'

const firstPauseMs = 1000
const longestPauseMs = 60_000
/** A source that ran so long before it failed starts again after the first pause. */
const steadyMs = 5 * 60_000
const maxLogsOfOneSource = 256
const stopDeadlineMs = 5000
/** Files that one pattern follows, unless its user says otherwise: each takes a descriptor and some KiB. */
const usualLimit = 4096

/** A source as the configuration wants it. */
export interface IntakeSource {
  /** In logs and status. */
  readonly name: string
  /** What makes it the same source after a reload: the plugin and its options. It then goes on running. */
  readonly key: string
  readonly jails: readonly string[]
  readonly plugin: SourcePlugin
  /** Makes what the plugin sees; `signal` aborts when the source is to stop. */
  host(following: Following, signal: AbortSignal): SourceHost
}

/** What a source may follow. */
export type Following = Pick<SourceHost, 'follow' | 'followMatching'>

export interface SourceRunOptions extends Omit<ByteReaderOptions, 'log' | 'signal'> {
  readonly source: IntakeSource
  readonly alarm: Alarm
  readonly watches: Watches
  readonly patienceMs: number
  /** Called for each path that the plugin follows. */
  readonly followed: (path: string) => void
  /** Called when patterns mean other files than before. */
  readonly changed: () => void
}

/** A running source: starts its plugin, again after a failure, and takes what it brings. */
export class SourceRun {
  readonly paths = new Set<string>()
  /** By pattern and what is excluded from it. */
  readonly matched = new Map<string, MatchedFiles>()
  readonly streams = new Map<string, ByteReader>()
  readonly #options: SourceRunOptions
  readonly #stopping = new AbortController()
  readonly #host: SourceHost
  readonly #ended: Promise<void>
  #jails: readonly string[]

  constructor(options: SourceRunOptions) {
    this.#options = options
    this.#jails = options.source.jails
    this.#host = options.source.host(this.#following(), this.#stopping.signal)
    this.#ended = this.#run()
  }

  get jails(): readonly string[] {
    return this.#jails
  }

  set jails(jails: readonly string[]) {
    this.#jails = jails
    for (const stream of this.streams.values()) stream.jails = jails
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
      try {
        await source.plugin.start(this.#emit, this.#host)
        return
      } catch (error) {
        if (signal.aborted) return
        if (now() - started > steadyMs) failures = 0
        const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10))
        const message = `the source failed and starts again in ${pauseMs / 1000} s: ${describeError(error)}`
        if (failures === 0) alarm(source.name, message)
        else this.#host.log.warn({ source: source.name, failures: failures + 1 }, message)
        await pause(pauseMs, signal)
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

  #following(): Following {
    return {
      follow: (path) => this.#follow(path),
      followMatching: (pattern, matching = {}) => this.#followMatching(pattern, matching),
    }
  }

  readonly #emit: Emit = (bytes, log) => {
    const stream = this.#stopping.signal.aborted ? null : this.#stream(log ?? '')
    if (stream !== null) return stream.emit(bytes)
    const { name } = this.#options.source
    const why = this.#stopping.signal.aborted ? 'was stopped' : `names more than ${maxLogsOfOneSource} logs`
    return Promise.reject(new BailiffError('unavailable', `source ${name} ${why}`))
  }

  #stream(log: string): ByteReader | null {
    const known = this.streams.get(log)
    if (known !== undefined) return known
    if (this.streams.size >= maxLogsOfOneSource) return null
    const name = this.#options.source.name
    const { scanner, now } = this.#options
    const signal = this.#stopping.signal
    const stream = new ByteReader({ log: log === '' ? name : `${name}/${log}`, scanner, now, signal })
    stream.jails = this.#jails
    this.streams.set(log, stream)
    return stream
  }
}
