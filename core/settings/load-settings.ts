/** The native configuration: `bailiff.yaml`, `conf.d/*.yaml` and `filters/*.yaml` beside it. */
import { dirname, join, resolve } from 'node:path'
import { BailiffError, type Where } from '../errors.ts'
import { FilterLibrary, yamlFiles } from './filter-library.ts'
import { withPackedJails, type TreeWithPackedJails } from './packed-jails.ts'
import { findConfig } from './find-config.ts'
import { InstalledPackages } from './installed-packages.ts'
import { isJailOff, readJail, usualPlugins, type JailSettings, type RawFile } from './jail.ts'
import type { Loopback } from './loopback.ts'
import { mergeOver, normalise } from './merge.ts'
import type { NamedPlugin } from './option-kinds.ts'
import { fileLog, type OwnLogSettings } from './own-log.ts'
import { builtInFilters, defaultPlaces, type Places } from './places.ts'
import { namesProgram, pluginUses, type PluginUse } from './plugin-use.ts'
import { fileSchema } from './schema.ts'
import type { Sourced } from './sourced.ts'
import { validate } from './validate.ts'
import { whoMayWrite } from './writable.ts'
import { parseYaml, readYaml } from './yaml-file.ts'

/** A path of a Unix socket is at most so long (sun_path of unix(7), less its NUL). */
const maxSocketPath = 107

/** What the agent is to do. Plain data; paths are absolute, lengths of time in ms. */
export interface Settings {
  /** The main file. */
  readonly file: string
  /** All files that were read: the main one first, then `conf.d`, then filters. */
  readonly files: readonly string[]
  /** The jails that are on and sound, in the order of the configuration. */
  readonly jails: readonly JailSettings[]
  /** The jails that are off and would be sound, where they were asked for. */
  readonly off: readonly JailSettings[]
  /** The names of the jails that are on but left out, because of `problems`. */
  readonly broken: readonly string[]
  /** What jails have that do not say. */
  readonly usual: Pick<JailSettings, 'actions' | 'notifiers'>
  /** Who is told of everything. */
  readonly notifiers: readonly PluginUse[]
  /** Whether nothing at all is enforced. */
  readonly observe: boolean
  /** The folder of bans, history and positions. */
  readonly state: string
  /** The folder of installed packages of plugins. */
  readonly plugins: string
  /** Bytes of memory that the process of a plugin may take. */
  readonly pluginMemoryBytes: number
  readonly control: string
  /** The user that the agent becomes when root starts it; null: not said. */
  readonly user: string | null
  /** Groups of that user beside its own; null: not said. */
  readonly groups: readonly string[] | null
  /** Where a firewall helper listens that somebody else runs; null: the agent starts its own. */
  readonly firewallSocket: string | null
  /** The user that the helper becomes; null: not said. */
  readonly firewallUser: string | null
  /** Where users and groups are named. */
  readonly accountsAt: Readonly<Record<'user' | 'groups' | 'firewallUser', Where>>
  /** Threads that match, at most; null: the agent decides. */
  readonly workers: number | null
  /** Bytes of memory that the agent makes do with. */
  readonly memoryBytes: number
  /** Where metrics are served beside the control socket; null: nowhere. */
  readonly metrics: Loopback | null
  /** The log in the form of Fail2ban's own; null: none is written. */
  readonly ownLog: OwnLogSettings | null
  /** How long bans are remembered after they ended. */
  readonly historyMs: number
  /** What is wrong with jails, which are left out for it. */
  readonly problems: readonly BailiffError[]
  /** What should be mended and stops nothing. */
  readonly warnings: readonly BailiffError[]
}

/** Thrown where nothing of a configuration can be used. Its own message is that of the first problem. */
export class InvalidSettings extends BailiffError {
  readonly problems: readonly BailiffError[]

  constructor(problems: readonly [BailiffError, ...BailiffError[]]) {
    const [first] = problems
    super(first.kind, first.message, {
      ...(first.where === undefined ? {} : { where: first.where }),
      ...(first.hint === undefined ? {} : { hint: first.hint }),
    })
    this.problems = problems
  }
}

/**
 * Finds, reads and checks the configuration. A broken jail or filter is left out and told in
 * `problems`. Throws a BailiffError where there is no configuration, where a file is no YAML or
 * something outside the jails is wrong (`InvalidSettings`, with all problems), and where a file that
 * anybody may write names programs.
 */
