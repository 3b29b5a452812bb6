import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import { parseAddress, PrefixSet, type Prefix } from '../address.ts'

const namesAgainMs = 5 * 60_000
const interfacesAgainMs = 10_000

/** Whom an ignore list spares. */
export interface IgnoreRules {
  readonly prefixes: readonly Prefix[]
  /** Host names; their addresses are looked up beside the work, never while a ban is decided. */
  readonly names: readonly string[]
  /** Whether the addresses of this machine are spared. */
  readonly self: boolean
}

/** The addresses that are never banned, kept up to date. */
export class IgnoreList {
  readonly #rules: IgnoreRules
  readonly #onNameFailure: (name: string, error: Error) => void
  readonly #named = new Map<string, readonly Prefix[]>()
  readonly #configured: PrefixSet
  #live = new PrefixSet()
  readonly #timers: NodeJS.Timeout[] = []

  constructor(rules: IgnoreRules, onNameFailure: (name: string, error: Error) => void) {
    this.#rules = rules
    this.#onNameFailure = onNameFailure
    this.#configured = new PrefixSet(rules.prefixes)
    this.#refresh()
  }

  /** Looks names up once, and from then on keeps names and own addresses fresh until `stop`. */
  async start(): Promise<void> {
    if (this.#rules.self) this.#every(interfacesAgainMs, () => this.#refresh())
    if (this.#rules.names.length === 0) return
    this.#every(namesAgainMs, () => void this.#resolve())
    await this.#resolve()
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
  }

  /** An entry that spares the address, or some address of the prefix; undefined where none does. */
  sparing(prefix: Prefix): Prefix | undefined {
    return this.#configured.overlapping(prefix) ?? this.#live.overlapping(prefix)
  }

  async #resolve(): Promise<void> {
    await Promise.all(
      this.#rules.names.map(async (name) => {
        try {
          const found = await lookup(name, { all: true })
          this.#named.set(
            name,
            found.map(({ address }) => parseAddress(address)).filter((address) => address !== null),
          )
        } catch (error) {
          // What the name meant before stays spared: a name server that fails must not get anybody banned.
          this.#onNameFailure(name, error as Error)
        }
      }),
    )
    this.#refresh()
  }

  #refresh(): void {
    const own = this.#rules.self ? ownAddresses() : []
    this.#live = new PrefixSet([...own, ...[...this.#named.values()].flat()])
  }

  #every(ms: number, work: () => void): void {
    const timer = setInterval(work, ms)
    timer.unref()
    this.#timers.push(timer)
  }
}

function ownAddresses(): Prefix[] {
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? [])
      .map(({ address }) => parseAddress(address.replace(/%.*$/, '')))
      .filter((address) => address !== null),
  )
}
