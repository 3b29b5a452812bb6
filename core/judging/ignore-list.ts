import { lookup } from 'node:dns/promises'
import { parseAddress, PrefixSet, type Prefix } from '../address.ts'
import { isMappedKey } from '../address-words.ts'

const namesAgainMs = 5 * 60_000

/** Whom an ignore list spares. */
export interface IgnoreRules {
  readonly prefixes: readonly Prefix[]
  /** Host names; their addresses are looked up beside the work, never while a ban is decided. */
  readonly names: readonly string[]
  /** Whether the machine itself and what it depends on are spared. */
  readonly self: boolean
  /** Trusted proxies: a failure of one is that of somebody behind it whom the line does not name. */
  readonly proxies?: readonly Prefix[]
}

/** A prefix that the machine cannot do without, and why in words that go on from the prefix: "it holds a gateway". */
export interface VitalPrefix {
  readonly prefix: Prefix
  readonly why: string
}

/** The rule that spares an address. */
export interface SparingRule {
  /** An entry of `ignoreip` (a prefix, or a name that means it now), a trusted proxy, or what the machine cannot do without. */
  readonly kind: 'ignoreip' | 'name' | 'proxy' | 'vital'
  /** The prefix or name as it is configured; of what is vital the prefix. */
  readonly entry: string
  /** In words for people, which go on from the address. */
  readonly why: string
}

export interface IgnoreListOptions {
  /** The addresses of the machine and what it depends on, as it is now. */
  readonly vital: () => readonly VitalPrefix[]
  readonly onNameFailure: (name: string, error: Error) => void
  /** Called when a name means other addresses than before. */
  readonly onNamesChanged?: () => void
}

/** The addresses that are never banned, kept up to date. */
export class IgnoreList {
  readonly #rules: IgnoreRules
  readonly #options: IgnoreListOptions
  readonly #named = new Map<string, readonly Prefix[]>()
  readonly #configured: PrefixSet
  readonly #proxies: PrefixSet
  #live = new PrefixSet()
  #vital = new PrefixSet()
  #whyVital: ReadonlyMap<Prefix, string> = new Map()
  /** Vital prefixes and proxies of which it was told that they fail. */
  readonly #told = new Set<Prefix>()
  readonly #timers: NodeJS.Timeout[] = []

  constructor(rules: IgnoreRules, options: IgnoreListOptions) {
    this.#rules = rules
    this.#options = options
    this.#configured = new PrefixSet(rules.prefixes)
    this.#proxies = new PrefixSet(rules.proxies)
    this.refresh()
  }

  /** Looks names up once, and from then on keeps names fresh until `stop`. */
  async start(): Promise<void> {
    if (this.#rules.names.length === 0) return
    this.#every(namesAgainMs, () => void this.#resolve())
    await this.#resolve()
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
  }

  /** Why the address, or some address of the prefix, is spared, in words for people; undefined where none is. */
  sparing(prefix: Prefix): string | undefined {
    return this.rule(prefix)?.why
  }

  /** False: no rule spares the address, which `writeKey` wrote. */
  maySpare(key: Uint32Array): boolean {
    return (
      mayCover(this.#configured, key) ||
      mayCover(this.#live, key) ||
      mayCover(this.#proxies, key) ||
      mayCover(this.#vital, key)
    )
  }

  /** The rule that spares the address, or some address of the prefix. */
  rule(prefix: Prefix): SparingRule | undefined {
    const entry = this.#configured.overlapping(prefix)
    if (entry !== undefined) return { kind: 'ignoreip', entry, why: `the ignore list has ${entry}` }
    const live = this.#live.overlapping(prefix)
    if (live !== undefined) return { kind: 'name', entry: this.#nameOf(live), why: `the ignore list has ${live}` }
    const proxy = this.#proxies.overlapping(prefix)
    if (proxy !== undefined) return { kind: 'proxy', entry: proxy, why: whyProxy(proxy) }
    const vital = this.#vital.overlapping(prefix)
    const why = vital && this.#whyVital.get(vital)
    return vital === undefined || why === undefined ? undefined : { kind: 'vital', entry: vital, why }
  }

  /** All that it spares now. */
  get prefixes(): readonly Prefix[] {
    return [...this.#rules.prefixes, ...[...this.#named.values()].flat(), ...this.#whyVital.keys()]
  }

  /** As `sparing`, and only once for each prefix that is vital or a proxy: worth telling, since it hides attackers. */
  newsOf(prefix: Prefix): string | undefined {
    const proxy = this.#proxies.overlapping(prefix)
    const spared = proxy ?? this.#vital.overlapping(prefix)
    if (spared === undefined || this.#told.has(spared)) return undefined
    this.#told.add(spared)
    return proxy === undefined ? this.#whyVital.get(spared) : whyProxy(proxy)
  }

  /** Takes over what is vital now. */
  refresh(): void {
    this.#live = new PrefixSet([...this.#named.values()].flat())
    const vital = this.#rules.self ? this.#options.vital() : []
    this.#whyVital = new Map(vital.toReversed().map(({ prefix, why }) => [prefix, why]))
    this.#vital = new PrefixSet(this.#whyVital.keys())
  }

  #nameOf(prefix: Prefix): string {
    return [...this.#named].find(([, prefixes]) => prefixes.includes(prefix))?.[0] ?? prefix
  }

  async #resolve(): Promise<void> {
    let changed = false
    await Promise.all(
      this.#rules.names.map(async (name) => {
        try {
          const found = await lookup(name, { all: true })
          const addresses = found.map(({ address }) => parseAddress(address)).filter((address) => address !== null)
          changed ||= addresses.toSorted().join() !== this.#named.get(name)?.toSorted().join()
          this.#named.set(name, addresses)
        } catch (error) {
          // What the name meant before stays spared: a name server that fails must not get anybody banned.
          this.#options.onNameFailure(name, error as Error)
        }
      }),
    )
    this.refresh()
    if (changed) this.#options.onNamesChanged?.()
  }

  #every(ms: number, work: () => void): void {
    const timer = setInterval(work, ms)
    timer.unref()
    this.#timers.push(timer)
  }
}

function mayCover(set: PrefixSet, key: Uint32Array): boolean {
  return isMappedKey(key, 0) ? set.covers4(key[3] ?? 0) : set.mayCover6(key[0] ?? 0)
}

function whyProxy(proxy: Prefix): string {
  return `${proxy} is a trusted proxy`
}
