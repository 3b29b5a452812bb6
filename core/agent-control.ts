import { parsePrefix, PrefixSet, type Prefix } from './address.ts'
import type { Agent } from './agent.ts'
import { AgentExplain } from './agent-explain.ts'
import type {
  AddressExplanation,
  BanAnswer,
  BanReport,
  BanRequest,
  Control,
  JailReport,
  JailSummary,
  PauseAnswer,
  ReloadAnswer,
  StatusReport,
  UnbanAnswer,
  UnbanRequest,
} from './control/api.ts'
import { BailiffError, describeError, quote } from './errors.ts'
import type { Ban } from './events.ts'
import type { ReadyJail } from './jails.ts'

/** Bans of one jail that are told in one answer. A million would be half a gigabyte, and stop everything for seconds. */
const mostBansTold = 10_000
/** How long `ban` waits for the actions before it says that they have not confirmed yet. */
const confirmWithinMs = 5000
/** The ban time of a ban by hand that names neither a jail nor a time. */
const nothingCounted = { failures: 0, ignored: 0, tracked: 0, bans: 0 }
const everybody = ['0.0.0.0/0', '::/0'].map((text) => parsePrefix(text)).filter((prefix) => prefix !== null)
const usualBantime = { baseMs: 3_600_000, increment: false, factor: 1, maxMs: null }

/** What the control socket offers, answered from the stages of the agent. */
export class AgentControl implements Control {
  readonly #agent: Agent
  readonly #explain: AgentExplain

  constructor(agent: Agent) {
    this.#agent = agent
    this.#explain = new AgentExplain(agent)
  }

  status(): StatusReport {
    const { options, startedAt, configuration, wanted, intake, instances, observing, firewall } = this.#agent
    return {
      version: options.version,
      pid: process.pid,
      startedAt,
      config: configuration.settings.file,
      observe: observing,
      pausedSince: firewall.pausedSince,
      jails: [...configuration.ready.jails, ...this.#others()].map((jail) => this.#summary(jail)),
      bans: wanted.size,
      actions: observing ? [] : instances.queues().map(({ state }) => state),
      logs: intake.logs().map(({ log, pattern, state, trouble, behind, lines, skipped, malformed }) => ({
        log,
        pattern,
        state: trouble ?? state,
        bytesBehind: behind,
        lines,
        skipped,
        malformed,
      })),
      problems: configuration.ready.problems.map(describeError),
    }
  }

  jail(name: string): JailReport {
    const other = this.#others().find((candidate) => candidate.name === name)
    const bans = this.#agent.wanted.ofJail(name, mostBansTold).map((ban) => this.#report(ban))
    const { pausedSince } = this.#agent.firewall
    if (other) return { ...this.#summary(other), pausedSince, rules: null, bans }
    const jail = this.#find(name)
    const { filter, maxretry, findtimeMs } = jail
    return { ...this.#summary(jail), pausedSince, rules: { filter: filter.name, maxretry, findtimeMs }, bans }
  }

  explain(prefix: Prefix): Promise<AddressExplanation> {
    return this.#explain.explain(prefix)
  }

  async ban({ prefixes, jail: name, lengthMs }: BanRequest): Promise<BanAnswer> {
    const { judge, wanted } = this.#agent
    if (this.#agent.observing) {
      throw new BailiffError('unavailable', 'the agent only observes and bans nobody', {
        hint: 'start it without --observe and without "observe: true"',
      })
    }
    if (name !== undefined) this.#find(name)
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
    const { wanted } = this.#agent
    if (jail !== undefined && jail !== 'manual') this.#find(jail)
    const all = prefixes === 'all' ? everybody : prefixes
    const ended = all.map((prefix) => ({ prefix, bans: wanted.remove(prefix, jail ?? null) }))
    await this.#settled(jail)
    const absent = ended.filter(({ bans }) => prefixes !== 'all' && bans.length === 0)
    const banned = new PrefixSet(absent.length === 0 ? [] : [...wanted].map(({ prefix }) => prefix))
    return {
      ended: ended.flatMap(({ bans }) => bans),
      absent: absent.map(({ prefix }) => ({ prefix, covering: banned.covering(prefix) ?? null })),
    }
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
    return { jails: jails.map(({ name }) => name), problems: problems.map(describeError) }
  }

  #find(name: string): ReadyJail {
    const { jails, broken } = this.#agent.configuration.ready
    const jail = jails.find((candidate) => candidate.name === name)
    if (jail) return jail
    if (broken.includes(name)) {
      throw new BailiffError(
        'no-input',
        `the jail ${quote(name)} is set aside because of an error in the configuration`,
        { hint: '"bailiff check" tells which' },
      )
    }
    const names = jails.map((candidate) => candidate.name)
    throw new BailiffError(
      'no-input',
      `there is no jail ${quote(name)}; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ') || 'none'}`,
    )
  }

  /** Those who ban without being a jail of the configuration: `manual`, and jails that are gone. */
  #others(): Pick<ReadyJail, 'name' | 'mode' | 'sourceChoice'>[] {
    const known = new Set(this.#agent.configuration.ready.jails.map(({ name }) => name))
    return [...this.#agent.wanted.perJail.keys()]
      .filter((name) => !known.has(name))
      .map((name) => ({ name, mode: 'enforce', sourceChoice: null }))
  }

  #summary({ name, mode, sourceChoice }: Pick<ReadyJail, 'name' | 'mode' | 'sourceChoice'>): JailSummary {
    const { judge, wanted, intake, observing, bite } = this.#agent
    const { failures, ignored, tracked, bans } = judge.counts(name) ?? nothingCounted
    const banned = wanted.perJail.get(name) ?? 0
    const logs = intake
      .logs()
      .filter(({ jails }) => jails.includes(name))
      .map(({ log }) => log)
    return {
      jail: name,
      mode: observing ? 'observe' : mode,
      failures,
      ignored,
      tracked,
      banned,
      bannedTotal: bans,
      afterBan: bite.report(name),
      logs,
      sourceChoice,
    }
  }

  #report(ban: Ban): BanReport {
    return { ...ban, enforced: this.#agent.isEnforced(ban) }
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
    if (!ban) return { prefix, outcome: 'refused', detail: this.#agent.refusal(prefix, jail) ?? 'it ended at once' }
    const until = ban.until === null ? 'for ever' : `until ${new Date(ban.until).toISOString()}`
    // A ban that ends sooner than the one in force changes nothing.
    const detail = ban.since === since ? until : `${until}, as it was before`
    if (this.#agent.isEnforced(ban)) return { prefix, outcome: 'banned', detail }
    const queues = this.#agent.queuesOf(jail)
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
    const queues = jail === undefined ? this.#agent.instances.queues() : this.#agent.queuesOf(jail)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, confirmWithinMs)))
    await Promise.race([Promise.all(queues.map((queue) => queue.settled())), late])
    clearTimeout(timer)
  }
}
