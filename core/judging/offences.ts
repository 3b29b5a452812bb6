import type { Prefix } from '../address.ts'

/** The how-manieth ban of a prefix by a jail there was. */
export interface Offence {
  readonly jail: string
  readonly prefix: Prefix
  readonly count: number
}

/**
 * How often each prefix was banned by each jail, for ban times that grow. Bounded: of more than
 * `max` the ones that were banned longest ago are forgotten.
 */
export class Offences {
  readonly #max: number
  readonly #counts = new Map<string, number>()

  constructor(known: Iterable<Offence>, max = 500_000) {
    this.#max = max
    for (const offence of known) this.note(offence)
  }

  /** Bans of this prefix by this jail so far. */
  count(prefix: Prefix, jail: string): number {
    return this.#counts.get(`${prefix} ${jail}`) ?? 0
  }

  /** Notes a ban that was decided elsewhere, or before. */
  note({ jail, prefix, count }: Offence): void {
    this.#set(`${prefix} ${jail}`, Math.max(count, this.count(prefix, jail)))
  }

  /** Notes one more ban and answers the new count. */
  add(prefix: Prefix, jail: string): number {
    const count = this.count(prefix, jail) + 1
    this.#set(`${prefix} ${jail}`, count)
    return count
  }

  #set(key: string, count: number): void {
    this.#counts.delete(key)
    this.#counts.set(key, count)
    if (this.#counts.size > this.#max) for (const oldest of this.#counts.keys()) return void this.#counts.delete(oldest)
  }
}
