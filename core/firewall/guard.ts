/**
 * Stands between what the agent asks for and the kernel: keeps what is asked for, and makes the kernel
 * hold it, whatever others do to the table and however often the firewall tool fails.
 *
 * What others take away is put back. What others add to our sets stays until the next sync: whoever may
 * change the firewall may ban there, and nothing that we promised is broken by it.
 */
import { firstAddress } from './block-list.ts'
import type { Entry } from './admission.ts'
import type { Backend, ForeignChange } from './backend.ts'
import { CompareByKey } from './compare-by-key.ts'
import { CompareByList } from './compare-by-list.ts'
import type { Comparison } from './comparison.ts'
import type { Told, WirePorts } from './messages.ts'
import { News } from './news.ts'
import { Rhythm } from './rhythm.ts'
import { Turns } from './turns.ts'
import { Upkeep } from './upkeep.ts'

/** How often the guard compares when nothing asks for it. */
export interface GuardPace {
  /** The least pause, where the backend tells of changes and where it does not. */
  readonly leastPauseMs: { readonly watched: number; readonly unwatched: number }
  /** A pause is so many times as long as the work before it took. */
  readonly pauseTimes: number
}

const usualPace: GuardPace = { leastPauseMs: { watched: 30_000, unwatched: 3000 }, pauseTimes: 100 }
const longestPauseMs = 3_600_000
/** After a loss of events, so that what comes with them is over. */
const settlingMs = 1000
/** Mending what others break takes at most a tenth of the time, once it took ten seconds. */
const share = { share: 0.1, burstMs: 10_000 }
/** Entries in one transaction that nobody waits for, so that one that somebody waits for comes in between. */
const batch = 4000
/** Places of the table looked at in one go, some milliseconds. */
const stretch = 5000
/** So many failures in a row are told. */
const lasting = 3

export class Guard {
  readonly #backend: Backend
  readonly #news = new News()
  readonly #turns = new Turns()
  readonly #upkeep: Upkeep
  readonly #comparison: Comparison
  readonly #mender: Rhythm
  readonly #comparer: Rhythm
  readonly #looker: Rhythm
  readonly #unwatch: () => void
  readonly #leastPauseMs: number
  readonly #pauseTimes: number
  #newAgent = false
  /** Entries that others took away and that are not back yet. */
  #takenAway = 0

