/** IPv6 prefixes that stand for IPv4 ones: whoever bans one of those bans an IPv4 address in disguise. */
import { BlockList, firstAddress } from './block-list.ts'

/** A prefix as the wire spells it. */
export interface Digits {
  readonly address: string
  readonly length: number
}

interface Embedding extends Digits {
  /** At which digits the IPv4 address is; one after the other, of a pair the second part follows the first. */
  readonly at: readonly (readonly [from: number, to: number])[]
}

const wellKnown = '0064ff9b'
const local = '0064ff9b0001'
const zeros = (digits: string) => digits.padEnd(32, '0')

/**
 * RFC 6052, section 2.2, for the lengths of a translator's prefix that fit into the block of RFC 8215,
 * which every network uses as it likes: all of them are thought of.
 */
const layouts = [
  [[24, 32]],
  [
    [12, 16],
    [18, 22],
  ],
  [
    [14, 16],
    [18, 24],
  ],
  [[18, 26]],
] as const

const embeddings: readonly Embedding[] = [
  { address: zeros(wellKnown), length: 96, at: [[24, 32]] }, // RFC 6052
  ...layouts.map((at) => ({ address: zeros(local), length: 48, at })), // RFC 8215
  { address: `${'0'.repeat(16)}ffff${'0'.repeat(12)}`, length: 96, at: [[24, 32]] }, // RFC 2765, SIIT
  { address: zeros('2002'), length: 16, at: [[4, 12]] }, // RFC 3056, 6to4
]

const all = new BlockList(embeddings.map(({ address, length }) => ({ address, length, reason: 'embedding' })))

/**
 * The IPv4 prefixes that an IPv6 prefix (host bits zero) stands for, none for most; null where it holds
 * more than what stands for IPv4. The first is that of the usual place of the address.
 */
export function ipv4In(address: string, length: number): readonly Digits[] | null {
  if (all.touching(address, length) === null) return []
  const found = embeddings.filter((each) => firstAddress(address, each.length) === each.address)
  if (found.some((each) => length < each.length) || found.length === 0) return null
  return found.map(({ at }) => ipv4At(at, address, length))
}

/** What is known of the digits at some places when only the first `length` bits of the address are. */
function ipv4At(at: Embedding['at'], address: string, length: number): Digits {
  const known = at.map(([from, to]) => Math.max(0, Math.min(length, to * 4) - from * 4))
  return { address: at.map(([from, to]) => address.slice(from, to)).join(''), length: known.reduce((a, b) => a + b, 0) }
}
