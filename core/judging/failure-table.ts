import type { Address } from '../address.ts'
import { writeKey } from '../address-words.ts'
import { KeyedRows, keyWords, type Key, type RowPage } from './keyed-rows.ts'
import { mostRows } from './row-index.ts'

/** Behind the key: two doubles, of which the second is the excerpt pointer, and the number of times. */
const firstDouble = keyWords / 2
const excerptDouble = firstDouble + 1
const countWord = keyWords + 4
const timesWord = countWord + 1
/** The share of the index, at most. */
const indexBytes = 16
/** However large `maxretry` is, one table never takes more than this. */
const maxTableBytes = 768 * 1024 * 1024
/** Rows looked at for every failure counted: expired ones go, so that nothing ever has to sweep the whole table. */
const sweptAtOnce = 2
/** Rows compared when a full table must give one up. */
const evictionCandidates = 16
/** Where the window is no longer (24 days), the times of a row are 32 bits from a base that is so long before the first. */
const halfSpan = 2 ** 31
const span = 2 ** 32

/** What a table is made for. */
export interface TableLimits {
  readonly maxretry: number
  readonly findtimeMs: number
  readonly maxAddresses: number
}

/**
 * The failures of one jail, by address: the last `maxretry` times of each, exact to the millisecond, as numbers.
 * 64 bytes an address with a `maxretry` of 5, the index included.
 *
 * The table is bounded: when it is full, the least dangerous of some rows (fewest failures, then oldest) is given
 * up, so a flood of addresses that fail once cannot push out one that is about to reach the threshold. Expired rows are removed a few at a time with every call.
 */
export class FailureTable {
  readonly #maxretry: number
  readonly #findtimeMs: number
  readonly #mostRows: number
  /** As many as `mostRows`, or fewer while memory is scarce. */
  #maxRows: number
  /** Times as doubles, where the window is too long for less. */
  readonly #wide: boolean
  #rows: KeyedRows
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
    this.#wide = limits.findtimeMs > halfSpan
    const words = timesWord + (this.#wide ? 1 + 2 * limits.maxretry : limits.maxretry)
    const width = words + (words % 2)
    const room = Math.floor(maxTableBytes / (width * 4 + indexBytes))
    this.#rows = new KeyedRows(width)
    this.#mostRows = Math.max(1, Math.min(limits.maxAddresses, room, mostRows))
    this.#maxRows = this.#mostRows
  }

