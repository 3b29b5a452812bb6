import { hasNetwork } from './networks.ts'
import type { AddressFailure } from './address-failure.ts'
import type { FailureCounter } from './failure-counter.ts'
import type { IgnoreList } from './ignore-list.ts'
import type { FullJudgeOptions } from './judge-options.ts'
import type { JudgedJail } from './judged-jail.ts'
import type { SparedFailures } from './spared-failures.ts'
import type { JailRules } from './jail-rules.ts'

/** What the jails of a group have in common. */
export interface GroupState {
  readonly counter: FailureCounter
  readonly ignore: IgnoreList
  readonly spared: SparedFailures
  readonly skewMs: number | null
  readonly failures: number
  readonly ignored: number
}

/** Jails of a group by how far their bans cover an address: itself, its network, not at all. */
export interface BannedJails {
  readonly bits: 0 | 64 | 128
  readonly jails: readonly string[]
}

/**
 * Jails that count alike and have been told the same failures so far: what one of them counted all did, so it is counted
 * once. A group falls apart where a failure is that of some of its jails only, or some of them banned its
 * address and others did not; from then on they count by themselves.
 */
export class JailGroup {
  readonly jails: readonly JudgedJail[]
  /** Their names, in this order. Who keeps something for all of them may know them by this list. */
  readonly names: readonly string[]
  readonly counter: FailureCounter
  readonly ignore: IgnoreList
  readonly spared: SparedFailures
  skewMs: number | null
  failures: number
  ignored: number
  /** The last answers of `bannedBy`, by the stamps that they were for. */
  #known: Float64Array | null = null
  readonly #knownAs: (readonly BannedJails[])[] = []
  /** The answers of `bannedBy` where there is one jail. */
  readonly #only: Readonly<Record<0 | 64 | 128, readonly BannedJails[]>>

  /** `jails` are at least one. */
  constructor(jails: readonly JudgedJail[], { counter, ignore, spared, skewMs, failures, ignored }: GroupState) {
    this.jails = jails
    this.names = jails.map(({ rules }) => rules.name)
    this.counter = counter
    this.ignore = ignore
    this.spared = spared
    this.skewMs = skewMs
    this.failures = failures
    this.ignored = ignored
    const only = (bits: 64 | 128) => [{ bits, jails: this.names }]
    this.#only = { 0: nowhere, 64: only(64), 128: only(128) }
    counter.countFor(this.names)
  }

  /** What they count by, which is the same for all. */
  get rules(): JailRules {
    const [first] = this.jails
    if (first === undefined) throw new Error('a group has no jail')
    return first.rules
  }

  /** The jails that are meant, and the others, which count by themselves from now on; each may be none. */
  split(isMeant: (jail: string) => boolean): { readonly meant: JailGroup | null; readonly others: JailGroup | null } {
    const meant = this.jails.filter(({ rules }) => isMeant(rules.name))
    const others = this.jails.filter((jail) => !meant.includes(jail))
    if (others.length === 0) return { meant: this, others: null }
    if (meant.length === 0) return { meant: null, others: this }
    const counter = this.counter.copy?.()
    if (counter === undefined) throw new Error(`${this.names.join(', ')} count by what one jail counts by alone`)
    const copied = { ...this, counter, spared: this.spared.copy() }
    return { meant: new JailGroup(meant, copied), others: new JailGroup(others, this) }
  }

  /**
   * By which of its bans each jail keeps the address of a failure away. What is told again and again, while nothing was
   * banned and no ban ended that concerns the address, costs the same however many jails there are.
   */
  bannedBy(failed: AddressFailure, options: FullJudgeOptions): readonly BannedJails[] {
    const { key } = failed
    const asksNetwork = this.rules.ipv6prefix === 64 && hasNetwork(key, 0)
    if (this.names.length === 1) return this.#only[this.#bits(failed, this.names[0] ?? '', asksNetwork, options)]
    const own = options.banStamp(key, 128)
    const network = asksNetwork ? options.banStamp(key, 64) : 0
    if (own === 0 && network === 0) return nowhere
    const slot = ((own * 31 + network) >>> 0) & (knownSlots - 1)
    this.#known ??= new Float64Array(2 * knownSlots)
    if (this.#known[2 * slot] === own && this.#known[2 * slot + 1] === network) return this.#knownAs[slot] ?? nowhere
    const answer = this.#eachBannedBy(failed, asksNetwork, options)
    this.#known[2 * slot] = own
    this.#known[2 * slot + 1] = network
    this.#knownAs[slot] = answer
    return answer
  }

  #eachBannedBy(failed: AddressFailure, asksNetwork: boolean, options: FullJudgeOptions): readonly BannedJails[] {
    const byBits = new Map<0 | 64 | 128, string[]>()
    for (const name of this.names) {
      const of = this.#bits(failed, name, asksNetwork, options)
      const jails = byBits.get(of)
      if (jails === undefined) byBits.set(of, [name])
      else jails.push(name)
    }
    const [bits] = byBits.keys()
    return byBits.size === 1 ? this.#only[bits ?? 0] : [...byBits].map(([of, jails]) => ({ bits: of, jails }))
  }

  #bits(failed: AddressFailure, jail: string, asksNetwork: boolean, options: FullJudgeOptions): 0 | 64 | 128 {
    const { isBanned, isBannedKey } = options
    const isIt = failed.isSingle ? isBannedKey(failed.key, 128, jail) : isBanned(failed.prefix, jail)
    if (isIt) return 128
    return asksNetwork && isBannedKey(failed.key, 64, jail) ? 64 : 0
  }
}

/** Addresses that were banned and go on failing are few. */
const knownSlots = 4096
const nowhere: readonly BannedJails[] = []
