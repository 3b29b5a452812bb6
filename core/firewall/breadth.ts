/** How much of the address space all bans together hold. */
import { ipv4In } from './ipv4-in-ipv6.ts'
import { SetCount } from './set-count.ts'
import { setName, type SetKey } from './set-names.ts'

/** A share of all addresses of a family. */
interface Size {
  readonly family: 4 | 6
  readonly share: number
}

interface Wide extends SetKey {
  readonly address: string
  readonly endsAt: number | null
}

/**
 * A quarter of all IPv4 addresses; and of IPv6 131 072 /32s, a quarter of the some 500 000 that the
 * registries have given out: most of its space is not in use, so a share of it would be no limit. The
 * blocks of the five countries that have most attackers are an eighth. Whoever wants to let in less
 * than three quarters of the world writes an allow list into a firewall of his own.
 */
const largestShare = { 4: 2 ** -2, 6: 131_072 / 2 ** 32 } as const

/** Narrower prefixes are not counted: a full set of them (2^20) is a sixteenth of IPv4, and of IPv6 4096 /32s. */
const counted = { 4: 23, 6: 39 } as const

const mostPrefixes = 131_072
const sweepEveryMs = 1000

/**
 * Adds up the wide prefixes in force, so that no row of requests, each sane, bans the world. A prefix
 * that is banned for several ports counts once; one that stands for IPv4 counts as that too.
 */
export class Breadth {
  /** When it ends, by set and address. */
  readonly #ends = new Map<string, number | null>()
  /** In how many sets a prefix is. */
  readonly #sets = new Map<string, number>()
  readonly #shares = { 4: 0, 6: 0 }
  #sweptAt = -Infinity
  /** The sets that all these prefixes, and narrower ones, need. */
  readonly sets = new SetCount()

  /** Counts a prefix, anew or with its new end. False, and nothing is counted, where that would be too much. */
  add(entry: Wide, now: number): boolean {
    const sizes = sizesOf(entry)
    if (sizes.length === 0) return true
    const place = placeOf(entry)
    if (!this.#ends.has(place)) {
      if (!this.#fits(entry, sizes)) this.#sweep(now)
      if (!this.#fits(entry, sizes)) return false
      const sets = this.#sets.get(prefixOf(entry)) ?? 0
      this.#sets.set(prefixOf(entry), sets + 1)
      if (sets === 0) for (const { family, share } of sizes) this.#shares[family] += share
    }
    this.#ends.set(place, entry.endsAt)
    return true
  }

  remove(entry: SetKey & Pick<Wide, 'address'>): void {
    if (sizesOf(entry).length > 0 && this.#ends.has(placeOf(entry))) this.#forget(placeOf(entry))
  }

  #fits(entry: Wide, sizes: readonly Size[]): boolean {
    if (this.#ends.size >= mostPrefixes) return false
    if (this.#sets.has(prefixOf(entry))) return true
    return sizes.every(({ family, share }) => this.#shares[family] + share <= largestShare[family])
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
      for (const { family, share } of sizesOf({ address, length: Number(length) })) this.#shares[family] -= share
    }
  }
}

/** What a prefix counts as; nothing where it is too narrow. */
function sizesOf({ address, length }: Pick<Wide, 'address' | 'length'>): readonly Size[] {
  const family = address.length === 8 ? 4 : 6
  const own = length > counted[family] ? [] : [{ family, share: 2 ** -length } as const]
  if (family === 4 || length === 128 || length === 64) return own
  const [behind] = ipv4In(address, length) ?? []
  if (behind === undefined || behind.length > counted[4]) return own
  return [...own, { family: 4, share: 2 ** -behind.length }]
}

const prefixOf = ({ address, length }: Pick<Wide, 'address' | 'length'>) => `${address}/${length}`
const placeOf = (entry: SetKey & Pick<Wide, 'address'>) => `${setName(entry)} ${prefixOf(entry)}`
