/**
 * The one parser of addresses. Everything that is banned, ignored or compared went through it, so
 * two texts for the same address are the same value everywhere.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

declare const canonical: unique symbol

/**
 * One IP address in canonical text: dotted decimal for IPv4, RFC 5952 for IPv6. An IPv4-mapped IPv6
 * address is the IPv4 address. Only `parseAddress` makes one.
 */
export type Address = string & { readonly [canonical]: 'address' }

/**
 * A block of addresses in canonical text, host bits zero: `192.0.2.0/24`. A block of one address is
 * written as the address alone, so every `Address` is a `Prefix`. Only `parsePrefix` makes one.
 */
export type Prefix = (string & { readonly [canonical]: 'prefix' }) | Address

/** A prefix taken apart. */
export interface PrefixParts {
  readonly family: 4 | 6
  /** 4 or 16 bytes, host bits zero. */
  readonly bytes: Uint8Array
  /** Number of leading bits that count, 0 to 32 or 128. */
  readonly length: number
}

/**
 * The address that a text spells, or null. Refused are octal, hexadecimal and shortened IPv4 forms,
 * zones (`fe80::1%eth0`), ports, prefixes and everything else that `net.isIP` does not know.
 */
export function parseAddress(text: string): Address | null {
  const family = isIP(text)
  // A dotted quad that passes the gate is its own canonical form: leading zeros do not pass.
  if (family === 4) return text as Address
  if (family === 0 || text.includes('%')) return null
  const parsed = ipaddr.IPv6.parse(text)
  return (parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.toRFC5952String()) as Address
}

/**
 * The prefix that a text spells: an address, or an address with `/length`. Host bits are cleared.
 * Null where the text is none, also where an IPv4-mapped prefix is shorter than the mapping.
 */
export function parsePrefix(text: string): Prefix | null {
  const slash = text.indexOf('/')
  if (slash < 0) return parseAddress(text)
  const address = parseAddress(text.slice(0, slash))
  const digits = text.slice(slash + 1)
  if (address === null || !/^(?:0|[1-9]\d{0,2})$/.test(digits)) return null
  const mapped = isIP(text.slice(0, slash)) === 6 && isIP(address) === 4
  return formatPrefix(addressBytes(address), Number(digits) - (mapped ? 96 : 0))
}

/** The canonical prefix of some bytes (4 or 16) cut to `length` bits; null where the length is out of range. */
export function formatPrefix(bytes: Uint8Array, length: number): Prefix | null {
  const bits = bytes.length * 8
  if (!Number.isInteger(length) || length < 0 || length > bits) return null
  const cut = Uint8Array.from(bytes, (byte, index) => byte & mask(length - index * 8))
  const text = formatBytes(cut)
  return (length === bits ? text : `${text}/${length}`) as Prefix
}

/** Takes a prefix apart. */
export function prefixParts(prefix: Prefix): PrefixParts {
  const slash = prefix.indexOf('/')
  const bytes = addressBytes((slash < 0 ? prefix : prefix.slice(0, slash)) as Address)
  const length = slash < 0 ? bytes.length * 8 : Number(prefix.slice(slash + 1))
  return { family: bytes.length === 4 ? 4 : 6, bytes, length }
}

/** The 4 or 16 bytes of an address, in network order. */
export function addressBytes(address: Address): Uint8Array {
  if (!address.includes(':')) return Uint8Array.from(address.split('.'), Number)
  return Uint8Array.from(ipaddr.IPv6.parse(address).toByteArray())
}

/**
 * A set of prefixes that answers whether an address lies in one of them. One look-up costs one hash
 * probe a distinct prefix length, whatever the number of prefixes.
 */
export class PrefixSet {
  readonly #lengths = new Map<string, Set<Prefix>>()

  constructor(prefixes: Iterable<Prefix> = []) {
    for (const prefix of prefixes) this.add(prefix)
  }

  add(prefix: Prefix): void {
    const { family, length } = prefixParts(prefix)
    const key = `${family}/${length}`
    const same = this.#lengths.get(key)
    if (same) same.add(prefix)
    else this.#lengths.set(key, new Set([prefix]))
  }

  /** The prefix of the set that covers the whole of `prefix`, if there is one. */
  covering(prefix: Prefix): Prefix | undefined {
    const { family, bytes, length } = prefixParts(prefix)
    for (const [key, prefixes] of this.#lengths) {
      const setLength = Number(key.slice(2))
      if (Number(key[0]) !== family || setLength > length) continue
      const candidate = formatPrefix(bytes, setLength)
      if (candidate !== null && prefixes.has(candidate)) return candidate
    }
    return undefined
  }

  /** A prefix of the set that has an address in common with `prefix`, if there is one. */
  overlapping(prefix: Prefix): Prefix | undefined {
    const covering = this.covering(prefix)
    const { family, length, bytes } = prefixParts(prefix)
    // Nothing is inside a single address.
    if (covering !== undefined || length === bytes.length * 8) return covering
    for (const [key, prefixes] of this.#lengths) {
      if (Number(key[0]) !== family || Number(key.slice(2)) < length) continue
      for (const inner of prefixes) {
        if (formatPrefix(prefixParts(inner).bytes, length) === prefix) return inner
      }
    }
    return undefined
  }
}

function formatBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  return new ipaddr.IPv6([...bytes]).toRFC5952String()
}

/** The byte whose first `bits` bits (clamped to 0…8) are set. */
function mask(bits: number): number {
  return bits >= 8 ? 0xff : bits <= 0 ? 0 : (0xff00 >> bits) & 0xff
}
