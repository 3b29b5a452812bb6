/** Makes the kernel hold what is wanted, and remembers what it may not hold as it should. */
import type { Entry } from './admission.ts'
import { BackendError, type Backend, type Entered } from './backend.ts'
import { Desired } from './desired.ts'
import { Doubts } from './doubts.ts'
import { Filling } from './filling.ts'
import { maxSyncEntries, type WirePorts } from './messages.ts'
import { isWide } from './set-names.ts'
import type { News } from './news.ts'

/** With more entries in doubt everything is compared instead. */
const maxDoubts = 20_000
const fullAgainMs = 2000
const replacedAtOnce = 20_000
const tidyEveryMs = 60_000

export interface UpkeepCalls {
  /** Something is in doubt, or not made: to be mended in so many milliseconds. */
  readonly mendSoon: (ms: number) => void
  /** More is in doubt than is kept: everything is to be compared. */
  readonly compareSoon: () => void
}

/** All of its promises are for one caller at a time: see `Turns`. */
export class Upkeep {
  readonly desired = new Desired()
  readonly #doubts = new Doubts(maxDoubts, (entry) => this.desired.nameOf(entry))
  readonly #backend: Backend
  readonly #filling: Filling
  readonly #calls: UpkeepCalls
  /** Whether sets or rules may be missing because a declaration failed. */
  #undeclared = false
  #tidiedAt = 0

  constructor(backend: Backend, news: News, calls: UpkeepCalls) {
    this.#backend = backend
    this.#calls = calls
    this.#filling = new Filling(backend, (set) => news.full(set))
  }

  /** Makes what these ports need; where that rejects, all that is declared is made later. */
  async declare(ports: readonly WirePorts[]): Promise<void> {
    this.desired.declare(ports)
    await this.#make(this.#undeclared ? this.desired.ports : ports)
  }

  /** Makes what a declaration has left undone. */
  async makeUndone(): Promise<void> {
    if (this.#undeclared) await this.#make(this.desired.ports)
  }

  /** Puts sets and rules in order, and answers whether they are known to have been in disorder. */
  async mendFrame(): Promise<boolean> {
    const { ports } = this.desired
    if (ports.length === 0) return false
    const sound = (await this.#backend.sound?.()) ?? true
    await this.#make(ports)
    return !sound
  }

  /** Wants the entries and enters them; answers those without room. Throws `set-full` where they are too many to be kept. */
  async add(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const now = performance.now()
    this.#checkRoom(entries.length, now)
    this.desired.put(entries, now)
    return this.#enter(entries)
  }

  /** Wants the entries no more and removes them. */
  async del(entries: readonly Entry[]): Promise<void> {
    this.desired.drop(entries)
    await this.#remove(entries)
  }

  /**
   * Wants and enters these entries and nothing else; answers those without room. After a failure wide
   * prefixes are wanted no more, until a sync succeeds: those that were there before may not be gone yet,
   * and the new ones must not come beside them.
   */
  async sync(entries: readonly Entry[]): Promise<readonly Entry[]> {
    this.desired.replace(entries, performance.now())
    this.#doubts.clear()
    const full = await this.#filling.sync(entries, this.desired.ports).catch((error: unknown) => {
      this.desired.dropSets(isWide)
      throw error
    })
    this.#undeclared = false
    this.#waitForRoom(full)
    return full
  }

  /** Begins a sync that comes in parts. What was wanted before stays so until its end, and so it does where none comes. */
  beginSync(): void {
    this.desired.startReplacing()
    this.#doubts.clear()
  }

  /** Wants and enters a part of a sync, none of it wide; answers those without room. */
  async enterPart(entries: readonly Entry[]): Promise<readonly Entry[]> {
    this.desired.put(entries, performance.now())
    return this.#filling.add(entries)
  }

  /**
   * Wants and enters the rest of a sync, wide prefixes among it, and nothing that was wanted before it began; then what
   * had no room before. Answers what has none. Failures are as those of `sync`.
   */
  async endSync(rest: readonly Entry[], waiting: readonly Entry[]): Promise<readonly Entry[]> {
    const narrow = rest.filter((entry) => !isWide(entry))
    const full = [...(await this.enterPart(narrow))]
    for (let gone = this.#replaced(); gone.length > 0; gone = this.#replaced()) await this.#backend.del(gone)
    const wide = rest.filter(isWide)
    const { desired } = this
    const entered: Entered = {
      keys: desired.keys,
      count: (name) => desired.count(name),
      holds: (name, address, now) => desired.holds(name, address, now),
    }
    desired.put(wide, performance.now())
    const late = await this.#filling.sync(wide, desired.ports, entered).catch((error: unknown) => {
      this.desired.dropSets(isWide)
      throw error
    })
    full.push(...late, ...(waiting.length === 0 ? [] : await this.#filling.add(waiting)))
    this.#undeclared = false
    this.#waitForRoom(full)
    return full
  }

  /** Makes the kernel hold these entries as they are wanted now. */
  async settle(entries: readonly Entry[]): Promise<void> {
    const { wanted, unwanted } = this.asWanted(entries)
    if (unwanted.length > 0) await this.#remove(unwanted)
    if (wanted.length > 0) await this.#enter(wanted)
  }

  /** Those of the entries that are wanted, with the ends that they should have, and the others. */
  asWanted(entries: readonly Entry[]): { wanted: Entry[]; unwanted: Entry[] } {
    const now = performance.now()
    const wanted: Entry[] = []
    const unwanted: Entry[] = []
    for (const entry of entries) {
      const endsAt = this.desired.endOf(entry, now)
      if (endsAt === undefined) unwanted.push(entry)
      else wanted.push({ ...entry, endsAt })
    }
    return { wanted, unwanted }
  }

  /** Nobody knows whether the kernel holds these as it should; `settle` ends that. */
  doubt(entries: readonly Entry[]): void {
    if (!this.#doubts.add(entries)) this.#calls.compareSoon()
  }

  /** All that is in doubt. */
  doubts(): readonly Entry[] {
    return this.#doubts.all()
  }

  #replaced(): Entry[] {
    return this.desired.takeReplaced(replacedAtOnce, performance.now())
  }

  async #make(ports: readonly WirePorts[]): Promise<void> {
    this.#undeclared = true
    try {
      await this.#backend.declare(ports)
      this.#undeclared = false
    } catch (error) {
      // No room beside what an earlier agent left: a sync makes them in its place.
      if (error instanceof BackendError && error.code === 'busy') return
      this.#calls.mendSoon(0)
      throw error
    }
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
      this.doubt(entries)
      this.#calls.mendSoon(0)
      throw error
    }
  }

  #waitForRoom(entries: readonly Entry[]): void {
    if (entries.length === 0) return
    this.doubt(entries)
    this.#calls.mendSoon(fullAgainMs)
  }

  #checkRoom(more: number, now: number): void {
    if (this.desired.size + more > maxSyncEntries && now - this.#tidiedAt > tidyEveryMs) {
      this.desired.tidy(now)
      this.#tidiedAt = now
    }
    if (this.desired.size + more <= maxSyncEntries) return
    throw new BackendError('set-full', `there would be more than ${maxSyncEntries} entries`)
  }
}
