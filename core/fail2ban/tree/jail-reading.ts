import { BailiffError, quote, suggest } from '../../errors.ts'
import type { Configuration, OptionValue } from './configuration.ts'
import { Definition } from './definition.ts'
import { actionKinds, filterKinds, firstJailKinds, jailKinds, noLogKinds } from './kinds.ts'
import { kindsOf, readOptions } from './option-kinds.ts'
import { OptionSyntaxError, splitList, splitOptions, type NamedOptions } from './option-syntax.ts'
import { joinPath } from './path-pattern.ts'
import { JailLeftOut } from './problem.ts'
import { pythonLiteral, strip } from './python-text.ts'
import type { NamedConfiguration, TreeFiles } from './tree-files.ts'
import type { VersionRules } from './version-rules.ts'

/** A jail as its files say, with the filter and the actions it names. */
export interface JailReading {
  readonly name: string
  readonly options: ReadonlyMap<string, OptionValue>
  /** `skip_if_nologs`, `systemd_if_nologs`. */
  readonly noLogs: ReadonlyMap<string, OptionValue>
  readonly filter: UsedDefinition | null
  readonly actions: readonly (UsedDefinition | PythonAction)[]
}

/** A filter or an action with a file of `[Definition]`. */
export interface UsedDefinition {
  readonly name: string
  readonly file: string
  /** What the jail passes in brackets. */
  readonly passed: ReadonlyMap<string, string>
  readonly definition: Definition
}

/** An action that is a Python program. */
export interface PythonAction {
  readonly name: string
  readonly file: string
  readonly path: string
  readonly passed: ReadonlyMap<string, string>
}

/** What is known while the jails of a tree are read. */
export interface JailsOfTree {
  readonly files: TreeFiles
  readonly jails: Configuration
  readonly rules: VersionRules
  /** Takes what is hardly meant. */
  readonly notes: BailiffError[]
}

/** What decides how a jail is read. Throws a BailiffError where that cannot be made out. */
export function readFirstOptions(jails: Configuration, name: string): Map<string, OptionValue> {
  return readOptions(jails, name, firstJailKinds, new Map(), [])
}

/** Whether a jail says that it is enabled. Throws a BailiffError where that cannot be made out. */
export function isEnabled({ jails }: JailsOfTree, name: string): boolean {
  return readOptions(jails, name, kindsOf(['enabled', 'bool', false]), new Map(), []).get('enabled') === true
}

/**
 * Reads a jail, its filter and its actions. What its filter says is from then on in its section as `known/OPTION`.
 * Throws a BailiffError, of which a `JailLeftOut` is one that Fail2ban itself goes on with.
 */
export function readJail(tree: JailsOfTree, name: string, passed = ''): JailReading {
  const { jails, notes } = tree
  const first = readFirstOptions(jails, name)
  const filter = first.get('filter') ? readFilter(tree, name, text(first, 'filter') + passed, first) : null
  const options = readOptions(jails, name, jailKinds, new Map(), notes)
  filter?.definition.read(options)
  const actions = splitList(text(options, 'action'), tree.rules.optionNames)
    .map(strip)
    .filter((one) => one !== '')
    .map((one) => readAction(tree, name, one, options))
  return { name, options, noLogs: readOptions(jails, name, noLogKinds, new Map(), []), filter, actions }
}

function readFilter(
  tree: JailsOfTree,
  jail: string,
  written: string,
  options: ReadonlyMap<string, OptionValue>,
): UsedDefinition {
  const { name, options: passed } = named(tree, jail, 'filter', written)
  const file = joinPath('filter.d', name)
  const found = tree.files.named(file)
  if (!found.isFound) throw leftOut(tree, jail, 'filter', name, found)
  noteFiles(tree, found)
  const definition = definitionOf(found, filterKinds, new Map(passed), tree.rules)
  if (!definition.parameters.get('logtype') && !definition.defines('logtype'))
    definition.parameters.set('logtype', text(options, 'backend').startsWith('systemd') ? 'journal' : 'file')
  definition.read(options, true)
  // With what counts of the filter, jails go on: %(known/failregex)s.
  const where = tree.jails.whereIs(jail, 'filter')
  const known = [...definition.combined([], [])].filter(([option]) => !option.startsWith('known/'))
  tree.jails.merge(
    jail,
    new Map(known.map(([option, value]) => [`known/${option}`, { text: pythonText(value), where }])),
  )
  return { name, file, passed, definition }
}

