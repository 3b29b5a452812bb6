/** Makes a jail of what the configuration says about it, its filter and the defaults. */
import { dirname, resolve } from 'node:path'
import type * as z from 'zod'
import type { Prefix } from '../address.ts'
import { BailiffError, quote, suggest, type Where } from '../errors.ts'
import type { Ports } from '../events.ts'
import {
  datePatterns,
  defineFilter,
  type FilterDefinition,
  type FilterSettings,
  type PatternText,
  type UsualCounting,
} from './filter-file.ts'
import { inMode } from './filter-modes.ts'
import { isFilterPath, type FilterLibrary } from './filter-library.ts'
import { usualBantime, type Bantime, type Ignored, type NamedPlugin } from './option-kinds.ts'
import { pluginUse, pluginUses, type PluginKind, type PluginUse } from './plugin-use.ts'
import { toPorts } from './port-names.ts'
import { fileSchema, filterChoice, jailSchema } from './schema.ts'
import { isRecord, type Sourced } from './sourced.ts'
import { usualSource } from './usual-source.ts'
import { validate } from './validate.ts'

/** A jail that is switched on. Plain data; all defaults are filled in. */
export interface JailSettings {
  readonly name: string
  readonly where: Where
  /** `observe`: counts and tells, bans nobody. */
  readonly mode: 'enforce' | 'observe'
  readonly filter: FilterSettings
  /** The whole filter, of which `filter` is one mode. */
  readonly filterDefinition: FilterDefinition
  /** At least one, unless it counts bans. */
  readonly sources: readonly PluginUse[]
  /** Whose bans it counts in place of lines; null: it reads lines. */
  readonly bansOf: CountedBans | null
  /** Why this one of the usual sources of the filter; null where the configuration names sources. */
  readonly sourceChoice: string | null
  /** How the dates of its lines are read, where the jail or the defaults say so. */
  readonly dates: DateSettings
  readonly ports: Ports
  readonly maxretry: number
  readonly findtimeMs: number
  readonly bantime: Bantime
  /** 64: IPv6 networks of which several addresses fail are banned as a whole; 128: only single addresses are. */
  readonly ipv6prefix: 64 | 128
  /** Each once, in the order of the configuration. */
  readonly actions: readonly PluginUse[]
  /** Who is told of this jail, beside those who are told of everything. */
  readonly notifiers: readonly PluginUse[]
  readonly ignore: IgnoreSettings
}

/** The bans that a jail counts. */
export interface CountedBans {
  /** The jails whose bans count; null: all that read lines. */
  readonly jails: readonly string[] | null
}

/** How dates are read, beside what the filter says. */
export interface DateSettings {
  /** In place of what the filter says; null: as the filter says. */
  readonly datepattern: readonly PatternText[] | null
  /** The zone of dates that name none, known to this runtime; null: the host's. */
  readonly timezone: string | null
}

/** Whom a jail never bans. */
export interface IgnoreSettings {
  readonly prefixes: readonly Prefix[]
  /** Host names in lower case. */
  readonly names: readonly string[]
  /** Whether the addresses of this machine are spared. */
  readonly self: boolean
  /** Where each prefix and name stands. */
  readonly places: Readonly<Record<string, Where>>
  /** Trusted proxies: what they say of whom they speak for is believed. */
  readonly proxies: readonly Prefix[]
}

/** The checked file, as zod gives it. */
export type RawFile = z.output<typeof fileSchema>
type RawJail = z.output<typeof jailSchema>

/** Whether the jail at `jails.NAME` is switched off. */
export function isJailOff(name: string, tree: Sourced): boolean {
  const enabled = tree.at('jails', name, 'enabled').value
  return enabled === false || enabled === 'off'
}

/**
 * Reads the jail at `jails.NAME` of the configuration, as if it were on. Returns undefined where something
 * is wrong with it or its filter; that is then added to `problems`.
 */
export async function readJail(
  name: string,
  file: { readonly raw: RawFile; readonly tree: Sourced },
  filters: FilterLibrary,
  problems: BailiffError[],
): Promise<JailSettings | undefined> {
  const before = problems.length
  const given = file.tree.at('jails', name)
  checkName(name, given, problems)
  const raw = validate(jailSchema, given, problems)
  if (raw === undefined) return undefined
  const chosen = await filterOf(name, given, filters, problems)
  if (chosen === undefined) return undefined
  const { definition, filter } = chosen
  const jail: JailSettings = {
    name,
    where: given.where(),
    mode: raw.mode ?? 'enforce',
    filter,
    filterDefinition: definition,
    ...(definition.counts === 'bans' ? noSources(given, problems) : sourcesOf(raw, definition, given, problems)),
    bansOf: bansOf(raw, definition, file.tree, given, problems),
    dates: {
      datepattern: datePatterns(raw.datepattern, given),
      timezone: raw.timezone ?? file.raw.defaults?.timezone ?? null,
    },
    ports: portsOf(raw, definition, given, problems),
    ...judgingOf(raw, definition.usual, file.raw.defaults ?? {}),
    ipv6prefix: raw.ipv6prefix ?? definition.ipv6prefix ?? file.raw.defaults?.ipv6prefix ?? 64,
    ...pluginsOf(raw, file.raw.defaults ?? {}, given, file.tree.at('defaults')),
    ignore: ignoreOf(file, raw, given),
  }
  return problems.length > before ? undefined : jail
}

