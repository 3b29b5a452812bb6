import { parseAddress, PrefixSet, prefixParts, type Prefix } from './address.ts'
import { reportOn } from './address-report.ts'
import type { Agent } from './agent.ts'
import type { AddressExplanation, BanStanding } from './control/api.ts'
import { describeError } from './errors.ts'
import type { Ban, Ports } from './events.ts'
import { setName } from './firewall/set-names.ts'
import type { FirewallEntry } from './plugin.ts'

/** Bans of one answer, where a wide prefix is asked for. */
const mostBans = 1000
/** So long the firewall is waited for: one that hangs is told of, and the rest of the answer is not late. */
const patienceMs = 5000
const mostMissing = 1000

/** Answers what the agent knows of an address, and asks the firewall for what it holds at this moment. */
export class AgentExplain {
  readonly #agent: Agent
  /** Bans that were not in the kernel when it was asked, and since when that is known. */
  readonly #missing = new Map<string, number>()

  constructor(agent: Agent) {
    this.#agent = agent
  }

  async explain(prefix: Prefix): Promise<AddressExplanation> {
    const { configuration, judge, store, firewall, observing, wanted, observed } = this.#agent
    const { entries, failure } = await this.#kernel(prefix)
    const at = Date.now()
    const overlapping = (ban: Pick<Ban, 'prefix'>) => new PrefixSet([ban.prefix]).overlapping(prefix) !== undefined
    const vital = firewall.vital().find(overlapping)
    return reportOn(prefix, {
      at,
      running: true,
      observe: observing,
      pausedSince: firewall.pausedSince,
      jails: configuration.ready.jails,
      judge,
      bans: [
        ...wanted
          .touching(prefix)
          .slice(0, mostBans)
          .map((ban) => this.#standing(ban, entries, at)),
        ...observed
          .touching(prefix)
          .slice(0, mostBans)
          .map((ban) => ({ ...ban, ...unenforced })),
      ],
      history: (each, limit) => store.history({ prefix: each, limit }),
      refusal: (each, jail) => this.#agent.enforcing.refusal(each, jail),
      refusedByFirewall: vital?.why ?? null,
      kernel: entries?.filter(overlapping).slice(0, mostBans).map(inSet) ?? null,
      kernelFailure: failure,
    })
  }

  /** Of an address what concerns it; of anything wider all there is. */
  async #kernel(prefix: Prefix): Promise<{ entries: readonly FirewallEntry[] | null; failure: string | null }> {
    const { helper } = this.#agent.firewall
    if (helper === null) return { entries: null, failure: null }
    const address = parseAddress(prefix)
    const late = new Promise<never>((_, reject) =>
      setTimeout(() => reject(new Error(`it does not answer within ${patienceMs / 1000} s`)), patienceMs).unref(),
    )
    try {
      return {
        entries: await Promise.race([address === null ? helper.list() : helper.around(address), late]),
        failure: null,
      }
    } catch (error) {
      return { entries: null, failure: describeError(error) }
    }
  }

  #standing(ban: Ban, entries: readonly FirewallEntry[] | null, at: number): BanStanding {
    const queues = this.#agent.enforcing.queuesOf(ban.jail)
    const usesFirewall = queues.some((queue) => this.#agent.instances.firewallQueues().includes(queue))
    const held = entries?.filter(({ prefix, ports }) => prefix === ban.prefix && samePorts(ports, ban.ports)) ?? []
    const sets = usesFirewall && entries !== null ? held.map((entry) => inSet(entry).set) : null
    return {
      ...ban,
      observed: false,
      actions: queues.map((queue) => ({
        action: queue.name,
        confirmed: queue.confirmed(ban),
        failure: queue.state.failure,
      })),
      sets,
      missingSince: this.#missingSince(ban, sets !== null && sets.length === 0, at),
    }
  }

  #missingSince({ prefix, jail, since }: Ban, missing: boolean, at: number): number | null {
    const key = `${prefix} ${jail} ${since}`
    const first = this.#missing.get(key) ?? at
    this.#missing.delete(key)
    if (!missing) return null
    if (this.#missing.size >= mostMissing) this.#missing.clear()
    this.#missing.set(key, first)
    return first
  }
}

const unenforced = { observed: true, actions: [], sets: null, missingSince: null } as const

function inSet({ prefix, ports, until }: FirewallEntry): { set: string; prefix: Prefix; until: number | null } {
  const { family, length } = prefixParts(prefix)
  return { set: setName({ ports, family, length }), prefix, until }
}

function samePorts(a: Ports, b: Ports): boolean {
  return a.protocol === b.protocol && a.ports.join() === b.ports.join()
}
