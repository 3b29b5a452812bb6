/** Reads from files of the system which addresses this machine depends on. Nothing here throws, whatever stands in them. */
import { endianness } from 'node:os'
import { formatPrefix, parseAddress, type Address, type Prefix } from '../address.ts'

/** `RTF_GATEWAY` of linux/route.h. */
const viaGateway = 0x2

/**
 * The next hops of a text as /proc/net/route gives it (`fib_route_seq_show` in the kernel's
 * fib_trie.c): a row a route, its third field the gateway as a number in the byte order of the
 * machine, its fourth the flags. It has the main table, and of several next hops of a route the first.
 */
export function readRoutes4(text: string, bigEndian = endianness() === 'BE'): Prefix[] {
  return each(text, (fields) => {
    const [, , gateway = '', flags = ''] = fields
    if (!/^[0-9A-F]{8}$/.test(gateway) || !isVia(flags)) return null
    const bytes = Uint8Array.from(Buffer.from(gateway, 'hex'))
    return known(formatPrefix(bigEndian ? bytes : bytes.toReversed(), 32))
  })
}

/**
 * The next hops of a text as /proc/net/ipv6_route gives it (`ipv6_route_native_seq_show`): destination,
 * length, source, length, next hop, metric, references, uses, flags, device; all in hexadecimal. It has all tables.
 */
export function readRoutes6(text: string): Prefix[] {
  return each(text, (fields) => {
    const [, , , , gateway = '', , , , flags = ''] = fields
    if (!/^[0-9a-f]{32}$/.test(gateway) || !isVia(flags)) return null
    return known(formatPrefix(Uint8Array.from(Buffer.from(gateway, 'hex')), 128))
  })
}

/** The name servers of a resolv.conf(5), without their zones. */
export function readResolvers(text: string): Prefix[] {
  return each(text, ([keyword, address = '']) => {
    return keyword === 'nameserver' ? known(parseAddress(address.replace(/%.*/, ''))) : null
  })
}

/** The address that reaches everybody in the network of an interface; null where the family or the length has none. */
export function broadcastOf(address: Address, length: number): Prefix | null {
  const value = /^\d+\.\d+\.\d+\.\d+$/.test(address) ? address.split('.').map(Number) : null
  if (value === null || !Number.isInteger(length) || length < 1 || length > 30) return null
  const bytes = value.map((byte, place) => byte | (0xff >> Math.max(0, Math.min(8, length - place * 8))))
  return formatPrefix(Uint8Array.from(bytes), 32)
}

function isVia(flags: string): boolean {
  return /^[0-9A-Fa-f]{4,8}$/.test(flags) && (Number.parseInt(flags, 16) & viaGateway) !== 0
}

/** `0.0.0.0` and `::` stand for no address. */
function known(prefix: Prefix | null): Prefix | null {
  return prefix === '0.0.0.0' || prefix === '::' ? null : prefix
}

/** What the rows give, each once. */
function each(text: string, read: (fields: string[]) => Prefix | null): Prefix[] {
  const found = new Set<Prefix>()
  for (const row of text.split('\n')) {
    const prefix = read(row.trim().split(/\s+/))
    if (prefix !== null) found.add(prefix)
  }
  return [...found]
}
