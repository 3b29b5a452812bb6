import type { Agent } from './agent.ts'
import type { Match } from './events.ts'
import { FullTables } from './full-tables.ts'
import type { ReadyJail } from './jails.ts'

const maxBareLogs = 1000

/** What somebody should know of logs and tables, told once and not at each line. */
export class AgentWarnings {
  readonly #agent: Agent
  readonly #bareLogs = new Set<string>()
  readonly #full: FullTables

  constructor(agent: Agent) {
    this.#agent = agent
    this.#full = new FullTables((subject, message) => agent.alarm(subject, message))
  }

  /** Told once a log: the service writes what its peers send, line breaks too, so a peer can forge lines. */
  bareLog(log: string, matches: readonly Match[], jails: ReadonlyMap<string, ReadyJail>): void {
    // A filter that names no programs expects no header either, and in JSON and logfmt line breaks are escaped.
    const trusted = matches.some(({ jail }) => {
      const { programs = null, structure = null } = jails.get(jail)?.filter ?? {}
      return programs !== null && structure === null
    })
    if (!trusted || this.#bareLogs.has(log)) return
    if (this.#bareLogs.size >= maxBareLogs) this.#bareLogs.clear()
    this.#bareLogs.add(log)
    this.#agent.alarm(
      log,
      `the lines of ${log} have neither date nor syslog header: where a service logs so, a peer can forge lines and get others banned; let it log through syslog`,
    )
  }

  /** What is given up because a table is full. */
  fullTables(jails: Iterable<string>): void {
    const { judge, wanted } = this.#agent
    const now = performance.now()
    for (const name of jails) {
      const { givenUp = 0, tracked = 0 } = judge.counts(name) ?? {}
      const message = (more: number) =>
        `tracks ${tracked} addresses and no more fit: ${more} with the fewest failures were forgotten. Shorten findtime, or raise "memory:"`
      this.#full.look(`failures of ${name}`, name, givenUp, now, message)
    }
    const crowded = (more: number) =>
      `${wanted.size} bans are in force and no more fit: ${more} ended before their time or were not made. Shorten bantime`
    this.#full.look('bans', 'bans', wanted.crowdedOut, now, crowded)
  }
}
