import type { Agent } from './agent.ts'
import { Clock } from './clock.ts'
import type { Ban } from './events.ts'

/** Moves what the agent holds with the clock of the machine when somebody sets that. */
export class AgentClock {
  readonly #agent: Agent
  readonly #clock = new Clock()
  /** Bans that began, as they say, after the start: the clock is behind until somebody sets it. */
  readonly #ahead = new Set<string>()
  #setBy = 0

  constructor(agent: Agent) {
    this.#agent = agent
  }

  /** How far the clock was set in all since the start, in milliseconds. */
  get setBy(): number {
    return this.#setBy
  }

  /** Knows of a ban of before the start. */
  restored(ban: Ban): void {
    if (ban.since > this.#agent.startedAt) this.#ahead.add(keyOf(ban))
  }

  /** Bans and failures do not end sooner or later because somebody set the clock. The store hears of it. */
  follow(): void {
    const ms = this.#clock.step()
    if (ms === 0) return
    this.#setBy += ms
    const { options, wanted, observed, judge, instances, allowing, lists, storing } = this.#agent
    options.log.warn({}, `the clock was set by ${ms / 1000} s; bans go on for as long as they would have`)
    const now = Date.now()
    const spares = (ban: Ban) => this.#ahead.has(keyOf(ban)) && ban.since <= now
    const moved = wanted.shift(ms, spares)
    observed.shift(ms, spares)
    judge.shift(ms)
    allowing.shift(ms)
    lists.shift(ms)
    for (const queue of instances.queues()) queue.shift(ms)
    if (moved.length > 0) storing.commit({ bans: moved })
  }
}

const keyOf = ({ prefix, jail, since }: Ban) => `${prefix} ${jail} ${since}`
