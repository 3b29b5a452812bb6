import { coveringPrefixes, type Prefix } from './address.ts'
import type { Agent } from './agent.ts'
import type { AddressReport, BanReport, Finding, JailAnswer, JailSummary, StatusReport, Words } from './control/api.ts'
import { BailiffError, describeError, quote } from './errors.ts'
import { listOfJail, type Ban } from './events.ts'
import { forgeableAmong } from './forgeable-logs.ts'
import type { ReadyJail } from './jails.ts'

/** Bans told of one address: a /8 may hold a million. */
const mostTouching = 1000
/** Banned addresses that a shell completes. */
const mostWords = 500
const nothingCounted = { failures: 0, ignored: 0, tracked: 0, bans: 0 }

type NamedJail = Pick<ReadyJail, 'name' | 'mode' | 'sourceChoice'>

/** What the agent tells of itself: nothing here changes anything. */
export class AgentStatus {
  readonly #agent: Agent

  constructor(agent: Agent) {
    this.#agent = agent
  }

  status(): StatusReport {
    const { options, startedAt, configuration, wanted, intake, instances, observing, firewall, pool } = this.#agent
    return {
      version: options.version,
      pid: process.pid,
      startedAt,
      config: configuration.settings.file,
      observe: observing,
      pausedSince: firewall.pausedSince,
      jails: [...this.#running(), ...this.#others()].map((jail) => this.#summary(jail)),
      bans: wanted.size,
      allowed: this.#agent.allowing.reports(),
      lists: this.#agent.lists.reports(),
      findings: this.#findings(),
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
      pluginHosts: [...(options.pluginHosts?.states() ?? []), ...pool.modules()],
      problems: [...configuration.ready.problems, ...this.#agent.fail2ban.broken.values()].map(onOneLine),
    }
  }

  jail(name: string): JailAnswer {
    const { pausedSince } = this.#agent.firewall
    const other = this.#others().find((candidate) => candidate.name === name)
    const bans = this.#bansOf(name)
    const findings = this.#findings().filter(({ jail }) => jail === name)
    if (other) return { ...this.#summary(other), pausedSince, rules: null, treeActions: null, findings, bans }
    const jail = this.find(name)
    const { filter, maxretry, findtimeMs, fail2ban } = jail
    return {
      ...this.#summary(jail),
      pausedSince,
      rules: { filter: filter.name, maxretry, findtimeMs },
      treeActions: fail2ban?.actionLines ?? null,
      findings,
      bans,
    }
  }

  address(prefix: Prefix): AddressReport {
    const { wanted, observed, judge, configuration } = this.#agent
    const bans = wanted.touching(prefix).map((ban) => this.#report(ban, false))
    const would = observed.touching(prefix).map((ban) => this.#report(ban, true))
    const failures = configuration.ready.jails.flatMap(({ name, maxretry }) => {
      const count = judge.failuresOf(prefix, name)
      return count === 0 ? [] : [{ jail: name, failures: count, maxretry }]
    })
    const spared = judge.sparing(prefix, 'manual') ?? null
    return { prefix, bans: [...bans, ...would].slice(0, mostTouching), spared, failures }
  }

  words(): Words {
    const { wanted, configuration, lists, allowing } = this.#agent
    const banned = new Set<string>()
    for (const { prefix, jail } of wanted) {
      if (listOfJail(jail) === null) banned.add(prefix)
      if (banned.size >= mostWords) break
    }
    return {
      jails: configuration.ready.jails.map(({ name }) => name),
      lists: lists.reports().map(({ name }) => name),
      allowed: allowing.reports().map(({ subject }) => subject),
      banned: [...banned],
    }
  }

  /** The jail of that name. Throws a BailiffError where there is none that runs. */
  find(name: string): ReadyJail {
    const jails = this.#running()
    const jail = jails.find((candidate) => candidate.name === name)
    if (jail) return jail
    const { fail2ban, configuration } = this.#agent
    if (configuration.ready.broken.includes(name) || fail2ban.broken.has(name)) {
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

  /** The narrowest ban that holds the whole of a prefix, and the first named list that has such a one. */
  around(prefix: Prefix): { readonly covering: Prefix | null; readonly list: string | null } {
    const bans = [...coveringPrefixes(prefix)].flatMap((each) => this.#agent.wanted.of(each))
    const list = bans.map(({ jail }) => listOfJail(jail)).find((each) => each !== null) ?? null
    return { covering: bans[0]?.prefix ?? null, list }
  }

  /** Without those that were set aside after the start. */
  #running(): readonly ReadyJail[] {
    const { broken } = this.#agent.fail2ban
    return this.#agent.configuration.ready.jails.filter(({ name }) => !broken.has(name))
  }

  #findings(): readonly Finding[] {
    const { sight, configuration, intake } = this.#agent
    const logs = intake.logs()
    const forgeable = configuration.ready.jails.flatMap(({ name, filterDefinition }): Finding[] => {
      const read = logs.filter(({ jails }) => jails.includes(name)).map(({ log }) => log)
      return forgeableAmong(filterDefinition, read).map(({ log, advice }) => ({
        jail: name,
        log,
        grade: 'forgeable',
        what: 'a peer can write lines of his own into it, and have anybody banned',
        mend: advice,
      }))
    })
    return [...sight.findings(configuration.ready.jails, logs, Date.now()), ...forgeable]
  }

  *#bansOf(jail: string): Generator<BanReport> {
    // Asked for once: to find the queues takes longer than all the rest.
    const queues = this.#agent.enforcing.queuesOf(jail)
    for (const ban of this.#agent.wanted.ofJail(jail)) {
      const enforced = queues.length > 0 && queues.every((queue) => queue.confirmed(ban))
      yield { ...ban, enforced, observed: false }
    }
    for (const ban of this.#agent.observed.ofJail(jail)) yield this.#report(ban, true)
  }

  /** Those who ban without being a jail of the configuration: `manual`, and jails that are gone. */
  #others(): NamedJail[] {
    const known = new Set(this.#agent.configuration.ready.jails.map(({ name }) => name))
    return [...this.#agent.wanted.perJail.keys()]
      .filter((name) => !known.has(name) && listOfJail(name) === null)
      .map((name) => ({ name, mode: 'enforce', sourceChoice: null }))
  }

  #summary({ name, mode, sourceChoice }: NamedJail): JailSummary {
    const { judge, wanted, observed, intake, observing, enforcing } = this.#agent
    const { failures, ignored, tracked, bans } = judge.counts(name) ?? nothingCounted
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
      banned: wanted.perJail.get(name) ?? 0,
      bannedTotal: bans,
      wouldBan: observed.perJail.get(name) ?? 0,
      afterBan: enforcing.bite.report(name),
      logs,
      sourceChoice,
    }
  }

  #report(ban: Ban, observed: boolean): BanReport {
    return { ...ban, enforced: !observed && this.#agent.enforcing.isEnforced(ban), observed }
  }
}

/** The command line shows no line break that comes from elsewhere. */
export function onOneLine(problem: BailiffError): string {
  return describeError(problem).replaceAll(/\n\s*/g, '; ')
}
