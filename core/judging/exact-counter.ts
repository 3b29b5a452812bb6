import type { Address, Prefix } from '../address.ts'
import { writePrefixKey } from '../address-words.ts'
import type { Excerpt } from './excerpts.ts'
import {
  toldAtOnce,
  type CountedAddress,
  type CounterParts,
  type FailureCounter,
  type Reached,
} from './failure-counter.ts'
import { entryKinds, type Entry } from './failure-log.ts'
import { FailureTable } from './failure-table.ts'
import type { JailRules } from './jail-rules.ts'
import type { Key } from './keyed-rows.ts'
import { hasNetwork, networkOf, Networks, type Failure } from './networks.ts'

const nobody: readonly Reached[] = []
/** Lines kept with a ban. */
const linesOfBan = 10

/**
 * Failures in a window of `findtime` that slides over the log's own time, by address and, where `ipv6prefix` is 64, by
 * IPv6 network beside it.
 */
export class ExactCounter implements FailureCounter<CountedAddress> {
  #jails: readonly string[] = []
  readonly #rules: JailRules
  readonly #maxretry: number
  #countsNetworks: boolean
  #table: FailureTable
  #networks: Networks
  readonly #parts: CounterParts
  /** What is counted now, and what keeps its lines: made once, since it is asked with every failure. */
  #failure: CountedAddress | null = null
  readonly #keep = (previous: number) => this.#failure?.keepLines(this.#parts.excerpts, previous) ?? previous

  constructor(rules: JailRules, parts: CounterParts) {
    this.#rules = rules
    this.#maxretry = rules.maxretry
    this.#countsNetworks = rules.ipv6prefix === 64
    this.#table = new FailureTable({ ...rules, maxAddresses: parts.maxAddresses })
    this.#networks = new Networks(rules)
    this.#parts = parts
  }

  get size(): number {
    return this.#table.size
  }

  get evicted(): number {
    return this.#table.evicted + this.#networks.evicted
  }

