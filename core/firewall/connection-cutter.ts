/**
 * Cuts what a banned address has open. The rules drop its packets whatever it has open, so this is not
 * what keeps it out; but a connection that the kernel tracks goes on being answered, translated to a
 * container, or sent past the rules by a flow table, until it is forgotten.
 */
import { readFileSync } from 'node:fs'
import type { Entry } from './admission.ts'
import type { Backend } from './backend.ts'
import { BannedSources } from './banned-sources.ts'

/** Where the kernel tracks connections. */
export interface ConnectionTable {
  /** Forgets the connections that are banned, and resolves with how many. */
  forget(banned: BannedSources): Promise<number>
}

/**
 * Looking takes a hundredth of a core at most, over a while: that much time is saved up, a second of it
 * at most, and who has overdrawn it rests until there is some again.
 */
const savedPerMs = 0.01
const mostSavedMs = 1000
/** Bans that wait to be cut. A sync may bring a million, and those were cut when they were new. */
const mostWaiting = 50_000

/** Bans that come while it looks, or rests, are looked for together in the next look. */
export class ConnectionCutter {
  readonly #table: ConnectionTable
  readonly #warn: (message: string) => void
  readonly #tracked: () => number
  #waiting = new BannedSources()
  #timer: NodeJS.Timeout | undefined
  #looking = false
  /** Milliseconds that may be spent on looking; below zero after a long look. */
  #savedMs = mostSavedMs
  #savedAt = performance.now()
  /** Whether the last look failed, or bans were left out: told once, until it goes well again. */
  #told = false

  /** `tracked` says how many connections there are. */
  constructor(table: ConnectionTable, warn: (message: string) => void, tracked: () => number = trackedConnections) {
    this.#table = table
    this.#warn = warn
    this.#tracked = tracked
  }

  /** Takes note of bans that the kernel holds. Never waits, never throws. */
  cut(entries: readonly Entry[]): void {
    const room = mostWaiting - this.#waiting.size
    for (const entry of entries.slice(0, room)) this.#waiting.add(entry)
    if (entries.length > room)
      this.#tell(`more than ${mostWaiting} bans at once: what some of them have open is not cut`)
    this.#lookLater()
  }

  /** Cuts nothing any more. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#waiting = new BannedSources()
  }

  /** Never at once: the agent gets its answer first. */
  #lookLater(): void {
    if (this.#looking || this.#timer !== undefined || this.#waiting.size === 0) return
    const now = performance.now()
    this.#savedMs = Math.min(mostSavedMs, this.#savedMs + (now - this.#savedAt) * savedPerMs)
    this.#savedAt = now
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, -this.#savedMs / savedPerMs))
    this.#timer.unref()
  }

  async #look(): Promise<void> {
    const banned = this.#waiting
    this.#waiting = new BannedSources()
    this.#timer = undefined
    this.#looking = true
    const started = performance.now()
    try {
      if (this.#tracked() > 0) await this.#table.forget(banned)
      this.#told = false
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#tell(`what banned addresses have open is not cut: ${why}`)
    }
    this.#looking = false
    this.#savedMs -= performance.now() - started
    this.#lookLater()
  }

  #tell(message: string): void {
    if (!this.#told) this.#warn(message)
    this.#told = true
  }
}

/** The backend, whose new bans are also cut once the kernel holds them. */
export function cutting(backend: Backend, cutter: ConnectionCutter): Backend {
  const thenCut = async (entries: readonly Entry[], held: Promise<void>) => {
    await held
    cutter.cut(entries)
  }
  return {
    declare: (ports) => backend.declare(ports),
    add: (entries) => thenCut(entries, backend.add(entries)),
    del: (entries) => backend.del(entries),
    sync: (entries, ports, entered) => thenCut(entries, backend.sync(entries, ports, entered)),
    list: (known) => backend.list(known),
    ...(backend.lacking === undefined ? {} : { lacking: backend.lacking.bind(backend) }),
    ...(backend.sound === undefined ? {} : { sound: backend.sound.bind(backend) }),
    ...(backend.watch === undefined ? {} : { watch: backend.watch.bind(backend) }),
  }
}

/**
 * How many connections the kernel tracks in this network namespace: the first column of
 * /proc/net/stat/nf_conntrack, hexadecimal, the same in the row of each processor. 0 where it tracks none.
 */
export function trackedConnections(): number {
  try {
    const [, row = ''] = readFileSync('/proc/self/net/stat/nf_conntrack', 'latin1').split('\n')
    const count = Number.parseInt(row, 16)
    return Number.isNaN(count) ? 0 : count
  } catch {
    return 0
  }
}
