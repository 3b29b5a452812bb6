import { setTimeout as sleep } from 'node:timers/promises'
import type { Ban, LogPosition } from '../events.ts'
import type { Logger } from '../plugin.ts'
import { CommitQueue } from './commit-queue.ts'
import type { LoadedPart } from './messages.ts'
import type { HistoryEntry, Offence, PendingFailures, Unban } from './records.ts'
import type { Change, HistoryQuery } from './tables.ts'
import { Thread } from './thread.ts'

export type { HistoryEntry, HistoryQuery, Offence, PendingFailures, Unban }

const dayMs = 24 * 3600_000

export interface StoreOptions {
  /** The database file. Its folder is made when it is missing. */
  readonly path: string
  readonly log: Logger
  readonly alarm?: (subject: string, message: string) => void
  /** Unix milliseconds. */
  readonly now?: () => number
  /** How long a ban is remembered after it began. Default 30 days. */
  readonly historyDays?: number
  /** How many bans are remembered at most. Default 200 000. */
  readonly historyEntries?: number
  /** How long positions alone may wait to be written. Default 500. */
  readonly positionsWaitMs?: number
}

/** What was stored when the agent started. */
export interface Loaded {
  /** Bans still in force. */
  readonly bans: readonly Ban[]
  /** How often each prefix was banned within the history. */
  readonly offences: readonly Offence[]
  /** Failures that had not led to a ban at the last clean end. */
  readonly pending: readonly PendingFailures[]
  readonly positions: readonly LogPosition[]
}

/** What is written together, in this order: bans, unbans, pending failures, positions. */
export interface Changes {
  /** A ban of the same prefix and jail takes the place of the earlier one; the same `since` is the same ban, extended. */
  readonly bans?: readonly Ban[]
  readonly unbans?: readonly Unban[]
  /** All that are pending, in place of those stored before; a ban takes those of its address away. */
  readonly pending?: readonly PendingFailures[]
  readonly positions?: readonly LogPosition[]
}

/** What outlives the agent. Never in the path of a ban. */
export interface Store {
  readonly loaded: Loaded
  /**
   * Resolves when the changes are on the disk: they survive a kill and a power cut. What is committed
   * meanwhile goes into the next transaction, a position never before the bans committed before it. A
   * full or failing disk is told and tried again until it works, so this may take long; nobody has to
   * wait for it. It rejects only when the store is closed first, or when more than 100 000 changes
   * wait for a disk that fails.
   */
  commit(changes: Changes): Promise<void>
  /** Bans of the past and of now that agree with the query, the youngest first. */
  history(query: HistoryQuery): Promise<readonly HistoryEntry[]>
  /** Writes what waits (five seconds at most) and closes the file. */
  close(): Promise<void>
}

/**
 * Opens the store in a thread of its own. A damaged file is set aside and told, and the store begins
 * empty; on a disk that fails it begins empty and is opened later. Rejects with a `BailiffError` where
 * the file is not ours to use: no rights, or in use by another process.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const store = new ThreadStore(options)
  await store.start()
  return store
}

class ThreadStore implements Store {
  readonly loaded = {
    bans: [] as Ban[],
    offences: [] as Offence[],
    pending: [] as PendingFailures[],
    positions: [] as LogPosition[],
  }
  readonly #options: Required<StoreOptions>
  readonly #queue: CommitQueue
  readonly #purging: NodeJS.Timeout
  #thread: Thread
  #closed = false

  constructor(options: StoreOptions) {
    const alarm = (subject: string, message: string) => options.log.error({ subject }, message)
    const defaults = { alarm, now: Date.now, historyDays: 30, historyEntries: 200_000, positionsWaitMs: 500 }
    this.#options = { ...defaults, ...options }
    this.#thread = this.#startThread(true)
    this.#queue = new CommitQueue({
      write: async (changes, positions) => void (await this.#thread.ask({ type: 'commit', changes, positions })),
      alarm: (message) => this.#options.alarm('store', message),
      positionsWaitMs: this.#options.positionsWaitMs,
    })
    this.#purging = setInterval(() => void this.#purge(), 3600_000).unref()
  }

  async start(): Promise<void> {
    try {
      await this.#thread.ready
    } catch (error) {
      await this.#end()
      throw error
    }
    void this.#purge()
  }

  commit({ bans = [], unbans = [], pending, positions = [] }: Changes): Promise<void> {
    const changes: Change[] = [...bans.map((ban) => ({ ban })), ...unbans.map((unban) => ({ unban }))]
    if (pending !== undefined) changes.push({ pending })
    return this.#queue.add(changes, positions)
  }

  async history(query: HistoryQuery): Promise<readonly HistoryEntry[]> {
    return (await this.#thread.ask({ type: 'history', query })).history
  }

  async close(): Promise<void> {
    if (this.#closed) return
    await this.#queue.close(5000)
    await this.#end()
  }

  async #end(): Promise<void> {
    this.#closed = true
    clearInterval(this.#purging)
    const late = new AbortController()
    const asked = this.#thread.ask({ type: 'close' }).then(() => this.#thread.gone)
    await Promise.race([asked.catch(() => {}), sleep(5000, undefined, { signal: late.signal }).catch(() => {})])
    late.abort()
    await this.#thread.kill()
  }

  /** A thread that dies is started again, after a moment; what it had not acknowledged is written again. */
  #startThread(first: boolean): Thread {
    const { path, log, now, historyDays, alarm } = this.#options
    const load = first ? { now: now(), offencesSince: now() - historyDays * dayMs } : null
    const loaded = (part: LoadedPart) => this.#take(part)
    const thread = new Thread({ data: { path, load }, log, alarm: (message) => alarm('store', message), loaded })
    void thread.gone.then(async () => {
      if (this.#closed) return
      alarm('store', 'the thread of the store ended and is started again')
      await sleep(1000, undefined, { ref: false })
      if (!this.#closed) this.#thread = this.#startThread(false)
    })
    return thread
  }

  #take({ bans = [], offences = [], pending = [], positions = [] }: LoadedPart): void {
    this.loaded.bans.push(...bans)
    this.loaded.offences.push(...offences)
    this.loaded.pending.push(...pending)
    this.loaded.positions.push(...positions)
  }

  async #purge(): Promise<void> {
    const { now, historyDays, historyEntries: keep } = this.#options
    try {
      for (let more = true; more && !this.#closed;) {
        const request = { type: 'purge', now: now(), before: now() - historyDays * dayMs, keep } as const
        more = (await this.#thread.ask(request)).more
      }
    } catch (error) {
      this.#options.log.debug({ error }, 'the history was not purged this time')
    }
  }
}
