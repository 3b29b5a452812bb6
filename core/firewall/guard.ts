/**
 * Stands between what the agent asks for and the kernel: keeps what is asked for, and makes the kernel
 * hold it, whatever others do to the table and however often the firewall tool fails.
 *
 * What others take away is put back. What others add to our sets stays until the next sync: whoever may
 * change the firewall may ban there, and nothing that we promised is broken by it.
 */
import type { Entry } from './admission.ts'
import { BackendError, type Backend, type ForeignChange } from './backend.ts'
import { Desired } from './desired.ts'
import { Doubts } from './doubts.ts'
import { Filling } from './filling.ts'
import { maxEntries, type Told, type WirePorts } from './messages.ts'
import { News } from './news.ts'
import { Rhythm } from './rhythm.ts'

/** How often the guard compares when nothing asks for it. */
export interface GuardPace {
  /** The least pause, where the backend tells of changes and where it does not. */
  readonly leastPauseMs: { readonly watched: number; readonly unwatched: number }
  /** A pause is so many times as long as the comparison before it took. */
  readonly pauseTimes: number
}

const usualPace: GuardPace = { leastPauseMs: { watched: 30_000, unwatched: 3000 }, pauseTimes: 100 }
const longestPauseMs = 3_600_000

/** Others often make several changes, one after the other. */
const settlingMs = { changed: 100, lost: 1000 }

/** A list of more entries keeps bans waiting for seconds, so without a sign of damage it is put off. */
const long = { entries: 100_000, settlingMs: 600_000 }

/** Mending what others break takes at most a tenth of the time, once it took ten seconds. */
const share = { share: 0.1, burstMs: 10_000 }

/** Entries in one transaction that nobody waits for, so that one that somebody waits for comes in between. */
const batch = 10_000
/** Entries looked at in one go, some milliseconds. */
const stretch = 5000
/** With more entries in doubt everything is compared instead. */
const maxDoubts = 20_000
const fullAgainMs = 2000
/** So many failures in a row are told. */
const lasting = 3
const tidyEveryMs = 60_000

export class Guard {
  readonly #backend: Backend
  readonly #pace: GuardPace
  readonly #desired = new Desired()
  readonly #doubts = new Doubts(maxDoubts, (entry) => this.#desired.nameOf(entry))
  readonly #news = new News()
  readonly #filling: Filling
  readonly #mender: Rhythm
  readonly #comparer: Rhythm
  readonly #looker: Rhythm
  readonly #unwatch: () => void
  #tail: Promise<unknown> = Promise.resolve()
  /** Whether sets or rules may be missing because a declaration failed. */
  #undeclared = false
  #newAgent = false
  /** Entries that others took away and that are not back yet. */
  #takenAway = 0
  #tidiedAt = 0