function readAction(tree: JailsOfTree, jail: string, written: string, options: ReadonlyMap<string, OptionValue>) {
  const { name, options: passed } = named(tree, jail, 'action', written)
  const file = joinPath('action.d', name)
  if (name.endsWith('.py')) {
    const others = new Map([...passed].filter(([option]) => option !== 'actname'))
    const path = joinPath(joinPath(tree.files.folder, 'action.d'), name)
    return { name: passed.get('actname') ?? name.slice(0, -'.py'.length), file, path, passed: others }
  }
  const found = tree.files.named(file)
  const parameters = withNames(passed, name, jail)
  if (!found.isFound) throw leftOut(tree, jail, 'action', name, found)
  noteFiles(tree, found)
  const definition = definitionOf(found, actionKinds, parameters, tree.rules)
  definition.read(options)
  return { name: parameters.get('actname') ?? name, file, passed, definition }
}

/** Jails share files, and each is told of once. */
function noteFiles({ notes }: JailsOfTree, found: NamedConfiguration): void {
  for (const note of found.notes) if (!notes.includes(note)) notes.push(note)
}

/** An action is called as its file, and with the name it is given where that is not the jail's. */
function withNames(passed: ReadonlyMap<string, string>, file: string, jail: string): Map<string, string> {
  const name = passed.get('name') ?? jail
  const suffix = name.startsWith(jail) ? name.slice(jail.length) : `-${name}`
  const parameters = new Map(passed).set('name', name)
  return parameters.set('actname', passed.get('actname') ?? file + suffix)
}

function definitionOf(
  found: NamedConfiguration,
  kinds: typeof filterKinds,
  parameters: Map<string, string>,
  rules: VersionRules,
): Definition {
  const [fault] = found.faults
  if (fault !== undefined) throw fault.error
  return new Definition(found.configuration, kinds, parameters, rules)
}

function named(tree: JailsOfTree, jail: string, option: 'filter' | 'action', written: string): NamedOptions {
  try {
    return splitOptions(written, tree.rules.optionNames)
  } catch (error) {
    if (!(error instanceof OptionSyntaxError)) throw error
    throw new JailLeftOut(
      `Invalid ${option} definition ${pythonLiteral(written)}: ${error.message}`,
      `${quote(written)} is no ${option}: ${error.message}`,
      tree.jails.whereIs(jail, option),
      `write ${option} = name[option=value, other="value, with a comma"]`,
    )
  }
}

function leftOut(
  tree: JailsOfTree,
  jail: string,
  option: 'filter' | 'action',
  name: string,
  found: NamedConfiguration,
) {
  const [note] = found.notes
  const why = note === undefined ? `there is no ${option}.d/${name}.conf` : note.message
  const meant = note === undefined ? suggest(name, tree.files.namesIn(`${option}.d`)) : undefined
  return new JailLeftOut(
    `Unable to read ${option === 'filter' ? 'the filter' : 'action'} ${pythonLiteral(name)}`,
    `the ${option} ${quote(name)} cannot be read: ${why}`,
    note?.where ?? tree.jails.whereIs(jail, option),
    meant === undefined ? `add ${option}.d/${name}.conf to the folder, or correct the name` : `did you mean ${meant}?`,
  )
}

function text(options: ReadonlyMap<string, OptionValue>, name: string): string {
  const value = options.get(name)
  return typeof value === 'string' ? value : ''
}

function pythonText(value: OptionValue): string {
  return typeof value === 'string' ? value : pythonLiteral(value)
}
