import { formatPrefix, PrefixSet, type Address } from '../../address.ts'
import type { HostNames } from './host-names.ts'
import { isInNetwork, type IgnoreWord, type Network } from './ignore-words.ts'

/** An id as it is compared with words. */
export interface ComparedId {
  readonly id: string
  /** The address, or the first of the prefix, that the id is; null: it is another text. */
  readonly address: { readonly text: Address; readonly bytes: Uint8Array } | null
  /** Whether it is a prefix of more than one address. */
  readonly isNetwork: boolean
}

/** By what a word covers an id, in Fail2ban's words; `unknown`: a name has not been looked up yet. */
export type Covering = 'ip' | 'dns' | 'unknown' | null

/** Many words of one place: one probe for each length of network, whatever their number. */
export class WordSet {
  readonly #addresses = new Set<string>()
  readonly #networks = new PrefixSet()
  /** Networks that have no such prefix: with more bits than there are, or IPv4-mapped. */
  readonly #odd: Network[] = []
  readonly names: readonly string[]

  constructor(words: readonly IgnoreWord[]) {
    const names = new Set<string>()
    for (const word of words) {
      if (word.type === 'address') this.#addresses.add(word.address)
      else if (word.type === 'name') names.add(word.name)
      else if (word.type === 'network') this.#addNetwork(word.network)
    }
    this.names = [...names]
  }

  covers(compared: ComparedId, hosts: HostNames): Covering {
    const { address, isNetwork } = compared
    if (address !== null) {
      if (!isNetwork && this.#addresses.has(address.text)) return 'ip'
      if (this.#networks.covering(address.text) !== undefined) return 'ip'
      if (this.#odd.some((network) => isInNetwork(address.bytes, network))) return 'ip'
    }
    return coveredByName(this.names, compared, hosts)
  }

  #addNetwork(network: Network): void {
    const prefix = formatPrefix(network.bytes, network.length)
    const parsed = prefix !== null && !prefix.startsWith('::ffff:') ? prefix : null
    if (parsed === null) this.#odd.push(network)
    else this.#networks.add(parsed)
  }
}

/** Whether a name means the id now, or is the id. */
export function coveredByName(
  names: readonly string[],
  { id, address, isNetwork }: ComparedId,
  hosts: HostNames,
): Covering {
  if (address === null) return names.includes(id) ? 'ip' : null
  if (isNetwork) return null
  let covering: Covering = null
  for (const name of names) {
    const meant = hosts.meant(name)
    if (meant?.includes(address.text)) return 'dns'
    if (meant === null) covering = 'unknown'
  }
  return covering
}
