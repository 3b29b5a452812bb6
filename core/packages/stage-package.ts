import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BailiffError, quote } from '../errors.ts'
import { hashTree, type TreeHash } from '../settings/package-tree.ts'
import { isRecord } from '../settings/sourced.ts'
import type { FetchedPackage } from './fetch-package.ts'
import { runNpm } from './npm.ts'
import { checkSignatures, type Signatures } from './signatures.ts'

/** A package with all that it depends on, unpacked in a folder of ours and checked. Nothing of it was run. */
export interface StagedPackage extends FetchedPackage {
  /** The folder with `node_modules`. */
  readonly tree: string
  readonly hash: TreeHash
  /** How many packages it depends on. */
  readonly dependencies: number
  /** Packages with scripts that npm would run at the installation. They were not run, and never are. */
  readonly installScripts: readonly string[]
  readonly signatures: Signatures
}

/**
 * Has npm unpack a package, and what it depends on from the registry, in the new folder `tree`. Throws a BailiffError
 * where that fails, where what was unpacked is not what was looked at, where it has links or is too large, and where a
 * signature is wrong. Of what it depends on, versions are taken that are at least so old. What is relied on: npm compares each tarball with the integrity that the registry states.
 */
export async function stagePackage(
  fetched: FetchedPackage,
  tree: string,
  releaseAgeMs: number,
): Promise<StagedPackage> {
  const { wanted, description, tarball, integrity } = fetched
  await mkdir(tree)
  await writeFile(join(tree, 'package.json'), '{ "private": true }\n')
  const spec = wanted.type === 'registry' ? `${description.name}@${description.version}` : tarball
  // `bailiff` is a peer of plugins, and is here already; the registry may have none of this name.
  const how = ['--omit=dev', '--legacy-peer-deps', '--no-bin-links', '--engine-strict', '--no-audit', '--package-lock']
  const old = releaseAgeMs === 0 ? [] : [`--before=${new Date(Math.max(0, Date.now() - releaseAgeMs)).toISOString()}`]
  const ran = await runNpm(['install', ...how, ...old, '--', spec, ...description.peers], tree)
  if (ran.code !== 0)
    throw new BailiffError(
      ran.errorCode === 'EBADENGINE' ? 'data' : 'unavailable',
      `npm cannot install ${description.name}: ${`${ran.errorCode} ${ran.why}`.trim()}`,
      { hint: hints[ran.errorCode] ?? 'it may depend on packages that the registry of npm does not have' },
    )
  const locked = await readNpmLock(tree)
  checkNpmLock(locked, description.name, integrity)
  await checkUnpacked(fetched, tree)
  await settleModes(tree)
  const signatures =
    wanted.type === 'registry'
      ? await checkSignatures(tree, { name: description.name, version: description.version, integrity })
      : { verified: false, text: `none: it came from a ${wanted.type}` }
  // It has times in it, and nobody reads it.
  await rm(join(tree, 'node_modules/.package-lock.json'), { force: true })
  return {
    ...fetched,
    tree,
    hash: await hashTree(tree),
    dependencies: locked.length - 1,
    installScripts: locked.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name),
    signatures,
  }
}

const hints: Readonly<Record<string, string>> = {
  ETARGET: 'what it depends on may be missing, or younger than release_age allows: --any-age takes it',
  EBADENGINE: `this is Node ${process.versions.node}; an older version of the package may do with it`,
  EINTEGRITY: 'somebody has changed a package on its way or in the registry: do not install it',
}

interface NpmLocked {
  readonly name: string
  readonly integrity: unknown
  readonly resolved: unknown
  readonly link: unknown
  readonly hasInstallScript: boolean
}

async function readNpmLock(tree: string): Promise<NpmLocked[]> {
  const read: unknown = JSON.parse(await readFile(join(tree, 'package-lock.json'), 'utf8'))
  const packages = isRecord(read) && isRecord(read.packages) ? read.packages : {}
  return Object.entries(packages).flatMap(([path, entry]) =>
    path === '' || !isRecord(entry)
      ? []
      : {
          name: path.replace(/^.*node_modules\//s, ''),
          integrity: entry.integrity,
          resolved: entry.resolved,
          link: entry.link,
          hasInstallScript: entry.hasInstallScript === true,
        },
  )
}

function checkNpmLock(locked: readonly NpmLocked[], name: string, integrity: string): void {
  const own = locked.find((one) => one.name === name)
  if (own?.integrity !== integrity)
    throw new BailiffError('data', `what npm unpacked of ${name} is not what was looked at`, {
      hint: 'try again; if it comes again, the registry gives different packages to different askers',
    })
  const foreign = locked.find(
    ({ name: one, link, resolved }) =>
      link === true || (one !== name && typeof resolved === 'string' && !/^https?:/.test(resolved)),
  )
  if (foreign !== undefined)
    throw new BailiffError('data', `it depends on ${quote(foreign.name)}, which is not of a registry`, {
      hint: 'folders and git are not fetched; its author publishes what it depends on',
    })
}

/** Files are read by all and written by root, and none runs as its owner, whatever stands in the tarball. */
async function settleModes(tree: string): Promise<void> {
  for (const entry of await readdir(tree, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    // Links are refused when the tree is hashed.
    if (entry.isDirectory()) await chmod(path, 0o755)
    else if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o111) === 0 ? 0o644 : 0o755)
  }
}

/** What unpacks reads tarballs in a way of its own, so it is looked whether both saw the same. */
async function checkUnpacked({ description, packageJson, files }: FetchedPackage, tree: string): Promise<void> {
  const root = join(tree, 'node_modules', description.name)
  const text = await readFile(join(root, 'package.json'), 'utf8').catch(() => null)
  const modules = description.manifest.provides.map(({ module }) => module)
  const looked = await Promise.all(
    modules.map(async (module) => (await stat(join(root, module)).catch(() => null))?.size === files.get(module)),
  )
  if (text !== packageJson || looked.includes(false))
    throw new BailiffError('data', 'npm unpacks the tarball to something else than what stands in it')
}
