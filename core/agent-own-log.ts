import { listOfJail, type AgentEvent, type Ban, type LogChunk } from './events.ts'
import type { RowCursor } from './failure-rows.ts'
import { lengthText } from './fail2ban/own-log/length-text.ts'
import { levels, timeText, usualFormat, type Level, type LogEntry } from './fail2ban/own-log/log-line.ts'
import { openLog, type OpenLog } from './fail2ban/own-log/open-log.ts'
import type { ReadyJail } from './jails.ts'
import type { CountingNews } from './judging/fail2ban-counting.ts'
import type { OwnLogSettings } from './settings/own-log.ts'

/** A line about somebody who is banned: sooner after the ban it is no news, later than this it is odd. */
const quietMs = 3000
const lateMs = 60_000
const mostIncreased = 1000

type Increase = Pick<Extract<CountingNews, { type: 'increased' }>, 'count' | 'lengthSeconds' | 'until'>

/** Writes what happens in the agent as Fail2ban's log has it, for the programs that read that. */
export class AgentOwnLog {
  readonly #alarm: (subject: string, message: string) => void
  #settings: OwnLogSettings | null = null
  /** What the open log was made of. */
  #key = ''
  #log: OpenLog | null = null
  #treeJails: ReadonlySet<string> = new Set()
  /** Bans of before their line: that they are longer is known first. By jail and id. */
  readonly #increased = new Map<string, Increase>()

  constructor(alarm: (subject: string, message: string) => void) {
    this.#alarm = alarm
  }

  /** Whether anything is written at all. */
  get wanted(): boolean {
    return this.#log !== null
  }

  /** Takes over what the configuration says now; null: nothing is written. */
  configure(settings: OwnLogSettings | null, jails: readonly ReadyJail[]): void {
    const isSame = JSON.stringify([settings?.target, settings?.format]) === this.#key
    this.#key = JSON.stringify([settings?.target, settings?.format])
    this.#settings = settings
    this.#treeJails = new Set(jails.filter(({ fail2ban }) => fail2ban !== null).map(({ name }) => name))
    if (isSame) return this.#log?.reopen()
    void this.#log?.close()
    const alarm = (message: string) => this.#alarm('fail2ban_log', message)
    this.#log = settings && openLog(settings.target, settings.format ?? usualFormat, alarm)
  }

  /** A failure of one of our own jails, the piece of the log it was in, and whether something spares the address. */
  seen(
    { address, time }: Pick<RowCursor, 'address' | 'time'>,
    jail: string,
    { arrivedAt, live }: Pick<LogChunk, 'arrivedAt' | 'live'>,
    spared: boolean,
  ): void {
    if (spared) return this.ignored(jail, address, 'ip')
    const isBelieved = time !== null && !(live && Math.abs(time - arrivedAt) > 60_000)
    this.#found(jail, address, isBelieved ? time : arrivedAt)
  }

  /** A failure that does not count, and what spares its id. */
  ignored(jail: string, id: string, by: string): void {
    this.#write('fail2ban.filter', 'INFO', `[${jail}] Ignore ${id} by ${by}`)
  }

  /** What a jail does that counts as Fail2ban. */
  counting(news: CountingNews): void {
    if (!this.wanted) return
    const { jail, id } = news
    switch (news.type) {
      case 'found':
        return this.#found(jail, id, news.time)
      case 'bad': {
        const { time, bans, attempts, isBan } = news
        const bad = `[${jail}] Found ${id}, bad - ${timeText(time)}, ${bans} # -> ${attempts}${isBan ? ', Ban' : ''}`
        return this.#write('fail2ban.observer', 'INFO', bad)
      }
      case 'already-banned':
        if (news.afterMs < quietMs) return
        return this.#tell(jail, `${id} already banned`, news.afterMs < lateMs ? 'NOTICE' : 'WARNING')
      case 'expired':
        return this.#tell(jail, `Ignore ${id}, expired bantime`, 'INFO')
      case 'increased':
        if (this.#increased.size >= mostIncreased) this.#increased.clear()
        return void this.#increased.set(`${jail} ${id}`, news)
      case 'unenforceable':
        if (news.reason === 'restored') return this.#tell(jail, `Restore Ban ${id}`)
        if (news.reason === 'extended') return
        return this.#banned(jail, id)
    }
  }

  event(event: AgentEvent): void {
    if (!this.wanted) return
    switch (event.type) {
      case 'start':
        for (const jail of event.jails) this.#write('fail2ban.jail', 'INFO', `Jail '${jail}' started`)
        return
      case 'stop':
        return this.#write('fail2ban.server', 'INFO', 'Exiting Fail2ban')
      case 'would-ban':
        return this.#newBan(event.ban)
      case 'ban':
        if (event.reason === 'new') this.#newBan(event.ban)
        if (event.reason === 'restored') this.#tell(event.ban.jail, `Restore Ban ${event.ban.prefix}`)
        if (event.reason === 'repaired') this.#tell(event.ban.jail, `Reban ${event.ban.prefix}`)
        return
      case 'unban':
        if (listOfJail(event.ban.jail) === null) this.#tell(event.ban.jail, `Unban ${event.ban.prefix}`)
    }
  }

  async stop(): Promise<void> {
    await this.#log?.close()
    this.#log = null
  }

  #found(jail: string, id: string, time: number): void {
    this.#write('fail2ban.filter', 'INFO', `[${jail}] Found ${id} - ${timeText(time)}`)
  }

  #newBan({ jail, prefix, since, until, count }: Ban): void {
    // Jails of a Fail2ban tree tell of longer bans themselves.
    if (count > 1 && !this.#treeJails.has(jail)) {
      const lengthSeconds = until === null ? -1 : Math.round((until - since) / 1000)
      this.#increased.set(`${jail} ${prefix}`, { count, lengthSeconds, until })
    }
    this.#banned(jail, prefix)
  }

  /** That a ban is longer than usual stands behind it. */
  #banned(jail: string, id: string): void {
    this.#tell(jail, `Ban ${id}`)
    const increased = this.#increased.get(`${jail} ${id}`)
    if (increased === undefined) return
    this.#increased.delete(`${jail} ${id}`)
    const { count, lengthSeconds, until } = increased
    const [length, end] =
      until === null ? ['permanent', 'infinite'] : [lengthText(Math.floor(lengthSeconds)), timeText(until)]
    this.#write('fail2ban.observer', 'NOTICE', `[${jail}] Increase Ban ${id} (${count} # ${length} -> ${end})`)
  }

  #tell(jail: string, message: string, level: Level = 'NOTICE'): void {
    this.#write('fail2ban.actions', level, `[${jail}] ${message}`)
  }

  #write(logger: LogEntry['logger'], level: Level, message: string): void {
    if (this.#settings === null || levels[level] < levels[this.#settings.level]) return
    this.#log?.write({ time: Date.now(), logger, level, message })
  }
}