  constructor(backend: Backend, pace: GuardPace = usualPace) {
    this.#backend = backend
    this.#leastPauseMs = pace.leastPauseMs[backend.watch === undefined ? 'unwatched' : 'watched']
    this.#pauseTimes = pace.pauseTimes
    this.#upkeep = new Upkeep(backend, this.#news, {
      mendSoon: (ms) => this.#mender.soon(ms),
      compareSoon: () => this.#compareAll(0),
    })
    this.#comparison = this.#makeComparison()
    const failed = (error: unknown, times: number) => times >= lasting && this.#news.trouble(error)
    this.#mender = new Rhythm(() => this.#mend(), { ...share, failed })
    this.#comparer = new Rhythm(() => this.#compare(), { ...this.#comparison.pace, failed })
    this.#looker = new Rhythm(() => this.#look(), { ...share, failed })
    this.#unwatch = backend.watch?.((change) => this.#hear(change)) ?? (() => {})
    this.#comparer.soon(this.#leastPauseMs)
    this.#looker.soon(this.#leastPauseMs)
  }

  /** A new agent is there, and hears of repairs and troubles: its first sync is everything, ports included. */
  begin(told: (told: Told) => void): void {
    this.#news.listener = told
    this.#newAgent = true
  }

  /** Does no more, and resolves when nothing is under way. The kernel keeps what it holds. */
  async stop(): Promise<void> {
    this.#unwatch()
    this.#news.stop()
    const stopped = [this.#mender, this.#comparer, this.#looker].map((rhythm) => rhythm.stop())
    // It ends what is under way; there is no other part.
    this.#comparison.begin()
    await Promise.all(stopped)
    await this.#turns.idle()
  }

  /** As `Backend.declare`. Ports stay declared when it rejects, and are made later. */
  async declare(ports: readonly WirePorts[]): Promise<void> {
    await this.#turns.take(async () => {
      this.#forgetOtherAgent()
      await this.#upkeep.declare(ports)
    })
  }

  /**
   * As `Backend.add`, and answers the entries for which there is no room yet. Those, and all of them
   * where it rejects, stay wanted, and go to the kernel as soon as it takes them.
   */
  add(entries: readonly Entry[]): Promise<readonly Entry[]> {
    return this.#turns.take(() => this.#upkeep.add(entries))
  }

  /** As `Backend.del`. What could not be removed is removed later. */
  del(entries: readonly Entry[]): Promise<void> {
    return this.#turns.take(() => this.#upkeep.del(entries))
  }

  /** As `Backend.sync`; the answer, and what is wanted after a failure, as with `add`. */
  sync(entries: readonly Entry[]): Promise<readonly Entry[]> {
    return this.#inSync(() => {
      this.#forgetOtherAgent()
      return this.#upkeep.sync(entries)
    })
  }

  /** Begins a sync that comes in parts, as `Upkeep.beginSync`. */
  beginSync(): Promise<void> {
    return this.#turns.take(async () => {
      this.#forgetOtherAgent()
      this.#upkeep.beginSync()
    })
  }

  /** A part of it, none of it wide; the answer as with `add`. */
  enterPart(entries: readonly Entry[]): Promise<readonly Entry[]> {
    return this.#inSync(() => this.#upkeep.enterPart(entries))
  }

  /** The rest of it, and then what had no room before; the answer as with `sync`. */
  endSync(rest: readonly Entry[], waiting: readonly Entry[]): Promise<readonly Entry[]> {
    return this.#inSync(() => this.#upkeep.endSync(rest, waiting))
  }

  /** As `Backend.list`. */
  list(known = 0): Promise<readonly Entry[]> {
    return this.#turns.take(() => this.#backend.list(known))
  }

  /** As `Backend.around`. */
  around(address: string): Promise<readonly Entry[]> {
    return this.#turns.take(async () => {
      if (this.#backend.around !== undefined) return this.#backend.around(address)
      const isAround = (entry: Entry) =>
        entry.address.length === address.length && firstAddress(address, entry.length) === entry.address
      return (await this.#backend.list()).filter(isAround)
    })
  }

  /**
   * Stops wanting the entries of which `unwanted` says so, takes them out of the kernel and answers them.
   * Those that are added meanwhile may be passed over.
   */
  async expel(unwanted: (entry: Entry) => boolean): Promise<readonly Entry[]> {
    const expelled: Entry[] = []
    for (const some of this.#upkeep.desired.stretches(stretch)) {
      const found = some.filter(unwanted)
      if (found.length > 0) await this.del(found)
      for (const each of found) expelled.push(each)
      await new Promise((resolve) => setImmediate(resolve))
    }
    return expelled
  }

  /** Where it fails, nobody knows what the kernel holds. */
  #inSync<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#turns.take(() =>
      work().catch((error: unknown) => {
        this.#compareAll(0)
        throw error
      }),
    )
  }

  /** What another agent declared is nobody's once this one declares or syncs. */
  #forgetOtherAgent(): void {
    if (this.#newAgent) this.#upkeep.desired.undeclare()
    this.#newAgent = false
  }

  #makeComparison(): Comparison {
    const place = {
      turns: this.#turns,
      upkeep: this.#upkeep,
      leastPauseMs: this.#leastPauseMs,
      pauseTimes: this.#pauseTimes,
    }
    const lacking = this.#backend.lacking?.bind(this.#backend)
    return lacking === undefined ? new CompareByList(this.#backend, place) : new CompareByKey(lacking, place)
  }

  #hear(change: ForeignChange): void {
    if (change.kind !== 'removed') {
      if (change.kind === 'lost') this.#looker.soon(settlingMs)
      return this.#compareAll(this.#comparison.settlingMs(change.kind))
    }
    const { wanted } = this.#upkeep.asWanted(change.entries)
    this.#takenAway += wanted.length
    this.#upkeep.doubt(wanted)
    if (wanted.length > 0) this.#mender.soon(0)
  }

  /** Settles what is in doubt now; what comes into doubt meanwhile is for the next time. */
  async #mend(): Promise<void> {
    const takenAway = this.#takenAway
    await this.#turns.take(() => this.#upkeep.makeUndone())
    const doubts = this.#upkeep.doubts()
    for (let at = 0; at < doubts.length; at += batch) {
      await this.#turns.take(() => this.#upkeep.settle(doubts.slice(at, at + batch)))
    }
    this.#takenAway -= takenAway
    if (takenAway > 0) this.#news.repaired(takenAway)
  }

  /** Everything is in question: it is compared in so many milliseconds. */
  #compareAll(ms: number): void {
    this.#comparison.begin()
    this.#comparer.soon(ms)
  }

  async #compare(): Promise<number> {
    const { repaired, nextMs, tookMs } = await this.#comparison.part()
    if (repaired !== null) this.#news.repaired(repaired)
    this.#comparer.soon(nextMs)
    return tookMs
  }

  /** Looks whether sets and rules are there, which costs little whatever they hold. */
  async #look(): Promise<void> {
    if (this.#backend.sound === undefined) return
    const started = performance.now()
    const sound = await this.#turns.take(
      async () => this.#upkeep.desired.ports.length === 0 || (await this.#backend.sound?.()),
    )
    if (sound === false) this.#compareAll(0)
    const pauseMs = (performance.now() - started) * this.#pauseTimes
    this.#looker.soon(Math.min(longestPauseMs, Math.max(this.#leastPauseMs, pauseMs)))
  }
}
