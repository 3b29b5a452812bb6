import type { Prefix } from '../address.ts'
import type { Ports } from '../events.ts'
import type { Firewall, FirewallEntry, Refusal } from '../plugin.ts'

/** A call of the firewall, as a test can look at it. */
export interface FirewallCall {
  readonly verb: 'declare' | 'add' | 'load' | 'del' | 'sync' | 'list'
  /** How many ports or entries were given. */
  readonly count: number
}

/**
 * A firewall that remembers, in the place of `host.firewall`: what it was asked, and what the kernel would hold. As the
 * real one it refuses prefixes for good, lets entries go when their time is over, and calls with ports that were not
 * declared fail.
 */
export class FakeFirewall implements Firewall {
  readonly calls: FirewallCall[] = []
  /** Prefixes that it refuses for good, with the reason. */
  readonly refused = new Map<string, string>()
  /** What the next calls reject with, the first first: for tests of failures. */
  readonly failures: Error[] = []
  readonly #now: () => number
  readonly #declared = new Set<string>()
  readonly #entries = new Map<string, FirewallEntry>()

  /** `now`: the clock by which entries end; unless said, that of the machine. */
  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** The prefixes that are in force, each once, in the order in which they came. */
  get held(): Prefix[] {
    return [...new Set(this.#inForce().map(({ prefix }) => prefix))]
  }

  async declare(ports: readonly Ports[]): Promise<void> {
    this.#heard('declare', ports.length)
    for (const one of ports) this.#declared.add(JSON.stringify(one))
  }

  async add(entries: readonly FirewallEntry[]): Promise<readonly Refusal[]> {
    this.#heard('add', entries.length)
    return this.#take(entries)
  }

  async load(entries: readonly FirewallEntry[]): Promise<readonly Refusal[]> {
    this.#heard('load', entries.length)
    return this.#take(entries)
  }

  async del(entries: readonly FirewallEntry[]): Promise<void> {
    this.#heard('del', entries.length)
    for (const entry of entries) this.#entries.delete(keyOf(entry))
  }

  async sync(entries: Iterable<FirewallEntry>): Promise<readonly Refusal[]> {
    const given = [...entries]
    this.#heard('sync', given.length)
    this.#entries.clear()
    return this.#take(given)
  }

  async list(): Promise<readonly FirewallEntry[]> {
    this.#heard('list', 0)
    return this.#inForce()
  }

  #inForce(): FirewallEntry[] {
    return [...this.#entries.values()].filter(({ until }) => until === null || until > this.#now())
  }

  #heard(verb: FirewallCall['verb'], count: number): void {
    this.calls.push({ verb, count })
    const failure = this.failures.shift()
    if (failure !== undefined) throw failure
  }

  #take(entries: readonly FirewallEntry[]): Refusal[] {
    const undeclared = entries.find(({ ports }) => !this.#declared.has(JSON.stringify(ports)))
    if (undeclared !== undefined)
      throw new Error(`ports ${JSON.stringify(undeclared.ports)} are used before host.firewall.declare() named them`)
    return entries.flatMap((entry) => {
      const reason = this.refused.get(entry.prefix)
      if (reason !== undefined) return [{ prefix: entry.prefix, reason }]
      this.#entries.set(keyOf(entry), entry)
      return []
    })
  }
}

function keyOf({ prefix, ports }: FirewallEntry): string {
  return `${prefix} ${ports.protocol} ${ports.ports.join(',')}`
}
