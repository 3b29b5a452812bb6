import { randomInt } from 'node:crypto'

/** Four words that stand for an address, or for another id. */
export type Key = Uint32Array

/**
 * Numbers the keys of a table whose columns its owner keeps: rows are dense, from 0 on. An open-addressing index
 * (linear probing, at most half full, hash seeded with a secret) finds the row of a key.
 */
export class KeyedRows {
  readonly #seed = randomInt(0x1_0000_0000 - 1) | 0
  /** Slot -> row + 1, 0 where it is free. */
  #index = new Int32Array(0)
  #keys = new Uint32Array(0)
  #size = 0
  #capacity = 0

  /** Rows now. */
  get size(): number {
    return this.#size
  }

  /** Rows that there is room for. */
  get capacity(): number {
    return this.#capacity
  }

  /** The keys of all rows, four words each. */
  get keys(): Uint32Array {
    return this.#keys
  }

  /** The row of a key; -1 where it has none. */
  find(key: Key): number {
    const mask = this.#index.length - 1
    let slot = this.#hash(key, 0) & mask
    for (let entry = this.#index[slot] ?? 0; entry !== 0; entry = this.#index[slot] ?? 0) {
      const at = (entry - 1) * 4
      if (
        this.#keys[at] === key[0] &&
        this.#keys[at + 1] === key[1] &&
        this.#keys[at + 2] === key[2] &&
        this.#keys[at + 3] === key[3]
      ) {
        return entry - 1
      }
      slot = (slot + 1) & mask
    }
    return -1
  }

  /** The row of a new key: the last one. There must be room. */
  append(key: Key): number {
    const row = this.#size++
    this.#keys.set(key, row * 4)
    this.#link(row)
    return row
  }

  /** Removes a row. The last one takes its place: its number is answered, for the columns; the same number where it was the last. */
  remove(row: number): number {
    this.#unlink(this.#slotOf(row))
    const last = --this.#size
    if (row === last) return last
    const slot = this.#slotOf(last)
    this.#keys.copyWithin(row * 4, last * 4, last * 4 + 4)
    this.#index[slot] = row + 1
    return last
  }

  /** Makes room for so many rows, at least as many as there are. */
  resize(capacity: number): void {
    this.#capacity = capacity
    this.#keys = moved(this.#keys, new Uint32Array(capacity * 4))
    this.#index = new Int32Array(2 ** Math.ceil(Math.log2(capacity * 2)))
    for (let row = 0; row < this.#size; row++) this.#link(row)
  }

  #link(row: number): void {
    const mask = this.#index.length - 1
    let slot = this.#hash(this.#keys, row * 4) & mask
    while (this.#index[slot] !== 0) slot = (slot + 1) & mask
    this.#index[slot] = row + 1
  }

  #slotOf(row: number): number {
    const mask = this.#index.length - 1
    let slot = this.#hash(this.#keys, row * 4) & mask
    while (this.#index[slot] !== row + 1) slot = (slot + 1) & mask
    return slot
  }

  /** Frees a slot by moving back those behind it that had to give way to it (Knuth 6.4, algorithm R). */
  #unlink(free: number): void {
    const mask = this.#index.length - 1
    for (let slot = (free + 1) & mask; this.#index[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#hash(this.#keys, ((this.#index[slot] ?? 0) - 1) * 4) & mask
      if (((slot - home) & mask) < ((slot - free) & mask)) continue
      this.#index[free] = this.#index[slot] ?? 0
      free = slot
    }
    this.#index[free] = 0
  }

  /** MurmurHash3's mixing of four words, with a secret seed. */
  #hash(words: Uint32Array, at: number): number {
    let hash = this.#seed
    for (let word = at; word < at + 4; word++) {
      let mixed = Math.imul(words[word] ?? 0, 0xcc9e2d51)
      mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
      hash ^= mixed
      hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    return hash ^ (hash >>> 16)
  }
}

/** The values of the old array in the new one, as far as they fit. */
export function moved<T extends Uint32Array | Float64Array>(old: T, fresh: T): T {
  fresh.set(old.subarray(0, fresh.length))
  return fresh
}