export async function loadSettings({
  file,
  places = defaultPlaces(),
  alsoOff = false,
}: {
  readonly file?: string
  readonly places?: Places
  /** Whether jails that are off are read as well. */
  readonly alsoOff?: boolean
}): Promise<Settings> {
  const main = await findConfig(file, places.configFolders)
  return settingsOf(main.file, await readTree(main.file, main.text), { places, alsoOff })
}

/** The settings of a configuration that says nothing, as if it stood at `file`. */
export function usualSettings(file: string, places: Places = defaultPlaces()): Promise<Settings> {
  const nothing = normalise(parseYaml('{}', file))
  return settingsOf(file, { tree: nothing, layers: [], files: [] }, { places, alsoOff: false })
}

async function settingsOf(
  main: string,
  given: ConfigurationTree,
  { places, alsoOff }: { readonly places: Places; readonly alsoOff: boolean },
): Promise<Settings> {
  const problems: BailiffError[] = []
  const plugins = pluginFolderOf(given.tree, places)
  const packages = new InstalledPackages(plugins)
  const filters = new FilterLibrary([join(dirname(main), 'filters'), builtInFilters], packages)
  const { tree, files, flaws } = await withPackedJails(given, packages, filters)
  const raw = validate(fileSchema, tree, problems)
  const control = resolve(folderOf(tree, 'control'), raw?.control ?? places.control)
  checkSocket(control, tree.where('control'), problems)
  if (raw === undefined || problems.length > 0) {
    await addProblemsOfJails({ tree, flaws }, filters, problems)
    const [first, ...others] = problems
    throw new InvalidSettings([first ?? unusable(main), ...others])
  }
  const { jails, broken } = await readJails({ raw, tree, flaws }, filters, problems)
  const off = alsoOff ? await readOffJails({ raw, tree }, filters) : []
  const notifiers = withLog(raw.notifiers ?? [], tree.at('notifiers'))
  const all = [...new Set([...files, ...filters.files, ...ownMatchers(jails)])]
  const uses = [...notifiers, ...jails.flatMap((jail) => [...jail.sources, ...jail.actions, ...jail.notifiers])]
  return {
    file: main,
    files: all,
    jails,
    off,
    broken,
    usual: usualPlugins(raw, tree),
    notifiers,
    observe: raw.observe ?? false,
    state: resolve(folderOf(tree, 'state'), raw.state ?? places.state),
    plugins,
    pluginMemoryBytes: (raw.plugin_memory ?? 256) * 1024 * 1024,
    control,
    user: raw.user ?? null,
    groups: raw.groups ?? null,
    firewallSocket:
      raw.firewall?.socket === undefined ? null : resolve(folderOf(tree, 'firewall'), raw.firewall.socket),
    firewallUser: raw.firewall?.user ?? null,
    accountsAt: {
      user: tree.where('user'),
      groups: tree.where('groups'),
      firewallUser: tree.where('firewall', 'user'),
    },
    workers: raw.workers ?? null,
    memoryBytes: (raw.memory ?? 256) * 1024 * 1024,
    metrics: raw.metrics ?? null,
    ownLog: raw.fail2ban_log === undefined ? null : fileLog(resolve(folderOf(tree, 'fail2ban_log'), raw.fail2ban_log)),
    historyMs: raw.history ?? 30 * 86_400_000,
    problems,
    warnings: await checkOwners(all, uses),
  }
}

/** Where packages of plugins are installed, whatever else a configuration says: named, or in the folder of the state. */
export function pluginFolderOf(tree: Sourced, places: Places = defaultPlaces()): string {
  const named = (option: string): string | null => {
    const { value } = tree.at(option)
    return typeof value === 'string' && value !== '' ? resolve(folderOf(tree, option), value) : null
  }
  return named('plugins') ?? join(named('state') ?? places.state, 'packages')
}

/** Every agent writes what happens to its own log, whoever else is told. */
function withLog(given: readonly NamedPlugin[], at: Sourced): readonly PluginUse[] {
  const uses = pluginUses('notifier', given, at)
  const own = uses.some(({ plugin }) => plugin === 'log')
    ? []
    : pluginUses('notifier', [{ plugin: 'log', options: {} }], at)
  return [...own, ...uses]
}