  constructor(backend: Backend, pace: GuardPace = usualPace) {
    this.#backend = backend
    this.#pace = pace
    const failed = (error: unknown, times: number) => times >= lasting && this.#news.trouble(error)
    this.#filling = new Filling(backend, (set) => this.#news.full(set))
    this.#mender = new Rhythm(() => this.#mend(), { ...share, failed })
    this.#comparer = new Rhythm(() => this.#compare(), { ...share, failed })
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
    await Promise.all([this.#mender.stop(), this.#comparer.stop(), this.#looker.stop()])
    await this.#tail
  }

  /** As `Backend.declare`. Ports stay declared when it rejects, and are made later. */
  async declare(ports: readonly WirePorts[]): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#newAgent) this.#desired.undeclare()
      this.#newAgent = false
      this.#desired.declare(ports)
      await this.#make(this.#undeclared ? this.#desired.ports : ports)
    })
  }

  /**
   * As `Backend.add`, and answers the entries for which there is no room yet. Those, and all of them
   * where it rejects, stay wanted, and go to the kernel as soon as it takes them.
   */
  async add(entries: readonly Entry[]): Promise<readonly Entry[]> {
    return this.#inTurn(async () => {
      const now = performance.now()
      this.#checkRoom(entries.length, now)
      this.#desired.put(entries, now)
      return this.#enter(entries)
    })
  }

  /** As `Backend.del`. What could not be removed is removed later. */
  async del(entries: readonly Entry[]): Promise<void> {
    await this.#inTurn(async () => {
      this.#desired.drop(entries)
      await this.#remove(entries)
    })
  }

  /** As `Backend.sync`; the answer, and what is wanted after a failure, as with `add`. */
  async sync(entries: readonly Entry[]): Promise<readonly Entry[]> {
    return this.#inTurn(async () => {
      this.#desired.replace(entries, performance.now())
      this.#doubts.clear()
      try {
        const full = await this.#filling.sync(entries)
        this.#undeclared = false
        this.#waitForRoom(full)
        return full
      } catch (error) {
        this.#comparer.soon(0)
        throw error
      }
    })
  }

  /** As `Backend.list`. */
  list(): Promise<readonly Entry[]> {
    return this.#inTurn(() => this.#backend.list())
  }

  /** Stops wanting the entries of which `unwanted` says so, takes them out of the kernel and answers them. */
  async expel(unwanted: (entry: Entry) => boolean): Promise<readonly Entry[]> {
    const expelled: Entry[] = []
    for (const entry of this.#desired) if (unwanted(entry)) expelled.push(entry)
    if (expelled.length > 0) await this.del(expelled)
    return expelled
  }

  #hear(change: ForeignChange): void {
    if (change.kind === 'lost' && this.#desired.size > long.entries) {
      // Most often it was a large change of our own that was too much to hear.
      this.#looker.soon(settlingMs.lost)
      return this.#comparer.soon(long.settlingMs)
    }
    if (change.kind !== 'removed') return this.#comparer.soon(settlingMs[change.kind])
    const { wanted } = this.#asWanted(change.entries)
    this.#takenAway += wanted.length
    this.#doubt(wanted)
    if (wanted.length > 0) this.#mender.soon(0)
  }

  /** Settles what is in doubt now; what comes into doubt meanwhile is for the next time. */
  async #mend(): Promise<void> {
    const takenAway = this.#takenAway
    if (this.#undeclared) await this.#inTurn(() => this.#make(this.#desired.ports))
    const doubts = this.#doubts.all()
    for (let at = 0; at < doubts.length; at += batch) {
      await this.#inTurn(() => this.#settle(doubts.slice(at, at + batch)))
    }
    this.#takenAway -= takenAway
    if (takenAway > 0) this.#news.repaired(takenAway)
  }

  /** Compares all that the kernel holds with what it should, and puts back what is missing, in batches that let others in between. */
  async #compare(): Promise<void> {
    const started = performance.now()
    const disordered = await this.#mendFrame()
    const count = await this.#putBack()
    if (disordered || count > 0) this.#news.repaired(count)
    this.#comparer.soon(this.#pauseAfter(performance.now() - started))
  }

  /** Looks whether sets and rules are there, which costs little whatever they hold. */
  async #look(): Promise<void> {
    if (this.#backend.sound === undefined) return
    const started = performance.now()
    const sound = await this.#inTurn(async () => this.#desired.ports.length === 0 || (await this.#backend.sound?.()))
    if (sound === false) this.#comparer.soon(0)
    this.#looker.soon(this.#pauseAfter(performance.now() - started))
  }

  #pauseAfter(tookMs: number): number {
    return Math.min(longestPauseMs, Math.max(this.#leastPauseMs, tookMs * this.#pace.pauseTimes))
  }

  get #leastPauseMs(): number {
    return this.#pace.leastPauseMs[this.#backend.watch === undefined ? 'unwatched' : 'watched']
  }

  /** Puts sets and rules in order, and answers whether they are known to have been in disorder. */
  async #mendFrame(): Promise<boolean> {
    const { ports } = this.#desired
    if (ports.length === 0) return false
    return this.#inTurn(async () => {
      const sound = (await this.#backend.sound?.()) ?? true
      await this.#make(ports)
      return !sound
    })
  }

  /** Puts back what the kernel should hold and does not, and answers how many that were. */
  async #putBack(): Promise<number> {
    const started = performance.now()
    // In turn: what is asked for later counts as seen, and a list begins anew when anything changes meanwhile.
    const held = await this.#inTurn(async () => {
      this.#desired.startRound()
      return this.#backend.list()
    })
    const toleranceMs = 5000 + performance.now() - started
    let count = 0
    for (let at = 0; at < held.length; at += stretch) {
      count += await this.#settleInTurn(this.#mistimed(held.slice(at, at + stretch), toleranceMs))
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (let missing = this.#unseen(); missing.length > 0; missing = this.#unseen()) {
      count += await this.#settleInTurn(missing)
    }
    return count
  }

  #unseen(): Entry[] {
    return this.#desired.takeUnseen(batch, performance.now())
  }

  /** Takes note of entries that the kernel holds, and answers those that end at another time than they should. */
  #mistimed(held: readonly Entry[], toleranceMs: number): Entry[] {
    const now = performance.now()
    return held.filter((entry) => {
      const endsAt = this.#desired.see(entry, now)
      if (endsAt === undefined) return false
      if (endsAt === null || entry.endsAt === null) return endsAt !== entry.endsAt
      return Math.abs(endsAt - entry.endsAt) > toleranceMs
    })
  }

  async #settleInTurn(doubts: readonly Entry[]): Promise<number> {
    if (doubts.length > 0) await this.#inTurn(() => this.#settle(doubts))
    return doubts.length
  }

  /** Makes the kernel hold these entries as they are wanted now. */
  async #settle(doubts: readonly Entry[]): Promise<void> {
    const { wanted, unwanted } = this.#asWanted(doubts)
    if (unwanted.length > 0) await this.#remove(unwanted)
    if (wanted.length > 0) await this.#enter(wanted)
  }

  #asWanted(entries: readonly Entry[]): { wanted: Entry[]; unwanted: Entry[] } {
    const now = performance.now()
    const wanted: Entry[] = []
    const unwanted: Entry[] = []
    for (const entry of entries) {
      const endsAt = this.#desired.endOf(entry, now)
      if (endsAt === undefined) unwanted.push(entry)
      else wanted.push({ ...entry, endsAt })
    }
    return { wanted, unwanted }
  }

  async #make(ports: readonly WirePorts[]): Promise<void> {
    this.#undeclared = true
    await this.#backend.declare(ports).catch((error: unknown) => {
      this.#mender.soon(0)
      throw error
    })
    this.#undeclared = false
  }

  async #enter(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const full = await this.#sure(entries, () => this.#filling.add(entries))
    this.#waitForRoom(full)
    return full
  }

  async #remove(entries: readonly Entry[]): Promise<void> {
    await this.#sure(entries, () => this.#backend.del(entries))
  }

  /** Does what makes the kernel hold or not hold the entries; where that fails they are in doubt. */
  async #sure<Result>(entries: readonly Entry[], work: () => Promise<Result>): Promise<Result> {
    try {
      const result = await work()
      this.#doubts.settle(entries)
      return result
    } catch (error) {
      this.#doubt(entries)
      this.#mender.soon(0)
      throw error
    }
  }

  #waitForRoom(entries: readonly Entry[]): void {
    if (entries.length === 0) return
    this.#doubt(entries)
    this.#mender.soon(fullAgainMs)
  }

  #doubt(entries: readonly Entry[]): void {
    if (!this.#doubts.add(entries)) this.#comparer.soon(0)
  }

  #checkRoom(more: number, now: number): void {
    if (this.#desired.size + more > maxEntries && now - this.#tidiedAt > tidyEveryMs) {
      this.#desired.tidy(now)
      this.#tidiedAt = now
    }
    if (this.#desired.size + more <= maxEntries) return
    throw new BackendError('set-full', `there would be more than ${maxEntries} entries`)
  }

  /** Runs the work after all earlier work. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#tail.then(work)
    this.#tail = result.catch(() => {})
    return result
  }
}
