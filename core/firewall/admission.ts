/**
 * What the helper accepts. The agent has checked all this before; the helper checks it again because
 * it is the part with the rights, and a mistake or a broken agent must not lock anybody out.
 */
import { networkInterfaces } from 'node:os'
import { addressBytes, parseAddress } from '../address.ts'
import type { RefusalReason, WireEntry, WirePorts } from './messages.ts'
import { bitsOf, type SetKey } from './set-names.ts'

/** An entry that may go to the kernel. */
export interface Entry extends SetKey {
  /** 8 or 32 hexadecimal digits, bits beyond the length zero. */
  readonly address: string
  /** When it ends, in milliseconds of `performance.now()`, which no change of the clock moves; null: never. */
  readonly endsAt: number | null
}

/** The widest prefixes: a provider's whole block is banned by nobody on purpose, a typing error bans it easily. */
const widest = { 4: 8, 6: 19 } as const

const longestSeconds = 10 * 366 * 24 * 3600

/** How long the addresses of the machine are believed. */
const ownForMs = 3000

interface Block {
  readonly address: string
  readonly bits: number
}

/** Nobody attacks from these, and a machine without them is broken. */
const special: readonly Block[] = [
  { address: '00000000', bits: 8 }, // 0.0.0.0/8, "this network"
  { address: '7f000000', bits: 8 }, // 127.0.0.0/8, loopback
  { address: 'a9fe0000', bits: 16 }, // 169.254.0.0/16, link-local: resolvers and metadata of clouds
  { address: 'e0000000', bits: 4 }, // 224.0.0.0/4, multicast
  { address: 'ffffffff', bits: 32 }, // broadcast
  { address: '0'.repeat(32), bits: 127 }, // :: and ::1
  { address: `${'0'.repeat(20)}ffff00000000`, bits: 96 }, // ::ffff:0:0/96: IPv4 in disguise, never in a packet
  { address: `fe80${'0'.repeat(28)}`, bits: 10 }, // fe80::/10, link-local: neighbours and routers
  { address: `ff${'0'.repeat(30)}`, bits: 8 }, // ff00::/8, multicast
]

/** Checks entries one by one, with the addresses of the machine as they are now. */
export class Admission {
  readonly #readOwn: () => readonly string[]
  #own: readonly Block[] = []
  #readAt = -Infinity

  /** `readOwn` gives the addresses of the machine as text; what is none, or has a zone, is cut or left out. */
  constructor(readOwn: () => readonly string[] = interfaceAddresses) {
    this.#readOwn = readOwn
  }

  /** The checked entry, or why it is refused. `ports` are those its index stands for. */
  admit([, address, length, seconds]: WireEntry, ports: WirePorts | undefined, now: number): Entry | RefusalReason {
    const key = located(address, length, ports)
    if (typeof key === 'string') return key
    if (length < widest[key.family]) return 'wide'
    if (seconds !== null && (seconds < 1 || seconds > longestSeconds)) return 'time'
    const block = { address, bits: length }
    if (special.some((other) => overlap(block, other))) return 'special'
    if (this.#ownAddresses(now).some((other) => overlap(block, other))) return 'own'
    return { ...key, endsAt: seconds === null ? null : now + seconds * 1000 }
  }

  /** As `admit`, for an entry that is to be removed: whatever the kernel could hold may go. */
  release([, address, length]: WireEntry, ports: WirePorts | undefined): Entry | RefusalReason {
    const key = located(address, length, ports)
    return typeof key === 'string' ? key : { ...key, endsAt: null }
  }

  #ownAddresses(now: number): readonly Block[] {
    if (now - this.#readAt >= ownForMs) {
      this.#own = this.#readOwn().flatMap(asBlock)
      this.#readAt = now
    }
    return this.#own
  }
}

function located(address: string, length: number, ports: WirePorts | undefined): Omit<Entry, 'endsAt'> | RefusalReason {
  if (ports === undefined) return 'undeclared'
  const family = address.length === 8 ? 4 : 6
  if (length < 1 || length > bitsOf(family)) return 'length'
  return hostBits(address, length) ? 'host-bits' : { ports, family, length, address }
}

/** Whether any bit beyond the first `length` ones is set. */
function hostBits(address: string, length: number): boolean {
  const whole = Math.ceil(length / 4)
  const inside = length % 4 === 0 ? 0 : digit(address, whole - 1) & (0xf >> (length % 4))
  return inside !== 0 || /[^0]/.test(address.slice(whole))
}

/** Whether one of them holds the other. */
function overlap(one: Block, other: Block): boolean {
  if (one.address.length !== other.address.length) return false
  const bits = Math.min(one.bits, other.bits)
  const whole = bits >> 2
  if (one.address.slice(0, whole) !== other.address.slice(0, whole)) return false
  const shift = 4 - (bits & 3)
  return shift === 4 || digit(one.address, whole) >> shift === digit(other.address, whole) >> shift
}

const digit = (address: string, place: number): number => Number.parseInt(address.charAt(place), 16)

const interfaceAddresses = () =>
  Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address))

function asBlock(address: string): Block[] {
  const parsed = parseAddress(address.replace(/%.*$/, ''))
  if (parsed === null) return []
  const hex = Buffer.from(addressBytes(parsed)).toString('hex')
  return [{ address: hex, bits: hex.length * 4 }]
}