/** Names of jails stand in file names, in the store and on command lines. */
function checkName(name: string, given: Sourced, problems: BailiffError[]): void {
  const where = given.whereKey()
  if (name === 'manual')
    problems.push(new BailiffError('config', 'no jail can be called manual: bans by hand are', { where }))
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name))
    problems.push(
      new BailiffError(
        'config',
        `${quote(name)} cannot be the name of a jail; it has up to 64 letters, digits, dots, dashes and underscores`,
        { where },
      ),
    )
}

/** The filter that a jail names or contains, in the mode it names. */
export async function filterOf(
  jail: string,
  given: Sourced,
  filters: FilterLibrary,
  problems: BailiffError[],
): Promise<{ readonly definition: FilterDefinition; readonly filter: FilterSettings } | undefined> {
  const { value } = given.at('filter')
  const isChoice = isRecord(value) && ('name' in value || 'mode' in value)
  const choice = isChoice ? validate(filterChoice, given.at('filter'), problems) : { name: value ?? jail }
  if (choice === undefined) return undefined
  const definition = isRecord(choice.name)
    ? await filters.located(defineFilter(given.at('filter'), jail, problems), problems)
    : await namedFilter(choice.name ?? jail, given, filters, problems)
  const mode = ('mode' in choice ? choice.mode : undefined) ?? 'normal'
  if (definition === undefined) return undefined
  const filter = orProblem(() => inMode(definition, mode, given.where('filter', 'mode')), problems)
  return filter && { definition, filter }
}

async function namedFilter(
  name: unknown,
  given: Sourced,
  filters: FilterLibrary,
  problems: BailiffError[],
): Promise<FilterDefinition | undefined> {
  const where = given.at('filter').value === undefined ? given.whereKey() : given.where('filter')
  if (typeof name !== 'string') {
    const message = `must be the name of a filter, its path or a map, not ${quote(name)}`
    problems.push(new BailiffError('config', message, { where }))
    return undefined
  }
  if (!isFilterPath(name)) return filters.byName(name, where, problems)
  return filters.byFile(resolve(dirname(where.file), name), problems)
}

function sourcesOf(
  raw: RawJail,
  filter: FilterDefinition,
  given: Sourced,
  problems: BailiffError[],
): Pick<JailSettings, 'sources' | 'sourceChoice'> {
  const named = [
    ...(raw.source === undefined ? [] : [pluginUse('source', raw.source, given.at('source'))]),
    ...pluginUses('source', raw.sources ?? [], given.at('sources')),
  ]
  if (named.length > 0) return { sources: named, sourceChoice: null }
  const usual = usualSource(filter.sources)
  if (usual === null)
    problems.push(
      new BailiffError('config', `the filter ${quote(filter.name)} knows no usual source: name one`, {
        where: given.where(),
        hint: `jails: { ${given.path.at(-1)}: { source: /var/log/… } }`,
      }),
    )
  return { sources: usual === null ? [] : [usual.use], sourceChoice: usual?.why ?? null }
}

function noSources(given: Sourced, problems: BailiffError[]): Pick<JailSettings, 'sources' | 'sourceChoice'> {
  for (const option of ['source', 'sources', 'datepattern'])
    if (given.at(option).value !== undefined)
      problems.push(
        new BailiffError('config', `the jail counts bans and reads no lines: leave ${option} out`, {
          where: given.whereKey(option),
        }),
      )
  return { sources: [], sourceChoice: null }
}

