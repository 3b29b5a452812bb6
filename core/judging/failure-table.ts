import type { Address } from '../address.ts'
import { writeKey } from './address-key.ts'
import { KeyedRows, moved } from './keyed-rows.ts'

/** What a row costs apart from its times: 16 bytes of key, count, excerpt pointer, and its share of the index. */
const rowBytesWithoutTimes = 16 + 4 + 8 + 8
/** However large `maxretry` is, one table never takes more than this. */
const maxTableBytes = 512 * 1024 * 1024
/** Rows looked at for every failure counted: expired ones go, so that nothing ever has to sweep the whole table. */
const sweptAtOnce = 2
/**
 * In few steps, for each leaves arrays behind that were too small, and holes of their size in memory. What
 * is not used yet of a large array is not resident either.
 */
const growthFactor = 16
/** Rows compared when a full table must give one up. */
const evictionCandidates = 16

/**
 * The failures of one jail, by address: the last `maxretry` times of each, exact, in typed arrays.
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
  readonly #rows = new KeyedRows()
  #hand = 0
  #latest = 0
  #evicted = 0
  #counts = new Uint32Array(0)
  #times = new Float64Array(0)
  #excerpts = new Float64Array(0)
  readonly #probe = new Uint32Array(4)

  constructor(limits: { readonly maxretry: number; readonly findtimeMs: number; readonly maxAddresses: number }) {
    this.#maxretry = limits.maxretry
    this.#findtimeMs = limits.findtimeMs
    const rowBytes = rowBytesWithoutTimes + 8 * limits.maxretry
    this.#mostRows = Math.max(1, Math.min(limits.maxAddresses, Math.floor(maxTableBytes / rowBytes)))
    this.#maxRows = this.#mostRows
    this.#resize(Math.min(this.#maxRows, 1024))
  }

  /** Addresses tracked now. */
  get size(): number {
    return this.#rows.size
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

  /** As `add` without an excerpt, for an address that `writeKey` wrote to `words` at `at`. */
  addKey(words: Uint32Array, at: number, time: number, attempts: number): void {
    this.#probe.set(words.subarray(at, at + 4))
    this.#add(time, attempts, (previous) => previous)
  }

  #add(time: number, attempts: number, excerpt: (previous: number) => number): number {
    this.#latest = Math.max(this.#latest, time)
    this.#sweep(sweptAtOnce)
    const row = this.#row()
    for (let i = 0; i < Math.min(attempts, this.#maxretry); i++) this.#insertTime(row, time)
    this.#excerpts[row] = excerpt(this.#excerpts[row] ?? 0)
    return this.#failuresInWindow(row)
  }

  /** How many failures of the address lie in its window, and its excerpt pointer; undefined where it is not tracked. */
  look(address: Address): { readonly failures: number; readonly excerpt: number } | undefined {
    writeKey(address, this.#probe)
    const row = this.#rows.find(this.#probe)
    return row < 0 ? undefined : { failures: this.#failuresInWindow(row), excerpt: this.#excerpts[row] ?? 0 }
  }

  /** When the address failed, ascending, at most the last `maxretry` times. */
  timesOf(address: Address): number[] {
    writeKey(address, this.#probe)
    const row = this.#rows.find(this.#probe)
    if (row < 0) return []
    const first = row * this.#maxretry
    return [...this.#times.subarray(first, first + (this.#counts[row] ?? 0))]
  }

  /** The clock was set by so many milliseconds: what has been counted moves with it. */
  shift(ms: number): void {
    this.#latest += ms
    for (let at = 0; at < this.#rows.size * this.#maxretry; at++) this.#times[at] = (this.#times[at] ?? 0) + ms
  }

  /**
   * Tracks no more than so many addresses from now on, Infinity: as many as it was made for. The least
   * dangerous are given up, and their memory with them.
   */
  limit(addresses: number): void {
    this.#maxRows = Math.max(1, Math.min(this.#mostRows, addresses))
    while (this.#rows.size > this.#maxRows) this.#evict()
    if (this.#rows.capacity > this.#maxRows) this.#resize(this.#maxRows)
  }

  /** Forgets an address; one that is not tracked is no error. */
  forget(address: Address): void {
    writeKey(address, this.#probe)
    this.#forget()
  }

  /** As `forget`, for an address that `writeKey` wrote to `words` at `at`. */
  forgetKey(words: Uint32Array, at: number): void {
    this.#probe.set(words.subarray(at, at + 4))
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
      const from = row * this.#maxretry
      const to = from + (this.#counts[row] ?? 0)
      for (let at = from; at < to; at++) found(this.#rows.keys, row * 4, this.#times[at] ?? 0, at === from)
    }
  }

  #forget(): void {
    const row = this.#rows.find(this.#probe)
    if (row >= 0) this.#remove(row)
  }

  /** Keeps the row's times ascending, and of more than `maxretry` only the latest. */
  #insertTime(row: number, time: number): void {
    const times = this.#times
    const first = row * this.#maxretry
    let count = this.#counts[row] ?? 0
    if (count === this.#maxretry) {
      if (time < (times[first] ?? 0)) return
      times.copyWithin(first, first + 1, first + count)
      count--
    }
    let at = first + count
    for (; at > first && (times[at - 1] ?? 0) > time; at--) times[at] = times[at - 1] ?? 0
    times[at] = time
    this.#counts[row] = count + 1
  }

  #failuresInWindow(row: number): number {
    const first = row * this.#maxretry
    const count = this.#counts[row] ?? 0
    const start = this.#lastTime(row) - this.#findtimeMs
    let inside = count
    while (inside > 0 && (this.#times[first + count - inside] ?? 0) < start) inside--
    return inside
  }

  #lastTime(row: number): number {
    return this.#times[row * this.#maxretry + (this.#counts[row] ?? 0) - 1] ?? 0
  }

  #sweep(rows: number): void {
    for (let i = 0; i < rows && this.#rows.size > 0; i++) {
      if (this.#hand >= this.#rows.size) this.#hand = 0
      if (this.#lastTime(this.#hand) < this.#latest - this.#findtimeMs) this.#remove(this.#hand)
      else this.#hand++
    }
  }

  /** The row of the probe, an empty one where it had none. */
  #row(): number {
    const known = this.#rows.find(this.#probe)
    if (known >= 0) return known
    if (this.#rows.size === this.#rows.capacity) {
      if (this.#rows.capacity < this.#maxRows) this.#resize(Math.min(this.#maxRows, this.#rows.capacity * growthFactor))
      else this.#evict()
    }
    const row = this.#rows.append(this.#probe)
    this.#counts[row] = 0
    this.#excerpts[row] = 0
    return row
  }

  #evict(): void {
    let worst = this.#hand % this.#rows.size
    for (let i = 1; i < evictionCandidates; i++) {
      const row = (this.#hand + i) % this.#rows.size
      const difference = (this.#counts[row] ?? 0) - (this.#counts[worst] ?? 0)
      if (difference < 0 || (difference === 0 && this.#lastTime(row) < this.#lastTime(worst))) worst = row
    }
    this.#hand = (this.#hand + evictionCandidates) % this.#rows.size
    this.#remove(worst)
    this.#evicted++
  }

  /** Removes a row and fills its place with the last one. */
  #remove(row: number): void {
    const last = this.#rows.remove(row)
    if (row === last) return
    this.#times.copyWithin(row * this.#maxretry, last * this.#maxretry, (last + 1) * this.#maxretry)
    this.#counts[row] = this.#counts[last] ?? 0
    this.#excerpts[row] = this.#excerpts[last] ?? 0
  }

  #resize(capacity: number): void {
    this.#rows.resize(capacity)
    this.#counts = moved(this.#counts, new Uint32Array(capacity))
    this.#excerpts = moved(this.#excerpts, new Float64Array(capacity))
    this.#times = moved(this.#times, new Float64Array(capacity * this.#maxretry))
  }
}
