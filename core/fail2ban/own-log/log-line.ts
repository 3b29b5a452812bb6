/** Lines as Fail2ban's own log has them, which its filter `recidive` and many people's programs read. */
import { printable } from '../../errors.ts'

/** The levels that lines of ours have, with Python's numbers. */
export const levels = { CRITICAL: 50, ERROR: 40, WARNING: 30, NOTICE: 25, INFO: 20 } as const
export type Level = keyof typeof levels

/** What is written in one line. */
export interface LogEntry {
  /** Unix milliseconds. */
  readonly time: number
  /** The part of Fail2ban that would say it. */
  readonly logger: 'fail2ban.actions' | 'fail2ban.filter' | 'fail2ban.jail' | 'fail2ban.observer' | 'fail2ban.server'
  readonly level: Level
  /** Made printable when it is written. */
  readonly message: string
}

/** How Fail2ban writes a line unless its `logtarget` says otherwise, in the tokens of Python's logging. */
export const usualFormat = '%(asctime)s %(name)-24s[%(process)d]: %(levelname)-7s %(message)s'

/** The usual format as the options `datetime` and `padding` of a log target change it. */
export function formatOf({ datetime, padding }: { readonly datetime: boolean; readonly padding: boolean }): string {
  const dated = datetime ? usualFormat : usualFormat.replace('%(asctime)s ', '')
  return padding ? dated : dated.replace(/(?<=\))-?\d+s/g, 's')
}

/**
 * One line with its newline. Of Python's tokens asctime, name, process, levelname, levelno and message are
 * known, with width and precision; others stay as they are.
 */
export function logLine(entry: LogEntry, format: string = usualFormat): string {
  const line = format.replace(/%(?:\((\w+)\)(-?)(\d*)(?:\.(\d+))?([sd])|%)/g, (token, name?: string, ...more) => {
    if (name === undefined) return '%'
    const value = valueOf(entry, name)
    const [left, width, precision] = more as (string | undefined)[]
    if (value === null) return token
    const cut = precision === undefined ? value : value.slice(0, Number(precision))
    return left === '-' ? cut.padEnd(Number(width)) : cut.padStart(Number(width))
  })
  return `${printable(line)}\n`
}

/** `2026-11-22 13:41:02` in the zone of this host. */
export function timeText(time: number): string {
  const date = new Date(time)
  const two = (number: number) => String(number).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`
}

function valueOf({ time, logger, level, message }: LogEntry, name: string): string | null {
  switch (name) {
    case 'asctime':
      return `${timeText(time)},${String(Math.floor(time) % 1000).padStart(3, '0')}`
    case 'name':
      return logger
    case 'process':
      return String(process.pid)
    case 'levelname':
      return level
    case 'levelno':
      return String(levels[level])
    case 'message':
      return message
    default:
      return null
  }
}
