/** What stands for a text: two words of its hash, the first never 0. */
export type HashKey = readonly [high: number, low: number]

/**
 * Some words (unsigned, 32 bits) by text, of which 64 bits of a hash with a secret seed are kept (`hashKey`): two of a
 * million share one with a chance of 1 to 30 million. Linear probing, at most half full.
 */
export class HashedWords {
  readonly #width: number
  #size = 0
  #slots: Uint32Array

  /** `values` words for each text. */
  constructor(values: number) {
    this.#width = values + 2
    this.#slots = new Uint32Array(this.#width * 64)
  }

  get size(): number {
    return this.#size
  }

  /** The word at `index` of a text; undefined where it has none. */
  get(key: HashKey, index = 0): number | undefined {
    const at = this.#find(key)
    return this.#slots[at] === 0 ? undefined : this.#slots[at + 2 + index]
  }

  set(key: HashKey, values: readonly number[]): void {
    this.#put(key[0], key[1], values)
  }

  /** Keeps those that the function says by their words. */
  keepIf(isKept: (words: Uint32Array) => boolean): void {
    this.#rebuild(this.#slots.length, isKept)
  }

  /** The words of each text, to be changed in place. */
  *words(): Generator<Uint32Array> {
    for (let at = 0; at < this.#slots.length; at += this.#width)
      if (this.#slots[at] !== 0) yield this.#slots.subarray(at + 2, at + this.#width)
  }

  #put(high: number, low: number, values: ArrayLike<number>, from = 0): void {
    const at = this.#find([high, low])
    if (this.#slots[at] === 0) this.#size++
    this.#slots[at] = high
    this.#slots[at + 1] = low
    for (let index = 2; index < this.#width; index++) this.#slots[at + index] = values[from + index - 2] ?? 0
    if (this.#size * 2 * this.#width > this.#slots.length) this.#rebuild(this.#slots.length * 2, null)
  }

  #rebuild(length: number, isKept: ((words: Uint32Array) => boolean) | null): void {
    const before = this.#slots
    this.#slots = new Uint32Array(length)
    this.#size = 0
    for (let at = 0; at < before.length; at += this.#width) {
      const high = before[at] ?? 0
      if (high === 0 || (isKept !== null && !isKept(before.subarray(at + 2, at + this.#width)))) continue
      this.#put(high, before[at + 1] ?? 0, before, at + 2)
    }
  }

  #find([high, low]: HashKey): number {
    const count = this.#slots.length / this.#width
    let slot = low & (count - 1)
    for (let at = slot * this.#width; this.#slots[at] !== 0; at = slot * this.#width) {
      if (this.#slots[at] === high && this.#slots[at + 1] === low) break
      slot = (slot + 1) & (count - 1)
    }
    return slot * this.#width
  }
}

/** Two rounds over the characters, as FNV-1a and as MurmurHash3 mix, and MurmurHash3's last steps. */
export function hashKey(text: string, seed: number): HashKey {
  let low = seed | 0
  let high = ~seed
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul((high << 13) | (high >>> 19), 5) + Math.imul(code, 0xcc9e2d51)
  }
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b)
  high = Math.imul(high ^ (high >>> 13), 0xc2b2ae35)
  return [(high ^ (high >>> 16)) >>> 0 || 1, (low ^ (low >>> 13)) >>> 0]
}
