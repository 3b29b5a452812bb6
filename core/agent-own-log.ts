import { listOfJail, type AgentEvent, type Ban, type Match } from './events.ts'
import { LogFile } from './fail2ban/own-log/log-file.ts'
import { lengthText } from './fail2ban/own-log/length-text.ts'
import { levels, logLine, timeText, usualFormat, type Level, type LogEntry } from './fail2ban/own-log/log-line.ts'
import type { OwnLogSettings } from './settings/own-log.ts'

/** Writes what happens in the agent as Fail2ban's log has it, for the programs that read that. */
export class AgentOwnLog {
  readonly #alarm: (subject: string, message: string) => void
  #settings: OwnLogSettings | null = null
  #file: LogFile | null = null

  constructor(alarm: (subject: string, message: string) => void) {
    this.#alarm = alarm
  }

  /** Whether anything is written at all. */
  get wanted(): boolean {
    return this.#file !== null
  }

  /** Takes over what the configuration says now; null: nothing is written. */
  configure(settings: OwnLogSettings | null): void {
    this.#settings = settings
    if (settings?.path === this.#file?.path) return this.#file?.reopen()
    void this.#file?.close()
    this.#file = settings && new LogFile(settings.path, (message) => this.#alarm('fail2ban_log', message))
  }

  /** A failure that was seen, at this time (unix milliseconds). */
  found({ jail, address }: Match, time: number): void {
    this.#write('fail2ban.filter', 'INFO', `[${jail}] Found ${address} - ${timeText(time)}`)
  }

  /** A failure that does not count, and what spares the address. */
  ignored({ jail, address }: Match, by: string): void {
    this.#write('fail2ban.filter', 'INFO', `[${jail}] Ignore ${address} by ${by}`)
  }

  event(event: AgentEvent): void {
    if (!this.wanted) return
    switch (event.type) {
      case 'start':
        for (const jail of event.jails) this.#write('fail2ban.jail', 'INFO', `Jail '${jail}' started`)
        return
      case 'stop':
        return this.#write('fail2ban.server', 'INFO', 'Exiting Fail2ban')
      case 'ban':
        return this.#banned(event.ban, verbs[event.reason])
      case 'would-ban':
        return this.#banned(event.ban, 'Ban')
      case 'unban':
        if (listOfJail(event.ban.jail) === null) this.#tell(event.ban.jail, `Unban ${event.ban.prefix}`)
    }
  }

  async stop(): Promise<void> {
    await this.#file?.close()
  }

  #banned(ban: Ban, verb: string): void {
    const { jail, prefix, since, until, count } = ban
    this.#tell(jail, `${verb} ${prefix}`)
    if (verb !== 'Ban' || count < 2) return
    const length = until === null ? 'permanent' : lengthText(Math.round((until - since) / 1000))
    const end = until === null ? 'infinite' : timeText(until)
    this.#write('fail2ban.observer', 'NOTICE', `[${jail}] Increase Ban ${prefix} (${count} # ${length} -> ${end})`)
  }

  #tell(jail: string, message: string): void {
    this.#write('fail2ban.actions', 'NOTICE', `[${jail}] ${message}`)
  }

  #write(logger: LogEntry['logger'], level: Level, message: string): void {
    if (this.#settings === null || levels[level] < levels[this.#settings.level]) return
    this.#file?.write(logLine({ time: Date.now(), logger, level, message }, this.#settings.format ?? usualFormat))
  }
}

const verbs = { new: 'Ban', extended: 'Ban', restored: 'Restore Ban', repaired: 'Reban' } as const
