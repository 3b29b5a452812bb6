/**
 * The one parser of addresses. Everything that is banned, ignored or compared went through it, so
 * two texts for the same address are the same value everywhere.
 */
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
 * The address that a text spells, or null. IPv4 is four decimal numbers without leading zeros; octal,
 * hexadecimal and shortened forms are refused, and so are zones (`fe80::1%eth0`), ports and prefixes.
 * IPv6 is read as RFC 4291 section 2.2 writes it. By hand, because it is read for every line that matches.
 */
export function parseAddress(text: string): Address | null {
  // A dotted quad that passes is its own canonical form.
  if (!text.includes(':')) return readIPv4(text, 0, text.length) < 0 ? null : (text as Address)
  const groups = readIPv6(text)
  if (groups === null) return null
  const mapped = isMapped(groups)
  return (mapped ? formatBytes(bytesOf(groups).subarray(12)) : formatIPv6(groups)) as Address
}

/**
 * The address of an endpoint as services and proxies write it, or null: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`,
 * `[2001:db8::1]`, `[2001:db8::1]:80`, and an element of RFC 7239 (`for="[2001:db8::1]:80";proto=https`).
 */
export function parseEndpoint(given: string): Address | null {
  const text = given.trim()
  const address = parseAddress(text)
  if (address !== null || text.length > maxEndpoint) return address
  const bare = text.includes('=') ? forwardedFor(text) : text
  const [, six, four] = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?$/.exec(bare) ?? []
  // Only IPv6 stands in brackets.
  if (six !== undefined) return six.includes(':') ? parseAddress(six) : null
  return parseAddress(four ?? bare)
}

/** No endpoint is longer, with all that RFC 7239 lets stand beside it. */
const maxEndpoint = 512

/** What `for` says in an element of RFC 7239; empty where it does not say it exactly once. */
function forwardedFor(element: string): string {
  const said = element.split(';').flatMap((pair) => /^\s*for=("?)([^"]*)\1\s*$/i.exec(pair)?.[2] ?? [])
  return said.length === 1 ? (said[0] ?? '').trim() : ''
}

/** The elements of a list as X-Forwarded-For has it (`client, proxy1`), the nearest to us last; empty ones are left out. */
export function listedEndpoints(text: string): string[] {
  return text.includes(',') ? text.split(',').filter((part) => part.trim() !== '') : text.trim() === '' ? [] : [text]
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
  // An IPv4-mapped prefix counts its bits from the begin of the mapping.
  const mapped = text.lastIndexOf(':', slash) >= 0 && !address.includes(':')
  return formatPrefix(addressBytes(address), Number(digits) - (mapped ? 96 : 0))
}

