import type { Agent } from './agent.ts'
import type { ActionQueue } from './enforcing/action-queue.ts'
import { Bite } from './enforcing/bite.ts'
import { Enforcer } from './enforcing/enforcer.ts'
import { circumstances, likelyCause } from './enforcing/likely-cause.ts'
import { listOfJail, type Ban } from './events.ts'
import type { Host } from './plugin.ts'

/** Who carries a ban out: the actions of its jail. Knows which have confirmed it, which refused it, and whether it bites. */
export class AgentEnforcing {
  /** Whether bans hold in truth what they promise. */
  readonly bite: Bite
  readonly #agent: Agent
  readonly #enforcer: Enforcer
  readonly #refusals = new Map<string, string>()
  /** What `queuesOf` answers, by jail; '' stands for those that are none. */
  readonly #queues = new Map<string, readonly ActionQueue[]>()

  constructor(agent: Agent) {
    this.#agent = agent
    this.bite = new Bite((ban, line) =>
      agent.alarm(
        ban.jail,
        `lines of ${ban.prefix} still arrive although it is banned: ${likelyCause(ban, line, circumstances())}`,
      ),
    )
    this.#enforcer = new Enforcer(agent.wanted, {
      enforced: (ban, reason, action) => {
        if (listOfJail(ban.jail) !== null) return
        this.bite.confirmed(ban, Date.now())
        agent.tell({ type: 'ban', time: Date.now(), ban, reason, action })
      },
      refused: (ban, action, reason) => this.refuse(ban, action, reason),
    })
  }

  /** Takes over the actions of a new configuration. Those that are fresh are sent all that they have to hold. */
  configure(fresh: readonly ActionQueue[]): void {
    this.#enforcer.configure((jail) => this.queuesOf(jail), this.#agent.observing ? [] : fresh)
  }

  /** To be called as soon as the jails, or the instances of their actions, are others. */
  forgetQueues(): void {
    this.#queues.clear()
  }

  /** Makes an action hold exactly what is wanted of it. */
  restore(queue: ActionQueue): void {
    this.#enforcer.restore(queue)
  }

  /** Actions of these hosts were started again after a crash: they are told anew what they have to hold, at once. */
  restarted(hosts: readonly Host[]): void {
    if (this.#agent.observing) return
    for (const queue of this.#agent.instances.queues()) {
      if (!hosts.includes(queue.host)) continue
      this.restore(queue)
      queue.retryNow()
    }
  }

  /** The queues of a jail's actions, first action first. A jail that is gone, or `manual`, has those that come first in some jail. */
  queuesOf(jail: string): readonly ActionQueue[] {
    if (this.#agent.observing) return []
    // Asked for several times for each ban, and lists have a million.
    const key = this.#agent.jails.has(jail) ? jail : ''
    const known = this.#queues.get(key) ?? this.#findQueues(key)
    this.#queues.set(key, known)
    return known
  }

  /** Whether every action of its jail has confirmed the ban. */
  isEnforced(ban: Ban): boolean {
    const queues = this.queuesOf(ban.jail)
    return queues.length > 0 && queues.every((queue) => queue.confirmed(ban))
  }

  /** Nothing is called banned that is not: a ban that an action refuses for good ends. */
  refuse(ban: Ban, action: string, reason: string): void {
    const { lists, wanted } = this.#agent
    if (listOfJail(ban.jail) !== null) return lists.refused(ban, reason)
    this.#refusals.set(`${ban.prefix} ${ban.jail}`, reason)
    if (this.#refusals.size > 1000) this.#refusals.clear()
    this.#agent.alarm(ban.jail, `${action} refuses to ban ${ban.prefix}: ${reason}`)
    wanted.remove(ban.prefix, ban.jail)
  }

  /** Why an action refused the ban of this prefix by this jail, if it did. */
  refusal(prefix: string, jail: string): string | undefined {
    return this.#refusals.get(`${prefix} ${jail}`)
  }

  #findQueues(jail: string): readonly ActionQueue[] {
    const { jails, instances } = this.#agent
    const ready = jails.get(jail)
    if (ready) return ready.actions.map((instance) => instances.queue(instance))
    const first = [...jails.values()].flatMap(({ actions }) => actions.slice(0, 1))
    return [...new Set(first.map((instance) => instances.queue(instance)))]
  }
}