/** Whose bans the jail counts: others that there are, and never its own, for a ban must not lead to itself. */
function bansOf(
  raw: RawJail,
  filter: FilterDefinition,
  tree: Sourced,
  given: Sourced,
  problems: BailiffError[],
): CountedBans | null {
  const own = String(given.path.at(-1))
  const others = tree
    .at('jails')
    .keys()
    .filter((name) => name !== own)
  const wrong = (message: string, where: Where) => problems.push(new BailiffError('config', message, { where }))
  if (filter.counts !== 'bans') {
    if (raw.jails !== undefined)
      wrong(`the filter ${quote(filter.name)} reads lines and counts no bans: leave jails out`, given.whereKey('jails'))
    return null
  }
  for (const [index, name] of (raw.jails ?? []).entries()) {
    if (others.includes(name)) continue
    const meant = suggest(name, others)
    const known = meant ? `did you mean ${meant}?` : `there are ${others.join(', ') || 'none'}`
    const where = given.where('jails', ...(Array.isArray(given.at('jails').value) ? [index] : []))
    wrong(name === own ? 'a jail cannot count its own bans' : `there is no jail ${quote(name)}; ${known}`, where)
  }
  return { jails: raw.jails ?? null }
}

function portsOf(raw: RawJail, filter: FilterDefinition, given: Sourced, problems: BailiffError[]): Ports {
  const ports = raw.ports ?? filter.ports
  if (ports.length === 0 && raw.protocol !== undefined)
    problems.push(
      new BailiffError('config', 'a ban of all ports covers all protocols: leave protocol out, or name ports', {
        where: given.where('protocol'),
      }),
    )
  return toPorts(ports, raw.protocol ?? 'tcp')
}

type RawJudging = NonNullable<RawFile['defaults']>

function judgingOf(
  raw: RawJail,
  usualOfFilter: UsualCounting,
  defaults: RawJudging,
): Pick<JailSettings, 'maxretry' | 'findtimeMs' | 'bantime'> {
  return {
    maxretry: raw.maxretry ?? usualOfFilter.maxretry ?? defaults.maxretry ?? 5,
    findtimeMs: raw.findtime ?? usualOfFilter.findtime ?? defaults.findtime ?? 600_000,
    bantime: raw.bantime ?? usualOfFilter.bantime ?? defaults.bantime ?? usualBantime,
  }
}

/** The plugins of jails that name none. */
export function usualPlugins(raw: RawFile, tree: Sourced): Pick<JailSettings, 'actions' | 'notifiers'> {
  return pluginsOf({}, raw.defaults ?? {}, tree, tree.at('defaults'))
}

function pluginsOf(
  raw: RawJail,
  defaults: RawJudging,
  given: Sourced,
  givenDefaults: Sourced,
): Pick<JailSettings, 'actions' | 'notifiers'> {
  const chosen = (kind: PluginKind, option: 'actions' | 'notifiers') =>
    raw[option] !== undefined
      ? pluginUses(kind, raw[option], given.at(option))
      : pluginUses(kind, defaults[option] ?? usual(option), givenDefaults.at(option))
  return {
    actions: eachOnce([...chosen('action', 'actions'), ...pluginUses('action', raw.also ?? [], given.at('also'))]),
    notifiers: eachOnce(chosen('notifier', 'notifiers')),
  }
}

function usual(option: 'actions' | 'notifiers'): readonly NamedPlugin[] {
  return option === 'actions' ? [{ plugin: 'firewall', options: {} }] : []
}

function eachOnce(uses: readonly PluginUse[]): PluginUse[] {
  const keyOf = ({ plugin, options }: PluginUse) => JSON.stringify([plugin, options])
  return [...new Map(uses.map((use) => [keyOf(use), use] as const)).values()]
}

function ignoreOf(
  { raw, tree }: { readonly raw: RawFile; readonly tree: Sourced },
  jail: RawJail,
  given: Sourced,
): IgnoreSettings {
  const own = jail.ignoreip
  const more = own ?? raw.defaults?.ignoreip ?? []
  const moreAt = own === undefined ? tree.at('defaults', 'ignoreip') : given.at('ignoreip')
  const all = [...placed(raw.ignoreip ?? [], tree.at('ignoreip')), ...placed(more, moreAt)]
  const proxies = jail.trusted_proxies ?? raw.defaults?.trusted_proxies ?? []
  return {
    prefixes: [...new Set(all.flatMap(({ one }) => ('prefix' in one ? [one.prefix] : [])))],
    names: [...new Set(all.flatMap(({ one }) => ('name' in one ? [one.name] : [])))],
    self: raw.ignoreself ?? true,
    proxies: [...new Set([...(raw.trusted_proxies ?? []), ...proxies])],
    // Of an entry that stands twice the first place is told.
    places: Object.fromEntries(
      all.toReversed().map(({ one, where }) => ['prefix' in one ? one.prefix : one.name, where]),
    ),
  }
}

function placed(ignored: readonly Ignored[], at: Sourced): { readonly one: Ignored; readonly where: Where }[] {
  return ignored.map((one, index) => ({ one, where: at.where(...(Array.isArray(at.value) ? [index] : [])) }))
}

function orProblem<T>(make: () => T, problems: BailiffError[]): T | undefined {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    problems.push(error)
    return undefined
  }
}
