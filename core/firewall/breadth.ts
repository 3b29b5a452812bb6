/** How much of the address space all bans together hold. */
import { setName, type SetKey } from './set-names.ts'

interface Wide extends SetKey {
  readonly address: string
  readonly endsAt: number | null
}

/**
 * A quarter of all IPv4 addresses, and a quarter of the global unicast ones of IPv6 (2000::/3). The
 * blocks of the five countries that have most attackers are an eighth. Whoever wants to let in less
 * than three quarters of the world writes an allow list into a firewall of his own.
 */
const largestShare = { 4: 2 ** -2, 6: 2 ** -5 } as const

/** Narrower prefixes are not counted: a full set of them (2^20) is a sixteenth of IPv4, and next to nothing of IPv6. */
const counted = { 4: 23, 6: 39 } as const

const mostPrefixes = 131_072
const sweepEveryMs = 1000

/**
 * Adds up the wide prefixes in force, so that no row of requests, each sane, bans the world. A prefix
 * that is banned for several ports counts once.
 */
export class Breadth {
  /** When it ends, by set and address. */
  readonly #ends = new Map<string, number | null>()
  /** In how many sets a prefix is. */
  readonly #sets = new Map<string, number>()
  readonly #shares = { 4: 0, 6: 0 }
  #sweptAt = -Infinity

  /** Counts a prefix, anew or with its new end. False, and nothing is counted, where that would be too much. */
  add(entry: Wide, now: number): boolean {
    const { family, length, endsAt } = entry
    if (length > counted[family]) return true
    const place = placeOf(entry)
    if (!this.#ends.has(place)) {
      if (!this.#fits(entry)) this.#sweep(now)
      if (!this.#fits(entry)) return false
      const sets = this.#sets.get(prefixOf(entry)) ?? 0
      this.#sets.set(prefixOf(entry), sets + 1)
      if (sets === 0) this.#shares[family] += 2 ** -length
    }
    this.#ends.set(place, endsAt)
    return true
  }

  remove(entry: SetKey & Pick<Wide, 'address'>): void {
    if (entry.length <= counted[entry.family] && this.#ends.has(placeOf(entry))) this.#forget(placeOf(entry))
  }

  #fits(entry: Wide): boolean {
    const { family, length } = entry
    if (this.#ends.size >= mostPrefixes) return false
    return this.#sets.has(prefixOf(entry)) || this.#shares[family] + 2 ** -length <= largestShare[family]
  }

  /** Forgets what is over. Only where there is no room, and then not for each entry of a batch. */
  #sweep(now: number): void {
    if (now - this.#sweptAt < sweepEveryMs) return
    this.#sweptAt = now
    for (const [place, endsAt] of this.#ends) if (endsAt !== null && endsAt <= now) this.#forget(place)
  }

  #forget(place: string): void {
    this.#ends.delete(place)
    const prefix = place.slice(place.indexOf(' ') + 1)
    const sets = (this.#sets.get(prefix) ?? 1) - 1
    if (sets > 0) this.#sets.set(prefix, sets)
    else {
      this.#sets.delete(prefix)
      const [address = '', length] = prefix.split('/')
      this.#shares[address.length === 8 ? 4 : 6] -= 2 ** -Number(length)
    }
  }
}

const prefixOf = ({ address, length }: Pick<Wide, 'address' | 'length'>) => `${address}/${length}`
const placeOf = (entry: SetKey & Pick<Wide, 'address'>) => `${setName(entry)} ${prefixOf(entry)}`
