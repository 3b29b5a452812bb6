import type { Agent } from './agent.ts'
import { quote } from './errors.ts'
import type { Match, OddLine } from './events.ts'
import { lengthText } from './fail2ban/own-log/length-text.ts'
import { FullTables } from './full-tables.ts'
import type { ReadyJail } from './jails.ts'
import type { CountingNews } from './judging/fail2ban-counting.ts'

const maxBareLogs = 1000
/** Findings are looked for so often, and each is told of again after so long. */
const lookEveryMs = 60_000
const tellAgainMs = 24 * 3_600_000

/** What somebody should know of logs and tables, told once and not at each line. */
export class AgentWarnings {
  readonly #agent: Agent
  readonly #bareLogs = new Set<string>()
  /** Jails that ban what is no address. */
  readonly #bareIds = new Set<string>()
  readonly #full: FullTables
  #lookedAt = 0
  /** By jail, trouble and log, when it was told. */
  readonly #odd = new Map<string, number>()
  /** By jail, log and grade, when it was told. */
  readonly #findings = new Map<string, number>()

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

  /** Told once a day for each log and jail: lines whose time counts otherwise than it is written, or not at all. */
  oddTimes(log: string, odd: readonly OddLine[]): void {
    const now = Date.now()
    for (const { jail, trouble, aheadMs, line } of odd) {
      const key = `${jail} ${trouble} ${log}`
      if (now - (this.#odd.get(key) ?? -Infinity) < tellAgainMs) continue
      if (this.#odd.size >= maxBareLogs) this.#odd.clear()
      this.#odd.set(key, now)
      const message = `${log}: ${oddTime(trouble, aheadMs)} First such line: ${line}`
      if (trouble === 'elsewhere') this.#agent.alarm(jail, message)
      else if (trouble === 'old') this.#agent.options.log.info({ jail }, message)
      else this.#agent.options.log.warn({ jail }, message)
    }
  }

  /** Told once a jail: a ban that no firewall carries out. */
  counting(news: CountingNews): void {
    if (news.type !== 'id-banned' || news.prefix !== null || this.#bareIds.has(news.jail)) return
    this.#bareIds.add(news.jail)
    const what = `${quote(news.id)} is no address: its failures count and its ban is known, but no firewall can keep it away`
    this.#agent.alarm(news.jail, `${what}; let the failregex capture an address as well`)
  }

  /** Jails that do not see what they should. A log that cannot be read is told of by intake. */
  blindJails(now: number): void {
    if (Math.abs(now - this.#lookedAt) < lookEveryMs) return
    this.#lookedAt = now
    const { sight, configuration, intake } = this.#agent
    const logs = intake.logs()
    const unread = new Set(logs.filter(({ trouble }) => trouble !== null).map(({ log }) => log))
    for (const { jail, log, grade, what, mend } of sight.findings(configuration.ready.jails, logs, now)) {
      const key = `${jail} ${grade} ${log}`
      if (unread.has(log) || now - (this.#findings.get(key) ?? -Infinity) < tellAgainMs) continue
      if (this.#findings.size >= maxBareLogs) this.#findings.clear()
      this.#findings.set(key, now)
      this.#agent.alarm(jail, `${log === '' ? '' : `${log}: `}${what}. ${mend}`)
    }
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

/** What is odd, what becomes of it, and what mends it. */
function oddTime(trouble: OddLine['trouble'], aheadMs: number | null): string {
  const off = lengthText(Math.abs(aheadMs ?? 0) / 1000)
  switch (trouble) {
    case 'elsewhere':
      return `its lines are dated ${off} ${(aheadMs ?? 0) > 0 ? 'after' : 'before'} the time of this host, so they count when they come: set logtimezone of the jail to the zone that the service writes in, or mend its clock.`
    case 'late':
      return `its lines come ${off} after they are dated, and count when they come: the service is late, or a clock is wrong.`
    case 'old':
      return 'lines from before the start are older than findtime, and do not count.'
    case 'undated':
      return 'lines match that have no date that is understood; of a live log they count when they come: set datepattern of the jail.'
    case 'unreadable':
      return 'lines have a date that is none, and are passed over.'
  }
}