  count(failure: CountedAddress, spares: (prefix: Prefix) => boolean): readonly Reached[] {
    const { key, time, attempts } = failure
    const { log } = this.#parts
    this.#failure = failure
    const failures = this.#table.addKey(key, 0, time, attempts, this.#keep)
    log.addKey(entryKinds.failed, this.#jails, key, 0, time, attempts)
    const ofNetwork = this.#countsNetworks && hasNetwork(key, 0) ? this.#networks.add(key, 0, time, attempts) : 0
    return failures < this.#maxretry && ofNetwork === 0 ? nobody : this.#reached(failure, failures, ofNetwork, spares)
  }

  #reached(
    { key, id, prefix, time }: CountedAddress,
    failures: number,
    ofNetwork: number,
    spares: (prefix: Prefix) => boolean,
  ): readonly Reached[] {
    const { log, excerpts } = this.#parts
    const most =
      Math.max(failures, ofNetwork) < this.#maxretry ? 0 : Math.min(Math.max(failures, ofNetwork), linesOfBan)
    const pointer = this.#table.look(id)?.excerpt ?? 0
    const reached: Reached[] = []
    if (failures >= this.#maxretry) {
      this.#table.forgetKey(key, 0)
      log.addKey(entryKinds.addressForgotten, this.#jails, key, 0, 0, 0)
      reached.push({ id, prefix, time, failures, lines: once(() => excerpts.last(pointer, most)) })
    }
    const network = ofNetwork > 0 ? networkOf(id) : null
    if (network !== null && network !== prefix && !spares(network)) {
      const ofAll = this.#linesOfNetwork(key, id, excerpts.last(pointer, most))
      this.#networks.forget(key, 0)
      log.add(entryKinds.networkForgotten, this.#jails, network)
      reached.push({ id: network, prefix: network, time, failures: ofNetwork, lines: () => ofAll })
    }
    return reached
  }

  timesOf(address: Address): number[] {
    return this.#table.timesOf(address)
  }

  failuresOf(address: Address): number {
    return this.#table.look(address)?.failures ?? 0
  }

  networkFailures(network: Prefix): readonly Failure[] | null {
    if (!this.#countsNetworks) return null
    const words = new Uint32Array(4)
    writePrefixKey(network, words)
    return this.#networks.failuresOf(words, 0)
  }

  /** The table does it with every failure. */
  sweep(): void {}

  *tellAll(): Generator<void> {
    const { log } = this.#parts
    let told = 0
    const tell = (words: Key, at: number, time: number, first: boolean) => {
      log.addKey(first ? entryKinds.addressFirst : entryKinds.addressNext, this.#jails, words, at, time, 1)
      told++
    }
    // From the last one down, for one that is forgotten meanwhile gives its place to the last.
    for (let row = this.#table.size - 1; row >= 0; row = Math.min(row, this.#table.size) - 1) {
      this.#table.each(row, row + 1, tell)
      if (told < toldAtOnce) continue
      yield
      told = 0
    }
    const rowsAtOnce = Math.max(1, Math.floor(toldAtOnce / this.#maxretry))
    for (let row = this.#networks.count - 1; row >= 0; row = Math.min(row, this.#networks.count) - 1) {
      this.#tellNetwork(this.#networks.failuresAt(row))
      if (row % rowsAtOnce === 0) yield
    }
    yield
  }

  recount(entry: Entry): void {
    recountAddress(this.#table, entry)
    if (this.#countsNetworks) recountNetwork(this.#networks, entry)
  }

  countFor(jails: readonly string[]): void {
    this.#jails = jails
  }

  copy(): ExactCounter {
    const copy = new ExactCounter(this.#rules, this.#parts)
    copy.#table = this.#table.copy()
    copy.#networks = this.#networks.copy()
    copy.#countsNetworks = this.#countsNetworks
    return copy
  }

  follow({ ipv6prefix }: JailRules): void {
    this.#countsNetworks = ipv6prefix === 64
  }

  shift(ms: number): void {
    this.#table.shift(ms)
    this.#networks.shift(ms)
  }

  limit(left: (size: number) => number): void {
    this.#table.limit(left(this.#table.size))
    this.#networks.shrink(left(this.#networks.size))
  }

  /** Lines of as many of its addresses as there is room for; `own` are those of `last`, the address that failed last. */
  #linesOfNetwork(key: Key, last: Address, own: readonly Excerpt[]): readonly Excerpt[] {
    const addresses = new Set(this.#networks.failuresOf(key, 0).map(({ address }) => address))
    addresses.delete(last)
    const share = Math.max(1, Math.floor(linesOfBan / (addresses.size + 1)))
    const others = [...addresses].flatMap((address) =>
      this.#parts.excerpts.last(this.#table.look(address)?.excerpt ?? 0, share),
    )
    const room = Math.max(share, linesOfBan - others.length)
    return [...others, ...own.slice(-room)].slice(-linesOfBan)
  }

  #tellNetwork(failures: readonly Failure[]): void {
    for (const [index, { address, time, attempts }] of failures.entries()) {
      const kind = index === 0 ? entryKinds.networkFirst : entryKinds.networkNext
      this.#parts.log.add(kind, this.#jails, address, time, attempts)
    }
  }
}

/** Several jails may ask. */
function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined
  return () => (made ??= { value: make() }).value
}

function recountAddress(table: FailureTable, { kind, words, at, time, attempts }: Entry): void {
  if (kind === entryKinds.addressForgotten || kind === entryKinds.addressFirst) table.forgetKey(words, at)
  if (kind === entryKinds.failed || kind === entryKinds.addressFirst || kind === entryKinds.addressNext)
    table.addKey(words, at, time, attempts)
}

function recountNetwork(networks: Networks, { kind, words, at, time, attempts }: Entry): void {
  if (!hasNetwork(words, at)) return
  if (kind === entryKinds.networkForgotten || kind === entryKinds.networkFirst) networks.forget(words, at)
  if (kind === entryKinds.failed || kind === entryKinds.networkFirst || kind === entryKinds.networkNext)
    networks.add(words, at, time, attempts)
}
