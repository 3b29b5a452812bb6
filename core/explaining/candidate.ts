import type { Prefix } from '../address.ts'
import { isPattern, PathPattern } from '../intake/path-pattern.ts'
import { compileSettings } from '../compiled-settings.ts'
import { placeOf } from '../jails.ts'
import { filterLanguage } from '../matching/filter-language.ts'
import type { CompiledFilter } from '../plugin.ts'
import type { FilterDefinition, FilterSettings } from '../settings/filter-file.ts'
import { inMode } from '../settings/filter-modes.ts'
import type { DateSettings, JailSettings } from '../settings/jail.ts'
import type { PluginUse } from '../settings/plugin-use.ts'
import type { TreeCandidate } from './tree-candidate.ts'

/** A jail that a line is led through: one that is on, one that is off, or a filter that no jail uses. */
export interface Candidate {
  readonly jail: string
  readonly state: 'on' | 'observe' | 'off' | 'unused'
  readonly filter: CompiledFilter
  readonly settings: FilterSettings
  readonly definition: FilterDefinition
  /** What the jail says of dates. */
  readonly dates: DateSettings | undefined
  /** Where the jail is written, or the filter (`file:line`). */
  readonly place: string
  /** The files it reads, patterns as they are; null: no files. */
  readonly files: readonly string[] | null
  /** Whom it believes when they say for whom they speak. */
  readonly proxies: readonly Prefix[]
  /** Where it is a jail of a Fail2ban tree: what stands in the place of its filter. */
  readonly tree?: TreeCandidate
}

/** A jail of the configuration. Throws a BailiffError where its filter does not compile. */
export function jailCandidate(jail: JailSettings, state: 'on' | 'off'): Candidate {
  return {
    jail: jail.name,
    state: state === 'on' && jail.mode === 'observe' ? 'observe' : state,
    filter: compileSettings(jail.filter, filterLanguage, jail.dates),
    dates: jail.dates,
    settings: jail.filter,
    definition: jail.filterDefinition,
    place: placeOf(jail.where),
    files: filesOf(jail),
    proxies: jail.ignore.proxies ?? [],
  }
}

/** A filter that no jail has, in its usual mode. */
export function unusedCandidate(definition: FilterDefinition): Candidate {
  const settings = inMode(definition, 'normal', definition.where)
  const filter = compileSettings(settings, filterLanguage)
  return {
    jail: definition.name,
    state: 'unused',
    filter,
    settings,
    definition,
    dates: undefined,
    place: definition.where.file,
    files: null,
    proxies: [],
  }
}

/** The same with the filter in another mode. */
export function inOtherMode(candidate: Candidate, mode: string): Candidate {
  const settings = inMode(candidate.definition, mode, candidate.definition.where)
  return { ...candidate, settings, filter: compileSettings(settings, filterLanguage, candidate.dates) }
}

/** Whether a jail that reads these files reads the log. */
export function followsLog(files: readonly string[] | null, log: string): boolean {
  return files?.some((file) => file === log || means(file, log)) ?? false
}

/** The files that sources read, patterns as they are; null: they read none. */
export function filesOf({ sources }: { readonly sources: readonly PluginUse[] }): readonly string[] | null {
  const paths = sources.flatMap(({ plugin, options }) => {
    if (plugin !== 'file') return []
    const { path } = Object(options) as { readonly path?: unknown }
    return [path].flat().filter((one): one is string => typeof one === 'string')
  })
  return paths.length > 0 ? paths : null
}

/** Whether a pattern means the log. */
function means(pattern: string, log: string): boolean {
  try {
    return isPattern(pattern) && new PathPattern(pattern).matches(log)
  } catch {
    return false
  }
}
