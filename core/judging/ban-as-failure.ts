import { formatPrefix, prefixParts, type Address } from '../address.ts'
import type { Ban, Match } from '../events.ts'

/**
 * The failure that a ban is for a jail that counts bans: at the time of the ban. A network counts at its first
 * address, which no host has (RFC 4291, section 2.6.1: it means any router).
 */
export function banAsFailure({ prefix, jail, since, count, failures }: Ban, counting: string): Match {
  const { bytes } = prefixParts(prefix)
  const times = count > 1 ? `, for the ${count}. time` : ''
  return {
    jail: counting,
    filter: counting,
    rule: 0,
    // A prefix as long as the address is written as the address.
    address: formatPrefix(bytes, bytes.length * 8) as Address,
    time: since,
    attempts: 1,
    groups: {},
    session: null,
    once: false,
    log: jail,
    offset: 0,
    line: `${new Date(since).toISOString()} ${jail} banned ${prefix} after ${failures === 1 ? 'a failure' : `${failures} failures`}${times}`,
  }
}
