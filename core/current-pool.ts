import { pathToFileURL } from 'node:url'
import type { FileRange, LogChunk, RangeDates, ScanCounts, ScanResult } from './events.ts'
import type { TreeJailSetup } from './fail2ban/lines/jail-lines.ts'
import type { ReadyJail } from './jails.ts'
import type { BrokenJail, JailFilter } from './matching/messages.ts'
import { createPool, type MatchingPool } from './matching/pool.ts'
import type { Logger } from './plugin.ts'
import type { ModuleState } from './wasm-matcher/module-host.ts'
import type { PoolWithModules } from './wasm-matcher/pool-with-modules.ts'

/** A chunk without anything in it: what a new thread is warmed up with. */
const nothing = { log: '', data: new Uint8Array(0), live: false, undatedAt: null, insideLine: false }

/** Who hears of what goes wrong. */
export interface PoolListener {
  /** As in `PoolOptions`. */
  broken(jails: readonly BrokenJail[]): void
  alarm(subject: string, message: string): void
}

/** The matching workers for the jails there are now. */
export class CurrentPool {
  readonly #matchers: readonly string[]
  readonly #log: Logger
  readonly #listener: PoolListener
  #key = ''
  #pool: MatchingPool | null = null
  /** The same, where some filter names a module. */
  #modules: PoolWithModules | null = null

  /** `matchers`: the files of the engines, in the order in which they are asked. */
  constructor(matchers: readonly string[], log: Logger, listener: PoolListener) {
    this.#matchers = matchers
    this.#log = log
    this.#listener = listener
  }

  /** As `MatchingPool.scan`, with the pool there is when it is called. */
  scan(chunk: LogChunk): Promise<ScanResult> {
    if (!this.#pool) return Promise.reject(new Error('no jail is ready'))
    return this.#pool.scan(chunk)
  }

  /** As `MatchingPool.scanInParts`, with the pool there is when it is called. */
  scanInParts(chunk: LogChunk, part: (result: ScanResult) => void): Promise<ScanCounts> {
    if (!this.#pool) return Promise.reject(new Error('no jail is ready'))
    return this.#pool.scanInParts(chunk, part)
  }

  /** As `MatchingPool.dates`, with the pool there is when it is called. */
  dates(range: FileRange, jails: readonly string[], now: number): Promise<RangeDates> {
    if (!this.#pool) return Promise.reject(new Error('no jail is ready'))
    return this.#pool.dates(range, jails, now)
  }

  /** How the matchers in WebAssembly do. */
  modules(): readonly ModuleState[] {
    return this.#modules?.states() ?? []
  }

  /** Makes the pool for these jails, unless it is that already. What the old one was given it still does. */
  async replace(jails: readonly ReadyJail[], maxThreads: number | null): Promise<void> {
    const reading = jails.filter(({ bansOf, fail2ban }) => bansOf === null && fail2ban?.texts !== null)
    const own = reading.filter(({ fail2ban }) => fail2ban === null)
    const filters = own.map(({ name, filter, ignore }) => ({ jail: name, filter, proxies: ignore.proxies }))
    const treeJails = reading.flatMap(({ name, fail2ban, findtimeMs }): TreeJailSetup[] =>
      fail2ban?.texts ? [{ jail: name, texts: fail2ban.texts, findtimeSeconds: findtimeMs / 1000 }] : [],
    )
    const key = JSON.stringify([filters, treeJails, maxThreads])
    if (key === this.#key) return this.#modules?.forgive()
    const old = this.#pool
    this.#key = key
    const pool = createPool({
      jails: filters,
      treeJails,
      engineUrls: this.#matchers.map((file) => pathToFileURL(file).href),
      log: this.#log,
      broken: (jailsOfTree) => this.#listener.broken(jailsOfTree),
      ...(maxThreads === null ? {} : { maxThreads }),
    })
    this.#modules = filters.some(({ filter }) => filter.module) ? await this.#withModules(pool, filters) : null
    this.#pool = this.#modules ?? pool
    await old?.close()
    // The first line is not to wait for a thread that loads its engines.
    const first = (jailsOf: readonly ReadyJail[]) => ({
      ...nothing,
      arrivedAt: Date.now(),
      jails: jailsOf.map(({ name }) => name),
    })
    const warm = this.#pool.scan(first(reading.filter(({ filter }) => !filter.module)))
    // Nor is anybody to wait for a module that may be a bad one.
    this.#modules?.scan(first(reading.filter(({ filter }) => filter.module))).catch(() => {})
    // Filters of a tree take so long that it is better to be up: what comes meanwhile waits in memory.
    if (treeJails.length === 0) await warm
    else warm.catch(() => {})
  }

  /** Only who has such a filter needs the code. */
  async #withModules(pool: MatchingPool, jails: readonly JailFilter[]): Promise<PoolWithModules> {
    const { withModules } = await import('./wasm-matcher/pool-with-modules.ts')
    return withModules(pool, {
      jails,
      log: this.#log,
      alarm: (subject, message) => this.#listener.alarm(subject, message),
    })
  }

  async close(): Promise<void> {
    await this.#pool?.close()
  }
}