/** The main file with all of `conf.d` over it, in the order of their names. */
export async function readTree(main: string, text: string): Promise<ConfigurationTree> {
  const folder = join(dirname(main), 'conf.d')
  const added = (await yamlFiles(folder)).map((name) => join(folder, name))
  const first = normalise(parseYaml(text, main))
  const others: Sourced[] = []
  for (const file of added) others.push(normalise(await readYaml(file)))
  return { tree: others.reduce(mergeOver, first), layers: [first, ...others], files: [main, ...added] }
}

/** The files of a configuration, merged and each for itself, the main one first. */
export interface ConfigurationTree {
  readonly tree: Sourced
  readonly layers: readonly Sourced[]
  readonly files: readonly string[]
}

async function readJails(
  file: { readonly raw: RawFile } & Pick<TreeWithPackedJails, 'tree' | 'flaws'>,
  filters: FilterLibrary,
  problems: BailiffError[],
): Promise<{ jails: JailSettings[]; broken: string[] }> {
  const jails: JailSettings[] = []
  const broken: string[] = []
  for (const name of file.tree.at('jails').keys()) {
    if (isJailOff(name, file.tree)) continue
    const before = problems.length
    problems.push(...(file.flaws.get(name) ?? []))
    const jail = problems.length > before ? undefined : await readJail(name, file, filters, problems)
    if (jail !== undefined) jails.push(jail)
    else if (problems.length > before) broken.push(name)
  }
  return { jails, broken }
}

/** All that is wrong is told at once: the jails are looked at without the options that make the file unusable. */
async function addProblemsOfJails(
  { tree, flaws }: Pick<TreeWithPackedJails, 'tree' | 'flaws'>,
  filters: FilterLibrary,
  problems: BailiffError[],
): Promise<void> {
  const wrong = new Set(problems.map(({ where }) => /^[^.[]*/.exec(where?.option ?? '')?.[0] ?? ''))
  const rest = tree.without(wrong)
  const raw = validate(fileSchema, rest, [])
  if (raw !== undefined) await readJails({ raw, tree: rest, flaws }, filters, problems)
}

/** What is wrong with a jail that is off is nobody's concern. */
async function readOffJails(
  file: { readonly raw: RawFile; readonly tree: Sourced },
  filters: FilterLibrary,
): Promise<JailSettings[]> {
  const names = file.tree
    .at('jails')
    .keys()
    .filter((name) => isJailOff(name, file.tree))
  const read = await Promise.all(names.map((name) => readJail(name, file, filters, [])))
  return read.filter((jail) => jail !== undefined)
}

/** Files of matchers that are of no package; those of packages are held against what was installed. */
function ownMatchers(jails: readonly JailSettings[]): string[] {
  const named = jails.flatMap(({ filter: { matcher } }) => (matcher && matcher.schema === undefined ? [matcher] : []))
  return [...new Set(named.flatMap(({ file }) => file ?? []))]
}

/** Warns of files that others may change; throws where anybody may change one that names programs. */
async function checkOwners(files: readonly string[], uses: readonly PluginUse[]): Promise<BailiffError[]> {
  const warnings: BailiffError[] = []
  for (const file of files) {
    const who = await whoMayWrite(file, file === files[0] ? undefined : files[0])
    if (who === 'nobody') continue
    const hint = `chown root ${file} && chmod go-w ${file} ${dirname(file)}`
    const program = uses.find((use) => use.where.file === file && namesProgram(use))
    if (who === 'anybody' && program !== undefined)
      throw new BailiffError('config', 'names a program, in a file that anybody may change', {
        where: program.where,
        hint,
      })
    const whom = who === 'anybody' ? 'anybody' : 'another user or group'
    warnings.push(new BailiffError('config', `${whom} may change this file`, { where: { file }, hint }))
  }
  return warnings
}

/** Paths are relative to the file that an option stands in. */
function folderOf(tree: Sourced, option: string): string {
  return dirname(tree.where(option).file)
}

function checkSocket(path: string, where: Where, problems: BailiffError[]): void {
  if (Buffer.byteLength(path) > maxSocketPath)
    problems.push(new BailiffError('config', `the path of a socket has at most ${maxSocketPath} bytes`, { where }))
}

function unusable(file: string): BailiffError {
  return new BailiffError('config', 'cannot be used', { where: { file } })
}
