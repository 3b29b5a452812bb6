import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { BailiffError, quote, suggest, type Where } from '../errors.ts'
import type { FilterDefinition } from './filter-file.ts'
import { preparedFilter } from './prepared-files.ts'

/** The filters of some folders. A name means the file of the first folder that has it; each file is read once. */
export class FilterLibrary {
  readonly #folders: readonly string[]
  readonly #read = new Map<string, Promise<FilterDefinition | BailiffError[]>>()

  constructor(folders: readonly string[]) {
    this.#folders = folders
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
    // `mysqld` is likely to be `mysqld-auth`.
    const meant = [...names.keys()].find((one) => one.startsWith(`${name}-`)) ?? suggest(name, [...names.keys()])
    const known = names.size > 0 ? `there are ${[...names.keys()].join(', ')}` : 'there is none at all'
    problems.push(
      new BailiffError('config', `there is no filter ${quote(name)}; ${meant ? `did you mean ${meant}?` : known}`, {
        where,
        hint: `a filter is a file ${join(this.#folders[0] ?? '', `${name}.yaml`)}, or is written below filter: in the jail`,
      }),
    )
    return undefined
  }

  /** The filter in this file; it is named after it. */
  async byFile(file: string, problems: BailiffError[]): Promise<FilterDefinition | undefined> {
    const reading = this.#read.get(file) ?? readOnce(file)
    this.#read.set(file, reading)
    const result = await reading
    if (!Array.isArray(result)) return result
    problems.push(...result)
    return undefined
  }

  /** The names of all filters and their files, sorted. */
  async names(): Promise<Map<string, string>> {
    const files = new Map<string, string>()
    for (const folder of this.#folders) {
      for (const entry of await yamlFiles(folder)) {
        const name = entry.replace(/\.yaml$/, '')
        if (!files.has(name)) files.set(name, join(folder, entry))
      }
    }
    return new Map([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }
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

async function readOnce(file: string): Promise<FilterDefinition | BailiffError[]> {
  const prepared = preparedFilter(file)
  if (prepared !== null) return prepared
  const { readFilterFile } = await import('./filter-file.ts')
  const problems: BailiffError[] = []
  const name = basename(file).replace(/\.ya?ml$/, '')
  return (await readFilterFile(file, name, problems)) ?? problems
}
