import { readFileSync, statSync } from 'node:fs'
import { basename, extname, resolve } from 'node:path'
import { BailiffError, whyUnreadable } from '../../errors.ts'
import { Configuration } from './configuration.ts'
import { readIni, type IniFault, type IniFile } from './ini.ts'
import { exists, folderOf, joinPath, pathsOf } from './path-pattern.ts'
import { treeProblem } from './problem.ts'
import { byCodePoint } from './python-text.ts'

/** A configuration of one name (`jail`, `filter.d/sshd`) with all files that belong to it. */
export interface NamedConfiguration {
  readonly configuration: Configuration
  /** Whether any of its files could be read. */
  readonly isFound: boolean
  /** What in them cannot be read. Fail2ban does not start with one of these. */
  readonly faults: readonly IniFault[]
  /** Files that were passed over, and why. */
  readonly notes: readonly BailiffError[]
}

/** Files larger than this are not read: nobody means them. */
const largestFile = 8 << 20

/** Files within files that are followed. Some circles end by themselves; the others never would. */
const deepest = 50

/** The section that names other files. */
const includes = 'INCLUDES'

/** The files of one Fail2ban configuration folder. Each is read once. */
export class TreeFiles {
  readonly folder: string
  readonly #files = new Map<string, IniFile | BailiffError>()
  readonly #includes = new Map<string, readonly string[]>()
  readonly #named = new Map<string, NamedConfiguration>()

  constructor(folder: string) {
    this.folder = folder.replace(/\/+$/, '')
  }

  /**
   * Reads `NAME.conf`, `NAME.d/*.conf`, `NAME.local`, `NAME.d/*.local` and what they include. The same object is given
   * for the same name each time.
   */
  named(name: string): NamedConfiguration {
    const known = this.#named.get(name)
    if (known !== undefined) return known
    const base = joinPath(this.folder, name.startsWith('./') ? resolve(name) : name)
    const own = [
      `${base}.conf`,
      ...pathsOf(`${base}.d/*.conf`).toSorted(byCodePoint),
      `${base}.local`,
      ...pathsOf(`${base}.d/*.local`).toSorted(byCodePoint),
    ].filter(exists)
    const read = this.#layered(own)
    this.#named.set(name, read)
    return read
  }

  /** Names of what a folder of the tree has: `namesIn('filter.d')`. */
  namesIn(folder: string): string[] {
    const endings = new Set(['.conf', '.local'])
    return pathsOf(joinPath(joinPath(this.folder, folder), '*'))
      .filter((path) => endings.has(extname(path)))
      .map((path) => basename(path, extname(path)))
  }

  #layered(own: readonly string[]): NamedConfiguration {
    const found: Found = { faults: [], notes: [] }
    const configuration = new Configuration()
    const files = new Set<IniFile>()
    for (const path of this.#allFiles(own, found)) {
      const file = this.#file(path)
      if (file instanceof BailiffError) continue
      configuration.add(file)
      files.add(file)
    }
    for (const file of files) found.faults.push(...file.faults)
    return { configuration, isFound: files.size > 0, ...found }
  }

  #allFiles(own: readonly string[], found: Found): readonly string[] {
    try {
      return this.#withIncludes(own, [], found)
    } catch (error) {
      if (!(error instanceof BailiffError)) throw error
      found.faults.push({ section: includes, error })
      return own
    }
  }

  /** The files and those they include, in the order in which they are laid over each other. */
  #withIncludes(paths: readonly string[], seen: readonly string[], found: Found): readonly string[] {
    const withLocal = paths.flatMap((path) => {
      const local = `${withoutEnding(path)}.local`
      return !paths.includes(local) && isFile(local) ? [path, local] : [path]
    })
    // Also what was found behind another file counts here, as in Fail2ban: it matters where files include each other.
    const key = withLocal.join('\x01')
    const known = this.#includes.get(key)
    if (known !== undefined) return known
    if (seen.length > deepest)
      throw treeProblem(
        'files include each other in a circle',
        { file: paths[0] ?? '', option: `[${includes}]` },
        'remove one of the includes',
      )
    const before = found.faults.length + found.notes.length
    const files = withLocal.flatMap((path) => this.#aroundFile(path, seen, found))
    if (found.faults.length + found.notes.length === before) this.#includes.set(key, files)
    return files
  }

  #aroundFile(path: string, seen: readonly string[], found: Found): readonly string[] {
    const file = this.#file(path)
    if (file instanceof BailiffError) {
      if (isFile(path)) found.notes.push(file)
      return []
    }
    const included = (option: string) =>
      includesOf(file, option, found)
        .map((name) => joinPath(folderOf(path), name))
        .filter((other) => !seen.includes(other))
        .flatMap((other) => this.#withIncludes([other], [...seen, path], found))
    return [...included('before'), path, ...included('after')]
  }

  #file(path: string): IniFile | BailiffError {
    const known = this.#files.get(path)
    if (known !== undefined) return known
    const read = readFile(path)
    this.#files.set(path, read)
    return read
  }
}

/** What is wrong with the files of a name, as it is found. */
interface Found {
  readonly faults: IniFault[]
  readonly notes: BailiffError[]
}

/** What `[INCLUDES]` of one file names; faults tell where that cannot be made out. */
function includesOf(file: IniFile, option: string, { faults }: Found): string[] {
  if (!file.sections.has(includes)) return []
  try {
    const alone = new Configuration()
    alone.add(file)
    return alone.value(includes, option)?.split('\n') ?? []
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    faults.push({ section: includes, error })
    return []
  }
}

function readFile(path: string): IniFile | BailiffError {
  let bytes: Uint8Array
  try {
    const stat = statSync(path)
    if (!stat.isFile()) return passedOver(path, 'it is no file')
    if (stat.size > largestFile) return passedOver(path, `it has more than ${largestFile} bytes`)
    bytes = readFileSync(path)
  } catch (error) {
    return passedOver(path, whyUnreadable(error))
  }
  try {
    return readIni(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), path)
  } catch {
    return passedOver(path, 'it is not UTF-8')
  }
}

function passedOver(path: string, why: string): BailiffError {
  return treeProblem(`the file is passed over: ${why}`, { file: path })
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** The path without `.conf` and the like; a name that begins with its only dot has no ending. */
function withoutEnding(path: string): string {
  return path.replace(/(?<=[^/.][^/]*)\.[^./]*$/, '')
}
