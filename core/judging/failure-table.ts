import type { Address } from '../address.ts'
import { writeKey } from '../address-words.ts'
import type { FailureRow } from './failure-row.ts'
import { GrowingRows, evictionCandidates } from './growing-rows.ts'
import { keyWords, type Key } from './keyed-rows.ts'
import { mostRows } from './row-index.ts'

/** However many addresses there are and however often they fail, one table never takes more than this, and one row. */
const maxTableBytes = 768 * 1024 * 1024
/** The share of it that is kept for larger rows, where `maxretry` is so large that there are any (`GrowingRows`). */
const largerShare = 0.5
/** While memory is scarce, they take no more than this for each address that may be tracked. */
const scarceLargerBytes = 4096
/** Rows looked at for every failure counted: expired ones go, so that nothing ever has to sweep the whole table. */
const sweptAtOnce = 2

/** What a table is made for. */
export interface TableLimits {
  readonly maxretry: number
  readonly findtimeMs: number
  readonly maxAddresses: number
}

/**
 * The failures of one jail, by address: the last `maxretry` times of each, exact to the millisecond, as numbers.
 * 64 bytes an address with a `maxretry` of 5, the index included. However large `maxretry` is, 80 bytes for one that failed
 * up to eight times, and beside them at most about twice what its times need for one that failed more often.
 *
 * The table is bounded: when it is full, the least dangerous of some rows (fewest failures, then oldest) is given
 * up, so a flood of addresses that fail once cannot push out one that is about to reach the threshold. Where larger rows
 * take too much, it is one of the size that takes the most. Expired rows are removed a few at a time with every call.
 */
export class FailureTable {
  readonly #maxretry: number
  readonly #findtimeMs: number
  readonly #mostRows: number
  /** As many as `mostRows`, or fewer while memory is scarce. */
  #maxRows: number
  /** Bytes of larger rows: as many as `mostRows` leave, or fewer while memory is scarce. */
  #maxLargerBytes: number
  #rows: GrowingRows
  #hand = 0
  #latest = 0
  #evicted = 0
  /** By how much the clock was set: what is kept is without it. */
  #shifted = 0
  readonly #probe: Key = new Uint32Array(keyWords)

  readonly #limits: TableLimits

