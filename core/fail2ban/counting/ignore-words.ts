import { addressBytes, parseAddress, type Address } from '../../address.ts'
import { BailiffError, quote } from '../../errors.ts'

/** A word of `ignoreip`. */
export type IgnoreWord =
  | { readonly type: 'address'; readonly address: Address }
  /** The address behind a prefix as Fail2ban keeps it; `length` may be more than there are bits. */
  | { readonly type: 'network'; readonly network: Network }
  /** A host name, or an id as it is. */
  | { readonly type: 'name'; readonly name: string }
  | { readonly type: 'file'; readonly path: string }

/** 4 or 16 bytes, of which the first `length` bits count. */
export interface Network {
  readonly bytes: Uint8Array
  readonly length: number
}

/** Words are separated by blanks, commas and line breaks. */
export function splitWords(text: string): string[] {
  return text.split(/[ ,\n]+/).flatMap((word) => word.trim() || [])
}

/** The words of a file: as `splitWords`, without what follows `#` or `;` at the begin of a line or behind a blank. */
export function wordsOfFile(text: string): string[] {
  return splitWords(
    text
      .replaceAll('\r', '\n')
      .replaceAll('\t', ' ')
      .replaceAll(/(?<=^|[ ,])[#;].*$/gm, ''),
  )
}

/**
 * Reads a word: an address (also in brackets), `address/length`, `address/mask`, `file:PATH`, a name. Throws a
 * BailiffError where what is behind the slash is neither length nor mask; there Fail2ban fails as well.
 */
export function parseIgnoreWord(word: string): IgnoreWord {
  if (word.startsWith('file:')) return { type: 'file', path: word.slice(5) }
  const bare = word.length > 2 && word.startsWith('[') && word.endsWith(']') ? word.slice(1, -1) : word
  const slash = bare.indexOf('/')
  const text = slash < 0 ? bare : bare.slice(0, slash)
  const address = parseAddress(text)
  if (slash < 0) return address === null ? { type: 'name', name: bare } : { type: 'address', address }
  const length = lengthOf(bare.slice(slash + 1), word)
  if (address === null) return { type: 'name', name: text }
  // Fail2ban reads an IPv4-mapped address as IPv4 only where it stands alone.
  const isMapped = text.includes(':') && !address.includes(':')
  const bytes = isMapped ? mapped(addressBytes(address)) : addressBytes(address)
  const isSingle = length === bytes.length * 8 && !isMapped
  return isSingle ? { type: 'address', address } : { type: 'network', network: { bytes, length } }
}

/** Whether the first bits of both are the same; those of other families never are. */
export function isInNetwork(bytes: Uint8Array, { bytes: network, length }: Network): boolean {
  if (bytes.length !== network.length) return false
  const whole = Math.min(length >> 3, network.length)
  for (let at = 0; at < whole; at++) if (bytes[at] !== network[at]) return false
  const bits = whole === network.length ? 0 : length & 7
  return bits === 0 || (((bytes[whole] ?? 0) ^ (network[whole] ?? 0)) & (0xff00 >> bits) & 0xff) === 0
}

function lengthOf(behind: string, word: string): number {
  if (/[.:]/.test(behind)) return maskLength(behind, word)
  if (/^\+?\d+$/.test(behind)) return Number(behind)
  throw unreadable(word, `${quote(behind)} is no length of a network`)
}

/** The ones that a mask begins with, which zeros must follow. */
function maskLength(text: string, word: string): number {
  const address = parseAddress(text)
  const bits =
    address === null ? '' : Array.from(addressBytes(address), (byte) => byte.toString(2).padStart(8, '0')).join('')
  if (address === null || !/^1*0*$/.test(bits)) throw unreadable(word, `${quote(text)} is no mask of a network`)
  return bits.lastIndexOf('1') + 1
}

function mapped(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(...Array.from({ length: 10 }, () => 0), 0xff, 0xff, ...bytes)
}

function unreadable(word: string, why: string): BailiffError {
  const hint = 'write an address, address/length, address/mask, a host name, or file:PATH'
  return new BailiffError('config', `ignoreip: ${quote(word)} cannot be read: ${why}`, { hint })
}
