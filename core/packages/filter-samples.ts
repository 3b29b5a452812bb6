/** Whether the filters of a package compile, and do what they promise, before anybody uses them. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { compileSettings } from '../compiled-settings.ts'
import { BailiffError, quote, suggest } from '../errors.ts'
import { trySamples } from '../filter-samples.ts'
import { filterLanguage } from '../matching/filter-language.ts'
import type { MatcherPlugin } from '../plugin.ts'
import { readFilterFile, type FilterDefinition } from '../settings/filter-file.ts'
import { FilterLibrary, foreignPart } from '../settings/filter-library.ts'
import { means, readings } from '../settings/package-names.ts'
import { filterNameOf, readPackedJail } from '../settings/packed-jails.ts'
import { builtInFilters } from '../settings/places.ts'
import type { Sourced } from '../settings/sourced.ts'
import { inMode } from '../settings/filter-modes.ts'

/** What the filters of a package are. */
export interface TriedFilters {
  readonly names: readonly string[]
  /** How many samples were run, in all modes together. */
  readonly tried: number
  /** One for each that is broken, and for each sample that does not do what the filter promises. */
  readonly problems: readonly BailiffError[]
}

/** What the jails of a package are. */
export type TriedJails = Pick<TriedFilters, 'names' | 'problems'>

/**
 * Reads and compiles all filters in a folder of the package at `root` and runs their samples in all modes. `label` is how
 * people know the folder.
 */
export async function tryPackedFilters(
  { root, folder, label }: { readonly root: string; readonly folder: string; readonly label: string },
  engines: readonly MatcherPlugin[],
): Promise<TriedFilters> {
  const problems: BailiffError[] = []
  const names: string[] = []
  let tried = 0
  for (const entry of (await readdir(folder)).filter((name) => /^[^.].*\.yaml$/.test(name)).toSorted()) {
    const name = entry.slice(0, -5)
    names.push(name)
    const filter = await readFilterFile(join(folder, entry), name, problems)
    if (filter === undefined) continue
    const foreign = foreignPart(filter, root)
    if (foreign !== null) problems.push(foreign)
    for (const mode of filter.counts === 'bans' ? [] : Object.keys(filter.modes)) {
      const report = tryMode(filter, mode, engines)
      tried += report.tried
      problems.push(...report.problems)
    }
  }
  return { names, tried, problems: problems.map((one) => relabelled(one, folder, label)) }
}

/**
 * Reads and checks all jails in a folder, also whether there are the filters that they name: those of the package, called
 * `filters`, or of Bailiff. Whether another package has one is seen when it is used. `label` is how people know the folder.
 */
export async function tryPackedJails({
  folder,
  label,
  name,
  filters,
}: { readonly [key in 'folder' | 'label' | 'name']: string } & {
  readonly filters: readonly string[]
}): Promise<TriedJails> {
  const problems: BailiffError[] = []
  const names: string[] = []
  const known = [...filters, ...(await new FilterLibrary([builtInFilters]).ownNames())]
  for (const entry of (await readdir(folder)).filter((one) => /^[^.].*\.yaml$/.test(one)).toSorted()) {
    names.push(entry.slice(0, -5))
    const jail = await readPackedJail({ file: join(folder, entry), of: { name } }, problems)
    if (jail !== undefined) problems.push(...unknownFilter(jail, name, filters, known))
  }
  return { names, problems: problems.map((one) => relabelled(one, folder, label)) }
}

function unknownFilter(jail: Sourced, of: string, own: readonly string[], known: readonly string[]): BailiffError[] {
  const given = filterNameOf(jail)
  const [way] = readings(given).filter(({ part }) => part !== null)
  if (way === undefined ? known.includes(given) : !means(way.name, of) || own.includes(way.part ?? '')) return []
  const meant = suggest(way?.part ?? given, way === undefined ? known : own)
  const has = own.length === 0 ? 'the package has none' : `the package has ${own.join(', ')}`
  const message = `there is no filter ${quote(given)}; ${meant === undefined ? has : `did you mean ${meant}?`}`
  return [new BailiffError('data', message, { where: jail.where('filter') })]
}

function tryMode(definition: FilterDefinition, mode: string, engines: readonly MatcherPlugin[]) {
  try {
    const filter = inMode(definition, mode, definition.where)
    return trySamples(filter, compileSettings(filter, filterLanguage), engines)
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    return { tried: 0, problems: [error] }
  }
}

/** The staged copy is gone when somebody looks. */
function relabelled({ message, where, hint }: BailiffError, folder: string, label: string): BailiffError {
  const place = where && { ...where, file: where.file.replace(folder, label) }
  return new BailiffError('data', message, { ...(place && { where: place }), ...(hint !== undefined && { hint }) })
}
