import { PrefixSet, type Prefix } from './address.ts'
import { adoptable } from './adopted-bans.ts'
import type { Agent, AgentOptions } from './agent.ts'
import type { Configuration } from './agent-configuration.ts'
import { describeError } from './errors.ts'
import { startFirewall, type FirewallHelper } from './firewall/client.ts'
import { refusalReasons } from './firewall/messages.ts'
import { NeverBanned } from './firewall/never-banned.ts'
import type { ReadyJail } from './jails.ts'
import { Pause } from './pause.ts'

const pausedMeans = 'no ban is in the firewall; "bailiff resume" puts all back'

/** Starts the helper where some jail needs one, for it takes as long to come up as the store takes to load. */
export function startEarly(options: AgentOptions, { settings, ready }: Configuration): Promise<FirewallHelper> | null {
  if (options.observe || settings.observe || !needsFirewall(ready.jails)) return null
  const starting = startFirewall({ ...options.firewall, log: options.log })
  // Whoever awaits it hears of a failure.
  starting.catch(() => {})
  return starting
}

/** The agent's side of the firewall: the helper, whom it would refuse to ban, and the pause. */
export class AgentFirewall {
  readonly #agent: Agent
  readonly #pause: Pause
  /** As the helper knows them, so that nobody is told of a ban that does not come. */
  readonly #neverBanned = new NeverBanned()
  #starting: Promise<FirewallHelper> | null
  #helper: FirewallHelper | null = null

  /** `state`: the folder in which a pause is kept. `starting`: what `startEarly` answered. */
  constructor(agent: Agent, state: string, starting: Promise<FirewallHelper> | null) {
    this.#agent = agent
    this.#starting = starting
    this.#pause = new Pause(state)
    this.#neverBanned.onChange(() => this.#spare())
  }

  /** The helper, once an action needed it. */
  get helper(): FirewallHelper | null {
    return this.#helper
  }

  /** Since when all bans are out of the firewall, unix milliseconds; null: they are in force. */
  get pausedSince(): number | null {
    return this.#pause.since
  }

  /** What the machine depends on now, and why nobody may ban it. */
  vital(): { readonly prefix: Prefix; readonly why: string }[] {
    return this.#neverBanned
      .at(performance.now())
      .map(({ prefix, reason }) => ({ prefix, why: refusalReasons[reason] }))
  }

  /** Starts the helper when the first action needs it, and takes in what an earlier agent left in the kernel. */
  async start(jails: readonly ReadyJail[]): Promise<void> {
    const { options, observing, wanted, judge, store } = this.#agent
    if (!needsFirewall(jails) || observing || this.#helper) return
    this.#starting ??= startFirewall({ ...options.firewall, log: options.log })
    const helper = await this.#starting.finally(() => (this.#starting = null))
    this.#helper = helper
    helper.onRestart(() => this.restore())
    helper.onAlarm((message) => this.#agent.alarm('firewall', message))
    const found = await helper.list(wanted.size).catch((error: unknown) => {
      options.log.error({}, `the firewall does not tell what it holds: ${describeError(error)}`)
      return []
    })
    for (const ban of await adoptable(found, wanted, jails, store, Date.now())) {
      judge.note(ban)
      wanted.add(ban, 'repaired')
    }
  }

  /** Keeps a pause for actions that are new, and tells of it at a start. */
  holdBack(): void {
    if (this.pausedSince === null) return
    for (const queue of this.#agent.instances.firewallQueues()) queue.pause()
  }

  tellPause(): void {
    const since = this.pausedSince
    if (since === null) return
    const { doubt } = this.#pause
    const when = doubt === null ? `paused since ${new Date(since).toISOString()}` : `taken for paused, for ${doubt}`
    this.#agent.alarm('firewall', `${when}: ${pausedMeans}`)
  }

  /** Takes all bans out of the firewall until `resume`, over restarts too. Decisions go on. */
  pause(): void {
    const already = this.pausedSince !== null
    for (const queue of this.#agent.instances.firewallQueues()) queue.pause()
    try {
      this.#pause.begin(Date.now())
    } catch (error) {
      this.#agent.alarm('firewall', `the pause will not outlast a restart: ${describeError(error)}`)
    }
    if (!already) this.#agent.alarm('firewall', `paused: ${pausedMeans}`)
  }

  resume(): void {
    const { instances, options, wanted } = this.#agent
    if (this.pausedSince === null) return
    try {
      this.#pause.end()
    } catch (error) {
      this.#agent.alarm('firewall', `the next start will be paused again: ${describeError(error)}`)
    }
    for (const queue of instances.firewallQueues()) queue.resume()
    this.restore()
    options.log.info({}, `the firewall is resumed: ${wanted.size} bans are enforced again`)
  }

  /** Tells a helper that knows nothing what it has to hold. */
  restore(): void {
    for (const queue of this.#agent.instances.firewallQueues()) this.#agent.enforcing.restore(queue)
  }

  /** Follows no more what the machine depends on. */
  unwatch(): void {
    this.#neverBanned.stop()
  }

  /** To be called last: the queues of the actions speak to the helper until they are stopped. */
  async stop(): Promise<void> {
    const starting = this.#starting?.then((helper) => helper.stop()).catch(() => {})
    await Promise.all([starting, this.#helper?.stop()])
  }

  /** What the machine depends on from now on is banned no longer. */
  #spare(): void {
    const { judge, wanted } = this.#agent
    judge.refresh()
    const vital = this.vital()
    const spared = new PrefixSet(vital.map(({ prefix }) => prefix))
    for (const ban of wanted) {
      const found = spared.overlapping(ban.prefix)
      const why = vital.find(({ prefix }) => prefix === found)?.why
      if (why !== undefined) this.#agent.enforcing.refuse(ban, 'the firewall', why)
    }
    this.#agent.lists.again()
  }
}

function needsFirewall(jails: readonly ReadyJail[]): boolean {
  return jails.some(({ actions }) => actions.some(({ plugin }) => plugin.capabilities?.includes('firewall')))
}
