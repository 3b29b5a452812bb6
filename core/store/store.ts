import { setTimeout as sleep } from 'node:timers/promises'
import { BailiffError } from '../errors.ts'
import type { Ban, CountedFailures, Kept, LogPosition } from '../events.ts'
import type { Logger } from '../plugin.ts'
import { CommitQueue, type Batch } from './commit-queue.ts'
import { LoadedParts, type Loaded } from './loaded-parts.ts'
import type { LoadedPart } from './messages.ts'
import type { HistoryEntry, Offence, Unban } from './records.ts'
import type { Change, HistoryQuery, Writing } from './tables.ts'
import { StoreEmptied, Thread } from './thread.ts'

export type { HistoryEntry, HistoryQuery, Loaded, Offence, Unban }

const dayMs = 24 * 3600_000
/** That a source still speaks of a log is news again after this time. */
const namedEveryMs = dayMs
/** Bans, or what else is kept, written at once when everything is written anew: between two such parts others have their turn. */
const bansAtOnce = 2000
/**
 * What was counted is stored as it comes. When more than this has come, and more than it takes to say all
 * that counts now, that takes its place: so the store stays small, and a start short.
 */
const leastCompactedBytes = 16 * 1024 * 1024
const checkEveryMs = 10_000
const nothing: Writing = { changes: [], positions: [], failures: null }

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
  /** How long positions and counted failures alone may wait to be written. Default 500. */
  readonly waitMs?: number
  /** How often the files are looked at: others may damage or replace them. Default 10 000. */
  readonly checkEveryMs?: number
}

/** What is written together. */
export interface Changes {
  /** A ban of the same prefix and jail takes the place of the earlier one; the same `since` is the same ban, extended. */
  readonly bans?: readonly Ban[]
  readonly unbans?: readonly Unban[]
  /** Whether failures were counted: `Held.counted` is asked for them when this is written. */
  readonly counted?: boolean
  /** Of one kind and key the last holds. */
  readonly kept?: readonly Kept[]
  /** Everything before them is in the rest, or was decided not to count. */
  readonly positions?: readonly LogPosition[]
}

/** What the agent holds and the store is a copy of. Asked between turns, so it has to agree with all commits of those before. */
export interface Held {
  /** All in force. May change while it is walked through; what changes is committed as well. */
  bans(): Iterable<Ban>
  /** What was counted since the last call, in memory that the store may keep; `too-many`: it is not all there any more (`Judge.counted`). */
  counted(): CountedFailures | 'too-many' | null
  /** All that counts, piece by piece, in such memory as well; after the last piece `counted` goes on (`Judge.everything`). */
  everything(): Iterable<CountedFailures>
  /** All that stages keep by keys. */
  kept(): Iterable<Kept>
  /** Where each log stands. Asked every hour: cursors that are not heard of are forgotten. */
  positions(): readonly LogPosition[]
  /** What was stored before the start, on a disk that could not be read then. */
  restored(late: Pick<Loaded, 'bans' | 'kept'>): void
}

/** What outlives the agent. Never in the path of a ban. */
export interface Store {
  readonly loaded: Loaded
  /** Frees what was loaded. */
  forgetLoaded(): void
  /** From now on the store knows whom to ask. Before, nothing counts but what is committed. */
  hold(held: Held): void
  /**
   * Resolves when the changes are on the disk: they survive a kill and a power cut. What is committed
   * meanwhile goes into the next transaction, a position never before what was committed before it. A
   * full or failing disk is told and tried again until it works, so this may take long; nobody has to
   * wait for it. A file that is damaged or gone is told, and everything written anew. It rejects only
   * when the store is closed first.
   */
  commit(changes: Changes): Promise<void>
  /** As `commit`, for logs that nothing was read of: of a file that has a position, and of a cursor of today, it is not news. */
  seen(positions: readonly LogPosition[]): void
  /** Bans of the past and of now that agree with the query, the youngest first. */
  history(query: HistoryQuery): Promise<readonly HistoryEntry[]>
  /** The last ban of each of some prefixes by some jail, in the order asked; null where there was none. */
  latest(of: readonly Pick<Ban, 'prefix' | 'jail'>[]): Promise<readonly (HistoryEntry | null)[]>
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
  readonly loaded = new LoadedParts()
  readonly #options: Required<StoreOptions>
  readonly #queue: CommitQueue
  readonly #timers: readonly NodeJS.Timeout[]
  /** The last position of each log that was committed. */
  readonly #positions = new Map<string, LogPosition>()
  #held: Held | null = null
  #thread: Thread
  #started = false
  #closed = false
  /** Everything has to be written anew; or all that counts, in place of what was counted. */
  #needsAll = false
  #needsWhole = false
  #failureBytes = { stored: 0, limit: leastCompactedBytes }

