import { BailiffError, describeError, exitCodes, printable, quote } from '../errors.ts'
import { trySamples } from '../filter-samples.ts'
import { compileSettings } from '../compiled-settings.ts'
import { filterLanguage } from '../matching/filter-language.ts'
import type { MatcherPlugin } from '../plugin.ts'
import type { FilterDefinition } from '../settings/filter-file.ts'
import { inMode } from '../settings/filter-modes.ts'
import type { FilterOptions } from './filter.ts'
import { filterOf, knownFilters, type KnownFilters } from './known-filters.ts'
import { loadEngines } from './load-engines.ts'
import { print, styled } from './output.ts'
import { table } from './table.ts'

/** What became of a filter in one mode. */
interface Trial {
  readonly filter: string
  readonly mode: string
  readonly tried: number
  readonly problems: readonly BailiffError[]
}

/**
 * Runs the samples of the named filters, or of all, in one mode or all. Returns the exit code: 0, or 78
 * where a sample fails or a filter is broken. Throws a BailiffError for a filter or mode that there is not.
 */
export async function tryFilters(given: readonly string[], { config, mode, json }: FilterOptions): Promise<number> {
  const known = await knownFilters(config)
  const engines = await loadEngines()
  const problems: BailiffError[] = []
  const filters = given.length > 0 ? await named(given, known) : await every(known, problems)
  const trials = filters.flatMap((filter) =>
    modesOf(filter, mode, given.length > 0).map((one) => trial(filter, one, engines)),
  )
  if (trials.length === 0 && problems.length === 0)
    throw new BailiffError('config', `no filter has a mode ${quote(mode ?? '')}`, {
      hint: 'bailiff filter list shows the modes of each',
    })
  const failed = [...problems, ...trials.flatMap((one) => one.problems)]
  if (json) printJson(trials, problems)
  else printText(trials, failed)
  return failed.length === 0 ? 0 : exitCodes.config
}

function named(given: readonly string[], { library }: KnownFilters): Promise<FilterDefinition[]> {
  return Promise.all(given.map((one) => filterOf(one, library)))
}

async function every({ library }: KnownFilters, problems: BailiffError[]): Promise<FilterDefinition[]> {
  const files = [...(await library.names()).values()]
  const filters = await Promise.all(files.map((file) => library.byFile(file, problems)))
  return filters.filter((filter) => filter !== undefined)
}

/** A mode that the one filter somebody named does not have is a mistake; of all filters, some have it. */
function modesOf(filter: FilterDefinition, mode: string | undefined, isNamed: boolean): string[] {
  const modes = Object.keys(filter.modes)
  if (mode === undefined) return modes
  return isNamed || modes.includes(mode) ? [mode] : []
}

function trial(definition: FilterDefinition, mode: string, engines: readonly MatcherPlugin[]): Trial {
  const filter = inMode(definition, mode, { file: definition.where.file })
  try {
    return { filter: filter.name, mode, ...trySamples(filter, compileSettings(filter, filterLanguage), engines) }
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    return { filter: filter.name, mode, tried: 0, problems: [error] }
  }
}

function printText(trials: readonly Trial[], failed: readonly BailiffError[]): void {
  for (const problem of failed) print(`${styled('red', 'problem')}  ${describeError(problem)}`)
  if (failed.length > 0) print('')
  const rows = trials.map(({ filter, mode, tried, problems }) => [
    printable(filter),
    mode,
    tried,
    problems.length === 0
      ? { text: 'ok', style: 'green' as const }
      : { text: `${problems.length} failed`, style: 'red' as const },
  ])
  print(table(['FILTER', 'MODE', 'SAMPLES', 'RESULT'], rows))
}

function printJson(trials: readonly Trial[], broken: readonly BailiffError[]): void {
  const plain = ({ kind, message, where, hint }: BailiffError) => ({ kind, message, ...where, hint })
  const object = {
    tried: trials.map(({ problems, ...trial }) => ({ ...trial, failed: problems.length })),
    problems: [
      ...broken.map(plain),
      ...trials.flatMap(({ filter, mode, problems }) => problems.map((one) => ({ filter, mode, ...plain(one) }))),
    ],
  }
  print(JSON.stringify(object, null, 2))
}
