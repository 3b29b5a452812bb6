import { addressBytes, formatPrefix, type Address, type Prefix } from '../address.ts'
import { readKey } from '../address-words.ts'
import { KeyedRows, keyWords, type Key } from './keyed-rows.ts'

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
 * About 150 bytes a failure: plain numbers, in one array a network. A network is named by the first two words of any of
 * its addresses, as `writeKey` writes them, from `at` on.
 */
export class Networks {
  readonly #threshold: number
  readonly #findtimeMs: number
  readonly #max: number
  readonly #rules: { readonly maxretry: number; readonly findtimeMs: number }
  #rows = new KeyedRows(keyWords)
  /** By row. */
  #failures: number[][] = []
  readonly #probe: Key = new Uint32Array(keyWords)
  #hand = 0
  #remembered = 0
  #evicted = 0

  constructor(rules: { readonly maxretry: number; readonly findtimeMs: number }, max = maxRemembered) {
    this.#rules = rules
    this.#threshold = 2 * rules.maxretry
    this.#findtimeMs = rules.findtimeMs
    this.#max = max
  }

  /** One that has counted the same, and goes on by itself. */
  copy(): Networks {
    const copy = new Networks(this.#rules, this.#max)
    copy.#rows = this.#rows.copy()
    copy.#failures = this.#failures.map((failures) => failures.slice())
    copy.#hand = this.#hand
    copy.#remembered = this.#remembered
    copy.#evicted = this.#evicted
    return copy
  }

  /** Failures remembered now. */
  get size(): number {
    return this.#remembered
  }

  /** Networks given up because too many failures were remembered. */
  get evicted(): number {
    return this.#evicted
  }

  /** How many networks there are. */
  get count(): number {
    return this.#rows.size
  }

  /**
   * Counts a failure of an address in its network. Answers how many there are in the window of
   * `findtime` once they reach twice `maxretry` and come from three addresses at least; else 0.
   */
  add(words: Uint32Array, at: number, time: number, attempts: number): number {
    const row = this.#row(words, at)
    const failures = this.#failures[row] ?? []
    const before = failures.length
    keepFrom(failures, time - this.#findtimeMs)
    failures.push(time, attempts, words[at + 2] ?? 0, words[at + 3] ?? 0)
    const count = sumOf(failures)
    const isMany = areMany(failures)
    const most = this.#threshold * numbersEach
    if (failures.length > most) failures.splice(0, failures.length - most)
    this.#remembered += (failures.length - before) / numbersEach
    while (this.#remembered > this.#max && this.#rows.size > 1) this.#evict(failures)
    return count >= this.#threshold && isMany ? count : 0
  }

  /** The clock was set by so many milliseconds. */
  shift(ms: number): void {
    for (const failures of this.#failures)
      for (let at = 0; at < failures.length; at += numbersEach) failures[at] = (failures[at] ?? 0) + ms
  }

  forget(words: Uint32Array, at: number): void {
    const row = this.#find(words, at)
    if (row >= 0) this.#remove(row)
  }

  /** What is remembered of a network, in the order in which it was counted. */
  failuresOf(words: Uint32Array, at: number): readonly Failure[] {
    const row = this.#find(words, at)
    return row < 0 ? [] : this.failuresAt(row)
  }

  /** The same of the network in a row, 0 to below `count`; rows change with every `add` and `forget`. */
  failuresAt(row: number): readonly Failure[] {
    const numbers = this.#failures[row] ?? []
    const page = this.#rows.page(row).words
    const at = this.#rows.at(row)
    return Array.from({ length: numbers.length / numbersEach }, (_, index) => {
      const [time = 0, attempts = 0, high = 0, low = 0] = numbers.slice(index * numbersEach, (index + 1) * numbersEach)
      return { address: readKey(Uint32Array.of(page[at] ?? 0, page[at + 1] ?? 0, high, low), 0), time, attempts }
    })
  }

  /** Gives up the least dangerous ones until so many failures at most are remembered. */
  shrink(failures: number): void {
    while (this.#remembered > failures && this.#rows.size > 0) this.#evict(null)
  }

  #find(words: Uint32Array, at: number): number {
    this.#probe[0] = words[at] ?? 0
    this.#probe[1] = words[at + 1] ?? 0
    return this.#rows.find(this.#probe)
  }

  #row(words: Uint32Array, at: number): number {
    const known = this.#find(words, at)
    if (known >= 0) return known
    this.#failures.push([])
    return this.#rows.append(this.#probe)
  }

  #remove(row: number): void {
    this.#remembered -= (this.#failures[row]?.length ?? 0) / numbersEach
    this.#rows.remove(row)
    const last = this.#failures.pop()
    if (last !== undefined && row < this.#failures.length) this.#failures[row] = last
  }

  /** Of the next ones the one with the fewest failures; of those with as few, the one whose last is the oldest. */
  #evict(spared: readonly number[] | null): void {
    const { size } = this.#rows
    let worst = -1
    for (let i = 0; i < Math.min(evictionCandidates, size); i++) {
      const row = (this.#hand + i) % size
      const failures = this.#failures[row] ?? []
      if (failures !== spared && (worst < 0 || lessDangerous(failures, this.#failures[worst] ?? []))) worst = row
    }
    this.#hand = (this.#hand + evictionCandidates) % size
    if (worst < 0) return
    this.#remove(worst)
    this.#evicted++
  }
}

/** Keeps the failures at `since` or later. */
function keepFrom(failures: number[], since: number): void {
  let kept = 0
  for (let at = 0; at < failures.length; at += numbersEach) {
    if ((failures[at] ?? 0) < since) continue
    if (kept < at)
      for (let number = 0; number < numbersEach; number++) failures[kept + number] = failures[at + number] ?? 0
    kept += numbersEach
  }
  failures.length = kept
}

function sumOf(failures: readonly number[]): number {
  let sum = 0
  for (let at = 1; at < failures.length; at += numbersEach) sum += failures[at] ?? 0
  return sum
}

/** Whether they come from `leastAddresses` addresses at least. */
function areMany(failures: readonly number[]): boolean {
  const seen: number[] = []
  for (let at = 2; at < failures.length && seen.length < 2 * leastAddresses; at += numbersEach) {
    const [high = 0, low = 0] = [failures[at], failures[at + 1]]
    let known = 0
    while (known < seen.length && (seen[known] !== high || seen[known + 1] !== low)) known += 2
    if (known === seen.length) seen.push(high, low)
  }
  return seen.length === 2 * leastAddresses
}

function lessDangerous(one: readonly number[], other: readonly number[]): boolean {
  if (one.length !== other.length) return one.length < other.length
  return (one.at(-numbersEach) ?? 0) < (other.at(-numbersEach) ?? 0)
}
