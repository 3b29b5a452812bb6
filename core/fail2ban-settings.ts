/** Makes settings of the agent of a Fail2ban configuration: its jails beside those of a configuration of our own. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { BailiffError, quote, type Where } from './errors.ts'
import { portsOfTreeJail } from './fail2ban-ports.ts'
import { banLengthening } from './fail2ban/counting/ban-lengthening.ts'
import type { GateRules } from './fail2ban/counting/gate-rules.ts'
import type { FilterTexts } from './fail2ban/lines/filter-texts.ts'
import { sourcesOf, tailed, withoutLogs } from './fail2ban/running/jail-sources.ts'
import { OptionPlaces } from './fail2ban/running/option-place.ts'
import { logOf } from './fail2ban/running/server-options.ts'
import { timeText } from './fail2ban/tree/time-text.ts'
import { readTree, type Fail2banTree } from './fail2ban/tree/tree.ts'
import type { TreeJail } from './fail2ban/tree/tree-jail.ts'
import type { Fail2banCounting } from './judging/fail2ban-counting.ts'
import type { FilterDefinition } from './settings/filter-file.ts'
import type { JailSettings } from './settings/jail.ts'
import type { Settings } from './settings/load-settings.ts'
import type { PluginUse } from './settings/plugin-use.ts'

/** What a jail of a Fail2ban tree has in the place of patterns, dates, ignore list and window of our own. */
export interface TreeParts {
  /** Null: it has no filter, so it bans by hand only. */
  readonly texts: FilterTexts | null
  readonly gate: GateRules
  readonly counting: Fail2banCounting
  /** Logs of which nothing counts that was there before the first start. */
  readonly tailed: readonly string[]
  /** As it was read: what `status` shows of it. */
  readonly tree: TreeJail
  /** Its actions as it names them, which are not run. */
  readonly actionLines: readonly string[]
  /** Where the configuration is. */
  readonly folder: string
}

const daySeconds = 86_400

/** A jail of a Fail2ban tree as settings. */
export interface TreeJailSettings extends JailSettings {
  readonly fail2ban: TreeParts
}

/**
 * The settings `base` with the jails of the Fail2ban configuration in `folder` beside its own. A jail that cannot run
 * is left out and told in `problems`. Who only observes writes nothing to Fail2ban's own log, which a running one
 * may have. Rejects with a BailiffError where there is no such configuration.
 */
export async function addFail2banJails(folder: string, base: Settings, observe: boolean): Promise<Settings> {
  const tree = await readTree(folder)
  const problems: BailiffError[] = [...base.problems, ...tree.problems]
  const warnings: BailiffError[] = [...base.warnings, ...tree.warnings]
  const places = new OptionPlaces(folder)
  const jails: TreeJailSettings[] = []
  const broken: string[] = []
  for (const jail of tree.jails) {
    const at = (option: string) => places.ofJail(jail.name, option)
    const noLogs = withoutLogs(jail, at)
    if (noLogs !== null) warnings.push(noLogs)
    if (noLogs !== null && jail.skipIfNologs) continue
    warnings.push(...oddities(jail, at, (option) => places.ofFilter(jail.name, jail.filter?.name ?? '', option)))
    try {
      if (base.jails.some(({ name }) => name === jail.name)) throw twice(jail, base, at('enabled'))
      jails.push(settingsOf(jail, { folder, tree, base, problems, warnings, places, at }))
    } catch (error) {
      if (!(error instanceof BailiffError)) throw error
      problems.push(error)
      broken.push(jail.name)
    }
  }
  return {
    ...base,
    file: base.files.length === 0 ? folder : base.file,
    files: [...base.files, ...treeFiles(folder)],
    jails: [...base.jails, ...jails],
    broken: [...base.broken, ...unread(tree), ...broken],
    ownLog: base.ownLog ?? (observe || base.observe ? null : ownLogOf(tree, places, warnings)),
    problems,
    warnings,
  }
}

/** What Fail2ban takes in silence, or tells its log alone, though it is hardly meant. */
function oddities({ filter, options }: TreeJail, at: (option: string) => Where, atFilter: typeof at): BailiffError[] {
  const odd: BailiffError[] = []
  if (filter !== null && filter.texts.failregex.length === 0)
    odd.push(
      new BailiffError('config', 'there is no failregex, so the jail finds nothing', { where: atFilter('failregex') }),
    )
  const { usedns } = options
  if (usedns !== undefined && !/^(?:yes|warn|no|raw)$/i.test(usedns))
    odd.push(
      new BailiffError('config', `${quote(usedns)} is none of yes, warn, no and raw, so it is no`, {
        where: at('usedns'),
      }),
    )
  return odd
}

interface Surroundings {
  readonly folder: string
  readonly tree: Fail2banTree
  readonly base: Settings
  readonly problems: BailiffError[]
  readonly warnings: BailiffError[]
  readonly places: OptionPlaces
  /** Where an option of the jail stands. */
  readonly at: (option: string) => Where
}

