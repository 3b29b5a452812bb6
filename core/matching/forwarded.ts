import { listedEndpoints, parseEndpoint, type Address, type PrefixSet } from '../address.ts'

/** Proxies of one request that are looked at: no real chain is longer, and who writes one may write thousands. */
const maxHops = 100

/**
 * The address that is meant by a chain of addresses, the nearest to us last: the first from the end that is no
 * trusted proxy. What stands before it was written by somebody who is not trusted and is not looked at. Where
 * a trusted proxy does not name an address, or all are trusted, it is the last one that is known, a proxy
 * itself. Null where the nearest is no address. Each hop is an address or a list of them.
 */
export function clientBehind(hops: readonly string[], proxies: PrefixSet): Address | null {
  let client: Address | null = null
  const chain = hops.flatMap(listedEndpoints)
  for (let at = chain.length - 1; at >= Math.max(0, chain.length - maxHops); at--) {
    const next = parseEndpoint(chain[at] ?? '')
    if (next === null) return client
    client = next
    if (proxies.covering(client) === undefined) return client
  }
  return client
}
