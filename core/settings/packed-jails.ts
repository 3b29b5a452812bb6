/**
 * Jails of packages: what a jail of the configuration begins with that says `from: PACKAGE` or `from: PACKAGE/JAIL`, or
 * whose name is that of a packed jail and of no filter. None is on that the configuration does not name.
 */
import { basename } from 'node:path'
import { BailiffError, quote, suggest, type Where } from '../errors.ts'
import { isFilterPath, type FilterLibrary } from './filter-library.ts'
import type { InstalledPackages, PackedFile } from './installed-packages.ts'
import type { ConfigurationTree } from './load-settings.ts'
import { means, readings, shortName } from './package-names.ts'
import { packedJailSchema } from './schema.ts'
import { isRecord, Sourced } from './sourced.ts'
import { validate } from './validate.ts'
import { readYaml } from './yaml-file.ts'

/** A configuration with the packed jails below those that begin with them. */
export interface TreeWithPackedJails extends ConfigurationTree {
  /** Jails that cannot be had, and why. */
  readonly flaws: ReadonlyMap<string, readonly BailiffError[]>
}

/**
 * Puts packed jails below the jails of a configuration that begin with them: what the configuration says counts, option
 * by option. Files of packages are looked at as they are when filters are read: none counts that was changed.
 */
export async function withPackedJails(
  tree: ConfigurationTree,
  packages: InstalledPackages,
  filters: FilterLibrary,
): Promise<TreeWithPackedJails> {
  const flaws = new Map<string, readonly BailiffError[]>()
  let { tree: merged, layers, files } = tree
  for (const name of merged.at('jails').keys()) {
    const given = merged.at('jails', name)
    if (given.at('from').value === undefined && given.at('filter').value !== undefined) continue
    const problems: BailiffError[] = []
    const packed = await chosen(name, given, { packages, filters }, problems)
    const jail = packed === null ? undefined : await readPackedJail(packed, problems)
    if (problems.length > 0) flaws.set(name, problems)
    if (packed === null || jail === undefined || problems.length > 0) continue
    const below = placedBelow(jail, name, await ownFilter(packed, packages))
    merged = underlaid(merged, below, name)
    layers = [below, ...layers]
    files = [...files, packed.file]
  }
  return { tree: merged, layers, files, flaws }
}

/** Reads and checks the file of a packed jail: data alone, which names neither code nor programs nor whom to spare. */
export async function readPackedJail(
  { file, of }: { readonly file: string; readonly of: { readonly name: string } },
  problems: BailiffError[],
): Promise<Sourced | undefined> {
  try {
    const given = await readYaml(file)
    if (validate(packedJailSchema, given, problems) === undefined) return undefined
    // A file elsewhere could name programs that nobody was told of.
    if (isFilterPath(filterNameOf(given))) {
      const message = `a jail of a package (${of.name}) names a filter by its name, and not by a path`
      problems.push(new BailiffError('config', message, { where: given.where('filter') }))
    }
    for (const option of ['source', 'sources']) problems.push(...foreignSources(given.at(option), of.name))
    return given
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    problems.push(error)
    return undefined
  }
}

/** The filter that a packed jail names, as it is written there. */
export function filterNameOf(jail: Sourced): string {
  const { value } = jail.at('filter')
  return String(isRecord(value) ? value.name : value)
}

interface Around {
  readonly packages: InstalledPackages
  readonly filters: FilterLibrary
}

/** The packed jail that a jail begins with; null: none. */
async function chosen(
  name: string,
  given: Sourced,
  { packages, filters }: Around,
  problems: BailiffError[],
): Promise<PackedFile | null> {
  const from = given.at('from').value
  const all = await packages.jails().catch((error: unknown) => {
    if (from !== undefined && error instanceof BailiffError) problems.push(error)
    return []
  })
  const where = from === undefined ? given.whereKey() : given.where('from')
  if (from === undefined) {
    const found = all.filter(({ file }) => jailOf(file) === name)
    if (found.length === 0 || (await filters.ownNames()).includes(name)) return null
    return oneOf(found, name, where, packages, problems)
  }
  // What else it may be, the schema of the jail tells.
  if (typeof from !== 'string' || problems.length > 0) return null
  const found = readings(from).flatMap((way) =>
    all.filter(({ file, of }) => means(way.name, of.name) && isMeant(jailOf(file), way.part, name, all, of.name)),
  )
  if (found.length > 0) return oneOf(found, from, where, packages, problems)
  const meant = suggest(
    from,
    all.map((one) => one.name),
  )
  const known = all.length > 0 ? `there are ${all.map((one) => one.name).join(', ')}` : 'no package has one'
  problems.push(
    new BailiffError('config', `there is no packed jail ${quote(from)}; ${meant ? `did you mean ${meant}?` : known}`, {
      where,
      hint: `"bailiff plugin info NAME" tells what a package has; "bailiff plugin add NAME" installs one`,
    }),
  )
  return null
}

