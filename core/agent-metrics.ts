import type { Agent } from './agent.ts'
import { startMetrics, type MetricsServer } from './control/metrics-server.ts'
import { describeError } from './errors.ts'
import { jailOfList } from './events.ts'
import { metricsText, type Metric, type Sample } from './metrics-text.ts'
import type { Loopback } from './settings/loopback.ts'

/** What the agent counts and measures, as Prometheus reads it. */
export class AgentMetrics {
  readonly #agent: Agent
  #served: { readonly at: string; readonly server: MetricsServer } | null = null

  constructor(agent: Agent) {
    this.#agent = agent
  }

  text(): string {
    return metricsText([...this.#whole(), ...this.#logs(), ...this.#jails(), ...this.#queues(), ...this.#process()])
  }

  /** Serves them there, or (null) nowhere beside the control socket. A port that is taken is told, and no reason to end. */
  async serve(at: Loopback | null): Promise<void> {
    const key = JSON.stringify(at)
    if (this.#served?.at === key) return
    await this.stop()
    if (at === null) return
    try {
      this.#served = { at: key, server: await startMetrics(at, () => this.text()) }
    } catch (error) {
      this.#agent.alarm('metrics', describeError(error))
    }
  }

  async stop(): Promise<void> {
    await this.#served?.server.stop()
    this.#served = null
  }

  #whole(): Metric[] {
    const { options, startedAt, wanted, observed, firewall, allowing, lists, storing } = this.#agent
    const { commits, unstored } = storing
    const oldest = [...unstored][0]
    const pending = Math.max(0, ...this.#agent.enforcing.queuesOf(jailOfList('')).map(({ state }) => state.pending))
    const enforced = this.#agent.observing || firewall.pausedSince !== null ? 0 : Math.max(0, wanted.size - pending)
    return [
      {
        ...gauge('bailiff_info', 'The version that runs.'),
        samples: [{ value: 1, label: ['version', options.version] }],
      },
      gauge('bailiff_start_time_seconds', 'When the agent was started, unix seconds.', startedAt / 1000),
      gauge('bailiff_observing', 'Whether the whole agent only observes.', Number(this.#agent.observing)),
      gauge('bailiff_bans_wanted', 'Bans that should be in force, lists among them.', wanted.size),
      gauge('bailiff_bans_enforced', 'Bans that the actions have confirmed.', enforced),
      gauge('bailiff_bans_observed', 'Bans that there would be if nothing only observed.', observed.size),
      gauge(
        'bailiff_firewall_helper_up',
        'Whether the firewall helper is connected.',
        Number(firewall.helper?.pid !== undefined),
      ),
      gauge(
        'bailiff_firewall_paused',
        'Whether all bans are out of the firewall.',
        Number(firewall.pausedSince !== null),
      ),
      gauge('bailiff_allowed', 'Addresses and names that people let in for a time.', allowing.reports().length),
      byLabel(
        gauge('bailiff_list_entries', 'Entries of a named list that are banned.'),
        'list',
        lists.reports(),
        ({ name, entries }) => [name, entries],
      ),
      counter('bailiff_store_commits_total', 'Changes that were written to the store.', commits.count),
      counter(
        'bailiff_store_commit_seconds_total',
        'Time that these took to be on the disk, together.',
        commits.ms / 1000,
      ),
      gauge(
        'bailiff_store_waiting_seconds',
        'How long the oldest change has waited for the disk.',
        oldest === undefined ? 0 : (performance.now() - oldest.since) / 1000,
      ),
    ]
  }

  #logs(): Metric[] {
    const logs = this.#agent.intake.logs()
    const now = Date.now()
    const of = (metric: Metric, value: (log: (typeof logs)[number]) => number) =>
      byLabel(metric, 'log', logs, (log) => [log.log, value(log)])
    return [
      of(counter('bailiff_lines_total', 'Lines read.'), ({ lines }) => lines),
      of(counter('bailiff_lines_skipped_total', 'Lines passed over, too long or too slow.'), ({ skipped }) => skipped),
      of(gauge('bailiff_log_lag_bytes', 'Bytes that are there and not matched yet.'), ({ behind }) => behind),
      of(
        gauge('bailiff_log_lag_seconds', 'How long there have been such bytes without a break.'),
        ({ log }) => this.#agent.sight.lagMs(log, now) / 1000,
      ),
      of(gauge('bailiff_log_readable', 'Whether the log can be read.'), ({ trouble }) => Number(trouble === null)),
    ]
  }

  #jails(): Metric[] {
    const { judge, wanted, observed, sight, counts, configuration } = this.#agent
    const names = [...new Set([...configuration.ready.jails.map(({ name }) => name), ...counts.jails])]
    const blind = new Set(
      sight
        .findings(configuration.ready.jails, this.#agent.intake.logs(), Date.now())
        .flatMap(({ jail, grade }) => (grade === 'blind' ? [jail] : [])),
    )
    const of = (metric: Metric, value: (jail: string) => number) =>
      byLabel(metric, 'jail', names, (name) => [name, value(name)])
    return [
      of(
        counter('bailiff_matches_total', 'Lines that the filter of a jail matched.'),
        (jail) => sight.totals(jail).matches,
      ),
      of(counter('bailiff_failures_total', 'Failures that counted.'), (jail) => judge.counts(jail)?.failures ?? 0),
      of(
        counter('bailiff_failures_ignored_total', 'Failures of addresses that are spared.'),
        (jail) => judge.counts(jail)?.ignored ?? 0,
      ),
      of(counter('bailiff_bans_total', 'Bans made since the start.'), (jail) => counts.of(jail).bans),
      of(counter('bailiff_unbans_total', 'Bans that ended since the start.'), (jail) => counts.of(jail).unbans),
      of(
        counter('bailiff_would_bans_total', 'Bans that a jail would have made if it did not only observe.'),
        (jail) => counts.of(jail).wouldBans,
      ),
      of(
        gauge('bailiff_banned', 'Bans of a jail that should be in force now.'),
        (jail) => wanted.perJail.get(jail) ?? 0,
      ),
      of(
        gauge('bailiff_would_be_banned', 'Who would be banned now if the jail did not only observe.'),
        (jail) => observed.perJail.get(jail) ?? 0,
      ),
      of(
        gauge('bailiff_tracked_addresses', 'Addresses with failures that are not banned.'),
        (jail) => judge.counts(jail)?.tracked ?? 0,
      ),
      of(
        counter('bailiff_addresses_given_up_total', 'Addresses forgotten because there were too many.'),
        (jail) => judge.counts(jail)?.givenUp ?? 0,
      ),
      of(
        counter(
          'bailiff_matching_seconds_total',
          'Processor time of the threads that match; of logs of several jails an equal share.',
        ),
        (jail) => sight.totals(jail).ms / 1000,
      ),
      of(gauge('bailiff_jail_blind', 'Whether a jail cannot see what it should, as status tells.'), (jail) =>
        Number(blind.has(jail)),
      ),
    ]
  }

  #queues(): Metric[] {
    const actions = this.#agent.instances.queues().map(({ state }) => state)
    const notifiers = this.#agent.announcer.states
    return [
      byLabel(
        gauge('bailiff_action_pending', 'Bans and unbans that an action has not confirmed.'),
        'action',
        actions,
        ({ action, pending }) => [action, pending],
      ),
      byLabel(
        gauge('bailiff_action_failing', 'Whether the last call of an action failed.'),
        'action',
        actions,
        ({ action, failure }) => [action, Number(failure !== null)],
      ),
      byLabel(
        gauge('bailiff_notifier_queue', 'Events that wait for a notifier.'),
        'notifier',
        notifiers,
        ({ notifier, waiting }) => [notifier, waiting],
      ),
      byLabel(
        counter('bailiff_notifier_dropped_total', 'Events that a notifier was too slow for.'),
        'notifier',
        notifiers,
        ({ notifier, dropped }) => [notifier, dropped],
      ),
    ]
  }

  #process(): Metric[] {
    const { user, system } = process.cpuUsage()
    const { rss, heapUsed } = process.memoryUsage()
    return [
      counter('process_cpu_seconds_total', 'Processor time of all threads of the agent.', (user + system) / 1e6),
      gauge('process_resident_memory_bytes', 'Memory of the agent.', rss),
      gauge('nodejs_heap_size_used_bytes', 'Heap of the main thread.', heapUsed),
      gauge('bailiff_memory_cap_bytes', 'Memory that the agent makes do with.', this.#agent.memory.cap),
    ]
  }
}

function gauge(name: string, help: string, value?: number): Metric {
  return { name, type: 'gauge', help, samples: value === undefined ? [] : [{ value, label: null }] }
}

function counter(name: string, help: string, value?: number): Metric {
  return { ...gauge(name, help, value), type: 'counter' }
}

/** The metric with one sample an item; of items with the same value of the label the last holds. */
function byLabel<Item>(
  metric: Metric,
  label: string,
  items: readonly Item[],
  read: (item: Item) => readonly [value: string, number: number],
): Metric {
  const samples = new Map<string, Sample>()
  for (const item of items) {
    const [value, number] = read(item)
    samples.set(value, { value: number, label: [label, value] })
  }
  return { ...metric, samples: [...samples.values()] }
}
