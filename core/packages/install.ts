/** From what somebody names to an installed package: fetched, looked at, unpacked, checked, consented to, put in place. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BailiffError, quote } from '../errors.ts'
import type { PluginHosts } from '../plugin-host/plugin-hosts.ts'
import type { MatcherPlugin } from '../plugin.ts'
import { hashTree } from '../settings/package-tree.ts'
import type { LockedPackage } from '../settings/plugin-lock.ts'
import { allAsked, moreAsked, noLongerAsked, type Asked } from './capabilities.ts'
import { fetchPackage } from './fetch-package.ts'
import type { ProvidedPlugin } from './manifest.ts'
import { tryPackedFilters, tryPackedJails, type TriedFilters } from './filter-samples.ts'
import type { PluginFolder } from './plugin-folder.ts'
import { InvalidPackage, type PackageDescription } from './read-package.ts'
import { checkReleaseAge } from './release-age.ts'
import { stagePackage, type StagedPackage } from './stage-package.ts'
import { tryModules } from './try-modules.ts'
import { compareVersions } from './version-order.ts'
import { wantedText, type WantedPackage } from './wanted-package.ts'

/** What somebody is to consent to. */
export interface Proposal {
  readonly description: PackageDescription
  /** The package of the same name that is installed; null: none. */
  readonly before: LockedPackage | null
  readonly from: WantedPackage['type']
  readonly all: readonly Asked[]
  /** What of it nobody has consented to; of a new package all. */
  readonly more: readonly Asked[]
  readonly noLonger: readonly Asked[]
  readonly filters: TriedFilters
  readonly jails: readonly string[]
  readonly dependencies: number
  readonly installScripts: readonly string[]
  readonly signature: string
}

export interface Installing {
  readonly engines: readonly MatcherPlugin[]
  /** They try whether its modules load, before it takes the place of what is installed. */
  readonly hosts: PluginHosts
  /** What is being done now, in a few words. */
  readonly step: (what: string) => void
  /** Asked only where there is something to consent to. Rejects, or answers false, to leave all as it is. */
  readonly consent: (proposal: Proposal) => Promise<boolean>
  /** Whether an older version than the installed one is refused. */
  readonly onlyNewer?: boolean
  /** So long a version must have been in the registry; 0: any. */
  readonly releaseAgeMs: number
  /** The name that it must have; another one is refused. */
  readonly name?: string
}

/** What became of it. `unchanged`: the very same package is installed already. */
export interface Installed {
  readonly outcome: 'installed' | 'unchanged' | 'declined'
  readonly proposal: Proposal | null
  readonly entry: LockedPackage | null
}

/**
 * Installs a package, or another version of an installed one. Until all is checked and consented to the old one stays
 * as it is; its modules are loaded once, so that it can be told where they do not; then the new one takes its place in one step. Throws a BailiffError, and nothing has changed.
 */
export function install(plugins: PluginFolder, wanted: WantedPackage, how: Installing): Promise<Installed> {
  return plugins.staging(async (staging) => {
    const folder = join(staging, 'fetched')
    await mkdir(folder)
    // So that npm looks here, and not further up, for settings of a project.
    await writeFile(join(folder, 'package.json'), '{ "private": true }\n')
    how.step(`fetching ${wantedText(wanted)}`)
    const fetched = await fetchPackage(wanted, folder)
    const { name, version } = fetched.description
    if (how.name !== undefined && name !== how.name)
      throw new BailiffError('data', `where ${how.name} came from there is ${name} now`, {
        hint: `if you want that as well: bailiff plugin add ${wantedText(wanted)}`,
      })
    const before = plugins.packages.find((one) => one.name === name) ?? null
    if (before !== null && (await isSame(plugins, before, fetched)))
      return { outcome: 'unchanged', proposal: null, entry: before }
    if (how.onlyNewer && before !== null && compareVersions(version, before.version) < 0) throw older(before, version)
    if (wanted.type === 'registry') await checkReleaseAge(fetched.description, how.releaseAgeMs, folder)
    how.step(`unpacking ${name} ${version} and what it depends on`)
    const staged = await stagePackage(fetched, join(staging, 'tree'), how.releaseAgeMs)
    const proposal = await propose(staged, before, how)
    if (proposal.more.length > 0 && !(await how.consent(proposal)))
      return { outcome: 'declined', proposal, entry: before }
    how.step(`loading ${name} ${version}`)
    await tryModules(staged, how.hosts)
    return { outcome: 'installed', proposal, entry: await plugins.put(staged.tree, entryOf(staged), staged.hash.lines) }
  })
}

