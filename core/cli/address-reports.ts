import type { Prefix } from '../address.ts'
import type { AddressExplanation, LogReport } from '../control/api.ts'
import { BailiffError } from '../errors.ts'
import { OfflineReports } from '../explaining/offline-report.ts'
import type { UnreadLog } from '../explaining/unread-logs.ts'
import type { Settings } from '../settings/load-settings.ts'
import { agentAt } from './agent-socket.ts'
import type { ExplainOptions } from './explain.ts'

/** Asks the agent, and where none answers the store. */
export class AddressReports {
  readonly #options: ExplainOptions
  readonly #settings: Settings
  readonly #now: number
  #offline: OfflineReports | null = null

  constructor(options: ExplainOptions, settings: Settings, now: number) {
    this.#options = options
    this.#settings = settings
    this.#now = now
  }

  async of(prefix: Prefix): Promise<AddressExplanation> {
    if (this.#offline !== null) return this.#offline.report(prefix)
    try {
      return await (await agentAt(this.#options)).explain(prefix)
    } catch (error) {
      if (!(error instanceof BailiffError) || error.kind !== 'unavailable' || this.#options.socket !== undefined)
        throw error
      this.#offline = await OfflineReports.open(this.#settings, this.#now)
      return this.#offline.report(prefix)
    }
  }

  /** The logs that the running agent itself cannot read now. Empty where none answers. */
  async unread(): Promise<readonly UnreadLog[]> {
    if (this.#offline !== null) return []
    const { logs, jails } = await (await agentAt(this.#options)).status()
    const readerOf = ({ log, pattern }: LogReport) =>
      jails.find(({ logs: read }) => read.includes(log) || (pattern !== null && read.includes(pattern)))?.jail
    return logs.flatMap((log) => {
      const jail = log.state === 'reading' ? undefined : readerOf(log)
      return jail === undefined ? [] : [{ jail, why: `${log.log}: ${log.state}` }]
    })
  }

  close(): void {
    this.#offline?.close()
  }
}
