import { addressBytes, parseAddress } from '../address.ts'

/** An address and how many of its bits count; the address is text of its form, and may be none. */
export interface MaskedAddress {
  readonly address: string
  readonly length: number
}

/** What stands behind the slash has the form of a mask, and is none. Fail2ban fails there. */
export class NoMask extends Error {}

/**
 * `address/length` or `address/mask`, as Fail2ban reads it since 1.1. Null: the text is none of them, so an id as it is.
 * Throws a NoMask.
 */
export function maskedAddress(text: string): MaskedAddress | null {
  const [, address, length, mask] = form.exec(text) ?? []
  if (address === undefined) return null
  return { address, length: mask === undefined ? Number(length) : maskLength(mask) }
}

const ip4 = '(?:\\d{1,3}\\.){3}\\d{1,3}'
const ip6 = '(?:[0-9a-fA-F]{1,4}::?|:){1,7}(?:[0-9a-fA-F]{1,4}|(?<=:):)'
const form = new RegExp(`^(${ip4}|${ip6})/(?:(\\d+)|(${ip4}|${ip6}))$`)

/** The ones that a mask begins with, which zeros must follow. */
function maskLength(text: string): number {
  const address = parseAddress(text)
  const bits =
    address === null ? '' : Array.from(addressBytes(address), (byte) => byte.toString(2).padStart(8, '0')).join('')
  if (address === null || !/^1*0*$/.test(bits)) throw new NoMask(`${text} is no mask of a network`)
  return bits.lastIndexOf('1') + 1
}
