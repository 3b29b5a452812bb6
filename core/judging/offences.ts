import { randomInt } from 'node:crypto'
import type { Prefix } from '../address.ts'

/** The how-manieth ban of a prefix by a jail there was. */
export interface Offence {
  readonly jail: string
  readonly prefix: Prefix
  readonly count: number
}

/**
 * How often each prefix was banned by each jail, for ban times that grow. Bounded: of more than `max`
 * the ones that were banned longest ago are forgotten, up to half of them at a time. 12 to 24 bytes each:
 * a prefix in a jail is 64 bits of a hash with a secret seed.
 */
export class Offences {
  readonly #seed = randomInt(2 ** 32)
  readonly #half: number
  /** When the young ones are as many as `half`, they become the old ones, and the old ones are forgotten. */
  #young = new Counts()
  #old = new Counts()

  constructor(known: Iterable<Offence>, max = 1_000_000) {
    this.#half = Math.ceil(max / 2)
    for (const offence of known) this.note(offence)
  }

  /** Bans of this prefix by this jail so far. */
  count(prefix: Prefix, jail: string): number {
    const key = hash(`${prefix} ${jail}`, this.#seed)
    return this.#young.get(key) || this.#old.get(key)
  }

  /** Notes a ban that was decided elsewhere, or before. */
  note({ jail, prefix, count }: Offence): void {
    const key = hash(`${prefix} ${jail}`, this.#seed)
    this.#set(key, Math.max(count, this.#young.get(key) || this.#old.get(key)))
  }

  /** Notes one more ban and answers the new count. */
  add(prefix: Prefix, jail: string): number {
    const key = hash(`${prefix} ${jail}`, this.#seed)
    const count = (this.#young.get(key) || this.#old.get(key)) + 1
    this.#set(key, count)
    return count
  }

  #set(key: Key, count: number): void {
    this.#young.set(key, count)
    if (this.#young.size < this.#half) return
    this.#old = this.#young
    this.#young = new Counts()
  }
}

/** What stands for a prefix in a jail: two words, the first never 0. */
type Key = readonly [high: number, low: number]

/** Counts by key: three words a slot, linear probing, at most half full. */
class Counts {
  size = 0
  #slots = new Uint32Array(3 * 64)

  /** 0 for a key that is not there. */
  get(key: Key): number {
    return this.#slots[this.#find(key) + 2] ?? 0
  }

  set(key: Key, count: number): void {
    const at = this.#find(key)
    if (this.#slots[at] === 0) this.size++
    this.#slots[at] = key[0]
    this.#slots[at + 1] = key[1]
    this.#slots[at + 2] = Math.min(count, 0xffff_ffff)
    if (this.size * 6 > this.#slots.length) this.#grow()
  }

  #find([high, low]: Key): number {
    const mask = this.#slots.length / 3 - 1
    let slot = low & mask
    while (this.#slots[slot * 3] !== 0 && (this.#slots[slot * 3] !== high || this.#slots[slot * 3 + 1] !== low))
      slot = (slot + 1) & mask
    return slot * 3
  }

  #grow(): void {
    const before = this.#slots
    this.#slots = new Uint32Array(before.length * 2)
    for (let from = 0; from < before.length; from += 3) {
      if (before[from] === 0) continue
      const to = this.#find([before[from] ?? 0, before[from + 1] ?? 0])
      for (let word = 0; word < 3; word++) this.#slots[to + word] = before[from + word] ?? 0
    }
  }
}

/** Two rounds over the characters, as FNV-1a and as MurmurHash3 mix, and MurmurHash3's last steps. */
function hash(text: string, seed: number): Key {
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
