import { parseAddress, type Address } from '../../address.ts'
import type { BailiffError } from '../../errors.ts'
import type { Failure } from '../../events.ts'
import { FewWarnings } from './few-warnings.ts'
import { GateJail, type GateParts, type Verdict } from './gate-jail.ts'
import type { Arrival, GateOptions, GateRules, IgnoreSource, WaitingFailure } from './gate-rules.ts'
import { HostNames } from './host-names.ts'
import { CommandRunner } from './ignore-command.ts'
import { OwnAddresses } from './own-addresses.ts'
import { Waiting } from './waiting.ts'

/**
 * Stands before the judge for jails of a Fail2ban tree: looks names up, and leaves out what the jail ignores. What has
 * to wait for neither is counted in the call; the rest later, without anything else waiting for it, and told to `keep`
 * so that it is not lost with the agent. Failures of one id (of one name while it is one) stay in order.
 */
export class FailureGate {
  readonly #options: GateOptions
  readonly #warn: FewWarnings['warn']
  readonly #parts: GateParts
  readonly #hosts: HostNames
  readonly #own: OwnAddresses
  #jails = new Map<string, GateJail>()
  readonly #waiting: Waiting

  constructor(options: GateOptions) {
    this.#options = options
    this.#warn = new FewWarnings(options.warn).warn
    this.#hosts = new HostNames((message) => this.#warn(null, message), options.lookup)
    this.#own = new OwnAddresses(this.#hosts)
    this.#waiting = new Waiting({ warn: this.#warn, ...(options.keep && { keep: options.keep }) })
    this.#parts = {
      hosts: this.#hosts,
      own: this.#own,
      commands: new CommandRunner(),
      warn: this.#warn,
      namesChanged: () => this.#follow(),
    }
  }

  /** Takes over the jails of a new configuration. Answers what is wrong with words of `ignoreip`, by jail; those are left out. */
  async configure(jails: readonly GateRules[]): Promise<readonly (readonly [jail: string, problem: BailiffError])[]> {
    const before = this.#jails
    this.#jails = new Map(jails.map((rules) => [rules.name, new GateJail(rules, this.#parts)]))
    for (const old of before.values()) old.stop()
    await Promise.all([...this.#jails.values()].map((jail) => jail.start()))
    this.#follow()
    return [...this.#jails].flatMap(([name, { problems }]) => problems.map((problem) => [name, problem] as const))
  }

  take(failure: Failure, arrival: Arrival): void {
    const jail = this.#jails.get(failure.jail)
    if (jail === undefined) return
    if (!failure.isName) return this.#takeId(jail, failure, arrival)
    const spelled = addressIn(failure.id)
    if (spelled !== null) return this.#takeId(jail, identified(failure, spelled), arrival)
    if (jail.rules.usedns !== 'yes' && jail.rules.usedns !== 'warn') return
    const known = this.#waiting.has(keyOf(failure)) ? undefined : this.#hosts.known(failure.id)
    if (known !== undefined) return this.#takeAddresses(jail, failure, arrival, known)
    this.#waiting.add(keyOf(failure), { failure, arrival }, async () => {
      const addresses = await this.#hosts.addresses(failure.id)
      return () => this.#takeAddresses(jail, failure, arrival, addresses)
    })
  }

  /** Takes up failures that waited when an agent ended, in order, by the keys that `keep` heard; null: it cannot be read. */
  resume(waiting: ReadonlyMap<string, WaitingFailure | null>): void {
    const inOrder = [...waiting].toSorted(([one], [other]) => Number(one) - Number(other))
    for (const [key] of inOrder) this.#waiting.countFrom(Number(key))
    for (const [key, waited] of inOrder) {
      if (waited !== null) this.take(waited.failure, waited.arrival)
      this.#options.keep?.(key, null)
    }
  }

  /** All that waits now, by key. */
  waiting(): Iterable<readonly [key: string, waiting: WaitingFailure]> {
    return this.#waiting.all()
  }

  /** By what the jail ignores the id now, in Fail2ban's words; null: by nothing. For bans of before the start, which are asked anew. */
  async ignoring(jailName: string, id: string): Promise<IgnoreSource | 'cache' | null> {
    const verdict = await this.#jails.get(jailName)?.verdict(failureOf(jailName, id))
    return verdict?.ignored ? (verdict.source ?? 'cache') : null
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    await this.#waiting.settled()
  }

  stop(): void {
    for (const jail of this.#jails.values()) jail.stop()
    this.#hosts.stop()
  }

  #takeId(jail: GateJail, failure: Failure, arrival: Arrival): void {
    const now = this.#waiting.has(keyOf(failure)) ? null : jail.verdictNow(failure)
    if (now !== null) return this.#act(failure, arrival, now)
    this.#waiting.add(keyOf(failure), { failure, arrival }, async () => {
      const verdict = await jail.verdict(failure)
      return () => this.#act(failure, arrival, verdict)
    })
  }

  #takeAddresses(jail: GateJail, failure: Failure, arrival: Arrival, addresses: readonly Address[]): void {
    if (addresses.length > 0 && jail.rules.usedns === 'warn')
      this.#warn(failure.jail, `Determined IP using DNS Lookup: ${failure.id} = ${addresses.join(', ')}`)
    for (const address of addresses) this.#takeId(jail, identified(failure, address), arrival)
  }

  #act(failure: Failure, arrival: Arrival, verdict: Verdict): void {
    if (verdict.ignored) this.#options.onIgnored(failure.jail, failure.id, verdict.source)
    else this.#options.count(failure, arrival)
  }

  #follow(): void {
    const jails = [...this.#jails.values()]
    const own = jails.some(({ rules }) => rules.ignoreself) ? this.#own.names : []
    this.#hosts.follow([...own, ...jails.flatMap(({ names }) => names)])
  }
}

/** Of the same address that was found by its name before. */
function identified(failure: Failure, address: Address): Failure {
  return { ...failure, id: address, ip: address, isName: false }
}

function keyOf({ jail, id, isName }: Failure): string {
  return `${jail} ${isName ? 'name' : 'id'} ${id}`
}

/** A name may be an address, perhaps in brackets. */
function addressIn(text: string): Address | null {
  return parseAddress(/^\[(.+)\]$/.exec(text)?.[1] ?? text)
}

/** All that is known of somebody who was banned before the start. */
function failureOf(jail: string, id: string): Failure {
  const rest = { filter: jail, rule: 0, attempts: 1, groups: {}, log: '', offset: 0, line: '', lines: [] }
  return { jail, id, ip: null, isName: false, time: null, ...rest }
}
