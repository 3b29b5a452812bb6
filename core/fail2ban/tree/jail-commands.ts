import type { BailiffError, Where } from '../../errors.ts'
import type { Command, CommandValue } from './command.ts'
import type { OptionValue } from './configuration.ts'
import type { JailReading, PythonAction, UsedDefinition } from './jail-reading.ts'
import { actionKinds, filterKinds } from './kinds.ts'
import { splitWords } from './option-syntax.ts'
import { exists, pathsOf } from './path-pattern.ts'
import { pythonJson } from './python-text.ts'
import { shellWords } from './shell-words.ts'
import type { VersionRules } from './version-rules.ts'

/** What a jail becomes. */
export interface JailCommands {
  readonly commands: Command[]
  /** True: no log is there and the jail says that it is left out then. */
  readonly isSkipped: boolean
}

/** Takes what is hardly meant, and knows where options of the jail stand. */
export interface CommandNotes {
  readonly notes: BailiffError[]
  readonly whereIs: (option: string) => Where | undefined
}

/**
 * The commands Fail2ban's reader makes of a jail, `start` left out: the filter's, those of the jail's own options, its
 * logs as they are now, its actions. Throws a BailiffError where tags or a `journalmatch` are wrong.
 */
export function jailCommands(jail: JailReading, rules: VersionRules, { notes, whereIs }: CommandNotes): JailCommands {
  const { name, options, filter } = jail
  const commands: Command[] = []
  const ofFilter = filter?.definition.combined([], notes) ?? new Map<string, OptionValue>()
  addFilterCommands(commands, ofFilter, name, whereIs)
  addFilterCommands(commands, options, name, whereIs)
  for (const [option, value] of options)
    if (option === 'ignoreip')
      commands.push(['set', name, 'addignoreip', ...splitWords(String(value), rules.splitsAtAnySpace)])
    else if (!notOfJail.has(option)) commands.push(['set', name, option, value])
  const backend = String(options.get('backend'))
  const isOfFiles = options.has('logpath') && !backend.startsWith('systemd')
  const logs = isOfFiles ? logCommands(jail) : []
  const isMissing = isOfFiles && logs.length === 0 && rules.mindsMissingLogs
  const hasJournal = (options.get('journalmatch') ?? ofFilter.get('journalmatch') ?? null) !== null
  const instead = isMissing ? insteadOfLogs(jail, backend, hasJournal) : 'nothing'
  if (instead === 'skip')
    return { commands: [['config-error', `Jail '${name}' skipped, because of missing log files.`]], isSkipped: true }
  const actions = jail.actions.flatMap((action) => actionCommands(action, name, notes))
  const add = ['add', name, instead === 'journal' ? 'systemd' : backend]
  return { commands: [add, ...commands, ...logs, ...actions], isSkipped: false }
}

/** Where a log is looked for, and from where it is read: `head` or `tail`. */
export function logPaths(text: string): { readonly glob: string; readonly from: string }[] {
  return text.split('\n').map((line) => {
    const blank = line.lastIndexOf(' ')
    return blank < 0 ? { glob: line, from: 'head' } : { glob: line.slice(0, blank), from: line.slice(blank + 1) }
  })
}

/** Options of a jail for which there is no command of that name, or one made elsewhere. */
const notOfJail = new Set(['action', 'filter', 'enabled', 'backend', 'logpath', 'ignoreip', ...filterKinds.keys()])

/** Tags that stay in the texts of actions: what they stand for is known when they run. */
const laterTags = ['matches', 'ipmatches', 'ipjailmatches', 'timeout', 'bantime']

/** Adds the commands of a filter's options, first those that all others need. */
function addFilterCommands(
  commands: Command[],
  options: ReadonlyMap<string, OptionValue>,
  jail: string,
  whereIs: CommandNotes['whereIs'],
): void {
  let first = 0
  for (const [option, value] of options) {
    if (value === null) continue
    if (option === 'failregex' || option === 'ignoreregex') {
      const patterns = String(value)
        .split('\n')
        .filter((one) => one !== '')
      const [only = ''] = patterns
      if (patterns.length > 1) commands.push(['multi-set', jail, `add${option}`, patterns])
      else if (patterns.length === 1) commands.push(['set', jail, `add${option}`, only])
    } else if (option === 'usedns' || option === 'maxlines' || option === 'prefregex') {
      commands.splice(option === 'usedns' ? 0 : first, 0, ['set', jail, option, value])
      first += 1
    } else if (option === 'journalmatch') {
      for (const line of String(value).split('\n'))
        if (line !== '') commands.push(['set', jail, 'addjournalmatch', ...shellWords(line, whereIs(option))])
    } else if (isPartOfDatepattern(option)) commands.push(['set', jail, option, value])
  }
}

/** Fail2ban asks whether the name is a part of this word, so options named `date` or `pattern` are sent, too. */
function isPartOfDatepattern(option: string): boolean {
  return 'datepattern'.includes(option)
}

/** What a jail without logs does; the journal comes first. */
function insteadOfLogs({ noLogs }: JailReading, backend: string, hasJournal: boolean): 'journal' | 'skip' | 'nothing' {
  if (backend.startsWith('auto') && hasJournal && noLogs.get('systemd_if_nologs') === true) return 'journal'
  return noLogs.get('skip_if_nologs') === true ? 'skip' : 'nothing'
}

function logCommands({ name, options }: JailReading): Command[] {
  return logPaths(String(options.get('logpath') ?? '')).flatMap(({ glob, from }) =>
    pathsOf(glob)
      .filter(exists)
      .map((path): Command => ['set', name, 'addlogpath', path, from]),
  )
}

function actionCommands(action: UsedDefinition | PythonAction, jail: string, notes: BailiffError[]): Command[] {
  const { name } = action
  if ('path' in action) return [['set', jail, 'addaction', name, action.path, pythonJson(action.passed)]]
  const add: Command = ['set', jail, 'addaction', name]
  const { definition } = action
  const properties: [string, CommandValue][] = [
    ...[...definition.combined(laterTags, notes)].filter(([option]) => actionKinds.has(option)),
    ...[...definition.parameters].filter(([option]) => !actionKinds.has(option) && !option.startsWith('known/')),
  ]
  const [only] = properties
  if (only === undefined) return [add]
  if (properties.length === 1) return [add, ['set', jail, 'action', name, ...only]]
  return [add, ['multi-set', jail, 'action', name, properties]]
}
