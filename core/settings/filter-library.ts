import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { BailiffError, quote, suggest, type Where } from '../errors.ts'
import type { FilterDefinition } from './filter-file.ts'
import type { InstalledPackages, PackedFile } from './installed-packages.ts'
import { foreignMatcher, locateMatcher } from './matcher-use.ts'
import type { KeptValues } from './kept-values.ts'
import { means, readings } from './package-names.ts'
import { preparedFilter } from './prepared-files.ts'

/**
 * The filters of some folders, and of installed packages. A name means the file of the first folder that has it; each
 * file is read once. A filter of a package is called `PACKAGE/FILTER`, and `FILTER` alone where no other is.
 */
export class FilterLibrary {
  readonly #folders: readonly string[]
  readonly #packages: InstalledPackages | null
  readonly #kept: KeptValues | null
  readonly #read = new Map<string, Promise<FilterDefinition | BailiffError[]>>()

  /** `kept`: where what was read of the files of these folders is kept. */
  constructor(folders: readonly string[], packages: InstalledPackages | null = null, kept: KeptValues | null = null) {
    this.#folders = folders
    this.#packages = packages
    this.#kept = kept
  }

  /** The files that were read so far. */
  get files(): string[] {
    return [...this.#read.keys()]
  }

  /** The filter of this name. What is wrong with it goes to `problems`, once for every jail that wants it. */
  async byName(name: string, where: Where, problems: BailiffError[]): Promise<FilterDefinition | undefined> {
    const names = await this.names()
    const file = names.get(name)
    if (file !== undefined) return this.byFile(file, problems)
    const packed = await this.#packedFilter(name, where, problems)
    if (packed !== null) return packed === 'unclear' ? undefined : this.byFile(packed.file, problems)
    // `mysqld` is likely to be `mysqld-auth`.
    const short = (await this.packed()).map(({ file: path }) => basename(path, '.yaml'))
    const meant =
      [...names.keys()].find((one) => one.startsWith(`${name}-`)) ?? suggest(name, [...names.keys(), ...short])
    const known = names.size > 0 ? `there are ${[...names.keys()].join(', ')}` : 'there is none at all'
    problems.push(
      new BailiffError('config', `there is no filter ${quote(name)}; ${meant ? `did you mean ${meant}?` : known}`, {
        where,
        hint: name.includes('/')
          ? await this.#whatPackageHas(name.replace(/\/[^/]*$/, ''))
          : `a filter is a file ${join(this.#folders[0] ?? '', `${name}.yaml`)}, or is written below filter: in the jail`,
      }),
    )
    return undefined
  }

  /** The filter in this file, which may also be a matcher in WebAssembly; it is named after it. */
  async byFile(file: string, problems: BailiffError[]): Promise<FilterDefinition | undefined> {
    const reading = this.#read.get(file) ?? this.#readOnce(file)
    this.#read.set(file, reading)
    const result = await reading
    if (!Array.isArray(result)) return result
    problems.push(...result)
    return undefined
  }

  /** The same filter, with the file of the matcher that it names; undefined, with a problem, where there is none. */
  async located(filter: FilterDefinition | undefined, problems: BailiffError[]): Promise<FilterDefinition | undefined> {
    if (!filter?.matcher) return filter
    try {
      return { ...filter, matcher: await locateMatcher(filter.matcher, this.#packages) }
    } catch (error) {
      if (!(error instanceof BailiffError)) throw error
      problems.push(error)
      return undefined
    }
  }

  /** The names of all filters and their files, sorted. */
  async names(): Promise<Map<string, string>> {
    const files = await this.#own()
    for (const { name, file } of await this.packed()) files.set(name, file)
    return new Map([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** The names of those that came in no package. */
  async ownNames(): Promise<readonly string[]> {
    return [...(await this.#own()).keys()]
  }

  async #own(): Promise<Map<string, string>> {
    const files = new Map<string, string>()
    for (const folder of this.#folders) {
      for (const entry of await yamlFiles(folder)) {
        const name = entry.replace(/\.yaml$/, '')
        if (!files.has(name)) files.set(name, join(folder, entry))
      }
    }
    return files
  }

  /** The filters of packages; none where what is installed cannot be told. */
  async packed(): Promise<readonly PackedFile[]> {
    return (await this.#packages?.filters().catch(() => [])) ?? []
  }

  /** The filter of a package that a name means; `unclear`, with a problem, where it means several, or nobody can tell. */
  async #packedFilter(name: string, where: Where, problems: BailiffError[]): Promise<PackedFile | 'unclear' | null> {
    try {
      const all = (await this.#packages?.filters()) ?? []
      const meant = readings(name)
      const found = all.filter((one) => {
        const part = basename(one.file, '.yaml')
        return meant.some((way) =>
          way.part === null ? way.name === part : way.part === part && means(way.name, one.of.name),
        )
      })
      if (found.length <= 1) return found[0] ?? null
      const names = found.map((one) => one.name).join(' or ')
      problems.push(
        new BailiffError('config', `several packages have a filter ${quote(name)}: write ${names}`, { where }),
      )
    } catch (error) {
      if (!(error instanceof BailiffError)) throw error
      problems.push(error)
    }
    return 'unclear'
  }

  /** What is to be said of the package of a filter that there is not. */
  async #whatPackageHas(given: string): Promise<string> {
    const all = (await this.#packages?.all().catch(() => [])) ?? []
    const of = all.find(({ name }) => means(given, name))
    if (of === undefined) return `the filter of a package is there when the package is: bailiff plugin add ${given}`
    const filters = (await this.packed()).filter((one) => one.of.name === of.name).map(({ name }) => name)
    const plugins = of.plugins.map(({ kind, name }) => `the ${kind} ${name}`)
    const has = [...(filters.length === 0 ? [] : [`the filters ${filters.join(', ')}`]), ...plugins]
    return `${of.name} is installed, and has ${has.join(', ') || 'none'}`
  }

  async #readOnce(file: string): Promise<FilterDefinition | BailiffError[]> {
    const prepared = preparedFilter(file)
    if (prepared !== null) return prepared
    const packed = (await this.packed()).find((one) => one.file === file)
    const flaw = packed && (await this.#packages?.check(packed.of, { file }).catch((error: unknown) => error))
    if (flaw instanceof BailiffError) return [flaw]
    const problems: BailiffError[] = []
    const filter = await this.#readFile(file, problems)
    const foreign = packed && filter && foreignPart(filter, this.#packages?.rootOf(packed.of) ?? '')
    return foreign ? [foreign] : ((await this.located(filter, problems)) ?? problems)
  }

  /** As `readFilterFile`, or as it was kept: what is wrong is never kept. */
  async #readFile(file: string, problems: BailiffError[]): Promise<FilterDefinition | undefined> {
    if (file.endsWith('.wasm')) return ofMatcher(file, problems)
    const text = this.#kept === null ? null : await readFile(file, 'utf8').catch(() => null)
    const kept = text === null ? null : this.#kept?.read(file, text)
    if (kept) return kept as FilterDefinition
    const { readFilterFile } = await import('./filter-file.ts')
    const filter = await readFilterFile(file, basename(file).replace(/\.ya?ml$/, ''), problems)
    const isSame = text !== null && (await readFile(file, 'utf8').catch(() => null)) === text
    if (filter !== undefined && problems.length === 0 && isSame) this.#kept?.write(file, text, filter)
    return filter
  }
}

/** Whether a filter is named by the path of its file, or of a matcher in WebAssembly. */
export function isFilterPath(name: string): boolean {
  return /^\.{0,2}\/|\.(?:ya?ml|wasm)$/.test(name)
}

/** A filter that is a matcher and nothing else. */
async function ofMatcher(file: string, problems: BailiffError[]): Promise<FilterDefinition | undefined> {
  const [{ defineFilter }, { Sourced }] = await Promise.all([import('./filter-file.ts'), import('./sourced.ts')])
  return defineFilter(new Sourced({ matcher: file }, [], [], { file }), basename(file, '.wasm'), problems)
}

/**
 * What is wrong with the sources and the matcher of a filter of a package, which lies in `root`: it is data, and must not
 * name code or programs elsewhere. Only logs and the journal are read for it.
 */
export function foreignPart({ name, sources, matcher }: FilterDefinition, root: string): BailiffError | null {
  const foreign = matcher ? foreignMatcher(matcher, root) : null
  if (foreign !== null) return foreign
  const odd = sources.find(({ plugin }) => plugin !== 'file' && plugin !== 'journal')
  if (odd === undefined) return null
  const message = `the filter ${quote(name)} of a package may read files and the journal, and not ${quote(odd.plugin)}`
  return new BailiffError('config', message, { where: odd.where, hint: 'name that source in the jail instead' })
}

/** The names of the YAML files of a folder, sorted; none where there is no such folder. Hidden files are passed over. */
export async function yamlFiles(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => /^[^.].*\.yaml$/.test(name)).toSorted()
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return []
    const why = error instanceof Error ? error.message : String(error)
    throw new BailiffError('no-permission', `cannot list the folder: ${why}`, { where: { file: folder }, cause: error })
  }
}
