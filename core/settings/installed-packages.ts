import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { BailiffError, describeError, printable, type Where } from '../errors.ts'
import { shortName } from './package-names.ts'
import { differences, hashTree } from './package-tree.ts'
import { isOwn, lockName, readLock, type LockedPackage, type LockedPlugin } from './plugin-lock.ts'

/** Files that differ are named up to so many. */
const mostNamed = 10

/** A filter or a jail that came in a package. */
export interface PackedFile {
  /** `PACKAGE/FILTER` or `PACKAGE/JAIL`, with the short name of the package. */
  readonly name: string
  readonly file: string
  readonly of: LockedPackage
}

/** What is installed in a plugin folder, read when it is first asked for. Nothing of a package is run. */
export class InstalledPackages {
  readonly folder: string
  #all: Promise<readonly LockedPackage[]> | null = null
  #filters: Promise<readonly PackedFile[]> | null = null
  #jails: Promise<readonly PackedFile[]> | null = null
  readonly #looked = new Map<string, Promise<string | null>>()

  constructor(folder: string) {
    this.folder = folder
  }

  /** All packages. Throws a BailiffError where the lock file cannot be believed. */
  all(): Promise<readonly LockedPackage[]> {
    return (this.#all ??= readLock(this.folder))
  }

  /** The folder of the package itself, in which its `package.json` lies. */
  rootOf({ folder, name }: LockedPackage): string {
    return join(this.folder, folder, 'node_modules', name)
  }

  /** All filters of packages, each package in turn. A package whose folder is gone has none. */
  filters(): Promise<readonly PackedFile[]> {
    return (this.#filters ??= this.#list(({ filters }) => filters))
  }

  /** All jails of packages, as `filters`. */
  jails(): Promise<readonly PackedFile[]> {
    return (this.#jails ??= this.#list(({ jails }) => jails))
  }

  /**
   * Why the files of a package are not those that were installed; null: they are. Looked at once for each
   * `InstalledPackages`, so that each start and each reload does.
   */
  flawOf(one: LockedPackage): Promise<string | null> {
    const flaw = this.#looked.get(one.folder) ?? this.#flawOf(one)
    this.#looked.set(one.folder, flaw)
    return flaw
  }

  /** Throws a BailiffError with the command that helps where files of a package have changed. */
  async check(one: LockedPackage, where: Where): Promise<void> {
    const flaw = await this.flawOf(one)
    if (flaw === null) return
    throw new BailiffError('config', `${one.name} ${one.version} is not used: ${flaw}`, {
      where,
      hint: `"bailiff plugin add ${addAgain(one)}" installs it anew; "bailiff plugin verify" looks at all`,
    })
  }

  async #flawOf(one: LockedPackage): Promise<string | null> {
    const { folder, tree } = one
    const place = join(this.folder, folder)
    try {
      if (!(await isOwn(place))) return `its folder ${place} is gone`
      const found = await hashTree(place)
      if (found.hash === tree) return await this.#foreignGrant(one)
      const before = await readFile(`${place}.files`, 'utf8').catch(() => '')
      const changed = differences(before, tree, found) ?? []
      const which = changed.slice(0, mostNamed).join(', ')
      const more = changed.length > mostNamed ? ` and ${changed.length - mostNamed} more` : ''
      return `files below ${place} are not those that were installed${which && `: ${printable(which)}${more}`}`
    } catch (error) {
      return `files below ${place} are not those that were installed: ${describeError(error)}`
    }
  }

  /** What somebody wrote into the lock file: of files that are whole the manifest says what was consented to. */
  async #foreignGrant(one: LockedPackage): Promise<string | null> {
    const manifest: unknown = JSON.parse(await readFile(join(this.rootOf(one), 'package.json'), 'utf8'))
    const { bailiff } = manifest as { bailiff?: { provides?: readonly Partial<LockedPlugin>[] } }
    const foreign = one.plugins.find(({ kind, name, capabilities }) => {
      const own = bailiff?.provides?.find((each) => each.kind === kind && each.name === name)
      return own === undefined || !isDeepStrictEqual(own.capabilities ?? {}, capabilities)
    })
    if (foreign === undefined) return null
    return `${join(this.folder, lockName)} lets its ${foreign.kind} ${foreign.name} do what its manifest does not say`
  }

  async #list(folderOf: (one: LockedPackage) => string | null): Promise<readonly PackedFile[]> {
    const found: PackedFile[] = []
    for (const one of await this.all()) {
      const inside = folderOf(one)
      if (inside === null) continue
      const folder = join(this.rootOf(one), inside)
      const entries = await readdir(folder).catch(() => [])
      for (const entry of entries.filter((name) => /^[^.].*\.yaml$/.test(name)).toSorted())
        found.push({ name: `${shortName(one.name)}/${entry.slice(0, -5)}`, file: join(folder, entry), of: one })
    }
    return found
  }
}

/** What is to be given to `bailiff plugin add` for the same package. */
export function addAgain({ name, version, from }: LockedPackage): string {
  return from.type === 'registry' ? `${shortName(name)}@${version}` : from.spec
}
