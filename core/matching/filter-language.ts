import type { CompiledFilter, DateReading } from '../plugin.ts'
import { compileDates } from './date-pattern.ts'
import { compileFilter, type FilterSource } from './filters.ts'

/** What makes the texts of a filter ready for matchers. */
export interface FilterLanguage {
  /** Throws a PatternError. */
  compileFilter(source: FilterSource): CompiledFilter
  /** As `compileDates`. */
  compileDates(texts: readonly string[], timezone: string | null, year: number): DateReading | null
}

/** The native dialect. */
export const filterLanguage: FilterLanguage = { compileFilter, compileDates }
