import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { BailiffError, quote } from '../errors.ts'
import type { FilterDefinition } from '../settings/filter-file.ts'
import { FilterLibrary } from '../settings/filter-library.ts'
import type { KeptValues } from '../settings/kept-values.ts'
import { configTexts, mayName, type ConfigTexts } from '../settings/config-texts.ts'
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
 * the `jail` of this name is of interest, it is not read if it cannot have one. `kept`: as for the library.
 */
export async function knownFilters(
  config: string | undefined,
  jail?: string,
  kept: KeptValues | null = null,
): Promise<KnownFilters> {
  const texts = config === undefined && jail !== undefined ? configTexts() : null
  if (texts !== null && jail !== undefined && (jail.includes('/') || !mayName(jail, texts))) {
    const library = new FilterLibrary([join(texts.folder, 'filters'), builtInFilters], null, kept)
    // One that is not there may be in a package.
    if (standsAlone(jail, texts) || (await library.names()).has(jail)) return { library, settings: null }
  }
  const { loadSettings } = await import('../settings/load-settings.ts')
  const settings = await loadSettings(config === undefined ? {} : { file: config }).catch((error: unknown) => {
    if (config !== undefined || !(error instanceof BailiffError)) throw error
    return null
  })
  const folder = settings ? join(settings.file, '../filters') : join(defaultPlaces().configFolders[0] ?? '/', 'filters')
  const { InstalledPackages } = await import('../settings/installed-packages.ts')
  const packages = new InstalledPackages(settings?.plugins ?? join(defaultPlaces().state, 'packages'))
  return { library: new FilterLibrary([folder, builtInFilters], packages, kept), settings }
}

/** Whether this is the file of a filter that is of no package and needs none. */
function standsAlone(given: string, texts: ConfigTexts): boolean {
  if (!/\.ya?ml$/.test(given) || mayName('plugins', texts)) return false
  try {
    const isPacked = realpathSync(given).startsWith(join(defaultPlaces().state, 'packages/'))
    return !isPacked && !readFileSync(given, 'utf8').includes('matcher')
  } catch {
    return false
  }
}

/** The filter of this name, or in this file (`.yaml`), or matched by this one (`.wasm`). Throws a BailiffError where there is none or it is broken. */
export async function filterOf(given: string, library: FilterLibrary): Promise<FilterDefinition> {
  const problems: BailiffError[] = []
  const isPath = /\.(?:ya?ml|wasm)$/.test(given)
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