function settingsOf(jail: TreeJail, around: Surroundings): TreeJailSettings {
  const { folder, tree, base, problems, warnings, places, at } = around
  const { name } = jail
  checkName(jail, at('enabled'))
  const where: Where = { file: folder, option: `[${name}]` }
  const uses = sourcesOf(jail, at).map(({ plugin, options }): PluginUse => ({
    kind: 'source',
    plugin,
    options,
    where,
    optionsAt: {},
  }))
  const { inMode, ...definition } = emptyFilter(jail.filter?.name ?? name, where)
  const regexAt = places.ofFilter(name, definition.name, 'failregex')
  const failregex = (jail.filter?.texts.failregex ?? []).map((text) => ({ text, where: regexAt }))
  return {
    name,
    where,
    mode: 'enforce',
    // Not run, but bans keep which of them found their lines.
    filter: { ...inMode, failregex },
    filterDefinition: definition,
    sources: uses,
    bansOf: null,
    sourceChoice: null,
    dates: { datepattern: null, timezone: null },
    ports: portsOfTreeJail(jail, { problems, warnings, at }),
    maxretry: jail.maxretry,
    findtimeMs: jail.findtime * 1000,
    bantime: { baseMs: jail.bantime < 0 ? null : jail.bantime * 1000, increment: false, factor: 1, maxMs: null },
    ipv6prefix: 128,
    actions: base.usual.actions,
    notifiers: base.usual.notifiers,
    ignore: { prefixes: [], names: [], self: false, places: {}, proxies: [] },
    fail2ban: partsOf(jail, tree, folder, at),
  }
}

function partsOf(jail: TreeJail, { server }: Fail2banTree, folder: string, at: (option: string) => Where): TreeParts {
  const { bantimeExtra, filter, ignorecache } = jail
  const { maxtime: maxtimeSeconds, rndtime: rndtimeSeconds, overalljails } = bantimeExtra
  return {
    texts: filter?.texts ?? null,
    gate: {
      name: jail.name,
      usedns: filter?.texts.usedns ?? 'warn',
      ignoreip: jail.ignoreip,
      ignoreself: jail.ignoreself,
      ignorecommand: jail.ignorecommand ?? '',
      ignorecache: ignorecache && { ...ignorecache, maxTimeSeconds: ignorecache.maxTime },
      bantimeSeconds: jail.bantime,
    },
    counting: {
      maxmatches: jail.maxmatches ?? jail.maxretry,
      lengthen: placed(() => banLengthening({ ...bantimeExtra, maxtimeSeconds, rndtimeSeconds }), at),
      overalljails,
      purgeAgeSeconds: purgeAge(server.dbpurgeage),
    },
    tailed: tailed(jail),
    tree: jail,
    actionLines: linesOf(jail.options.action),
    folder,
  }
}

/** What is no time has been told by who read it. */
function purgeAge(text: string): number {
  try {
    return timeText(text)
  } catch {
    return daySeconds
  }
}

function linesOf(text = ''): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** Names of jails stand in file names, in the store and on command lines. */
function checkName({ name }: TreeJail, where: Where): void {
  if (/^[A-Za-z0-9][\w.-]{0,63}$/.test(name) && name !== 'manual') return
  const message = `${quote(name)} cannot be the name of a jail here; it has up to 64 letters, digits, dots, dashes and underscores, and is not "manual"`
  throw new BailiffError('config', message, { where })
}

function twice({ name }: TreeJail, base: Settings, where: Where): BailiffError {
  return new BailiffError('config', `there is a jail ${quote(name)} in ${base.file} too, and that one runs`, {
    where,
    hint: 'switch one of them off',
  })
}

/** The jails that are on and that the reader put aside. */
function unread({ jails, names, problems }: Fail2banTree): string[] {
  const read = new Set(jails.map(({ name }) => name))
  const named = new Set(problems.map(({ where }) => /^\[([^\]]+)\]/.exec(where?.option ?? '')?.[1]))
  return names.filter((name) => named.has(name) && !read.has(name))
}

/** The log that Fail2ban would write of itself; what of it is not done is told. */
function ownLogOf(tree: Fail2banTree, places: OptionPlaces, warnings: BailiffError[]): Settings['ownLog'] {
  const { target, level, format, odd } = logOf(tree)
  for (const [option, message] of odd)
    warnings.push(new BailiffError('config', message, { where: places.ofServer(option) }))
  return target && { target, level, format }
}

/** The files that the verdicts rest on. */
function treeFiles(folder: string): string[] {
  return ['.', 'fail2ban.d', 'jail.d', 'filter.d'].flatMap((part) =>
    namesIn(join(folder, part))
      .filter((name) => /\.(?:conf|local)$/.test(name))
      .map((name) => join(folder, part, name)),
  )
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted()
  } catch {
    return []
  }
}

/** Patterns and all that belongs to them are in `TreeParts`. */
function emptyFilter(name: string, where: Where): FilterDefinition & { readonly inMode: JailSettings['filter'] } {
  const samples = { match: [], pass: [], hostile: [] }
  const shared = {
    name,
    where,
    programs: null,
    prefregex: null,
    failregex: [],
    ignoreregex: [],
    structure: null,
    datepattern: null,
    samples,
  }
  return {
    ...shared,
    description: '',
    sources: [],
    forgeable: {},
    ports: [],
    ipv6prefix: 128,
    counts: 'lines',
    usual: {},
    modes: {},
    inMode: { ...shared, mode: 'normal' },
  }
}

/** An error that begins with the option, and knows no place, gets that of the option. */
function placed<T>(make: () => T, at: (option: string) => Where): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof BailiffError) || error.where?.file !== undefined) throw error
    const { kind, message, hint } = error
    const [, option = 'bantime', what = message] = /^(bantime\.\w+): (.*)$/s.exec(message) ?? []
    throw new BailiffError(kind, what, { where: at(option), cause: error, ...(hint ? { hint } : {}) })
  }
}