  constructor(options: StoreOptions) {
    const alarm = (subject: string, message: string) => options.log.error({ subject }, message)
    const defaults = { alarm, now: Date.now, historyDays: 30, historyEntries: 200_000, waitMs: 500, checkEveryMs }
    this.#options = { ...defaults, ...options }
    this.#thread = this.#startThread(true)
    this.#queue = new CommitQueue({
      write: (batch, again) => this.#write(batch, again),
      overflow: () => (this.#needsAll = true),
      alarm: (message) => this.#options.alarm('store', message),
      waitMs: this.#options.waitMs,
    })
    this.#timers = [
      setInterval(() => void this.#keepUp(), 3600_000).unref(),
      setInterval(() => void this.#check(false), this.#options.checkEveryMs).unref(),
    ]
  }

  async start(): Promise<void> {
    try {
      await this.#thread.ready
    } catch (error) {
      await this.#end()
      throw error
    }
    this.#started = true
    for (const position of this.loaded.positions) this.#positions.set(position.path, position)
    this.#failureBytes.stored = this.loaded.failures.reduce((sum, { entries }) => sum + entries.length, 0)
    void this.#purge()
  }

  hold(held: Held): void {
    this.#held = held
  }

  forgetLoaded(): void {
    this.loaded.forget()
  }

  commit({ bans = [], unbans = [], kept = [], counted = false, positions = [] }: Changes): Promise<void> {
    const changes: Change[] = [
      ...bans.map((ban) => ({ ban })),
      ...unbans.map((unban) => ({ unban })),
      ...kept.map((one) => ({ kept: one })),
    ]
    for (const position of positions) this.#positions.set(position.path, position)
    return this.#queue.add(changes, positions, counted)
  }

  seen(positions: readonly LogPosition[]): void {
    const news = positions.filter((position) => {
      const known = this.#positions.get(position.path)
      if (known === undefined) return true
      if ('cursor' in position) return 'cursor' in known && position.named - known.named > namedEveryMs
      if ('cursor' in known) return false
      return known.device !== position.device || known.inode !== position.inode || known.birth !== position.birth
    })
    if (news.length > 0) void this.commit({ positions: news }).catch(() => {})
  }

  async history(query: HistoryQuery): Promise<readonly HistoryEntry[]> {
    return (await this.#thread.ask({ type: 'history', query })).history.filter((entry) => entry !== null)
  }

  async latest(of: readonly Pick<Ban, 'prefix' | 'jail'>[]): Promise<readonly (HistoryEntry | null)[]> {
    return (await this.#thread.ask({ type: 'latest', of })).history
  }

  async close(): Promise<void> {
    if (this.#closed) return
    await this.#queue.close(5000)
    await this.#end()
  }

  async #end(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearInterval(timer)
    const late = new AbortController()
    const asked = this.#thread.ask({ type: 'close' }).then(() => this.#thread.gone)
    await Promise.race([asked.catch(() => {}), sleep(5000, undefined, { signal: late.signal }).catch(() => {})])
    late.abort()
    await this.#thread.kill()
  }

  /** A thread that dies is started again, after a moment; what it had not acknowledged is written again. */
  #startThread(first: boolean): Thread {
    const { path, log, now, historyDays, alarm } = this.#options
    const load = first ? { now: now(), since: now() - historyDays * dayMs } : null
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

  #take(part: LoadedPart): void {
    if (!this.#started) this.loaded.take(part)
    else if (part.bans ?? part.kept) this.#held?.restored(new LoadedParts(part))
  }

  /**
   * What was counted is told to the store as it comes. A commit that failed may have been written all
   * the same, so all that counts is then written anew: told twice it would count twice.
   */
  async #write(batch: Batch, again: boolean): Promise<void> {
    const { stored, limit } = this.#failureBytes
    if (again || stored > limit) this.#needsWhole = true
    const failures = this.#needsAll || this.#needsWhole ? 'too-many' : (this.#held?.counted() ?? null)
    try {
      if (failures === 'too-many') await this.#writeAnew(batch)
      else await this.#writeChanges(batch, failures)
    } catch (error) {
      this.#needsWhole = true
      if (!(error instanceof StoreEmptied)) throw error
      this.#needsAll = true
      await this.#writeAnew(batch)
    }
  }

  async #writeChanges({ changes, positions }: Batch, failures: CountedFailures | null): Promise<void> {
    const bytes = failures?.entries.length ?? 0
    const writing = { changes, positions: [...positions.values()], failures }
    await this.#thread.ask({ type: 'commit', writing }, memoryOf(failures))
    this.#failureBytes.stored += bytes
  }

