/**
 * The names of the sets: `all_v4`, `tcp_22_v4`, `tcp_80_443_v6_64`, `tcpudp_53_v4`. Whoever looks at the firewall
 * reads in them what a set is for, and the helper reads the ports back.
 */
import { createHash } from 'node:crypto'
import type { WirePorts } from './messages.ts'

/** Which prefixes a set holds: those of one length of one family, kept away from the same ports. */
export interface SetKey {
  readonly ports: WirePorts
  readonly family: 4 | 6
  readonly length: number
}

/** The longest port list that is spelled out in a name; the kernel takes names of 255. */
const longestPorts = 80

/**
 * The name of a set; different sets have different names. A list of ports that is too long is
 * replaced by `h` and 128 bits of its SHA-256.
 */
export function setName({ ports, family, length }: SetKey): string {
  const spelled = ports.ports.join('_')
  const hash = spelled.length > longestPorts ? hashed(spelled) : undefined
  const head = ports.protocol === 'all' ? 'all' : `${ports.protocol.replace('+', '')}_${hash ?? spelled}`
  return `${head}_v${family}${length === bitsOf(family) ? '' : `_${length}`}`
}

/** What a name says; null where it is none of ours. Ports are null where the name only holds their hash. */
export function readSetName(name: string): (Omit<SetKey, 'ports'> & { readonly ports: WirePorts | null }) | null {
  const found = /^(all|tcp|udp|tcpudp)(?:_(h[0-9a-f]{32}|\d{1,5}(?:_\d{1,5})*))?_v([46])(?:_(\d{1,3}))?$/.exec(name)
  if (found === null) return null
  const [, word, list, version, digits] = found
  const protocol = word === 'tcpudp' ? 'tcp+udp' : word
  const family = version === '4' ? 4 : 6
  const length = digits === undefined ? bitsOf(family) : Number(digits)
  if (list?.startsWith('h')) return protocol === 'all' ? null : { ports: null, family, length }
  const ports = { protocol: protocol as WirePorts['protocol'], ports: list?.split('_').map(Number) ?? [] }
  const valid = ports.ports.every((port, place) => port <= 65_535 && port > (ports.ports[place - 1] ?? -1))
  // Only the one spelling that `setName` makes is ours: no leading zeros, no ports for `all`.
  return valid && setName({ ports, family, length }) === name ? { ports, family, length } : null
}

/** How many bits an address of the family has. */
export function bitsOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128
}

/** Whether they are of the same set: false also for equal ports that are not the same object. */
export function isSameSet(one: SetKey, other: SetKey): boolean {
  return one.ports === other.ports && one.length === other.length && one.family === other.family
}

/** Whether it is neither a single address nor a /64, of which one machine has any number. */
export function isWide({ family, length }: Pick<SetKey, 'family' | 'length'>): boolean {
  return length !== bitsOf(family) && !(family === 6 && length === 64)
}

function hashed(ports: string): string {
  return `h${createHash('sha256').update(ports).digest('hex').slice(0, 32)}`
}
