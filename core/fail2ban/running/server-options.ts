/** What of `fail2ban.conf` concerns the agent. */
import { posix } from 'node:path'
import { quote } from '../../errors.ts'
import { formatOf, levels, type Level } from '../own-log/log-line.ts'
import type { LogTarget } from '../own-log/open-log.ts'
import { readTree, type Fail2banTree } from '../tree/tree.ts'

/** The log that Fail2ban keeps of itself. */
export interface TreeLog {
  /** Null: it goes on to where it went before (`INHERITED`), which nobody knows. */
  readonly target: LogTarget | null
  /** As it is written, without its options. */
  readonly name: string
  readonly level: Level
  /** A line, in the tokens of Python's logging. */
  readonly format: string
  /** What of it is not done, or is done otherwise, for people, with the option that says it. */
  readonly odd: readonly (readonly [option: string, message: string])[]
}

/** Levels that Fail2ban has beside those that lines of ours have, with Python's numbers. */
const otherLevels = { FATAL: 50, WARN: 30, MSG: 18, DEBUG: 10, TRACEDEBUG: 7, HEAVYDEBUG: 5, NOTSET: 0 } as const

/** As syslog(3) numbers them, by the names that Python has for them. */
const facilities =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp security console solcron local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  )

/** Reads where the Fail2ban of a configuration folder logs to. Rejects as `readTree` does. */
export async function readServerOptions(folder: string): Promise<TreeLog> {
  return logOf(await readTree(folder, { jails: [] }))
}

/** Where the Fail2ban of a tree logs to: `logtarget` with its options, `syslogsocket` and `loglevel`. */
export function logOf({ server }: Pick<Fail2banTree, 'server'>): TreeLog {
  const [, written = '', options = ''] = /^([^[]*)(?:\[(.*)\])?\s*$/s.exec(server.logtarget.trim()) ?? []
  const given = bracketOptions(options)
  const name = written.trim()
  const kind = name.toUpperCase()
  const datetime = isOn(given.datetime, kind !== 'SYSLOG' && kind !== 'SYSOUT')
  const padding = isOn(given.padding, kind !== 'SYSLOG')
  const [target, ofTarget] = targetOf(name, server.syslogsocket.trim(), given.facility)
  const [level, ofLevel] = levelOf(server.loglevel.trim())
  return {
    target,
    name,
    level,
    format: given.format || formatOf({ datetime, padding }),
    odd: [
      ...ofTarget.map((message) => ['logtarget', message] as const),
      ...ofLevel.map((message) => ['loglevel', message] as const),
    ],
  }
}

/** The target, and what is odd about it. Names of what is no file may be written in small letters. */
function targetOf(name: string, socket: string, facility = 'daemon'): [target: LogTarget | null, odd: string[]] {
  switch (name.toUpperCase()) {
    case 'STDOUT':
    case 'SYSOUT':
      return [{ type: 'stdout' }, []]
    case 'STDERR':
      return [{ type: 'stderr' }, []]
    case 'SYSTEMD-JOURNAL':
      return [{ type: 'journal' }, []]
    case 'SYSLOG': {
      const number = facilities.indexOf(facility.toLowerCase())
      const odd = number < 0 ? [`${quote(facility)} is no facility of syslog, so it is daemon`] : []
      const path = socket === '' || socket === 'auto' ? '/dev/log' : socket
      return [{ type: 'syslog', socket: path, facility: number < 0 ? facilities.indexOf('daemon') : number }, odd]
    }
    case 'INHERITED':
      return [null, ["INHERITED has no meaning here: no log of Fail2ban's form is written"]]
    case '':
      return [null, ['it is empty: no log is written']]
    default:
      return [{ type: 'file', path: posix.resolve(name) }, []]
  }
}

function isOn(text: string | undefined, usual: boolean): boolean {
  return text === undefined ? usual : /^(?:1|on|true|yes)$/i.test(text)
}

/** The least level that is written: the one that is named, or the next higher one that lines of ours have. */
function levelOf(text: string): [level: Level, odd: string[]] {
  const all: Readonly<Record<string, number>> = { ...levels, ...otherLevels }
  const least = /^\d+$/.test(text) ? Number(text) : all[text.toUpperCase()]
  if (least === undefined) return ['INFO', []]
  const named = (Object.keys(levels) as Level[]).toReversed().find((name) => levels[name] >= least) ?? 'CRITICAL'
  // MSG is between INFO and DEBUG, and Fail2ban says nothing by it that a log needs.
  const odd = least <= otherLevels.DEBUG ? [`nothing is written below INFO, so ${text} shows no more than that`] : []
  return [named, odd]
}

/** `a=b, c="d, e"`. */
function bracketOptions(text: string): Partial<Record<string, string>> {
  const found = text.matchAll(/\s*(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^,\]]*))\s*(?:,|\]\[|$)/g)
  return Object.fromEntries(
    Array.from(found, ([, name = '', double, single, plain = '']) => [name, double ?? single ?? plain.trim()]),
  )
}
