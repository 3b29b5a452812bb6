import { BailiffError, quote } from '../../errors.ts'
import type { Command } from './command.ts'
import { optionText, type Configuration } from './configuration.ts'
import { serverKinds } from './kinds.ts'
import { kindsOf, readOptions } from './option-kinds.ts'
import { treeProblem } from './problem.ts'
import { timeText } from './time-text.ts'

/** What `fail2ban.conf` says. */
export interface ServerOptions {
  /** As text, the defaults of Fail2ban where it says nothing; empty where there is none. */
  readonly texts: ReadonlyMap<string, string>
  readonly commands: readonly Command[]
}

/** Options that the server gets no command for: the client needs them to find it. */
const ofClient = new Set(['socket', 'pidfile'])

/** Levels of Fail2ban's log; numbers are allowed, too. */
const levels = 'CRITICAL|FATAL|ERROR|WARN|WARNING|NOTICE|INFO|MSG|DEBUG|TRACEDEBUG|HEAVYDEBUG|NOTSET'

/** Reads the options of the server. Throws a BailiffError where one cannot be interpolated. */
export function serverOptions(configuration: Configuration, notes: BailiffError[]): ServerOptions {
  const options = readOptions(configuration, 'Definition', serverKinds, new Map(), notes)
  const level = optionText(options.get('loglevel') ?? null) ?? ''
  if (!new RegExp(`^(?:${levels}|\\d+)$`, 'i').test(level))
    notes.push(
      treeProblem(
        `${quote(level)} is no log level`,
        configuration.whereIs('Definition', 'loglevel'),
        `it is one of ${levels.split('|').join(', ')}`,
      ),
    )
  checkTime(configuration, optionText(options.get('dbpurgeage') ?? null) ?? '', notes)
  const threads = readOptions(configuration, 'Thread', kindsOf(['stacksize', 'int']), new Map(), notes)
  const stack = configuration.sections.has('Thread') ? threads.get('stacksize') : undefined
  return {
    texts: new Map(Array.from(options, ([name, value]) => [name, optionText(value) ?? ''])),
    commands: [
      ...(stack === undefined ? [] : [['set', 'thread', { stacksize: stack }]]),
      ...Array.from(options, ([name, value]) => ['set', name, value]).filter(([, name]) => !ofClient.has(String(name))),
    ],
  }
}

/** Bans of before are remembered for a day where nobody says for how long. */
function checkTime(configuration: Configuration, text: string, notes: BailiffError[]): void {
  try {
    timeText(text)
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    const where = configuration.whereIs('Definition', 'dbpurgeage')
    notes.push(treeProblem(`${error.message}, so it is a day`, where, error.hint))
  }
}
