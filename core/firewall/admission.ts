/**
 * What the helper accepts. The agent has checked all this before; the helper checks it again because
 * it is the part with the rights, and a mistake or a broken agent must not lock anybody out.
 */
import { prefixParts } from '../address.ts'
import { Allowance } from './allowance.ts'
import { BlockList, type Block } from './block-list.ts'
import { Breadth } from './breadth.ts'
import { ipv4In } from './ipv4-in-ipv6.ts'
import type { RefusalReason, WireEntry, WirePorts, WirePrefix } from './messages.ts'
import { NeverBanned, type Spared } from './never-banned.ts'
import { isWide, type SetKey } from './set-names.ts'

/** An entry that may go to the kernel. */
export interface Entry extends SetKey {
  /** 8 or 32 hexadecimal digits, bits beyond the length zero. */
  readonly address: string
  /** When it ends, in milliseconds of `performance.now()`, which no change of the clock moves; null: never. */
  readonly endsAt: number | null
}

/**
 * The widest prefixes. Jails ban single addresses and /64; only people and lists ban wider, and the
 * largest block that a registry gave to one holder is a /8 (IPv6: a /19). Anything wider is a typing error.
 */
const widest = { 4: 8, 6: 19 } as const

const longestSeconds = 10 * 366 * 24 * 3600

/** Nobody attacks from these, and a machine without them is broken. */
const special: readonly Block<'special'>[] = (
  [
    ['00000000', 8], // 0.0.0.0/8, "this network"
    ['7f000000', 8], // 127.0.0.0/8, loopback
    ['a9fe0000', 16], // 169.254.0.0/16, link-local: resolvers and metadata of clouds
    ['e0000000', 4], // 224.0.0.0/4, multicast
    ['ffffffff', 32], // broadcast
    ['0'.repeat(32), 127], // :: and ::1
    [`${'0'.repeat(20)}ffff00000000`, 96], // ::ffff:0:0/96: IPv4 in disguise, never in a packet
    [`fe80${'0'.repeat(28)}`, 10], // fe80::/10, link-local: neighbours and routers
    [`ff${'0'.repeat(30)}`, 8], // ff00::/8, multicast
  ] as const
).map(([address, length]) => ({ address, length, reason: 'special' }))

/**
 * Checks entries one by one, with what the machine depends on as it is now. There is one in a helper,
 * whatever the number of agents it has served, so that connecting anew makes no limit wider.
 */
export class Admission {
  readonly #neverBanned: NeverBanned
  readonly #allowance = new Allowance(performance.now())
  #breadth = new Breadth()
  /** Whether `#breadth` is all that the kernel may hold. */
  #synced = false
  #spared: readonly Spared[] | undefined
  /** Whom the agent asks not to ban. */
  #allowed: readonly Block<'allowed'>[] = []
  readonly #callbacks: (() => void)[] = []
  #refused = new BlockList<RefusalReason>([])

  constructor(neverBanned = new NeverBanned()) {
    this.#neverBanned = neverBanned
  }

  /** Whether so many new entries may come now. A sync needs not ask: it is how whole lists are loaded. */
  allows(count: number, now: number): boolean {
    return this.#allowance.take(count, now)
  }

