import { createHash } from 'node:crypto'
import { parseAddress } from '../address.ts'
import { writeKey } from '../address-words.ts'
import type { Key } from './keyed-rows.ts'

/**
 * Writes the key of an id: of an address as `writeKey` does, of any other text 120 bits of its SHA-256 behind a byte
 * that only multicast addresses begin with, which send nothing.
 */
export function writeIdKey(id: string, key: Key): void {
  const address = parseAddress(id)
  if (address !== null) return writeKey(address, key)
  const hash = createHash('sha256').update(id).digest()
  hash[0] = 0xff
  for (let word = 0; word < 4; word++) key[word] = hash.readUInt32BE(word * 4)
}
