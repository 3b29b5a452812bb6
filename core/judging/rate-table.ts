import { KeyedRows, moved, type Key } from './keyed-rows.ts'
import { roundHalfEven } from './round-half-even.ts'

/** Key, attempts, failures, two times, excerpt pointer, and the share of the index. */
const rowBytes = 16 + 8 + 4 + 16 + 8 + 8
/** However many ids there are, one table never takes more than this. */
const maxTableBytes = 512 * 1024 * 1024
/** As in `FailureTable`. */
const growthFactor = 16
const evictionCandidates = 16
/** Fail2ban looks for what is too old at most this often. */
const sweepEverySeconds = 5

/** What is known of an id. Times are unix seconds. */
export interface Rate {
  /** Estimated attempts within `findtime`. */
  readonly attempts: number
  /** Where the estimate begins, and the latest failure. */
  readonly first: number
  readonly last: number
  /** Failures that were counted in truth. */
  readonly failures: number
  /** Pointer to its lines; 0: none. */
  readonly excerpt: number
}

/**
 * The failures of one jail by id, as Fail2ban's FailManager counts them: not a window that slides, but attempts since
 * the first failure; when one comes later than `findtime` after that, attempts become the rate so far times `findtime`.
 * All arithmetic is on doubles of seconds, in Fail2ban's order, so that roundings are the same.
 *
 * 60 bytes an id, whatever `maxretry` is. Bounded as `FailureTable` is.
 */
export class RateTable {
  readonly #findtime: number
  readonly #mostRows: number
  #maxRows: number
  readonly #rows = new KeyedRows()
  #hand = 0
  #evicted = 0
  #nextSweep = 0
  #attempts = new Float64Array(0)
  #first = new Float64Array(0)
  #last = new Float64Array(0)
  #failures = new Uint32Array(0)
  #excerpts = new Float64Array(0)

  constructor(limits: { readonly findtimeSeconds: number; readonly maxIds: number }) {
    this.#findtime = limits.findtimeSeconds
    this.#mostRows = Math.max(1, Math.min(limits.maxIds, Math.floor(maxTableBytes / rowBytes)))
    this.#maxRows = this.#mostRows
    this.#resize(Math.min(this.#maxRows, 1024))
  }

  /** Ids tracked now. */
  get size(): number {
    return this.#rows.size
  }

  /** Ids given up because the table was full. */
  get evicted(): number {
    return this.#evicted
  }

  /** Counts one failure that stands for so many attempts, and answers the estimate. Times may come out of order. */
  add(key: Key, time: number, attempts: number, excerpt: (previous: number) => number = same): number {
    const known = this.#rows.find(key)
    const row = known < 0 ? this.#insert(key, time) : known
    if (known >= 0) this.#adjust(row, time)
    this.#attempts[row] = (this.#attempts[row] ?? 0) + attempts
    this.#failures[row] = (this.#failures[row] ?? 0) + 1
    this.#excerpts[row] = excerpt(this.#excerpts[row] ?? 0)
    return this.#attempts[row] ?? 0
  }

  /** Sets what is known of an id. */
  put(key: Key, rate: Omit<Rate, 'excerpt'>): void {
    const known = this.#rows.find(key)
    const row = known < 0 ? this.#insert(key, rate.first) : known
    this.#attempts[row] = rate.attempts
    this.#failures[row] = rate.failures
    this.#first[row] = rate.first
    this.#last[row] = rate.last
  }

  look(key: Key): Rate | undefined {
    const row = this.#rows.find(key)
    return row < 0 ? undefined : this.#read(row)
  }

  /** Forgets an id; one that is not tracked is no error. */
  forget(key: Key): void {
    const row = this.#rows.find(key)
    if (row >= 0) this.#remove(row)
  }