  /** In one transaction: all bans where they are missing, all that counts, what changed meanwhile, and how far logs were read. */
  async #writeAnew(batch: Batch): Promise<void> {
    const more = (part: Partial<Writing>) =>
      this.#thread.ask({ type: 'more', writing: { ...nothing, ...part } }, memoryOf(part.failures))
    await this.#thread.ask({ type: 'anew', everythingAt: this.#needsAll ? this.#options.now() : null })
    if (this.#needsAll) {
      for (const changes of inParts(this.#held?.bans() ?? [], (ban) => ({ ban }))) await more({ changes })
      for (const changes of inParts(this.#held?.kept() ?? [], (kept) => ({ kept }))) await more({ changes })
    }
    let stored = 0
    for (const failures of this.#held?.everything() ?? []) {
      stored += failures.entries.length
      await more({ failures })
    }
    this.#queue.gather(batch)
    const failures = this.#held?.counted() ?? null
    if (failures === 'too-many') throw new BailiffError('io', 'more was counted meanwhile than is kept for the store')
    const everything = this.#needsAll
    // What overflows from here on is not in it.
    this.#needsAll = false
    this.#needsWhole = false
    stored += failures?.entries.length ?? 0
    const writing = { changes: batch.changes, positions: [...this.#positions.values()], failures }
    await this.#thread.ask({ type: 'all', writing }, memoryOf(failures)).catch((error: unknown) => {
      this.#needsAll ||= everything
      throw error
    })
    this.#failureBytes = { stored, limit: Math.max(leastCompactedBytes, stored * 1.5) }
  }

  async #keepUp(): Promise<void> {
    this.seen(this.#held?.positions() ?? [])
    await this.#purge()
    await this.#check(true)
  }

  async #purge(): Promise<void> {
    const { now, historyDays, historyEntries: keep } = this.#options
    try {
      for (let more = true; more && !this.#closed;) {
        const limits = { now: now(), before: now() - historyDays * dayMs, keep }
        more = (await this.#thread.ask({ type: 'purge', limits })).more
      }
    } catch (error) {
      this.#options.log.debug({ error }, 'the history was not purged this time')
    }
  }

  /** Where the files are damaged the thread has set them aside, and the next commit writes everything. */
  async #check(pages: boolean): Promise<void> {
    try {
      await this.#thread.ask({ type: 'check', pages })
    } catch (error) {
      if (error instanceof StoreEmptied) await this.#queue.add([], [], true).catch(() => {})
    }
  }
}

/** What the thread may have: it would be garbage here, of which a flood makes some MiB a second. */
function memoryOf(failures: CountedFailures | null | undefined): ArrayBuffer[] {
  return failures ? [failures.entries.buffer as ArrayBuffer] : []
}

function* inParts<T>(all: Iterable<T>, change: (one: T) => Change): Generator<Change[]> {
  let part: Change[] = []
  for (const one of all) {
    if (part.push(change(one)) < bansAtOnce) continue
    yield part
    part = []
  }
  if (part.length > 0) yield part
}
