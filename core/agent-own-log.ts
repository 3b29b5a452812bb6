import type { Prefix } from './address.ts'
import { listOfJail, type AgentEvent, type Ban, type LogChunk, type Match } from './events.ts'
import { lengthText } from './fail2ban/own-log/length-text.ts'
import { levels, timeText, usualFormat, type Level, type LogEntry } from './fail2ban/own-log/log-line.ts'
import { openLog, type OpenLog } from './fail2ban/own-log/open-log.ts'
import type { ReadyJail } from './jails.ts'
import { knownAttempts, type CountingNews } from './judging/fail2ban-counting.ts'
import type { OwnLogSettings } from './settings/own-log.ts'

/** A line about somebody who is banned: sooner after the ban it is no news, later than this it is odd. */
const quietMs = 3000
const lateMs = 60_000
const mostIncreased = 1000
const mostById = 50_000

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
  /** Bans of a prefix, by jail and prefix, that are told by the id for which it is kept away. */
  readonly #byId = new Set<string>()

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
  seen({ jail, address, time }: Match, { arrivedAt, live }: LogChunk, spared: boolean): void {
    if (spared) return this.ignored(jail, address, 'ip')
    const isBelieved = time !== null && !(live && Math.abs(time - arrivedAt) > 60_000)
    this.#found(jail, address, isBelieved ? time : arrivedAt)
  }

  /** A failure that does not count, and what spares its id. */
  ignored(jail: string, id: string, by: string): void {
    this.#write('fail2ban.filter', 'INFO', `[${jail}] Ignore ${idText(id)} by ${by}`)
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
        const counted = attempts === knownAttempts(bans) ? `${attempts}.0` : attempts
        const bad = `[${jail}] Found ${idText(id)}, bad - ${timeText(time)}, ${bans} # -> ${counted}${isBan ? ', Ban' : ''}`
        return this.#write('fail2ban.observer', 'INFO', bad)
      }
      case 'already-banned':
        if (news.afterMs < quietMs) return
        return this.#tell(jail, `${idText(id)} already banned`, news.afterMs < lateMs ? 'NOTICE' : 'WARNING')
      case 'expired':
        return this.#tell(jail, `Ignore ${idText(id)}, expired bantime`, 'INFO')
      case 'increased':
        if (this.#increased.size >= mostIncreased) this.#increased.clear()
        return void this.#increased.set(`${jail} ${id}`, news)
      case 'id-restored':
        return this.#tell(jail, `Restore Ban ${idText(id)}`)
      case 'id-prolonged':
        return
      case 'id-banned':
        if (news.prefix !== null) this.#noteById(jail, news.prefix)
        return this.#banned(jail, id)
      case 'id-unbanned':
        return this.#tell(jail, `Unban ${idText(id)}`)
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
        if (listOfJail(event.ban.jail) === null && !this.#byId.delete(keyOf(event.ban)))
          this.#tell(event.ban.jail, `Unban ${event.ban.prefix}`)
    }
  }

  async stop(): Promise<void> {
    await this.#log?.close()
    this.#log = null
  }

  #found(jail: string, id: string, time: number): void {
    this.#write('fail2ban.filter', 'INFO', `[${jail}] Found ${idText(id)} - ${timeText(time)}`)
  }

  #noteById(jail: string, prefix: Prefix): void {
    if (this.#byId.size >= mostById) this.#byId.clear()
    this.#byId.add(keyOf({ jail, prefix }))
  }

  #newBan(ban: Ban): void {
    const { jail, prefix, since, until, count } = ban
    if (this.#byId.has(keyOf(ban))) return
    // Jails of a Fail2ban tree tell of longer bans themselves.
    if (count > 1 && !this.#treeJails.has(jail)) {
      const lengthSeconds = until === null ? -1 : Math.round((until - since) / 1000)
      this.#increased.set(`${jail} ${prefix}`, { count, lengthSeconds, until })
    }
    this.#banned(jail, prefix)
  }

  /** That a ban is longer than usual stands behind it. */
  #banned(jail: string, id: string): void {
    this.#tell(jail, `Ban ${idText(id)}`)
    const increased = this.#increased.get(`${jail} ${id}`)
    if (increased === undefined) return
    this.#increased.delete(`${jail} ${id}`)
    const { count, lengthSeconds, until } = increased
    const [length, end] =
      until === null ? ['permanent', 'infinite'] : [lengthText(Math.floor(lengthSeconds)), timeText(until)]
    this.#write('fail2ban.observer', 'NOTICE', `[${jail}] Increase Ban ${idText(id)} (${count} # ${length} -> ${end})`)
  }

  #tell(jail: string, message: string, level: Level = 'NOTICE'): void {
    this.#write('fail2ban.actions', level, `[${jail}] ${message}`)
  }

  #write(logger: LogEntry['logger'], level: Level, message: string): void {
    if (this.#settings === null || levels[level] < levels[this.#settings.level]) return
    this.#log?.write({ time: Date.now(), logger, level, message })
  }
}

/**
 * An id as the log has it. One may be any text of a line: in the form `x] Ban 192.0.2.7` the filter of `recidive` would
 * take it for a ban of that address.
 */
function idText(id: string): string {
  return id.replace(/\](?=\s+(?:Found|Restore|Ban|Unban|Reban)\s)/g, '\\x5d')
}

const keyOf = ({ jail, prefix }: Pick<Ban, 'jail' | 'prefix'>) => `${jail} ${prefix}`
