import { addressBytes, formatIPv4, formatPrefix, ipv4Value, parsePrefix, type Address, type Prefix } from './address.ts'

/** Writes an address as four words; IPv4 as its IPv4-mapped form, which no canonical IPv6 address has. */
export function writeKey(address: Address, words: Uint32Array, at = 0): void {
  const value = ipv4Value(address)
  if (value >= 0) return writeIPv4Key(value, words, at)
  const bytes = addressBytes(address)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let word = 0; word < 4; word++) words[at + word] = view.getUint32(word * 4)
}

/** Writes the first address of a prefix as `writeKey` does, and answers its length, IPv4 as 96 more. */
export function writePrefixKey(prefix: Prefix, words: Uint32Array): number {
  const slash = prefix.indexOf('/')
  writeKey((slash < 0 ? prefix : prefix.slice(0, slash)) as Address, words)
  if (slash < 0) return 128
  return Number(prefix.slice(slash + 1)) + (isMappedKey(words, 0) ? 96 : 0)
}

/** Writes the IPv4 address of 32 bits as `writeKey` does. */
export function writeIPv4Key(value: number, words: Uint32Array, at = 0): void {
  words[at] = 0
  words[at + 1] = 0
  words[at + 2] = 0xffff
  words[at + 3] = value
}

/** The address of four words that `writeKey` wrote. */
export function readKey(words: Uint32Array, at: number): Address {
  if (isMappedKey(words, at)) return formatIPv4(words[at + 3] ?? 0)
  const view = new DataView(new ArrayBuffer(16))
  for (let word = 0; word < 4; word++) view.setUint32(word * 4, words[at + word] ?? 0)
  // Single addresses are their own prefixes.
  return formatPrefix(new Uint8Array(view.buffer), 128) as Address
}

/** The address of four words (128 bits), or its IPv6 network of 64 bits. */
export function prefixOfKey(words: Uint32Array, bits: 64 | 128): Prefix {
  const address = readKey(words, 0)
  return (bits === 128 ? null : parsePrefix(`${address}/64`)) ?? address
}

/** Whether the words stand for an IPv4 address. */
export function isMappedKey(words: Uint32Array, at: number): boolean {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0xffff
}
