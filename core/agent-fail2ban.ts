import type { Agent } from './agent.ts'
import { describeError } from './errors.ts'
import type { LogChunk, ScanResult } from './events.ts'
import { FailureGate } from './fail2ban/counting/failure-gate.ts'
import type { ReadyJail } from './jails.ts'

/** The way of a failure that a jail of a Fail2ban tree found: names and ignored ones, then the judge. */
export class AgentFail2ban {
  readonly #agent: Agent
  readonly #gate: FailureGate

  constructor(agent: Agent) {
    this.#agent = agent
    this.#gate = new FailureGate({
      count: (failure, arrival) => {
        for (const ban of agent.judge.countFailure(failure, arrival)) agent.decide(ban)
      },
      onIgnored: (jail, id, source) => agent.ownLog.ignored(jail, id, source),
      warn: (jail, message) => agent.options.log.warn({ jail }, message),
    })
  }

  async configure(jails: readonly ReadyJail[]): Promise<void> {
    const wrong = await this.#gate.configure(jails.flatMap(({ fail2ban }) => fail2ban?.gate ?? []))
    for (const error of wrong) this.#agent.options.log.error({}, describeError(error))
  }

  /** Takes what a chunk has of failures. */
  take(_result: ScanResult, _chunk: LogChunk): void {
    // To come with the workers.
  }

  stop(): void {
    this.#gate.stop()
  }
}
