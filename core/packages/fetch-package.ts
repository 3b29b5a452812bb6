import { constants } from 'node:fs'
import { copyFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BailiffError, describeError, printable, quote } from '../errors.ts'
import { isRecord } from '../settings/sourced.ts'
import { runNpm, type NpmRun } from './npm.ts'
import { readPackage, type PackageDescription } from './read-package.ts'
import { readTarball, type TarballContent } from './tarball.ts'
import type { LocalPackage, RegistryPackage, WantedPackage } from './wanted-package.ts'

/** A package as a tarball in a folder of ours, looked at and checked, of which nothing was unpacked or run. */
export interface FetchedPackage extends TarballContent {
  readonly wanted: WantedPackage
  readonly tarball: string
  readonly description: PackageDescription
}

/**
 * Fetches a package into `folder`, which must be empty: a name from the registry that npm is configured for, a folder
 * as npm packs it. Throws a BailiffError where there is none, and where it is no package that can be installed.
 */
export async function fetchPackage(wanted: WantedPackage, folder: string): Promise<FetchedPackage> {
  const tarball = wanted.type === 'tarball' ? await copied(wanted.path, folder) : await packed(wanted, folder)
  const content = await readTarball(tarball).catch((error: unknown) => {
    throw error instanceof BailiffError ? placedAt(error, wanted) : error
  })
  const label = wanted.type === 'folder' ? join(wanted.path, 'package.json') : `${labelOf(wanted)}: package.json`
  const description = readPackage(content.packageJson, label)
  if (wanted.type === 'folder') checkNoTarball(content, label)
  checkFiles(description, content, label)
  if (wanted.type === 'registry' && description.name !== wanted.name)
    throw new BailiffError('data', `the registry gave ${quote(description.name)} for ${wanted.name}`)
  return { ...content, wanted, tarball, description }
}

/** npm packs all that lies in a folder of which `package.json` does not say what belongs to the package. */
function checkNoTarball({ files }: TarballContent, label: string): void {
  const inside = [...files.keys()].filter((path) => path.endsWith('.tgz'))
  const [first] = inside
  if (first === undefined) return
  throw new BailiffError(
    'data',
    `npm would pack ${quote(first)} into the package: an older tarball does not belong there`,
    {
      where: { file: label },
      hint: `rm ${inside.join(' ')}; or say in package.json what belongs to the package: "files": ["*.mjs"]`,
    },
  )
}

/** Throws a BailiffError where a module or a filter is not there that the manifest names. */
function checkFiles({ manifest, name }: PackageDescription, { files }: TarballContent, label: string): void {
  const hint = `is it built, and among "files" of package.json? "npm pack --dry-run" lists what ${name} has`
  manifest.provides.forEach(({ module, kind, name: plugin }, index) => {
    if (files.has(module)) return
    const where = { file: label, option: `bailiff.provides[${index}].module` }
    throw new BailiffError('data', `the module ${quote(module)} of the ${kind} ${plugin} is not in the package`, {
      where,
      hint,
    })
  })
  for (const [what, folder] of [
    ['filter', manifest.filters],
    ['jail', manifest.jails],
  ] as const) {
    if (folder === undefined || [...files.keys()].some((path) => isYamlIn(path, folder))) continue
    const where = { file: label, option: `bailiff.${what}s` }
    throw new BailiffError('data', `no ${what} (.yaml) is in the folder ${quote(folder)} of the package`, {
      where,
      hint,
    })
  }
}

function isYamlIn(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`) && /^[^./][^/]*\.yaml$/.test(path.slice(folder.length + 1))
}

async function copied(path: string, folder: string): Promise<string> {
  const to = join(folder, 'package.tgz')
  try {
    await copyFile(path, to, constants.COPYFILE_EXCL)
    return to
  } catch (error) {
    throw new BailiffError('no-input', `cannot be read: ${describeError(error)}`, {
      where: { file: path },
      cause: error,
    })
  }
}

async function packed(wanted: WantedPackage, folder: string): Promise<string> {
  const spec = wanted.type === 'registry' ? `${wanted.name}@${wanted.range}` : wanted.path
  const ran = await runNpm(['pack', `--pack-destination=${folder}`, '--', spec], folder)
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'))
  if (ran.code === 0 && tarball !== undefined) return join(folder, tarball)
  throw wanted.type === 'registry' ? notThere(wanted, ran) : unpackable(wanted, ran)
}

function unpackable({ path }: LocalPackage, { why }: NpmRun): BailiffError {
  return new BailiffError('data', `npm cannot pack the folder: ${why || 'it does not say why'}`, {
    where: { file: join(path, 'package.json') },
    hint: `"npm pack --dry-run ${path}" tells more`,
  })
}

/** What npm says where it has no such package, in the words of a person. */
export function notThere({ name, range }: RegistryPackage, run: NpmRun): BailiffError {
  const { errorCode, why } = run
  const asked = range === 'latest' ? name : `${name}@${range}`
  if (errorCode === 'E404')
    return new BailiffError('no-input', `the registry has no package ${asked}`, {
      hint: `"npm search --searchopts=keywords bailiff-plugin" looks for plugins; a tarball or folder is named by its path: ./${name}`,
    })
  if (errorCode === 'ETARGET')
    return new BailiffError('no-input', `the registry has no version ${quote(range)} of ${name}`, {
      hint: `"npm view ${name} versions" lists those that there are`,
    })
  return new BailiffError('unavailable', `${asked} cannot be fetched: ${errorCode} ${why}`.trimEnd(), {
    hint: 'the registry is the one of npm ("npm config get registry"); "npm ping" asks whether it is there',
  })
}

/** What the registry says of a package, without its tarball: the same fields as its `package.json`. */
export async function viewPackage(wanted: RegistryPackage, folder: string): Promise<Readonly<Record<string, unknown>>> {
  const ran = await runNpm(['view', '--', `${wanted.name}@${wanted.range}`], folder)
  const found = Array.isArray(ran.json) ? (ran.json as unknown[]).at(-1) : ran.json
  if (ran.code !== 0 || !isRecord(found))
    throw notThere(wanted, ran.code === 0 ? { ...ran, errorCode: 'ETARGET' } : ran)
  return found
}

function labelOf(wanted: WantedPackage): string {
  return wanted.type === 'registry' ? printable(`${wanted.name}@${wanted.range}`) : wanted.path
}

/** The copy in a folder of ours means nothing to a person. */
function placedAt({ kind, message, hint }: BailiffError, wanted: WantedPackage): BailiffError {
  return new BailiffError(kind, message, { where: { file: labelOf(wanted) }, ...(hint !== undefined && { hint }) })
}
