import { parsePrefix, type Prefix } from './address.ts'
import type { Agent } from './agent.ts'
import { AgentExplain } from './agent-explain.ts'
import { AgentStatus, onOneLine } from './agent-status.ts'
import type {
  AddressExplanation,
  AddressReport,
  AllowAnswer,
  AllowReport,
  AllowRequest,
  BanAnswer,
  BanRequest,
  Control,
  DisallowAnswer,
  JailAnswer,
  ListAnswer,
  ListReport,
  PauseAnswer,
  ReloadAnswer,
  StatusReport,
  UnbanAnswer,
  UnbanRequest,
  UnlistAnswer,
  Words,
} from './control/api.ts'
import { BailiffError } from './errors.ts'
import { listOfJail, type AgentEvent } from './events.ts'

/** How long `ban` waits for the actions before it says that they have not confirmed yet. */
const confirmWithinMs = 5000
const everybody = ['0.0.0.0/0', '::/0'].map((text) => parsePrefix(text)).filter((prefix) => prefix !== null)
/** The ban time of a ban by hand that names neither a jail nor a time. */
const usualBantime = { baseMs: 3_600_000, increment: false, factor: 1, maxMs: null }
/** Bans that one answer tells of; more end all the same. */
const mostTold = 10_000

/** What the control socket offers, answered from the stages of the agent. */
export class AgentControl implements Control {
  readonly #agent: Agent
  readonly #status: AgentStatus
  readonly #explain: AgentExplain

  constructor(agent: Agent) {
    this.#agent = agent
    this.#status = new AgentStatus(agent)
    this.#explain = new AgentExplain(agent)
  }

  status(): StatusReport {
    return this.#status.status()
  }

  jail(name: string): JailAnswer {
    return this.#status.jail(name)
  }

  address(prefix: Prefix): AddressReport {
    return this.#status.address(prefix)
  }

  words(): Words {
    return this.#status.words()
  }

  watch(listener: (event: AgentEvent) => void): () => void {
    const { watchers } = this.#agent
    watchers.add(listener)
    return () => watchers.delete(listener)
  }

  metrics(): string {
    return this.#agent.metrics.text()
  }

  explain(prefix: Prefix): Promise<AddressExplanation> {
    return this.#explain.explain(prefix)
  }