  constructor(limits: TableLimits) {
    this.#limits = limits
    this.#maxretry = limits.maxretry
    this.#findtimeMs = limits.findtimeMs
    this.#rows = new GrowingRows(limits.maxretry, limits.findtimeMs)
    const bytes = maxTableBytes * (this.#rows.grows ? 1 - largerShare : 1)
    const room = Math.floor(bytes / this.#rows.leastBytes)
    this.#mostRows = Math.max(1, Math.min(limits.maxAddresses, room, mostRows))
    this.#maxLargerBytes = this.#leftForLarger
    this.#maxRows = this.#mostRows
  }

  /** One that has counted the same, and goes on by itself. */
  copy(): FailureTable {
    const copy = new FailureTable(this.#limits)
    copy.#rows = this.#rows.copy()
    copy.#maxRows = this.#maxRows
    copy.#maxLargerBytes = this.#maxLargerBytes
    copy.#hand = this.#hand
    copy.#latest = this.#latest
    copy.#evicted = this.#evicted
    copy.#shifted = this.#shifted
    return copy
  }

  /** Addresses tracked now. */
  get size(): number {
    return this.#rows.size
  }

  /** Bytes that it takes. */
  get bytes(): number {
    return this.#rows.bytes
  }

  /** Addresses given up because the table was full. */
  get evicted(): number {
    return this.#evicted
  }

  /**
   * Counts `attempts` failures at `time` (unix ms) and answers how many lie in the window of
   * `findtime` that ends with the latest failure of the address, at most `maxretry`. Times may come
   * out of order. `excerpt` gets the excerpt pointer of the address (0 for none) and answers the new one.
   */
  add(address: Address, time: number, attempts: number, excerpt: (previous: number) => number): number {
    writeKey(address, this.#probe)
    return this.#add(time, attempts, excerpt)
  }

  /** The address of the last `add`, as `writeKey` writes it. */
  get key(): Uint32Array {
    return this.#probe
  }

  /** As `add`, for an address that `writeKey` wrote to `words` at `at`. */
  addKey(
    words: Uint32Array,
    at: number,
    time: number,
    attempts: number,
    excerpt: (previous: number) => number = same,
  ): number {
    this.#ask(words, at)
    return this.#add(time, attempts, excerpt)
  }

  #add(given: number, attempts: number, excerpt: (previous: number) => number): number {
    const time = given - this.#shifted
    this.#latest = Math.max(this.#latest, time)
    if (this.#rows.largerBytes > this.#maxLargerBytes) this.#fit()
    const row = this.#row()
    const failures = this.#rows.open(row)
    if (failures.reach(time)) {
      const times = Math.min(attempts, this.#maxretry)
      if (failures.room < this.#maxretry && failures.room < failures.count + times) this.#makeRoom(row, time, times)
      failures.insert(time, times, this.#maxretry)
    }
    failures.excerpt = excerpt(failures.excerpt)
    return this.#inWindow(failures)
  }

  /** How many failures of the address lie in its window, and its excerpt pointer; undefined where it is not tracked. */
  look(address: Address): { readonly failures: number; readonly excerpt: number } | undefined {
    writeKey(address, this.#probe)
    const row = this.#rows.find(this.#probe)
    if (row < 0) return undefined
    const failures = this.#rows.open(row)
    return { failures: this.#inWindow(failures), excerpt: failures.excerpt }
  }

  /** When the address failed, ascending: what counts now, and of what was before as many times as were kept. */
  timesOf(address: Address): number[] {
    writeKey(address, this.#probe)
    const row = this.#rows.find(this.#probe)
    if (row < 0) return []
    const failures = this.#rows.open(row)
    return Array.from({ length: failures.count }, (_, index) => failures.time(index) + this.#shifted)
  }

  /** The clock was set by so many milliseconds: what has been counted moves with it. */
  shift(ms: number): void {
    this.#shifted += ms
  }

  /**
   * Tracks no more than so many addresses from now on, with larger rows of no more than 4 KiB for each of so many;
   * Infinity: as many as it was made for. The least dangerous are given up, and their memory with them.
   */
  limit(addresses: number): void {
    this.#maxRows = Math.max(1, Math.min(this.#mostRows, addresses))
    this.#maxLargerBytes = Math.min(this.#leftForLarger, scarceLargerBytes * addresses)
    while (this.#rows.size > this.#maxRows) this.#evict(this.#leastDangerous())
    this.#fit()
  }

  /** Forgets an address; one that is not tracked is no error. */
  forget(address: Address): void {
    writeKey(address, this.#probe)
    this.#forget()
  }

  /** As `forget`, for an address that `writeKey` wrote to `words` at `at`. */
  forgetKey(words: Uint32Array, at: number): void {
    this.#ask(words, at)
    this.#forget()
  }

  /**
   * Tells the rows from `start` to `end` (exclusive), each of their times by itself, ascending: the
   * address as four words from `at` on, and whether it is its first time. A row that is removed gives
   * its place to the last one, so who goes from the last row to the first sees all that stay.
   */
  each(
    start: number,
    end: number,
    found: (words: Uint32Array, at: number, time: number, first: boolean) => void,
  ): void {
    for (let row = start; row < Math.min(end, this.#rows.size); row++) {
      const failures = this.#rows.open(row)
      for (let index = 0; index < failures.count; index++)
        found(failures.words, failures.at, failures.time(index) + this.#shifted, index === 0)
    }
  }

  #ask(words: Uint32Array, at: number): void {
    for (let word = 0; word < keyWords; word++) this.#probe[word] = words[at + word] ?? 0
  }

  #forget(): void {
    const row = this.#rows.find(this.#probe)
    if (row >= 0) this.#rows.remove(row)
  }

  /** Makes room for so many failures more at `time` in a row that is open. */
  #makeRoom(row: number, time: number, times: number): void {
    const failures = this.#rows.open(row)
    // What counts no more takes no room.
    failures.keepLast(failures.countSince(Math.max(failures.last, time) - this.#findtimeMs))
    const needed = Math.min(failures.count + times, this.#maxretry)
    if (failures.room < needed) this.#rows.grow(row, needed)
  }

  #inWindow(failures: FailureRow): number {
    return failures.countSince(failures.last - this.#findtimeMs)
  }

  /** Looks at some rows. Of expired ones the first stays, to be taken or removed, and is the answer; -1: there is none. */
  #sweep(): number {
    let expired = -1
    for (let i = 0; i < sweptAtOnce && this.#rows.size > 0; i++) {
      if (this.#hand >= this.#rows.size) this.#hand = 0
      // Behind one that stays, since its number would change if the last row took another place.
      if (this.#hand <= expired) break
      if (this.#rows.open(this.#hand).last >= this.#latest - this.#findtimeMs) this.#hand++
      else if (expired < 0) expired = this.#hand++
      else this.#rows.remove(this.#hand)
    }
    this.#rows.tend()
    return expired
  }

  /** The row of the probe, an empty one where it had none. That of an expired address costs less than one that has to be moved. */
  #row(): number {
    const expired = this.#sweep()
    const known = this.#rows.find(this.#probe)
    if (known < 0) return this.#newRow(expired)
    if (expired < 0 || expired === known) return known
    this.#rows.remove(expired)
    // The last row took the place.
    return known === this.#rows.size ? expired : known
  }

  #newRow(expired: number): number {
    if (expired >= 0) {
      this.#rows.replace(expired, this.#probe)
      return expired
    }
    if (this.#rows.size < this.#maxRows) return this.#rows.append(this.#probe)
    const row = this.#leastDangerous()
    this.#rows.replace(row, this.#probe)
    this.#evicted++
    return row
  }

  #evict(row: number): void {
    this.#rows.remove(row)
    this.#evicted++
  }

  /** Gives up addresses until the rest fits: one that has just grown may have taken more than there was. */
  #fit(): void {
    while (this.#rows.largerBytes > this.#maxLargerBytes) this.#evict(this.#rows.leastDangerousLarger())
  }

  #leastDangerous(): number {
    const row = this.#rows.leastDangerous(this.#hand)
    this.#hand = (this.#hand + evictionCandidates) % this.#rows.size
    return row
  }

  get #leftForLarger(): number {
    return maxTableBytes - this.#mostRows * this.#rows.leastBytes
  }
}

const same = (previous: number) => previous
