import { randomInt } from 'node:crypto'
import { isMappedKey, writeIPv4Key } from '../address-words.ts'
import { KeyedRows, keyWords } from '../judging/keyed-rows.ts'

/** So many are looked for one after the other: then the processor waits for memory once for several of them. */
const mostPending = 256
const leastSlots = 1024

/**
 * Tells addresses apart, up to so many. IPv4 addresses are kept by themselves, in open addressing with a secret seed and
 * at most half full: to look for one touches a single place of memory, where a row with its index has two.
 */
export class AddressSet {
  readonly #most: number
  readonly #seed = randomInt(2 ** 32)
  /** An IPv4 address each; 0: free. */
  #slots = new Uint32Array(leastSlots)
  #taken = 0
  /** Whether there is 0.0.0.0, which looks like a free slot. */
  #hasZero = false
  readonly #others = new KeyedRows(keyWords)
  /** IPv4 addresses that are still to be looked for, and what stands in their slots. */
  readonly #pending = new Uint32Array(mostPending)
  readonly #there = new Uint32Array(mostPending)
  #pendings = 0

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    this.#settle()
    return this.#size
  }

  /** Takes the four words of an address, as `writeKey` writes them. */
  add(words: Uint32Array): void {
    if (isMappedKey(words, 0)) {
      this.#pending[this.#pendings++] = words[3] ?? 0
      if (this.#pendings === mostPending) this.#settle()
    } else if (this.#others.find(words) < 0 && this.size < this.#most) this.#others.append(words)
  }

  /** Takes addresses as `words` gives them. */
  addAll(words: Uint32Array): void {
    for (let at = 0; at < words.length; at += keyWords) this.add(words.subarray(at, at + keyWords))
  }

  /** The four words of each, one behind the other. */
  words(): Uint32Array {
    const words = new Uint32Array(this.size * keyWords)
    let at = 0
    const write = (address: number) => {
      writeIPv4Key(address, words, at)
      at += keyWords
    }
    if (this.#hasZero) write(0)
    for (const address of this.#slots) if (address !== 0) write(address)
    for (let row = 0; row < this.#others.size; row++, at += keyWords) {
      const begin = this.#others.at(row)
      words.set(this.#others.page(row).words.subarray(begin, begin + keyWords), at)
    }
    return words
  }

  get #size(): number {
    return this.#taken + Number(this.#hasZero) + this.#others.size
  }

  #settle(): void {
    const pendings = this.#pendings
    this.#pendings = 0
    for (let at = 0; at < pendings; at++) this.#there[at] = this.#slots[this.#slotOf(this.#pending[at] ?? 0)] ?? 0
    for (let at = 0; at < pendings; at++)
      if (this.#there[at] !== this.#pending[at] || this.#there[at] === 0) this.#put(this.#pending[at] ?? 0)
  }

  #put(address: number): void {
    if (this.#size === this.#most) return
    if (address === 0) {
      this.#hasZero = true
      return
    }
    if (this.#taken * 2 === this.#slots.length) this.#grow()
    const mask = this.#slots.length - 1
    let slot = this.#slotOf(address)
    for (let there = this.#slots[slot] ?? 0; there !== 0; there = this.#slots[slot] ?? 0) {
      if (there === address) return
      slot = (slot + 1) & mask
    }
    this.#slots[slot] = address
    this.#taken++
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Uint32Array(old.length * 2)
    this.#taken = 0
    for (const address of old) if (address !== 0) this.#put(address)
  }

  /** Where the search for an address begins: the mixing of MurmurHash3. */
  #slotOf(address: number): number {
    let hash = address ^ this.#seed
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    return (hash ^ (hash >>> 16)) & (this.#slots.length - 1)
  }
}
