/** What of `fail2ban.conf` concerns the agent. */
import { isAbsolute } from 'node:path'
import { formatOf, levels, type Level } from '../own-log/log-line.ts'
import { readTree, type Fail2banTree } from '../tree/tree.ts'

/** The log that Fail2ban keeps of itself. */
export interface TreeLog {
  /** The file; null: standard output, syslog or the like. */
  readonly logFile: string | null
  /** As it is written, without its options. */
  readonly target: string
  readonly level: Level
  /** A line, in the tokens of Python's logging. */
  readonly format: string
}

/** Reads where the Fail2ban of a configuration folder logs to. Rejects as `readTree` does. */
export async function readServerOptions(folder: string): Promise<TreeLog> {
  return logOf(await readTree(folder, { jails: [] }))
}

/** Where the Fail2ban of a tree logs to: `logtarget` with its options, and `loglevel`. */
export function logOf({ server }: Pick<Fail2banTree, 'server'>): TreeLog {
  const [, target = '', options = ''] = /^([^[]*)(?:\[(.*)\])?\s*$/s.exec(server.logtarget.trim()) ?? []
  const given = bracketOptions(options)
  const name = target.trim()
  const format = given.format || formatOf({ datetime: isOn(given.datetime), padding: isOn(given.padding) })
  return { logFile: isAbsolute(name) ? name : null, target: name, level: levelOf(server.loglevel), format }
}

function isOn(text: string | undefined): boolean {
  return text === undefined || /^(?:1|on|true|yes)$/i.test(text)
}

/** A level that Fail2ban has and we write nothing of is the next higher or lower one that we have. */
function levelOf(text: string): Level {
  const name = text.trim().toUpperCase()
  return name in levels ? (name as Level) : 'INFO'
}

/** `a=b, c="d, e"`. */
function bracketOptions(text: string): Partial<Record<string, string>> {
  const found = text.matchAll(/\s*(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^,\]]*))\s*(?:,|\]\[|$)/g)
  return Object.fromEntries(
    Array.from(found, ([, name = '', double, single, plain = '']) => [name, double ?? single ?? plain.trim()]),
  )
}