  /**
   * The checked entry, or why it is refused. `ports` are those its index stands for, `now` is of
   * `performance.now()`. `sync` is what the sync to which the entry belongs holds so far.
   */
  admit(
    [, address, length, seconds]: WireEntry,
    ports: WirePorts | undefined,
    now: number,
    sync?: Breadth,
  ): Entry | RefusalReason {
    if (ports === undefined) return 'undeclared'
    const family = familyOf(address)
    const wrong = malformed(address, length) ?? (length < widest[family] ? 'wide' : null)
    if (wrong !== null) return wrong
    if (seconds !== null && (seconds < 1 || seconds > longestSeconds)) return 'time'
    const reason = this.#reason(address, length, now)
    if (reason !== null) return reason
    if (sync === undefined && !this.#synced && isWide({ family, length })) return 'unsynced'
    // Written out, here and below: a spread makes a million entries take a second and a half longer.
    const entry = { ports, family, length, address, endsAt: seconds === null ? null : now + seconds * 1000 }
    const held = sync ?? this.#breadth
    if (!held.sets.add(entry)) return 'sets'
    return held.add(entry, now) ? entry : 'broad'
  }

  /** As `admit`, for an entry that is to be removed: whatever the kernel could hold may go. It counts until `released`. */
  release([, address, length]: WireEntry, ports: WirePorts | undefined): Entry | RefusalReason {
    if (ports === undefined) return 'undeclared'
    const wrong = malformed(address, length)
    if (wrong !== null) return wrong
    return { ports, family: familyOf(address), length, address, endsAt: null }
  }

  /** The kernel does not hold these any more. */
  released(entries: readonly Entry[]): void {
    for (const entry of entries) this.#breadth.remove(entry)
  }

  /**
   * A sync puts something else in the place of everything: until it has, nobody knows what the kernel
   * holds, and nothing wide comes beside it. So it is in the beginning too, for what an earlier helper left.
   */
  async replace<Result>(breadth: Breadth, sync: () => Promise<Result>): Promise<Result> {
    this.#synced = false
    const result = await sync()
    this.#breadth = breadth
    this.#synced = true
    return result
  }

  /** Why an entry may not be, or not stay, in force: it holds an address that is never banned. Null: it may. */
  refuses({ address, length }: Pick<Entry, 'address' | 'length'>, now = performance.now()): RefusalReason | null {
    return this.#reason(address, length, now)
  }

  /** Calls back after the addresses that are never banned have changed: what is in force is to be asked for with `refuses`. */
  onChange(callback: () => void): void {
    this.#callbacks.push(callback)
    this.#neverBanned.onChange(callback)
  }

  /** From now on these are not banned either, in place of those of the call before. Nobody is banned by it. */
  spare(prefixes: readonly WirePrefix[]): void {
    if (prefixes.length + this.#allowed.length === 0) return
    this.#allowed = prefixes.map(([address, length]) => ({ address, length, reason: 'allowed' }))
    this.#spared = undefined
    for (const callback of this.#callbacks) callback()
  }

  #reason(address: string, length: number, now: number): RefusalReason | null {
    const list = this.#list(now)
    const reason = list.touching(address, length)
    if (reason !== null || address.length === 8) return reason
    const behind = ipv4In(address, length)
    if (behind === null || behind.some((each) => each.length < widest[4])) return 'translated'
    const reasons = behind.map((each) => list.touching(each.address, each.length))
    // Of several readings most are not meant, and zeros in them are no address.
    return reasons.find((each) => each !== null && (each !== 'special' || behind.length === 1)) ?? null
  }

  #list(now: number): BlockList<RefusalReason> {
    const list = this.#neverBanned.at(now)
    if (list !== this.#spared) {
      this.#spared = list
      this.#refused = new BlockList<RefusalReason>([...special, ...list.map(asBlock), ...this.#allowed])
    }
    return this.#refused
  }
}

const familyOf = (address: string): 4 | 6 => (address.length === 8 ? 4 : 6)

function malformed(address: string, length: number): RefusalReason | null {
  const bits = address.length * 4
  if (length < 1 || length > bits) return 'length'
  return length < bits && hostBits(address, length) ? 'host-bits' : null
}

/** Whether any bit beyond the first `length` ones is set. */
function hostBits(address: string, length: number): boolean {
  const whole = Math.ceil(length / 4)
  const inside = length % 4 === 0 ? 0 : Number.parseInt(address.charAt(whole - 1), 16) & (0xf >> (length % 4))
  return inside !== 0 || /[^0]/.test(address.slice(whole))
}

function asBlock({ prefix, reason }: Spared): Block<RefusalReason> {
  const { bytes, length } = prefixParts(prefix)
  return { address: Buffer.from(bytes).toString('hex'), length, reason }
}