/** `from: PACKAGE` alone means the jail of the same name as ours, or the only one. */
function isMeant(jail: string, part: string | null, own: string, all: readonly PackedFile[], of: string): boolean {
  if (part !== null) return jail === part
  const names = all.filter((one) => one.of.name === of).map(({ file }) => jailOf(file))
  return names.includes(own) ? jail === own : names.length === 1
}

async function oneOf(
  found: readonly PackedFile[],
  given: string,
  where: Where,
  packages: InstalledPackages,
  problems: BailiffError[],
): Promise<PackedFile | null> {
  const [first] = found
  if (first === undefined || found.length > 1) {
    const names = found.map((one) => one.name).join(' or ')
    problems.push(
      new BailiffError('config', `several packages have a jail ${quote(given)}: write from: ${names}`, { where }),
    )
    return null
  }
  try {
    await packages.check(first.of, where)
    return first
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    problems.push(error)
    return null
  }
}

function jailOf(file: string): string {
  return basename(file, '.yaml')
}

/** The names of the filters that come in the same package. */
async function ownFilter({ of }: PackedFile, packages: InstalledPackages): Promise<(name: string) => string> {
  const own = (await packages.filters()).filter((one) => one.of.name === of.name).map(({ file }) => jailOf(file))
  return (name) => (own.includes(name) ? `${shortName(of.name)}/${name}` : name)
}

/** The packed jail at `jails.NAME`, with the filters that it names by their whole names. */
function placedBelow(jail: Sourced, name: string, filterName: (name: string) => string): Sourced {
  const {
    description: _,
    filter,
    ...rest
  } = jail.value as {
    readonly description?: string
    readonly filter: string | { readonly name: string }
  }
  const named = typeof filter === 'string' ? filterName(filter) : { ...filter, name: filterName(filter.name) }
  const value = { jails: { [name]: { filter: named, ...rest } } }
  const places = jail.places().map((place) => ({ ...place, path: ['jails', name, ...place.path] }))
  return new Sourced(value, places, [], jail.where())
}

/** The tree with a jail put below that of the same name: of each option the tree's own counts, whole. */
function underlaid(tree: Sourced, below: Sourced, name: string): Sourced {
  const own = tree.at('jails', name).value
  const packed = below.at('jails', name).value
  if (!isRecord(tree.value) || !isRecord(own) || !isRecord(packed)) return tree
  const jails = tree.value.jails as Record<string, unknown>
  const places = below.places().filter(({ path }) => path.length > 2 && !Object.hasOwn(own, String(path[2])))
  const value = { ...tree.value, jails: { ...jails, [name]: { ...packed, ...own } } }
  return new Sourced(value, [...tree.places(), ...places], [], tree.where())
}

/** It is data: only logs, by their whole path, and the journal are read for it. */
function foreignSources(given: Sourced, of: string): BailiffError[] {
  const items = Array.isArray(given.value) ? given.value.map((_, index) => given.at(index)) : [given]
  return items.flatMap((item) => {
    const { value } = item
    const isLog = typeof value === 'string' && /^\/[^\p{Cc}]*$/u.test(value) && !/\.(?:[cm]?[jt]s|wasm)$/.test(value)
    if (value === undefined || isLog || value === 'journal' || (isRecord(value) && isOnly(value, 'journal'))) return []
    return new BailiffError(
      'config',
      `a jail of a package (${of}) may read logs, by absolute paths, and the journal, and not ${quote(value)}`,
      { where: item.where(), hint: 'whoever uses it names another source in the configuration' },
    )
  })
}

function isOnly(value: Record<string, unknown>, key: string): boolean {
  return Object.keys(value).length === 1 && Object.hasOwn(value, key)
}
