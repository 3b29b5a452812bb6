/** Makes what the configuration says of a filter ready for matchers. */
import { BailiffError, quote } from './errors.ts'
import { checkMatcherOptions } from './matcher-options.ts'
import type { FilterLanguage } from './matching/filter-language.ts'
import type { FilterSource } from './matching/filters.ts'
import { PatternError } from './matching/pattern-error.ts'
import type { CompiledFilter, DateReading } from './plugin.ts'
import type { FilterSettings, PatternText } from './settings/filter-file.ts'
import type { DateSettings } from './settings/jail.ts'
import type { MatcherUse } from './settings/matcher-use.ts'
import { loadModule } from './wasm-matcher/load-module.ts'

/**
 * Compiles a filter of the configuration for a jail that says this of dates. Throws a BailiffError at the
 * place of the pattern that does not compile.
 */
export function compileSettings(
  filter: FilterSettings,
  language: FilterLanguage,
  { datepattern, timezone }: DateSettings = asTheFilterSays,
): CompiledFilter {
  const patterns = datepattern ?? filter.datepattern
  try {
    const dates = datesOf(patterns, timezone, language)
    const compiled = filter.matcher ? ofModule(filter, filter.matcher) : language.compileFilter(sourceOf(filter))
    return dates === null ? compiled : { ...compiled, dates }
  } catch (error) {
    throw asBailiffError(error, patternAt({ ...filter, datepattern: patterns }, error) ?? filter)
  }
}

/** The same, for a matcher of a package also with options that the manifest accepts. */
export async function compileChecked(
  filter: FilterSettings,
  language: FilterLanguage,
  dates?: DateSettings,
): Promise<CompiledFilter> {
  if (filter.matcher) await checkMatcherOptions(filter.matcher)
  return compileSettings(filter, language, dates)
}

/** A filter whose lines a module finds. */
function ofModule({ name }: FilterSettings, { file, ...use }: MatcherUse): CompiledFilter {
  if (file === null)
    throw new BailiffError('config', `the matcher ${quote(use.name)} of a package cannot be looked for here`, use)
  const module = loadModule({ ...use, file })
  const without = { programs: null, prefregex: null, failregex: [], ignoreregex: [], structure: null }
  return { name, ...without, module }
}

/** What a filter is compiled from. */
export function sourceOf(filter: FilterSettings): FilterSource {
  return {
    name: filter.mode === 'normal' ? filter.name : `${filter.name}/${filter.mode}`,
    programs: filter.programs,
    prefregex: filter.prefregex?.text ?? null,
    failregex: textsOf(filter.failregex),
    ignoreregex: textsOf(filter.ignoreregex),
    structure: filter.structure,
  }
}

/** The error at a place, unless it knows a better one. */
export function asBailiffError(error: unknown, { where }: Pick<FilterSettings, 'where'>): BailiffError {
  const kind = error instanceof BailiffError ? error.kind : 'software'
  const hint = error instanceof BailiffError ? error.hint : undefined
  if (error instanceof BailiffError && error.where !== undefined) return error
  const message = error instanceof Error ? error.message : String(error)
  return new BailiffError(kind, message, { where, cause: error, ...(hint === undefined ? {} : { hint }) })
}

const asTheFilterSays: DateSettings = { datepattern: null, timezone: null }

/** The pattern that a compiler complained of. */
function patternAt(filter: FilterSettings, error: unknown): Pick<FilterSettings, 'where'> | null {
  if (!(error instanceof PatternError) || error.list === 'regex') return null
  return error.list === 'prefregex' ? filter.prefregex : (filter[error.list]?.[error.index] ?? null)
}

function datesOf(
  patterns: readonly PatternText[] | null,
  timezone: string | null,
  language: FilterLanguage,
): DateReading | null {
  if (patterns !== null) return language.compileDates(textsOf(patterns), timezone, new Date().getFullYear())
  return timezone === null ? null : { patterns, timezone }
}

function textsOf(patterns: readonly PatternText[]): string[] {
  return patterns.map(({ text }) => text)
}