  async ban({ prefixes, jail: name, lengthMs }: BanRequest): Promise<BanAnswer> {
    const { judge, wanted } = this.#agent
    this.#refuseObserving()
    if (name !== undefined && this.#status.find(name).mode === 'observe')
      throw new BailiffError('unavailable', `the jail ${name} only observes and bans nobody`, {
        hint: 'leave --jail out, or take "mode: observe" out of its configuration',
      })
    const jail = name ?? 'manual'
    const spared = new Map(prefixes.map((prefix) => [prefix, judge.sparing(prefix, jail)]))
    const since = Date.now()
    for (const prefix of prefixes) {
      if (spared.get(prefix) === undefined) wanted.add(judge.decree(prefix, jail, since, lengthMs, usualBantime), 'new')
    }
    await this.#settled(jail)
    return { results: prefixes.map((prefix) => this.#outcome(prefix, jail, since, spared.get(prefix))) }
  }

  async unban({ prefixes, jail }: UnbanRequest): Promise<UnbanAnswer> {
    const { wanted, lists } = this.#agent
    if (jail !== undefined && jail !== 'manual') this.#status.find(jail)
    const all = prefixes === 'all' ? everybody : prefixes
    // Lists end as a whole only.
    const meant = jail ?? ((each: string) => listOfJail(each) === null)
    const results = all.map((prefix) => ({ prefix, bans: wanted.remove(prefix, meant) }))
    const isAll = prefixes === 'all' && jail === undefined
    const ended = isAll && lists.reports().length > 0 ? (await lists.remove(null)).ended : []
    await this.#settled(jail)
    const without = results.filter(({ bans }) => prefixes !== 'all' && bans.length === 0)
    const absent = without.map(({ prefix }) => ({ prefix, ...this.#status.around(prefix) }))
    return {
      ended: results.flatMap(({ bans }) => bans).slice(0, mostTold),
      absent: absent.flatMap(({ prefix, covering, list }) => (list === null ? [{ prefix, covering }] : [])),
      listed: absent.flatMap(({ prefix, list }) => (list === null ? [] : [{ prefix, list }])),
      lists: ended,
    }
  }

  allows(): readonly AllowReport[] {
    return this.#agent.allowing.reports()
  }

  async allow(request: AllowRequest): Promise<AllowAnswer> {
    const answer = await this.#agent.allowing.allow(request)
    await this.#settled(undefined)
    return answer
  }

  disallow(subjects: readonly string[] | 'all'): Promise<DisallowAnswer> {
    return this.#agent.allowing.disallow(subjects)
  }

  lists(): readonly ListReport[] {
    return this.#agent.lists.reports()
  }

  swapList(name: string, text: AsyncIterable<Buffer>, lengthMs: number | null): Promise<ListAnswer> {
    this.#refuseObserving()
    return this.#agent.lists.swap(name, text, lengthMs)
  }

  unlist(name: string): Promise<UnlistAnswer> {
    return this.#agent.lists.remove(name)
  }

  async pause(): Promise<PauseAnswer> {
    this.#agent.firewall.pause()
    return this.#paused()
  }

  async resume(): Promise<PauseAnswer> {
    this.#agent.firewall.resume()
    return this.#paused()
  }

  async reload(): Promise<ReloadAnswer> {
    await this.#agent.reload()
    const { jails, problems } = this.#agent.configuration.ready
    return { jails: jails.map(({ name }) => name), problems: problems.map(onOneLine) }
  }

  #refuseObserving(): void {
    if (!this.#agent.observing) return
    throw new BailiffError('unavailable', 'the agent only observes and bans nobody', {
      hint: 'start it without --observe and without "observe: true"',
    })
  }

  async #paused(): Promise<PauseAnswer> {
    const { instances, firewall, wanted } = this.#agent
    await this.#settled(undefined)
    const failing = instances.firewallQueues().find(({ state }) => state.failure !== null)
    return { pausedSince: firewall.pausedSince, bans: wanted.size, failure: failing?.state.failure ?? null }
  }

  #outcome(prefix: Prefix, jail: string, since: number, spared: string | undefined): BanAnswer['results'][number] {
    if (spared !== undefined) return { prefix, outcome: 'refused', detail: spared }
    const ban = this.#agent.wanted.get(prefix, jail)
    if (!ban)
      return { prefix, outcome: 'refused', detail: this.#agent.enforcing.refusal(prefix, jail) ?? 'it ended at once' }
    const until = ban.until === null ? 'for ever' : `until ${new Date(ban.until).toISOString()}`
    // A ban that ends sooner than the one in force changes nothing.
    const detail = ban.since === since ? until : `${until}, as it was before`
    if (this.#agent.enforcing.isEnforced(ban)) return { prefix, outcome: 'banned', detail }
    const queues = this.#agent.enforcing.queuesOf(jail)
    if (queues.length === 0)
      return { prefix, outcome: 'pending', detail: 'no jail is on, so there is no action that could ban' }
    const failing = queues.find((queue) => queue.state.failure !== null)
    if (this.#agent.firewall.pausedSince !== null && !failing)
      return { prefix, outcome: 'pending', detail: 'the firewall is paused until "bailiff resume"' }
    return {
      prefix,
      outcome: 'pending',
      detail: failing ? `${failing.name} fails: ${failing.state.failure}` : 'no action has confirmed it yet',
    }
  }

  async #settled(jail: string | undefined): Promise<void> {
    const queues = jail === undefined ? this.#agent.instances.queues() : this.#agent.enforcing.queuesOf(jail)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, confirmWithinMs)))
    await Promise.race([Promise.all(queues.map((queue) => queue.settled())), late])
    clearTimeout(timer)
  }
}
