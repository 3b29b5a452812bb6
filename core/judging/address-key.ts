import { addressBytes, formatPrefix, type Address } from '../address.ts'

/** Writes an address as four words; IPv4 as its IPv4-mapped form, which no canonical IPv6 address has. */
export function writeKey(address: Address, words: Uint32Array, at = 0): void {
  const bytes = addressBytes(address)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length === 4) {
    words[at] = 0
    words[at + 1] = 0
    words[at + 2] = 0xffff
    words[at + 3] = view.getUint32(0)
  } else {
    for (let word = 0; word < 4; word++) words[at + word] = view.getUint32(word * 4)
  }
}

/** The address of four words that `writeKey` wrote. */
export function readKey(words: Uint32Array, at: number): Address {
  const view = new DataView(new ArrayBuffer(16))
  for (let word = 0; word < 4; word++) view.setUint32(word * 4, words[at + word] ?? 0)
  const mapped = isMappedKey(words, at)
  const bytes = new Uint8Array(view.buffer, mapped ? 12 : 0)
  // Single addresses are their own prefixes.
  return formatPrefix(bytes, bytes.length * 8) as Address
}

/** Whether the words stand for an IPv4 address. */
export function isMappedKey(words: Uint32Array, at: number): boolean {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0xffff
}
