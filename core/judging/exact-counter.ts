import type { Address, Prefix } from '../address.ts'
import { isMappedKey, readKey } from '../address-words.ts'
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
import { hasNetwork, networkOf, Networks, type Failure } from './networks.ts'

const nobody: readonly Reached[] = []
/** Lines kept with a ban. */
const linesOfBan = 10

/**
 * Failures in a window of `findtime` that slides over the log's own time, by address and, where `ipv6prefix` is 64, by
 * IPv6 network beside it.
 */
export class ExactCounter implements FailureCounter<CountedAddress> {
  readonly #jail: string
  readonly #maxretry: number
  #countsNetworks: boolean
  readonly #table: FailureTable
  readonly #networks: Networks
  readonly #parts: CounterParts
  /** What is counted now, and what keeps its lines: made once, since it is asked with every failure. */
  #failure: CountedAddress | null = null
  readonly #keep = (previous: number) => this.#failure?.keepLines(this.#parts.excerpts, previous) ?? previous

  constructor(rules: JailRules, parts: CounterParts) {
    this.#jail = rules.name
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
    log.addKey(entryKinds.failed, this.#jail, key, 0, time, attempts)
    const network = this.#countsNetworks && hasNetwork(key, 0) ? networkOf(failure.id) : null
    const ofNetwork = network === null ? 0 : this.#networks.add(network, { address: failure.id, time, attempts })
    if (failures < this.#maxretry && ofNetwork === 0) return nobody
    const { id, prefix } = failure
    const address = id
    const last = this.#linesOf(address, Math.max(failures, ofNetwork))
    const reached: Reached[] = []
    if (failures >= this.#maxretry) {
      this.#table.forget(address)
      log.add(entryKinds.addressForgotten, this.#jail, address)
      reached.push({ id, prefix, time, failures, lines: last })
    }
    if (network !== null && network !== prefix && ofNetwork > 0 && !spares(network)) {
      const ofAll = this.#linesOfNetwork(network, address, last)
      this.#networks.forget(network)
      log.add(entryKinds.networkForgotten, this.#jail, network)
      reached.push({ id: network, prefix: network, time, failures: ofNetwork, lines: ofAll })
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
    return this.#countsNetworks ? this.#networks.failuresOf(network) : null
  }

  /** The table does it with every failure. */
  sweep(): void {}

  *tellAll(): Generator<void> {
    const { log } = this.#parts
    const rowsAtOnce = Math.max(1, Math.floor(toldAtOnce / this.#maxretry))
    for (let end = this.#table.size; end > 0;) {
      const start = Math.max(0, end - rowsAtOnce)
      this.#table.each(start, end, (words, at, time, first) =>
        log.addKey(first ? entryKinds.addressFirst : entryKinds.addressNext, this.#jail, words, at, time, 1),
      )
      yield
      end = Math.min(start, this.#table.size)
    }
    for (const [index, network] of this.#networks.networks().entries()) {
      this.#tellNetwork(this.#networks.failuresOf(network))
      if (index % rowsAtOnce === 0) yield
    }
    yield
  }

  recount(entry: Entry): void {
    recountAddress(this.#table, entry)
    const { words, at } = entry
    if (this.#countsNetworks && !isMappedKey(words, at)) recountNetwork(this.#networks, entry)
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

  #linesOf(address: Address, failures: number): readonly Excerpt[] {
    if (failures < this.#maxretry) return []
    return this.#parts.excerpts.last(this.#table.look(address)?.excerpt ?? 0, Math.min(failures, linesOfBan))
  }

  /** Lines of as many of its addresses as there is room for; `own` are those of `last`, the address that failed last. */
  #linesOfNetwork(network: Prefix, last: Address, own: readonly Excerpt[]): readonly Excerpt[] {
    const addresses = new Set(this.#networks.failuresOf(network).map(({ address }) => address))
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
      this.#parts.log.add(kind, this.#jail, address, time, attempts)
    }
  }
}

function recountAddress(table: FailureTable, { kind, words, at, time, attempts }: Entry): void {
  if (kind === entryKinds.addressForgotten || kind === entryKinds.addressFirst) table.forgetKey(words, at)
  if (kind === entryKinds.failed || kind === entryKinds.addressFirst || kind === entryKinds.addressNext)
    table.addKey(words, at, time, attempts)
}

function recountNetwork(networks: Networks, { kind, words, at, time, attempts }: Entry): void {
  const address = readKey(words, at)
  const network = networkOf(address)
  if (network === null) return
  if (kind === entryKinds.networkForgotten || kind === entryKinds.networkFirst) networks.forget(network)
  if (kind === entryKinds.failed || kind === entryKinds.networkFirst || kind === entryKinds.networkNext)
    networks.add(network, { address, time, attempts })
}
