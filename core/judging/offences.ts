import { randomInt } from 'node:crypto'
import type { Prefix } from '../address.ts'
import { HashedWords, hashKey, type HashKey } from './hashed-words.ts'

/** The how-manieth ban of a prefix by a jail there was. */
export interface Offence {
  readonly jail: string
  readonly prefix: Prefix
  readonly count: number
  /** When it began, unix milliseconds; absent: nobody knows. */
  readonly last?: number
  /** When it was to end; null: never. */
  readonly until?: number | null
}

/**
 * How often each prefix was banned by each jail, for ban times that grow. Bounded: of more than `max`
 * the ones that were banned longest ago are forgotten, up to half of them at a time. 12 to 24 bytes each.
 */
export class Offences {
  readonly #seed = randomInt(2 ** 32)
  readonly #half: number
  /** When the young ones are as many as `half`, they become the old ones, and the old ones are forgotten. */
  #young = new HashedWords(1)
  #old = new HashedWords(1)

  constructor(known: Iterable<Offence>, max = 1_000_000) {
    this.#half = Math.ceil(max / 2)
    for (const offence of known) this.note(offence)
  }

  /** Bans of this prefix by this jail so far. */
  count(prefix: Prefix, jail: string): number {
    return this.#count(this.#keyOf(prefix, jail))
  }

  /** Notes a ban that was decided elsewhere, or before. */
  note({ jail, prefix, count }: Offence): void {
    const key = this.#keyOf(prefix, jail)
    this.#set(key, Math.max(count, this.#count(key)))
  }

  /** Notes one more ban and answers the new count. */
  add(prefix: Prefix, jail: string): number {
    const key = this.#keyOf(prefix, jail)
    const count = this.#count(key) + 1
    this.#set(key, count)
    return count
  }

  #count(key: HashKey): number {
    return this.#young.get(key) ?? this.#old.get(key) ?? 0
  }

  #set(key: HashKey, count: number): void {
    this.#young.set(key, [Math.min(count, 0xffff_ffff)])
    if (this.#young.size < this.#half) return
    this.#old = this.#young
    this.#young = new HashedWords(1)
  }

  #keyOf(prefix: Prefix, jail: string): HashKey {
    return hashKey(`${prefix} ${jail}`, this.#seed)
  }
}
