import { addressBytes, formatPrefix, type Address, type Prefix } from '../address.ts'

/** So many different addresses of a network must have failed: two may be neighbours who mistype. */
const leastAddresses = 3
/** Failures remembered over all networks, and networks compared when one must be given up. */
const maxRemembered = 200_000
const evictionCandidates = 16

/** One failure of an address of a network. */
export interface Failure {
  readonly address: Address
  readonly time: number
  readonly attempts: number
}

/** The IPv6 network of 64 bits, what one subscriber gets at least; null for an IPv4 address. */
export function networkOf(address: Address): Prefix | null {
  return address.includes(':') ? formatPrefix(addressBytes(address), 64) : null
}

/**
 * The failures of one jail by IPv6 network. Whoever has a /64 has 2^64 addresses, so it is counted as
 * a whole beside its addresses. Bounded: of too many the least dangerous of some networks is given up.
 */
export class Networks {
  readonly #threshold: number
  readonly #findtimeMs: number
  readonly #max: number
  readonly #failures = new Map<Prefix, Failure[]>()
  #remembered = 0

  constructor(rules: { readonly maxretry: number; readonly findtimeMs: number }, max = maxRemembered) {
    this.#threshold = 2 * rules.maxretry
    this.#findtimeMs = rules.findtimeMs
    this.#max = max
  }

  /** Failures remembered now. */
  get size(): number {
    return this.#remembered
  }

  /**
   * Counts a failure of an address of the network. Answers how many there are in the window of
   * `findtime` once they reach twice `maxretry` and come from three addresses at least; else 0.
   */
  add(network: Prefix, failure: Failure): number {
    const before = this.#failures.get(network) ?? []
    const inWindow = [...before, failure].filter(({ time }) => time >= failure.time - this.#findtimeMs)
    this.#keep(network, inWindow.slice(-this.#threshold))
    const count = inWindow.reduce((sum, { attempts }) => sum + attempts, 0)
    const addresses = new Set(inWindow.map(({ address }) => address))
    return count >= this.#threshold && addresses.size >= leastAddresses ? count : 0
  }

  /** The clock was set by so many milliseconds. */
  shift(ms: number): void {
    for (const [network, failures] of this.#failures) {
      this.#failures.set(
        network,
        failures.map((failure) => ({ ...failure, time: failure.time + ms })),
      )
    }
  }

  forget(network: Prefix): void {
    this.#remembered -= this.#failures.get(network)?.length ?? 0
    this.#failures.delete(network)
  }

  /** The networks now. */
  networks(): Prefix[] {
    return [...this.#failures.keys()]
  }

  /** What is remembered of a network, in the order in which it was counted. */
  failuresOf(network: Prefix): readonly Failure[] {
    return this.#failures.get(network) ?? []
  }

  #keep(network: Prefix, failures: Failure[]): void {
    this.forget(network)
    this.#failures.set(network, failures)
    this.#remembered += failures.length
    while (this.#remembered > this.#max && this.#failures.size > 1) this.#evict(network)
  }

  /** Of those quiet for longest the one with the fewest failures. */
  #evict(spared: Prefix): void {
    let worst: readonly [Prefix, number] | null = null
    let seen = 0
    for (const [network, { length }] of this.#failures) {
      if (network !== spared && (worst === null || length < worst[1])) worst = [network, length]
      if (++seen === evictionCandidates) break
    }
    if (worst !== null) this.forget(worst[0])
  }
}
