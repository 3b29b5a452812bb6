import { writeKey } from '../address-words.ts'
import { parseAddress, parseEndpoint, PrefixSet } from '../address.ts'
import { keyWords } from '../judging/keyed-rows.ts'
import type { FoundLine } from '../plugin.ts'
import { clientBehind } from '../matching/forwarded.ts'
import { hopsOf, type FoundSink } from '../matching/match-records.ts'
import type { JailFilter } from '../matching/messages.ts'
import { AddressSet } from './address-set.ts'

/** Addresses told apart, at most. */
const mostAddresses = 1_000_000

/** Counts the lines of one filter that name an address, and the addresses. Makes no texts. */
export class MatchCounts implements FoundSink<number> {
  readonly #proxies: PrefixSet | null
  /** Addresses that were named so far, of which no more than a million are told apart. */
  readonly addresses = new AddressSet(mostAddresses)
  /** Whether lines may say of whom they speak for. */
  readonly #forwards: boolean
  readonly #key = new Uint32Array(keyWords)
  #matches = 0

  constructor({ filter, proxies = [] }: JailFilter) {
    this.#proxies = proxies.length > 0 ? new PrefixSet(proxies) : null
    const patterns = [...filter.failregex, ...(filter.prefregex === null ? [] : [filter.prefregex])]
    this.#forwards = filter.structure !== null || patterns.some(({ groups }) => groups.includes('forwarded'))
  }

  start(): void {
    this.#matches = 0
  }

  add(found: FoundLine): void {
    if (!this.#readAddress(found)) return
    this.#matches++
    this.addresses.add(this.#key)
  }

  /** Nothing is taken back: no line is under a deadline here. */
  forget(): void {}

  take(): number {
    return this.#matches
  }

  /** Leaves the words of the address in the key. */
  #readAddress(found: FoundLine): boolean {
    const hops = this.#forwards ? hopsOf(found) : undefined
    const { words } = found
    if (hops === undefined && words !== undefined) {
      for (let word = 0; word < keyWords; word++) this.#key[word] = words[word] ?? 0
      return true
    }
    const direct = () => parseAddress(found.address) ?? parseEndpoint(found.address)
    const address = hops !== undefined && this.#proxies !== null ? clientBehind(hops, this.#proxies) : direct()
    if (address === null) return false
    writeKey(address, this.#key)
    return true
  }
}

/** Counts the lines that are found, and asks nothing else of them. */
export class LineCounts implements FoundSink<number> {
  #lines = 0

  start(): void {
    this.#lines = 0
  }

  add(): void {
    this.#lines++
  }

  addLines(lines: number): void {
    this.#lines += lines
  }

  forget(): void {}

  take(): number {
    return this.#lines
  }
}