/** Whether the files of the installed one are whole, too. */
async function isSame(
  { folder }: PluginFolder,
  before: LockedPackage,
  next: { readonly integrity: string; readonly description: PackageDescription },
): Promise<boolean> {
  if (before.integrity !== next.integrity || before.version !== next.description.version) return false
  const found = await hashTree(join(folder, before.folder)).catch(() => null)
  return found?.hash === before.tree
}

async function propose(staged: StagedPackage, before: LockedPackage | null, how: Installing): Promise<Proposal> {
  const { description, wanted, tree, dependencies, installScripts, signatures } = staged
  const { name, manifest } = description
  const filters =
    manifest.filters === undefined
      ? { names: [], tried: 0, problems: [] }
      : await tried(join(tree, 'node_modules', name), name, manifest.filters, how)
  const jails = manifest.jails === undefined ? [] : await triedJails(staged, manifest.jails, filters.names)
  const all = allAsked(manifest.provides)
  const had = before === null ? [] : allAsked(before.plugins as readonly ProvidedPlugin[])
  return {
    description,
    before,
    from: wanted.type,
    all,
    more: moreAsked(had, all),
    noLonger: noLongerAsked(had, all),
    filters,
    jails,
    dependencies,
    installScripts,
    signature: signatures.text,
  }
}

async function tried(root: string, name: string, folder: string, { engines, step }: Installing): Promise<TriedFilters> {
  step('trying the samples of its filters')
  const filters = await tryPackedFilters({ root, folder: join(root, folder), label: `${name}/${folder}` }, engines)
  const [first, ...others] = filters.problems
  if (first !== undefined) throw new InvalidPackage([first, ...others])
  return filters
}

async function triedJails(
  { tree, description: { name } }: StagedPackage,
  inside: string,
  filters: readonly string[],
): Promise<readonly string[]> {
  const folder = join(tree, 'node_modules', name, inside)
  const { names, problems } = await tryPackedJails({ folder, label: `${name}/${inside}`, name, filters })
  const [first, ...others] = problems
  if (first !== undefined) throw new InvalidPackage([first, ...others])
  return names
}

function entryOf(staged: StagedPackage): Omit<LockedPackage, 'folder'> {
  const { description, wanted, integrity, hash, signatures, installScripts } = staged
  const { name, version, manifest } = description
  return {
    name,
    version,
    description: description.description,
    api: manifest.api,
    integrity,
    tree: hash.hash,
    from: { type: wanted.type, spec: wantedText(wanted) },
    signature: signatures.text,
    installed: new Date().toISOString(),
    installScripts: [...installScripts],
    plugins: manifest.provides.map(({ capabilities = {}, ...plugin }) => ({
      ...plugin,
      options: plugin.options,
      capabilities: capabilities as LockedPackage['plugins'][number]['capabilities'],
    })),
    filters: manifest.filters ?? null,
    jails: manifest.jails ?? null,
  }
}

function older({ name, version }: LockedPackage, offered: string): BailiffError {
  return new BailiffError(
    'data',
    `${name} ${version} is installed, and only ${quote(offered).slice(1, -1)} is offered, which is older`,
    {
      hint: `if that is right: bailiff plugin add ${name}@${offered}`,
    },
  )
}
