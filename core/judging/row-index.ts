import { randomInt } from 'node:crypto'
import type { Key } from './keyed-rows.ts'

/** Rows that an index has numbers for. */
export const mostRows = 2 ** 24 - 2

/** An entry is the row + 1 in its lower bits, and above them bits of the hash, so that hardly any other key is compared. */
const rowBits = 24
const rowMask = 2 ** rowBits - 1
/** Stands for an entry that is in the other slots now, or nowhere. */
const gone = 0xffff_ffff
const leastSlots = 64
/** Old slots looked at with every call: an index that has just grown is moved long before it has to grow again. */
const movedAtOnce = 8

/**
 * Finds rows by their key: open addressing with linear probing, at most three quarters full, hash seeded with a secret.
 *
 * When it has to be larger or smaller, new slots are made and the entries move there a few with every call; until all
 * have moved, both are asked. New memory is not touched before it is used, so no call takes long, however many rows
 * there are. Seven to eleven bytes a row, half as much more while entries move.
 */
export class RowIndex {
  #seed = randomInt(0x1_0000_0000 - 1) | 0
  /** The words of the page of a row; the row begins at `(row & mask) * width`. */
  readonly #wordsOf: (row: number) => Uint32Array
  readonly #width: number
  readonly #mask: number
  #slots = new Uint32Array(leastSlots)
  #size = 0
  /** Slots that entries move away from, and the next of them that is looked at; null: none. */
  #old: Uint32Array | null = null
  #next = 0

  constructor(wordsOf: (row: number) => Uint32Array, width: number, mask: number) {
    this.#wordsOf = wordsOf
    this.#width = width
    this.#mask = mask
  }

  /** Has the entries of another one from now on, whose rows were copied. */
  takeOver(other: RowIndex): void {
    this.#seed = other.#seed
    this.#slots = other.#slots.slice()
    this.#old = other.#old === null ? null : other.#old.slice()
    this.#next = other.#next
    this.#size = other.#size
  }

  get bytes(): number {
    return this.#slots.byteLength + (this.#old?.byteLength ?? 0)
  }

  /** The row of a key; -1 where it has none. */
  find(key: Key): number {
    const hash = hashOf(key, 0, this.#seed)
    const row = this.#search(this.#slots, key, hash)
    return row >= 0 || this.#old === null ? row : this.#search(this.#old, key, hash)
  }

  /** Takes up a row, whose key has none yet. */
  link(row: number): void {
    this.#size++
    if (this.#old === null && this.#size * 4 > this.#slots.length * 3) this.#begin(this.#slots.length * 2)
    this.tend()
    this.#put(hashOf(this.#wordsOf(row), this.#at(row), this.#seed), row)
  }

  /** Forgets a row. */
  unlink(row: number): void {
    this.#size--
    const old = this.#old
    const slot = this.#slotOf(this.#slots, row)
    if (slot >= 0) this.#close(slot)
    else if (old !== null) old[this.#slotOf(old, row)] = gone
    this.tend()
  }

  /** A row is about to have another number. */
  renumber(row: number, to: number): void {
    const slot = this.#slotOf(this.#slots, row)
    const slots = slot >= 0 || this.#old === null ? this.#slots : this.#old
    const at = slot >= 0 ? slot : this.#slotOf(slots, row)
    slots[at] = ((slots[at] ?? 0) & ~rowMask) | (to + 1)
  }

  /** Moves some entries, where there are any to be moved. */
  tend(): void {
    const { length } = this.#slots
    if (this.#old === null && length > leastSlots && this.#size * 8 < length) this.#begin(length / 2)
    const old = this.#old
    if (old === null) return
    const end = Math.min(this.#next + movedAtOnce, old.length)
    for (; this.#next < end; this.#next++) {
      const entry = old[this.#next] ?? 0
      if (entry === 0 || entry === gone) continue
      const row = (entry & rowMask) - 1
      this.#put(hashOf(this.#wordsOf(row), this.#at(row), this.#seed), row)
      old[this.#next] = gone
    }
    if (this.#next === old.length) this.#old = null
  }

  #begin(slots: number): void {
    this.#old = this.#slots
    this.#slots = new Uint32Array(slots)
    this.#next = 0
  }

  #at(row: number): number {
    return (row & this.#mask) * this.#width
  }

  #search(slots: Uint32Array, key: Key, hash: number): number {
    const mask = slots.length - 1
    const tag = hash >>> rowBits
    let slot = hash & mask
    for (let entry = slots[slot] ?? 0; entry !== 0; entry = slots[slot] ?? 0) {
      if (entry >>> rowBits === tag && entry !== gone) {
        const row = (entry & rowMask) - 1
        const words = this.#wordsOf(row)
        const at = this.#at(row)
        if (words[at + 3] === key[3] && words[at + 2] === key[2] && words[at + 1] === key[1] && words[at] === key[0])
          return row
      }
      slot = (slot + 1) & mask
    }
    return -1
  }

  #put(hash: number, row: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hash & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = (hash & ~rowMask) | (row + 1)
  }

  /** -1 where the row is not among these. */
  #slotOf(slots: Uint32Array, row: number): number {
    const mask = slots.length - 1
    let slot = hashOf(this.#wordsOf(row), this.#at(row), this.#seed) & mask
    for (let entry = slots[slot] ?? 0; entry !== 0; entry = slots[slot] ?? 0) {
      if ((entry & rowMask) === row + 1 && entry !== gone) return slot
      slot = (slot + 1) & mask
    }
    return -1
  }

  /** Frees a slot by moving back those behind it that had to give way to it (Knuth 6.4, algorithm R). */
  #close(free: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let gap = free
    for (let slot = (gap + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const row = ((slots[slot] ?? 0) & rowMask) - 1
      const home = hashOf(this.#wordsOf(row), this.#at(row), this.#seed) & mask
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue
      slots[gap] = slots[slot] ?? 0
      gap = slot
    }
    slots[gap] = 0
  }
}

/** MurmurHash3's mixing of four words, with a secret seed. */
function hashOf(words: Uint32Array, at: number, seed: number): number {
  let hash = seed
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
