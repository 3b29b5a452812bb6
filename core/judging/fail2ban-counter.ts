import type { Address } from '../address.ts'
import {
  toldAtOnce,
  type CountedFailure,
  type CounterParts,
  type FailureCounter,
  type Reached,
} from './failure-counter.ts'
import { knownAttempts, type CountingNews, type Fail2banCounting } from './fail2ban-counting.ts'
import { writeIdKey } from './failure-key.ts'
import { entryKinds, type Entry } from './failure-log.ts'
import type { JailRules } from './jail-rules.ts'
import type { Key } from './keyed-rows.ts'
import type { KnownOffenders } from './known-offenders.ts'
import { RateTable } from './rate-table.ts'

/** Lines kept for a ban, whatever `maxmatches` says. */
const mostLines = 50
/** What the counter needs beside its rules. */
export interface Fail2banParts extends CounterParts {
  readonly offenders: KnownOffenders
  readonly news: (news: CountingNews) => void
}

/**
 * Counts as Fail2ban's failure manager and its observer do together: by the estimated rate (`RateTable`); and with
 * `bantime.increment` each failure of somebody who was banned n times counts 2^(n-1) + 1 attempts, in two steps as there:
 * the failure itself, then the rest, each of which may be the one that reaches `maxretry`.
 */
export class Fail2banCounter implements FailureCounter {
  readonly #jail: string
  #jails: readonly string[] = []
  readonly #maxretry: number
  #counting: Fail2banCounting
  readonly #table: RateTable
  readonly #parts: Fail2banParts
  readonly #key: Key = new Uint32Array(4)

  constructor(rules: JailRules & { readonly counting: Fail2banCounting }, parts: Fail2banParts) {
    this.#jail = rules.name
    this.#maxretry = rules.maxretry
    this.#counting = rules.counting
    this.#table = new RateTable({ findtimeSeconds: rules.findtimeMs / 1000, maxIds: parts.maxAddresses })
    this.#parts = parts
  }

  get size(): number {
    return this.#table.size
  }

  get evicted(): number {
    return this.#table.evicted
  }

  count(failure: CountedFailure, _spares: unknown, now: number): readonly Reached[] {
    writeIdKey(failure.id, this.#key)
    const reached = this.#add(failure, failure.attempts, true, now)
    return [...reached, ...this.#countAsKnown(failure, now)]
  }

  /** The estimate has no times of its own: all but the first are given that of the latest failure. */
  timesOf(address: Address): number[] {
    writeIdKey(address, this.#key)
    const { attempts = 0, first = 0, last = 0 } = this.#table.look(this.#key) ?? {}
    const shown = Math.min(attempts, this.#maxretry)
    return Array.from({ length: shown }, (_, index) => (index === 0 && shown > 1 ? first : last) * 1000)
  }

  failuresOf(address: Address): number {
    writeIdKey(address, this.#key)
    return this.#table.look(this.#key)?.attempts ?? 0
  }

  networkFailures(): null {
    return null
  }

  sweep(now: number): void {
    this.#table.sweep(now / 1000, (words, at) =>
      this.#parts.log.addKey(entryKinds.addressForgotten, this.#jails, words, at, 0, 0),
    )
  }

  /** Two entries each: where the estimate begins with the attempts, and the latest failure with the failures. */
  *tellAll(): Generator<void> {
    const { log } = this.#parts
    for (let end = this.#table.size; end > 0;) {
      const start = Math.max(0, end - toldAtOnce / 2)
      this.#table.each(start, end, (words, at, { attempts, first, last, failures }) => {
        log.addKey(entryKinds.addressFirst, this.#jails, words, at, Math.round(first * 1000), attempts)
        log.addKey(entryKinds.addressNext, this.#jails, words, at, Math.round(last * 1000), failures)
      })
      yield
      end = Math.min(start, this.#table.size)
    }
  }

  recount({ kind, words, at, time, attempts }: Entry): void {
    this.#key.set(words.subarray(at, at + 4))
    const seconds = time / 1000
    if (kind === entryKinds.addressForgotten) this.#table.forget(this.#key)
    else if (kind === entryKinds.failed) this.#table.add(this.#key, seconds, attempts)
    else if (kind === entryKinds.addressFirst)
      this.#table.put(this.#key, { attempts, first: seconds, last: seconds, failures: 1 })
    else if (kind === entryKinds.addressNext) {
      const known = this.#table.look(this.#key)
      if (known !== undefined) this.#table.put(this.#key, { ...known, last: seconds, failures: attempts })
    }
  }

  countFor(jails: readonly string[]): void {
    this.#jails = jails
  }

  follow({ counting }: JailRules): void {
    this.#counting = counting ?? this.#counting
  }

  shift(ms: number): void {
    this.#table.shift(ms / 1000)
  }

  limit(left: (size: number) => number): void {
    this.#table.limit(left(this.#table.size))
  }

  /** What the observer adds for somebody who was banned before, unless the ban takes the row away first. */
  #countAsKnown(failure: CountedFailure, now: number): readonly Reached[] {
    const { offenders, news } = this.#parts
    if (this.#counting.lengthen === null) return []
    const last = offenders.last(failure.id, this.#jail)
    // A line of before the last ban was read again: it has counted already.
    if (last === undefined || failure.time / 1000 <= last.time) return []
    const attempts = Math.min(knownAttempts(last.count), this.#maxretry)
    if (attempts <= 1) return []
    const { id, time } = failure
    news({ type: 'bad', jail: this.#jail, id, time, bans: last.count, attempts, isBan: attempts >= this.#maxretry })
    return this.#table.look(this.#key) === undefined ? [] : this.#add(failure, attempts - 1, false, now)
  }

  #add(failure: CountedFailure, attempts: number, hasLines: boolean, now: number): Reached[] {
    const { id, prefix, time } = failure
    const { log, excerpts } = this.#parts
    const keep = (previous: number) =>
      this.#linesKept === 0 ? 0 : hasLines ? failure.keepLines(excerpts, previous) : previous
    const counted = this.#table.add(this.#key, time / 1000, attempts, keep)
    log.addKey(entryKinds.failed, this.#jails, this.#key, 0, time, attempts)
    if (counted < this.#maxretry) return []
    const { failures = 0, last = 0, excerpt = 0 } = this.#table.look(this.#key) ?? {}
    this.#table.forget(this.#key)
    log.addKey(entryKinds.addressForgotten, this.#jails, this.#key, 0, 0, 0)
    this.sweep(now)
    return [
      { id, prefix, time: Math.round(last * 1000), failures, lines: () => excerpts.last(excerpt, this.#linesKept) },
    ]
  }

  get #linesKept(): number {
    return Math.min(this.#counting.maxmatches, mostLines)
  }
}