  /** One that has counted the same, and goes on by itself. */
  copy(): FailureTable {
    const copy = new FailureTable(this.#limits)
    copy.#rows = this.#rows.copy()
    copy.#maxRows = this.#maxRows
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
    this.#sweep(sweptAtOnce)
    const row = this.#row()
    const page = this.#rows.page(row)
    const at = this.#rows.at(row)
    for (let i = 0; i < Math.min(attempts, this.#maxretry); i++) this.#insertTime(page, at, time)
    const pointer = (at >> 1) + excerptDouble
    page.doubles[pointer] = excerpt(page.doubles[pointer] ?? 0)
    return this.#failuresInWindow(page, at)
  }

  /** How many failures of the address lie in its window, and its excerpt pointer; undefined where it is not tracked. */
  look(address: Address): { readonly failures: number; readonly excerpt: number } | undefined {
    writeKey(address, this.#probe)
    const row = this.#rows.find(this.#probe)
    if (row < 0) return undefined
    const page = this.#rows.page(row)
    const at = this.#rows.at(row)
    return { failures: this.#failuresInWindow(page, at), excerpt: page.doubles[(at >> 1) + excerptDouble] ?? 0 }
  }

  /** When the address failed, ascending, at most the last `maxretry` times. */
  timesOf(address: Address): number[] {
    writeKey(address, this.#probe)
    const row = this.#rows.find(this.#probe)
    if (row < 0) return []
    const page = this.#rows.page(row)
    const at = this.#rows.at(row)
    return Array.from(
      { length: page.words[at + countWord] ?? 0 },
      (_, index) => this.#time(page, at, index) + this.#shifted,
    )
  }

  /** The clock was set by so many milliseconds: what has been counted moves with it. */
  shift(ms: number): void {
    this.#shifted += ms
  }

  /**
   * Tracks no more than so many addresses from now on, Infinity: as many as it was made for. The least
   * dangerous are given up, and their memory with them.
   */
  limit(addresses: number): void {
    this.#maxRows = Math.max(1, Math.min(this.#mostRows, addresses))
    while (this.#rows.size > this.#maxRows) this.#evict()
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
      const page = this.#rows.page(row)
      const at = this.#rows.at(row)
      const count = page.words[at + countWord] ?? 0
      for (let index = 0; index < count; index++)
        found(page.words, at, this.#time(page, at, index) + this.#shifted, index === 0)
    }
  }

  #ask(words: Uint32Array, at: number): void {
    for (let word = 0; word < keyWords; word++) this.#probe[word] = words[at + word] ?? 0
  }

  #forget(): void {
    const row = this.#rows.find(this.#probe)
    if (row >= 0) this.#rows.remove(row)
  }

  /** Keeps the row's times ascending, and of more than `maxretry` only the latest. */
  #insertTime(page: RowPage, at: number, time: number): void {
    let count = page.words[at + countWord] ?? 0
    if (count === this.#maxretry && time < this.#time(page, at, 0)) return
    if (!this.#wide && !this.#spans(page, at, time)) return
    count = page.words[at + countWord] ?? 0
    if (count === this.#maxretry) this.#dropFirst(page, at, 1, count--)
    let index = count
    for (; index > 0; index--) {
      const before = this.#time(page, at, index - 1)
      if (before <= time) break
      this.#setTime(page, at, index, before)
    }
    this.#setTime(page, at, index, time)
    page.words[at + countWord] = count + 1
  }

  /**
   * Makes sure that the row's base is one from which the time fits. What does not fit any more lies further before the
   * latest failure than any window: it counts no more. False: the time is such a one itself.
   */
  #spans(page: RowPage, at: number, time: number): boolean {
    const { doubles, words } = page
    const base = (at >> 1) + firstDouble
    const count = words[at + countWord] ?? 0
    if (count === 0) doubles[base] = Math.floor(time) - halfSpan
    const behind = time - (doubles[base] ?? 0)
    if (behind < span) return behind >= 0
    const moved = Math.floor(time) - halfSpan - (doubles[base] ?? 0)
    let old = 0
    while (old < count && (words[at + timesWord + old] ?? 0) < moved) old++
    this.#dropFirst(page, at, old, count)
    for (let index = 0; index < count - old; index++)
      words[at + timesWord + index] = (words[at + timesWord + index] ?? 0) - moved
    doubles[base] = (doubles[base] ?? 0) + moved
    return true
  }

  #dropFirst(page: RowPage, at: number, dropped: number, count: number): void {
    const each = this.#wide ? 2 : 1
    const first = at + timesWord + (this.#wide ? 1 : 0)
    page.words.copyWithin(first, first + dropped * each, first + count * each)
    page.words[at + countWord] = count - dropped
  }

  #time(page: RowPage, at: number, index: number): number {
    if (this.#wide) return page.doubles[((at + timesWord + 1) >> 1) + index] ?? 0
    return (page.doubles[(at >> 1) + firstDouble] ?? 0) + (page.words[at + timesWord + index] ?? 0)
  }

  #setTime(page: RowPage, at: number, index: number, time: number): void {
    if (this.#wide) page.doubles[((at + timesWord + 1) >> 1) + index] = time
    else page.words[at + timesWord + index] = time - (page.doubles[(at >> 1) + firstDouble] ?? 0)
  }

  #failuresInWindow(page: RowPage, at: number): number {
    const count = page.words[at + countWord] ?? 0
    const start = this.#time(page, at, count - 1) - this.#findtimeMs
    let inside = count
    while (inside > 0 && this.#time(page, at, count - inside) < start) inside--
    return inside
  }

  #lastTime(row: number): number {
    const page = this.#rows.page(row)
    const at = this.#rows.at(row)
    return this.#time(page, at, (page.words[at + countWord] ?? 0) - 1)
  }

  #sweep(rows: number): void {
    for (let i = 0; i < rows && this.#rows.size > 0; i++) {
      if (this.#hand >= this.#rows.size) this.#hand = 0
      if (this.#lastTime(this.#hand) < this.#latest - this.#findtimeMs) this.#rows.remove(this.#hand)
      else this.#hand++
    }
    this.#rows.tend()
  }

  /** The row of the probe, an empty one where it had none. */
  #row(): number {
    const known = this.#rows.find(this.#probe)
    if (known >= 0) return known
    if (this.#rows.size < this.#maxRows) return this.#rows.append(this.#probe)
    const row = this.#leastDangerous()
    this.#rows.replace(row, this.#probe)
    this.#evicted++
    return row
  }

  #evict(): void {
    this.#rows.remove(this.#leastDangerous())
    this.#evicted++
  }

  /** Of the next rows the one with the fewest failures; of those with as few, the one whose last is the oldest. */
  #leastDangerous(): number {
    const { size } = this.#rows
    let worst = 0
    let fewest = Infinity
    let oldest = Infinity
    for (let i = 0; i < evictionCandidates; i++) {
      const row = (this.#hand + i) % size
      const count = this.#rows.page(row).words[this.#rows.at(row) + countWord] ?? 0
      if (count > fewest) continue
      const last = this.#lastTime(row)
      if (count === fewest && last >= oldest) continue
      worst = row
      fewest = count
      oldest = last
    }
    this.#hand = (this.#hand + evictionCandidates) % size
    return worst
  }
}

const same = (previous: number) => previous
