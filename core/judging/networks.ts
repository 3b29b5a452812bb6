import { addressBytes, formatPrefix, prefixParts, type Address, type Prefix } from '../address.ts'

/** So many different addresses of a network must have failed: two may be neighbours who mistype. */
export const leastAddresses = 3
/** Failures remembered over all networks, and networks compared when one must be given up. */
const maxRemembered = 50_000
const evictionCandidates = 16

/** One failure of an address of a network. */
export interface Failure {
  readonly address: Address
  readonly time: number
  readonly attempts: number
}

/**
 * The IPv6 network of 64 bits, what one subscriber gets at least; null for an IPv4 address, and where a
 * /64 holds many that have nothing to do with each other.
 */
export function networkOf(address: Address): Prefix | null {
  if (!address.includes(':')) return null
  const bytes = addressBytes(address)
  return shared.some((head) => head.every((byte, at) => bytes[at] === byte)) ? null : formatPrefix(bytes, 64)
}

/** As `networkOf` of the address that `writeKey` wrote: whether there is one, which then are the first two words. */
export function hasNetwork(words: Uint32Array, at: number): boolean {
  const first = words[at]
  return !(first === 0x0064_ff9b || first === 0x2001_0000 || (first === 0 && words[at + 1] === 0))
}

/** The first bytes of networks in which addresses stand for others: those of all clients of a translator or relay. */
const shared: readonly (readonly number[])[] = [
  [0, 0x64, 0xff, 0x9b], // 64:ff9b::/96 and 64:ff9b:1::/48: IPv4 behind NAT64 (RFC 6052, 8215)
  [0x20, 0x01, 0, 0], // 2001::/32: all clients of a Teredo server (RFC 4380)
  [0, 0, 0, 0, 0, 0, 0, 0], // ::/64: IPv4 in other forms, as ::ffff:0:192.0.2.1 (RFC 2765)
]

/** The numbers that stand for one failure: its time, its attempts, and the two words of the address behind the network. */
const numbersEach = 4

/**
 * The failures of one jail by IPv6 network. Whoever has a /64 has 2^64 addresses, so it is counted as
 * a whole beside its addresses. Bounded: of too many the least dangerous of some networks is given up.
 * About 150 bytes a failure: plain numbers, in one array a network.
 */
export class Networks {
  readonly #threshold: number
  readonly #findtimeMs: number
  readonly #max: number
  readonly #failures = new Map<Prefix, readonly number[]>()
  /** Goes round: to find the first of a map that always loses its first takes ever longer. */
  #hand = this.#failures.entries()
  #remembered = 0
  #evicted = 0

  constructor(rules: { readonly maxretry: number; readonly findtimeMs: number }, max = maxRemembered) {
    this.#threshold = 2 * rules.maxretry
    this.#findtimeMs = rules.findtimeMs
    this.#max = max
  }

  /** Failures remembered now. */
  get size(): number {
    return this.#remembered
  }

  /** Networks given up because too many failures were remembered. */
  get evicted(): number {
    return this.#evicted
  }

  /**
   * Counts a failure of an address of the network. Answers how many there are in the window of
   * `findtime` once they reach twice `maxretry` and come from three addresses at least; else 0.
   */
  add(network: Prefix, { address, time, attempts }: Failure): number {
    const [high, low] = hostWords(address)
    const before = this.#failures.get(network) ?? []
    const inWindow = inside(before, time - this.#findtimeMs)
    inWindow.push(time, attempts, high, low)
    this.#keep(network, inWindow.slice(-this.#threshold * numbersEach))
    const addresses = new Set<string>()
    let count = 0
    for (let at = 0; at < inWindow.length; at += numbersEach) {
      count += inWindow[at + 1] ?? 0
      addresses.add(`${inWindow[at + 2]} ${inWindow[at + 3]}`)
    }
    return count >= this.#threshold && addresses.size >= leastAddresses ? count : 0
  }

  /** The clock was set by so many milliseconds. */
  shift(ms: number): void {
    for (const [network, failures] of this.#failures) {
      const moved = failures.map((value, at) => (at % numbersEach === 0 ? value + ms : value))
      this.#failures.set(network, moved)
    }
  }

  forget(network: Prefix): void {
    this.#remembered -= (this.#failures.get(network)?.length ?? 0) / numbersEach
    this.#failures.delete(network)
  }

  /** The networks now. */
  networks(): Prefix[] {
    return [...this.#failures.keys()]
  }

  /** What is remembered of a network, in the order in which it was counted. */
  failuresOf(network: Prefix): readonly Failure[] {
    const numbers = this.#failures.get(network) ?? []
    return Array.from({ length: numbers.length / numbersEach }, (_, index) => {
      const [time = 0, attempts = 0, high = 0, low = 0] = numbers.slice(index * numbersEach)
      return { address: addressIn(network, high, low), time, attempts }
    })
  }

  /** Gives up the least dangerous ones until so many failures at most are remembered. */
  shrink(failures: number): void {
    while (this.#remembered > failures && this.#failures.size > 0) this.#evict(null)
  }

  #keep(network: Prefix, failures: readonly number[]): void {
    this.#remembered += (failures.length - (this.#failures.get(network)?.length ?? 0)) / numbersEach
    this.#failures.set(network, failures)
    while (this.#remembered > this.#max && this.#failures.size > 1) this.#evict(network)
  }

  /** Of the next ones the one with the fewest failures; of those with as few, the one whose last is the oldest. */
  #evict(spared: Prefix | null): void {
    let worst: readonly [Prefix, readonly number[]] | null = null
    for (let seen = 0; seen < Math.min(evictionCandidates, this.#failures.size); seen++) {
      const next = this.#next()
      if (next[0] !== spared && (worst === null || lessDangerous(next[1], worst[1]))) worst = next
    }
    if (worst === null) return
    this.forget(worst[0])
    this.#evicted++
  }

  #next(): readonly [Prefix, readonly number[]] {
    let next = this.#hand.next()
    if (next.done) {
      this.#hand = this.#failures.entries()
      next = this.#hand.next()
    }
    return next.value as [Prefix, readonly number[]]
  }
}

/** The failures at `since` or later. */
function inside(failures: readonly number[], since: number): number[] {
  const found: number[] = []
  for (let at = 0; at < failures.length; at += numbersEach) {
    if ((failures[at] ?? 0) >= since) found.push(...failures.slice(at, at + numbersEach))
  }
  return found
}

function lessDangerous(one: readonly number[], other: readonly number[]): boolean {
  if (one.length !== other.length) return one.length < other.length
  return (one.at(-numbersEach) ?? 0) < (other.at(-numbersEach) ?? 0)
}

/** The last 64 bits of an IPv6 address, as two words. */
function hostWords(address: Address): [number, number] {
  const bytes = addressBytes(address)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return [view.getUint32(8), view.getUint32(12)]
}

function addressIn(network: Prefix, high: number, low: number): Address {
  const bytes = prefixParts(network).bytes.slice()
  const view = new DataView(bytes.buffer)
  view.setUint32(8, high)
  view.setUint32(12, low)
  // Single addresses are their own prefixes.
  return formatPrefix(bytes, 128) as Address
}
