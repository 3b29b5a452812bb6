import { closeSync } from 'node:fs'
import { parseAddress, type Address, type Prefix } from '../address.ts'
import type { AddressExplanation } from '../control/api.ts'
import { counts, verdictOn } from '../explaining/address-verdict.ts'
import { askKernel, withKernel } from '../explaining/ask-kernel.ts'
import { filesOf } from '../explaining/candidate.ts'
import { journalsThatName } from '../explaining/journal-mentions.ts'
import type { LineExplainer } from '../explaining/line-explainer.ts'
import { filesThatName, type MentioningLog } from '../explaining/mentions.ts'
import { concernsJail, mostTelling, type Explain, type ToldLine } from '../explaining/telling-line.ts'
import { unreadLogs } from '../explaining/unread-logs.ts'
import type { Settings } from '../settings/load-settings.ts'
import type { AddressReports } from './address-reports.ts'
import { configuredExplainer, unusedFilters } from './configured-explainer.ts'
import { printAddress } from './explain-address-text.ts'
import { lineText } from './explain-line-text.ts'
import { print } from './output.ts'
import { tryOpen } from './try-open.ts'

/** Logs that are looked at with all filters, where no jail has to do with what they say of an address. */
const mostOthers = 4

/** Says why an address or prefix is banned or is not; of an address also by the lines of the logs that name it. */
export async function explainAddress(
  prefix: Prefix,
  settings: Settings,
  reports: AddressReports,
  { now, json }: { readonly now: number; readonly json: boolean },
): Promise<void> {
  const report = await askedKernel(await reports.of(prefix), settings)
  const address = parseAddress(prefix)
  const search = address !== null && !report.bans.some(({ observed }) => !observed)
  const lastLine = search ? await new Search(address, settings, reports, now).run() : null
  const unread = [...unreadLogs(settings.jails), ...(report.running ? await reports.unread() : [])]
  const verdict = verdictOn(report, lastLine, unread)
  if (json) print(JSON.stringify({ ...verdict, ...report, lastLine }, null, 2))
  else {
    printAddress(verdict, report)
    if (lastLine !== null && !counts(lastLine.explanation))
      print(`\nThe last line about it, in ${lastLine.log}:\n${lineText(lastLine.explanation, true)}`)
  }
}

/** Where the agent or its helper cannot say what the kernel holds, the kernel is asked. */
async function askedKernel(report: AddressExplanation, { jails }: Settings): Promise<AddressExplanation> {
  if (report.kernel !== null || (report.running && report.kernelFailure === null)) return report
  const held = process.geteuid?.() === 0 ? await askKernel(report.prefix) : null
  if (held === null) return report
  const byFirewall = new Set(
    jails.filter(({ actions }) => actions.some(({ plugin }) => plugin === 'firewall')).map(({ name }) => name),
  )
  return withKernel(report, held, ({ jail }) => byFirewall.has(jail))
}

/** Looks for the line that says most about an address. */
class Search {
  readonly #address: Address
  readonly #settings: Settings
  readonly #reports: AddressReports
  readonly #now: number

  constructor(address: Address, settings: Settings, reports: AddressReports, now: number) {
    this.#address = address
    this.#settings = settings
    this.#reports = reports
    this.#now = now
  }

  async run(): Promise<ToldLine | null> {
    const jails = [...this.#settings.jails, ...this.#settings.off]
    const paths = jails.flatMap((jail) => filesOf(jail) ?? [])
    const sources = jails.flatMap((jail) => jail.sources)
    const logs = [...filesThatName(this.#address, paths), ...(await journalsThatName(this.#address, sources))]
    const explainer = await configuredExplainer(this.#settings, this.#reports, 'jails')
    const told = await mostTelling(logs, this.#with(explainer))
    if (concernsJail(told)) return told
    const other = await this.#elsewhere(logs)
    return concernsJail(other) ? other : told
  }

  /** By the filters that no jail uses, in these logs and in those where such services usually write. */
  async #elsewhere(logs: readonly MentioningLog[]): Promise<ToldLine | null> {
    const usual = (await unusedFilters(this.#settings)).flatMap((filter) => filesOf(filter) ?? [])
    const known = new Set(logs.map(({ log }) => log))
    const others = filesThatName(this.#address, usual).filter(({ log }) => !known.has(log))
    const looked = [...others, ...logs].slice(0, mostOthers)
    const last = looked.map((log) => ({ ...log, mentions: log.mentions.slice(0, 1) }))
    return mostTelling(last, this.#with(await configuredExplainer(this.#settings, this.#reports)))
  }

  #with(explainer: LineExplainer): Explain {
    return async ({ bytes, ended }, { log, isFile }) => {
      const fd = isFile ? tryOpen(log) : null
      const place = { log: isFile ? log : null, fd }
      try {
        return await explainer.explain({ bytes, ended, ...place, jail: null, now: this.#now, sequence: null })
      } finally {
        if (fd !== null) closeSync(fd)
      }
    }
  }
}
