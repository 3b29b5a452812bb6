import type { Agent } from './agent.ts'
import { Standstill } from './intake/standstill.ts'
import { describeError } from './errors.ts'
import type { Health } from './systemd/heartbeat.ts'

export type { Health }

/** A disk that is only busy, and a helper with much to do, answer sooner. */
const patienceMs = 15_000

/** Looks at the stages of an agent from outside: whether logs that grow are read, and what does not work. */
export class AgentHealth {
  readonly #agent: Agent
  readonly #now: () => number
  readonly #standstill = new Standstill()
  /** The question to the helper that is under way, and what became of the last. */
  #ping: { readonly since: number } | null = null
  #pingFailure: string | null = null

  constructor(agent: Agent, now: () => number = () => performance.now()) {
    this.#agent = agent
    this.#now = now
  }

  look(): Health {
    const { wanted, intake, configuration } = this.#agent
    const logs = intake.logs()
    const reading = logs.filter(({ state }) => state === 'reading').length
    const does = `${configuration.ready.jails.length} jails, ${reading} of ${logs.length} logs read, ${wanted.size} bans in force`
    this.#askHelper()
    const flaws = this.#flaws()
    return {
      stuck: this.#standstill.find(logs, this.#now()),
      status: flaws.length === 0 ? does : `${does}; degraded: ${flaws.join('; ')}`,
    }
  }

  #flaws(): string[] {
    const { instances, intake, configuration, observing } = this.#agent
    const queues = observing ? [] : instances.queues()
    const actions = queues.flatMap(({ state }) => (state.failure === null ? [] : [`${state.action}: ${state.failure}`]))
    const logs = intake.logs().flatMap(({ log, trouble }) => (trouble === null ? [] : [`${log}: ${trouble}`]))
    const broken = configuration.ready.broken.map((jail) => `the jail ${jail} is set aside`)
    return [...this.#helper(), ...actions, ...this.#store(), ...logs, ...broken]
  }

  #store(): string[] {
    const [oldest] = this.#agent.storing.unstored
    return oldest !== undefined && this.#now() - oldest.since > patienceMs ? ['the store does not write'] : []
  }

  #helper(): string[] {
    const late = this.#ping !== null && this.#now() - this.#ping.since > patienceMs
    const failure = late ? 'does not answer' : this.#pingFailure
    return failure === null ? [] : [`the firewall helper: ${failure}`]
  }

  /** Asks unless it is being asked already. A helper that hangs is killed by the deadline of the question. */
  #askHelper(): void {
    const firewall = this.#agent.firewall.helper
    if (firewall === null || this.#ping !== null) return
    this.#ping = { since: this.#now() }
    firewall
      .ping()
      .then(() => (this.#pingFailure = null))
      .catch((error: unknown) => (this.#pingFailure = describeError(error).replace(/\n.*/s, '')))
      .finally(() => (this.#ping = null))
  }
}
