import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { matcherFiles } from '../built-in.ts'
import { BailiffError, quote } from '../errors.ts'
import type { MatcherPlugin } from '../plugin.ts'
import type { FilterDefinition } from '../settings/filter-file.ts'
import { FilterLibrary } from '../settings/filter-library.ts'
import { configTexts, mayName } from '../settings/config-texts.ts'
import type { Settings } from '../settings/load-settings.ts'
import { builtInFilters, defaultPlaces } from '../settings/places.ts'

/** The filters that a command can name. */
export interface KnownFilters {
  /** Those beside the configuration come before those of the package. */
  readonly library: FilterLibrary
  /** Null where there is no configuration, a broken one that nobody named, or one that says nothing of the jail in question. */
  readonly settings: Settings | null
}

/**
 * Looks for filters. The configuration need not exist unless it is named; then a BailiffError is thrown. Where only
 * the `jail` of this name is of interest, it is not read if it cannot have one.
 */
export async function knownFilters(config: string | undefined, jail?: string): Promise<KnownFilters> {
  const texts = config === undefined && jail !== undefined ? configTexts() : null
  if (texts !== null && jail !== undefined && !mayName(jail, texts))
    return { library: new FilterLibrary([join(texts.folder, 'filters'), builtInFilters]), settings: null }
  const { loadSettings } = await import('../settings/load-settings.ts')
  const settings = await loadSettings(config === undefined ? {} : { file: config }).catch((error: unknown) => {
    if (config !== undefined || !(error instanceof BailiffError)) throw error
    return null
  })
  const folder = settings ? join(settings.file, '../filters') : join(defaultPlaces().configFolders[0] ?? '/', 'filters')
  return { library: new FilterLibrary([folder, builtInFilters]), settings }
}

/** The filter of this name, or in this file (`.yaml`). Throws a BailiffError where there is none or it is broken. */
export async function filterOf(given: string, library: FilterLibrary): Promise<FilterDefinition> {
  const problems: BailiffError[] = []
  const isPath = /\.ya?ml$/.test(given)
  if (isPath && !existsSync(given))
    throw new BailiffError('no-input', `there is no filter file ${quote(given)}`, {
      hint: `name a file that is there, or one of the filters ${[...(await library.names()).keys()].join(', ')}`,
    })
  const definition = isPath
    ? await library.byFile(resolve(given), problems)
    : await library.byName(given, { file: 'command line' }, problems)
  if (!definition) throw problems[0] ?? new BailiffError('no-input', `there is no filter ${quote(given)}`)
  return definition
}

/** The engines that match filters, the best first. */
export async function loadEngines(): Promise<MatcherPlugin[]> {
  return Promise.all(
    matcherFiles().map(async (file) => {
      const loaded = (await import(pathToFileURL(file).href)) as { default: MatcherPlugin }
      return loaded.default
    }),
  )
}