/** The canonical prefix of some bytes (4 or 16) cut to `length` bits; null where the length is out of range. */
export function formatPrefix(bytes: Uint8Array, length: number): Prefix | null {
  const bits = bytes.length * 8
  if (!Number.isInteger(length) || length < 0 || length > bits) return null
  const cut = new Uint8Array(bytes.length)
  for (let at = 0; at < bytes.length; at++) cut[at] = (bytes[at] ?? 0) & mask(length - at * 8)
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

/** The 32 bits of a single IPv4 address; -1 for every other prefix. For those who go through a million. */
export function ipv4Value(prefix: Prefix): number {
  return readIPv4(prefix, 0, prefix.length)
}

/** The address of 32 bits. */
export function formatIPv4(value: number): Address {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}` as Address
}

/** All prefixes that hold the whole of this one: itself first, then wider and wider, down to length 0. */
export function* coveringPrefixes(prefix: Prefix): Generator<Prefix> {
  const { bytes, length } = prefixParts(prefix)
  for (let wider = length; wider >= 0; wider--) {
    const covering = formatPrefix(bytes, wider)
    if (covering !== null) yield covering
  }
}

/**
 * Whether a text can be the name of a host: letters, digits, dashes and underscores in labels. One whose
 * last label is a number is a mistyped address (RFC 3696, section 2).
 */
export function isHostName(text: string): boolean {
  if (text.length > 253 || !/^(?!-)[\w-]{1,63}(?:\.[\w-]{1,63})*\.?$/.test(text)) return false
  return !/^(?:0x[\da-f]*|\d+)\.?$/i.test(text.split('.').findLast((label) => label !== '') ?? '')
}

/** The 4 or 16 bytes of an address, in network order. */
export function addressBytes(address: Address): Uint8Array {
  const value = readIPv4(address, 0, address.length)
  if (value >= 0) return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)
  return bytesOf(readIPv6(address) ?? new Uint16Array(8))
}

/**
 * A set of prefixes that answers whether an address lies in one of them. One look-up costs one hash
 * probe a distinct prefix length, whatever the number of prefixes.
 */
export class PrefixSet {
  /** By the length: of IPv4 by the 32 bits, for that is quicker than by text. */
  readonly #v4 = new Map<number, Map<number, Prefix>>()
  readonly #v6 = new Map<number, Set<Prefix>>()
  /** The first 32 bits of those of IPv6, and whether one of them is shorter. */
  readonly #v6Begins = new Set<number>()
  #hasShort6 = false

  constructor(prefixes: Iterable<Prefix> = []) {
    for (const prefix of prefixes) this.add(prefix)
  }

  add(prefix: Prefix): void {
    const { family, bytes, length } = prefixParts(prefix)
    if (family === 4) {
      const same = this.#v4.get(length) ?? new Map<number, Prefix>()
      this.#v4.set(length, same.set(bitsOf(bytes), prefix))
    } else {
      this.#v6.set(length, (this.#v6.get(length) ?? new Set<Prefix>()).add(prefix))
      this.#v6Begins.add(bitsOf(bytes))
      this.#hasShort6 ||= length < 32
    }
  }

  /** Whether the set covers the IPv4 address of these 32 bits. */
  covers4(bits: number): boolean {
    return this.#v4.size > 0 && this.#covering4(bits, 32) !== undefined
  }

  /** Whether the set may cover an IPv6 address that begins with these 32 bits: where not, no text has to be made of it. */
  mayCover6(bits: number): boolean {
    return this.#hasShort6 || (this.#v6.size > 0 && this.#v6Begins.has(bits))
  }

  /** The prefix of the set that covers the whole of `prefix`, if there is one. */
  covering(prefix: Prefix): Prefix | undefined {
    const single = ipv4Value(prefix)
    if (single >= 0) return this.#covering4(single, 32)
    const { family, bytes, length } = prefixParts(prefix)
    if (family === 4) return this.#covering4(bitsOf(bytes), length)
    for (const [setLength, prefixes] of this.#v6) {
      if (setLength > length) continue
      const candidate = setLength === length ? prefix : formatPrefix(bytes, setLength)
      if (candidate !== null && prefixes.has(candidate)) return candidate
    }
    return undefined
  }

  /** A prefix of the set that has an address in common with `prefix`, if there is one. */
  overlapping(prefix: Prefix): Prefix | undefined {
    const covering = this.covering(prefix)
    // Nothing is inside a single address.
    if (covering !== undefined || !prefix.includes('/')) return covering
    const { family, length } = prefixParts(prefix)
    const byLength: ReadonlyMap<number, { values(): Iterable<Prefix> }> = family === 4 ? this.#v4 : this.#v6
    for (const [setLength, prefixes] of byLength) {
      if (setLength < length) continue
      for (const inner of prefixes.values()) {
        if (formatPrefix(prefixParts(inner).bytes, length) === prefix) return inner
      }
    }
    return undefined
  }

  #covering4(bits: number, length: number): Prefix | undefined {
    for (const [setLength, prefixes] of this.#v4) {
      if (setLength > length) continue
      const found = prefixes.get(setLength === 0 ? 0 : (bits & (-1 << (32 - setLength))) >>> 0)
      if (found !== undefined) return found
    }
    return undefined
  }
}

/** The 32 bits of four bytes. */
function bitsOf(bytes: Uint8Array): number {
  return (((bytes[0] ?? 0) << 24) | ((bytes[1] ?? 0) << 16) | ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0)) >>> 0
}

function formatBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = new Uint16Array(8)
  for (let at = 0; at < 8; at++) groups[at] = ((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)
  return formatIPv6(groups)
}

/** The value of the dotted quad that makes up `text` from `start` to `end`; -1 where there is none. */
function readIPv4(text: string, start: number, end: number): number {
  let [value, part, digits, dots] = [0, 0, 0, 0]
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit >= 0 && digit <= 9) {
      // A second digit behind a zero is a leading zero.
      if (digits > 0 && part === 0) return -1
      part = part * 10 + digit
      if (++digits > 3 || part > 255) return -1
    } else {
      if (digit !== dot || digits === 0 || ++dots > 3) return -1
      value = value * 256 + part
      part = digits = 0
    }
  }
  return dots === 3 && digits > 0 ? value * 256 + part : -1
}

/** The eight groups of an IPv6 text; null where it is none. */
function readIPv6(text: string): Uint16Array | null {
  const groups = new Uint16Array(8)
  let [count, gap, at] = [0, -1, 0]
  if (text.startsWith('::')) [gap, at] = [0, 2]
  while (at < text.length) {
    if (count === 8) return null
    let [value, digits] = [0, 0]
    for (let digit = hexAt(text, at + digits); digit >= 0; digit = hexAt(text, at + digits)) {
      value = value * 16 + digit
      if (++digits > 4) return null
    }
    if (text.charCodeAt(at + digits) === dot + 0x30) {
      const quad = readIPv4(text, at, text.length)
      if (quad < 0 || count > 6) return null
      groups[count++] = quad / 65_536
      groups[count++] = quad
      at = text.length
      break
    }
    if (digits === 0) return null
    groups[count++] = value
    at += digits
    if (at === text.length) break
    if (text.charCodeAt(at++) !== colon) return null
    if (text.charCodeAt(at) === colon) {
      if (gap >= 0) return null
      gap = count
      at++
    } else if (at === text.length) return null
  }
  if (gap < 0) return count === 8 ? groups : null
  if (count === 8) return null
  groups.copyWithin(8 - (count - gap), gap, count)
  return groups.fill(0, gap, 8 - (count - gap))
}

/** RFC 5952: lower case, no leading zeros, `::` for the first longest run of at least two zero groups. */
function formatIPv6(groups: Uint16Array): string {
  let [best, length] = [-1, 1]
  for (let start = 0; start < 8; start++) {
    let end = start
    while (end < 8 && groups[end] === 0) end++
    if (end - start > length) [best, length] = [start, end - start]
    start = Math.max(start, end - 1)
  }
  let text = ''
  for (let group = 0; group < 8; group++) {
    if (group === best) {
      text += '::'
      group += length - 1
    } else text += `${text === '' || text.endsWith(':') ? '' : ':'}${(groups[group] ?? 0).toString(16)}`
  }
  return text
}

function isMapped(groups: Uint16Array): boolean {
  return groups[5] === 0xffff && !groups[0] && !groups[1] && !groups[2] && !groups[3] && !groups[4]
}

function bytesOf(groups: Uint16Array): Uint8Array {
  // A loop: this runs some times for each failure, and `Uint8Array.from` takes ten times as long.
  const bytes = new Uint8Array(16)
  for (let at = 0; at < 8; at++) {
    const group = groups[at] ?? 0
    bytes[2 * at] = group >> 8
    bytes[2 * at + 1] = group & 255
  }
  return bytes
}

/** The value of a hexadecimal digit; -1 for everything else. */
function hexAt(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = (code | 0x20) - 0x61
  return letter >= 0 && letter < 6 && code < 0x80 ? letter + 10 : -1
}

/** The dot, counted from the digit zero. */
const dot = 0x2e - 0x30
const colon = 0x3a

/** The byte whose first `bits` bits (clamped to 0…8) are set. */
function mask(bits: number): number {
  return bits >= 8 ? 0xff : bits <= 0 ? 0 : (0xff00 >> bits) & 0xff
}
