import { KeyedRows, keyWords, type Key } from './keyed-rows.ts'
import { roundHalfEven } from './round-half-even.ts'
import { mostRows } from './row-index.ts'

/** The doubles behind the key of a row, and the word behind them. */
const attemptsDouble = keyWords / 2
const firstDouble = attemptsDouble + 1
const lastDouble = attemptsDouble + 2
const excerptDouble = attemptsDouble + 3
const failuresWord = 2 * (attemptsDouble + 4)
const width = failuresWord + 2
/** A row, and its share of the index, at most. */
const rowBytes = width * 4 + 16
/** However many ids there are, one table never takes more than this. */
const maxTableBytes = 512 * 1024 * 1024
/** As in `FailureTable`. */
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
 * 64 bytes an id, whatever `maxretry` is. Bounded as `FailureTable` is.
 */
export class RateTable {
  readonly #findtime: number
  readonly #mostRows: number
  #maxRows: number
  readonly #rows = new KeyedRows(width)
  #hand = 0
  #evicted = 0
  #nextSweep = 0

  constructor(limits: { readonly findtimeSeconds: number; readonly maxIds: number }) {
    this.#findtime = limits.findtimeSeconds
    this.#mostRows = Math.max(1, Math.min(limits.maxIds, Math.floor(maxTableBytes / rowBytes), mostRows))
    this.#maxRows = this.#mostRows
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
    const counted = this.#get(row, attemptsDouble) + attempts
    this.#set(row, attemptsDouble, counted)
    this.#setFailures(row, this.#failures(row) + 1)
    this.#set(row, excerptDouble, excerpt(this.#get(row, excerptDouble)))
    return counted
  }

  /** Sets what is known of an id. */
  put(key: Key, rate: Omit<Rate, 'excerpt'>): void {
    const known = this.#rows.find(key)
    const row = known < 0 ? this.#insert(key, rate.first) : known
    this.#set(row, attemptsDouble, rate.attempts)
    this.#setFailures(row, rate.failures)
    this.#set(row, firstDouble, rate.first)
    this.#set(row, lastDouble, rate.last)
  }

  look(key: Key): Rate | undefined {
    const row = this.#rows.find(key)
    return row < 0 ? undefined : this.#read(row)
  }

  /** Forgets an id; one that is not tracked is no error. */
  forget(key: Key): void {
    const row = this.#rows.find(key)
    if (row >= 0) this.#rows.remove(row)
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
      if (this.#get(row, lastDouble) > latest) continue
      forgotten(this.#rows.page(row).words, this.#rows.at(row))
      this.#rows.remove(row)
    }
  }

  /** Tells the rows from `start` to `end` (exclusive); as in `FailureTable`, from the last one down all that stay are seen. */
  each(start: number, end: number, found: (words: Uint32Array, at: number, rate: Rate) => void): void {
    for (let row = start; row < Math.min(end, this.#rows.size); row++)
      found(this.#rows.page(row).words, this.#rows.at(row), this.#read(row))
  }

  /** The clock was set by so many seconds. */
  shift(seconds: number): void {
    this.#nextSweep += seconds
    for (let row = 0; row < this.#rows.size; row++) {
      this.#set(row, firstDouble, this.#get(row, firstDouble) + seconds)
      this.#set(row, lastDouble, this.#get(row, lastDouble) + seconds)
    }
  }

  /** As in `FailureTable`. */
  limit(ids: number): void {
    this.#maxRows = Math.max(1, Math.min(this.#mostRows, ids))
    while (this.#rows.size > this.#maxRows) this.#evict()
  }

  /** A failure after the latest moves it; one later than `findtime` after the first has attempts estimated anew. */
  #adjust(row: number, time: number): void {
    if (time <= this.#get(row, lastDouble)) return
    const first = this.#get(row, firstDouble)
    if (first < time - this.#findtime) {
      const rate = this.#get(row, attemptsDouble) / (time - first)
      this.#set(row, attemptsDouble, roundHalfEven(rate * this.#findtime))
      this.#set(row, firstDouble, time - this.#findtime)
    }
    this.#set(row, lastDouble, time)
  }

  #read(row: number): Rate {
    return {
      attempts: this.#get(row, attemptsDouble),
      first: this.#get(row, firstDouble),
      last: this.#get(row, lastDouble),
      failures: this.#failures(row),
      excerpt: this.#get(row, excerptDouble),
    }
  }

  #insert(key: Key, time: number): number {
    if (this.#rows.size >= this.#maxRows) this.#evict()
    const row = this.#rows.append(key)
    this.#set(row, firstDouble, time)
    this.#set(row, lastDouble, time)
    return row
  }

  #evict(): void {
    const { size } = this.#rows
    let worst = this.#hand % size
    for (let i = 1; i < evictionCandidates; i++) {
      const row = (this.#hand + i) % size
      const difference = this.#get(row, attemptsDouble) - this.#get(worst, attemptsDouble)
      if (difference < 0 || (difference === 0 && this.#get(row, lastDouble) < this.#get(worst, lastDouble))) worst = row
    }
    this.#hand = (this.#hand + evictionCandidates) % size
    this.#rows.remove(worst)
    this.#evicted++
  }

  #get(row: number, double: number): number {
    return this.#rows.page(row).doubles[(this.#rows.at(row) >> 1) + double] ?? 0
  }

  #set(row: number, double: number, value: number): void {
    this.#rows.page(row).doubles[(this.#rows.at(row) >> 1) + double] = value
  }

  #failures(row: number): number {
    return this.#rows.page(row).words[this.#rows.at(row) + failuresWord] ?? 0
  }

  #setFailures(row: number, failures: number): void {
    this.#rows.page(row).words[this.#rows.at(row) + failuresWord] = failures
  }
}

const same = (previous: number) => previous
