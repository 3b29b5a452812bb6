/** Reads what Fail2ban's log tells of bans. */

/** A ban or its end, as Fail2ban's log tells it. */
export interface LoggedBan {
  /** `held`: the log says that it was in force already. */
  readonly type: 'ban' | 'unban' | 'held'
  readonly jail: string
  /** The address, or whatever the jail bans by. As it stands in the log. */
  readonly id: string
  /** Unix milliseconds; null where the line has no date, as in syslog. */
  readonly time: number | null
}

/** What a line says; null: nothing of bans. The date is of the zone of this host. */
export function readLoggedBan(line: string): LoggedBan | null {
  const [, date, milliseconds, level, jail = '', rest = ''] =
    /^(?:(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:,(\d{3}))? |.{0,200}?)fail2ban\.(?:actions|observer)\s*(?:\[\d+\])?:?\s+(NOTICE|WARNING|INFO)\s+\[([^\]\s]+)\] (.*)$/.exec(
      line,
    ) ?? []
  if (level === undefined) return null
  const time = date === undefined ? null : new Date(date.replace(' ', 'T')).getTime() + Number(milliseconds ?? 0)
  const [, verb, id] = /^(Ban|Restore Ban|Reban|Unban) (\S+)(?:, action .*)?\s*$/.exec(rest) ?? []
  if (verb !== undefined && id !== undefined) return { type: types[verb] ?? 'held', jail, id, time }
  const [, held] = /^(\S+) already banned\s*$/.exec(rest) ?? []
  return held === undefined ? null : { type: 'held', jail, id: held, time }
}

/** What was restored or repaired was decided before. */
const types: Readonly<Record<string, LoggedBan['type']>> = { Ban: 'ban', Unban: 'unban' }
