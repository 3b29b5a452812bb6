/** Compiled filters of the package, and what compiles all others. */
import { sourceOf } from './compiled-settings.ts'
import type { FilterLanguage } from './matching/filter-language.ts'
import type { FilterSource } from './matching/filters.ts'
import type { CompiledFilter } from './plugin.ts'
import type { FilterDefinition, FilterSettings } from './settings/filter-file.ts'
import { inMode } from './settings/filter-modes.ts'
import type { DateSettings } from './settings/jail.ts'
import type { KeptValues } from './settings/kept-values.ts'
import { preparedFilter, preparedMode, writePrepared } from './settings/prepared-files.ts'

/** A filter, and what a jail with it says of dates. */
export interface FilterUse {
  readonly filter: FilterSettings
  readonly dates?: DateSettings | undefined
}

/**
 * What makes these filters, and no others, ready as `filterLanguage` does, which is loaded only where
 * something of them was neither prepared nor `kept`.
 */
export async function languageFor(uses: readonly FilterUse[], kept: KeptValues | null = null): Promise<FilterLanguage> {
  const ready = new Map(uses.flatMap(({ filter }) => preparedOf(filter) ?? keptOf(filter, kept)))
  const find = (source: FilterSource) => ready.get(JSON.stringify(source))
  const isReady = ({ filter, dates }: FilterUse) =>
    filter.datepattern === null && (dates?.datepattern ?? null) === null && find(sourceOf(filter)) !== undefined
  const { filterLanguage } = uses.every(isReady)
    ? { filterLanguage: noLanguage }
    : await import('./matching/filter-language.ts')
  return { ...filterLanguage, compileFilter: (source) => find(source) ?? keeping(source, filterLanguage, kept) }
}

/** The build writes down what a filter of the package is, and what comes of it in each of its modes. */
export function prepareFilter(file: string, definition: FilterDefinition, { compileFilter }: FilterLanguage): void {
  const modes = Object.keys(definition.modes)
  const compiled = modes.map((mode) => [mode, compileFilter(sourceOf(inMode(definition, mode, definition.where)))])
  writePrepared(file, definition, Object.fromEntries(compiled) as Record<string, CompiledFilter>)
}

/** A compiled filter, and the source that it was made of. */
type Ready = readonly [source: string, CompiledFilter]

function preparedOf(filter: FilterSettings): readonly Ready[] | null {
  const definition = preparedFilter(filter.where.file)
  const compiled = preparedMode(filter.where.file, filter.mode) as CompiledFilter | null
  if (definition === null || compiled === null) return null
  // Not the source of the filter that is asked for: somebody may have added to it.
  return [[JSON.stringify(sourceOf(inMode(definition, filter.mode, definition.where))), compiled]]
}

function keptOf(filter: FilterSettings, kept: KeptValues | null): readonly Ready[] {
  const source = JSON.stringify(sourceOf(filter))
  const compiled = kept?.read(way, source) as CompiledFilter | null | undefined
  return compiled ? [[source, compiled]] : []
}

function keeping(source: FilterSource, language: FilterLanguage, kept: KeptValues | null): CompiledFilter {
  const compiled = language.compileFilter(source)
  kept?.write(way, JSON.stringify(source), compiled)
  return compiled
}

const way = 'compiled'

const noLanguage: FilterLanguage = { compileFilter: refuse, compileDates: refuse }

function refuse(): never {
  throw new Error('this is none of the filters that were asked for')
}