  /**
   * Forgets all whose latest failure is `findtime` old or older at `now`, unless it did so less than 5 s before.
   * `forgotten` hears of each key, as four words from `at` on, before it is gone.
   */
  sweep(now: number, forgotten: (words: Uint32Array, at: number) => void): void {
    if (now < this.#nextSweep) return
    this.#nextSweep = now + sweepEverySeconds
    const latest = now - this.#findtime
    for (let row = this.#rows.size - 1; row >= 0; row--) {
      if ((this.#last[row] ?? 0) > latest) continue
      forgotten(this.#rows.keys, row * 4)
      this.#remove(row)
    }
  }

  /** Tells the rows from `start` to `end` (exclusive); as in `FailureTable`, from the last one down all that stay are seen. */
  each(start: number, end: number, found: (words: Uint32Array, at: number, rate: Rate) => void): void {
    for (let row = start; row < Math.min(end, this.#rows.size); row++) found(this.#rows.keys, row * 4, this.#read(row))
  }

  /** The clock was set by so many seconds. */
  shift(seconds: number): void {
    this.#nextSweep += seconds
    for (let row = 0; row < this.#rows.size; row++) {
      this.#first[row] = (this.#first[row] ?? 0) + seconds
      this.#last[row] = (this.#last[row] ?? 0) + seconds
    }
  }

  /** As in `FailureTable`. */
  limit(ids: number): void {
    this.#maxRows = Math.max(1, Math.min(this.#mostRows, ids))
    while (this.#rows.size > this.#maxRows) this.#evict()
    if (this.#rows.capacity > this.#maxRows) this.#resize(this.#maxRows)
  }

  /** A failure after the latest moves it; one later than `findtime` after the first has attempts estimated anew. */
  #adjust(row: number, time: number): void {
    if (time <= (this.#last[row] ?? 0)) return
    const first = this.#first[row] ?? 0
    if (first < time - this.#findtime) {
      this.#attempts[row] = roundHalfEven(((this.#attempts[row] ?? 0) / (time - first)) * this.#findtime)
      this.#first[row] = time - this.#findtime
    }
    this.#last[row] = time
  }

  #read(row: number): Rate {
    return {
      attempts: this.#attempts[row] ?? 0,
      first: this.#first[row] ?? 0,
      last: this.#last[row] ?? 0,
      failures: this.#failures[row] ?? 0,
      excerpt: this.#excerpts[row] ?? 0,
    }
  }

  #insert(key: Key, time: number): number {
    if (this.#rows.size === this.#rows.capacity) {
      if (this.#rows.capacity < this.#maxRows) this.#resize(Math.min(this.#maxRows, this.#rows.capacity * growthFactor))
      else this.#evict()
    }
    const row = this.#rows.append(key)
    this.#attempts[row] = 0
    this.#failures[row] = 0
    this.#excerpts[row] = 0
    this.#first[row] = time
    this.#last[row] = time
    return row
  }

  #evict(): void {
    let worst = this.#hand % this.#rows.size
    for (let i = 1; i < evictionCandidates; i++) {
      const row = (this.#hand + i) % this.#rows.size
      const difference = (this.#attempts[row] ?? 0) - (this.#attempts[worst] ?? 0)
      if (difference < 0 || (difference === 0 && (this.#last[row] ?? 0) < (this.#last[worst] ?? 0))) worst = row
    }
    this.#hand = (this.#hand + evictionCandidates) % this.#rows.size
    this.#remove(worst)
    this.#evicted++
  }

  #remove(row: number): void {
    const last = this.#rows.remove(row)
    this.#attempts[row] = this.#attempts[last] ?? 0
    this.#failures[row] = this.#failures[last] ?? 0
    this.#excerpts[row] = this.#excerpts[last] ?? 0
    this.#first[row] = this.#first[last] ?? 0
    this.#last[row] = this.#last[last] ?? 0
  }

  #resize(capacity: number): void {
    this.#rows.resize(capacity)
    this.#attempts = moved(this.#attempts, new Float64Array(capacity))
    this.#failures = moved(this.#failures, new Uint32Array(capacity))
    this.#excerpts = moved(this.#excerpts, new Float64Array(capacity))
    this.#first = moved(this.#first, new Float64Array(capacity))
    this.#last = moved(this.#last, new Float64Array(capacity))
  }
}

const same = (previous: number) => previous
