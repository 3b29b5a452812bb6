import { addressBytes, parseAddress, type Address } from '../../address.ts'
import { BailiffError, quote } from '../../errors.ts'
import { maskedAddress, NoMask, type MaskedAddress } from '../masked-address.ts'
import { space } from '../tree/python-text.ts'
import { splitWords } from '../tree/option-syntax.ts'

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

/** The words of a file, between commas and white space, without what follows `#` or `;` where a word could begin. */
export function wordsOfFile(text: string): string[] {
  return splitWords(text.replaceAll(/\r\n?/g, '\n').replaceAll(comment, ''), true)
}

/** A comma in front makes no comment. */
const comment = new RegExp(`(?<![^${space}])[#;][^\\n]*`, 'g')

/**
 * Reads a word: an address (also in brackets), `address/length`, `address/mask`, `file:PATH`, a name or any other id.
 * Throws a BailiffError where neither length nor mask follows an address: there Fail2ban fails, or ignores nobody by it.
 */
export function parseIgnoreWord(word: string): IgnoreWord {
  if (word.startsWith('file:')) return { type: 'file', path: word.slice(5) }
  const bare = word.length > 2 && word.startsWith('[') && word.endsWith(']') ? word.slice(1, -1) : word
  const masked = maskedOf(bare, word)
  if (masked === null) return plainWord(bare, word)
  const address = parseAddress(masked.address)
  if (address === null) return { type: 'name', name: masked.address }
  // Fail2ban reads an IPv4-mapped address as IPv4 only where it stands alone.
  const isMapped = masked.address.includes(':') && !address.includes(':')
  const bytes = isMapped ? mapped(addressBytes(address)) : addressBytes(address)
  const { length } = masked
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

function plainWord(text: string, word: string): IgnoreWord {
  const address = parseAddress(text)
  if (address !== null) return { type: 'address', address }
  const slash = text.indexOf('/')
  if (slash >= 0 && parseAddress(text.slice(0, slash)) !== null)
    throw unreadable(word, `${quote(text.slice(slash + 1))} is no length of a network`)
  return { type: 'name', name: text }
}

function maskedOf(text: string, word: string): MaskedAddress | null {
  try {
    return maskedAddress(text)
  } catch (error) {
    if (!(error instanceof NoMask)) throw error
    throw unreadable(word, error.message)
  }
}

function unreadable(word: string, why: string): BailiffError {
  const hint = 'write an address, address/length, address/mask, a host name, or file:PATH'
  return new BailiffError('config', `ignoreip: ${quote(word)} cannot be read: ${why}`, { hint })
}

function mapped(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(...Array.from({ length: 10 }, () => 0), 0xff, 0xff, ...bytes)
}
