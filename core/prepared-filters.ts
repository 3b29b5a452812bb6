/** Compiled filters of the package, and what compiles all others. */
import { sourceOf } from './compiled-settings.ts'
import type { FilterLanguage } from './matching/filter-language.ts'
import type { FilterSource } from './matching/filters.ts'
import type { CompiledFilter } from './plugin.ts'
import type { FilterDefinition, FilterSettings } from './settings/filter-file.ts'
import { inMode } from './settings/filter-modes.ts'
import type { DateSettings } from './settings/jail.ts'
import { preparedFilter, preparedMode, writePrepared } from './settings/prepared-files.ts'

/** A filter, and what a jail with it says of dates. */
export interface FilterUse {
  readonly filter: FilterSettings
  readonly dates?: DateSettings | undefined
}

/**
 * What makes these filters, and no others, ready as `filterLanguage` does, which is loaded only where
 * something of them was not prepared.
 */
export async function languageFor(uses: readonly FilterUse[]): Promise<FilterLanguage> {
  const ready = new Map(uses.flatMap(({ filter }) => preparedOf(filter)))
  const find = (source: FilterSource) => ready.get(JSON.stringify(source))
  const isReady = ({ filter, dates }: FilterUse) =>
    filter.datepattern === null && (dates?.datepattern ?? null) === null && find(sourceOf(filter)) !== undefined
  const { filterLanguage } = uses.every(isReady)
    ? { filterLanguage: noLanguage }
    : await import('./matching/filter-language.ts')
  return { ...filterLanguage, compileFilter: (source) => find(source) ?? filterLanguage.compileFilter(source) }
}

/** The build writes down what a filter of the package is, and what comes of it in each of its modes. */
export function prepareFilter(file: string, definition: FilterDefinition, { compileFilter }: FilterLanguage): void {
  const modes = Object.keys(definition.modes)
  const compiled = modes.map((mode) => [mode, compileFilter(sourceOf(inMode(definition, mode, definition.where)))])
  writePrepared(file, definition, Object.fromEntries(compiled) as Record<string, CompiledFilter>)
}

function preparedOf(filter: FilterSettings): [string, CompiledFilter][] {
  const definition = preparedFilter(filter.where.file)
  const compiled = preparedMode(filter.where.file, filter.mode) as CompiledFilter | null
  if (definition === null || compiled === null) return []
  // Not the source of the filter that is asked for: somebody may have added to it.
  return [[JSON.stringify(sourceOf(inMode(definition, filter.mode, definition.where))), compiled]]
}

const noLanguage: FilterLanguage = { compileFilter: refuse, compileDates: refuse }

function refuse(): never {
  throw new Error('this is none of the filters that were asked for')
}
