import { dirname } from 'node:path'
import { BailiffError, describeError, exitCodes, printable } from '../errors.ts'
import { install, type Installed, type Installing } from '../packages/install.ts'
import { PluginHosts } from '../plugin-host/plugin-hosts.ts'
import { PluginFolder } from '../packages/plugin-folder.ts'
import { readWanted } from '../packages/wanted-package.ts'
import { shortName } from '../settings/package-names.ts'
import type { LockedPackage } from '../settings/plugin-lock.ts'
import { loadEngines } from './load-engines.ts'
import { print, styled } from './output.ts'
import { asRecord, consent, printOutcome, step } from './plugin-add.ts'
import { installedPackage, writablePluginFolder } from './plugin-place.ts'
import type { PluginOptions } from './plugin.ts'
import { triedAs } from './tried-as.ts'

interface Update {
  readonly before: LockedPackage
  readonly result: Installed | BailiffError
}

/**
 * Updates the named packages, or all. One that cannot be updated is told, stays, and the others go on. Returns the exit
 * code: 0, 75 where the person did not consent to one, else that of the first error.
 */
export async function updatePackages(names: readonly string[], options: PluginOptions): Promise<number> {
  const { folder, releaseAgeMs } = await writablePluginFolder(options.config)
  const engines = await loadEngines()
  const hosts = new PluginHosts({ user: triedAs(dirname(folder)) })
  const updates = await PluginFolder.change(folder, async (plugins) => {
    const wanted =
      names.length === 0
        ? plugins.packages
        : [...new Set(names.map((name) => installedPackage(name, plugins.packages)))]
    const done: Update[] = []
    for (const before of wanted) {
      const how: Installing = {
        engines,
        hosts,
        step,
        onlyNewer: true,
        name: before.name,
        releaseAgeMs: options.anyAge ? 0 : releaseAgeMs,
        consent: (proposal) => consent(proposal, options),
      }
      done.push({ before, result: await tryInstall(plugins, before, how) })
    }
    return done
  }).finally(() => hosts.stop())
  if (options.json) print(JSON.stringify({ packages: updates.map(plain) }, null, 2))
  else printAll(updates, options)
  const failed = updates.map(({ result }) => result).find((result) => result instanceof BailiffError)
  if (failed !== undefined) return exitCodes[failed.kind]
  const declined = updates.some(({ result }) => !(result instanceof BailiffError) && result.outcome === 'declined')
  return declined ? exitCodes['try-again'] : 0
}

async function tryInstall(
  plugins: PluginFolder,
  before: LockedPackage,
  how: Installing,
): Promise<Installed | BailiffError> {
  try {
    return await install(plugins, readWanted(sourceOf(before)), how)
  } catch (error) {
    if (error instanceof BailiffError) return error
    throw error
  }
}

/** Where a package is looked for: where it came from. One exact version of the registry would never change. */
function sourceOf({ name, from }: LockedPackage): string {
  if (from.type !== 'registry') return from.spec
  return /@\d+\.\d+\.\d+[^@]*$/.test(from.spec) ? shortName(name) : from.spec
}

function plain({ before, result }: Update) {
  if (!(result instanceof BailiffError)) return { ...asRecord(result), before: before.version }
  const { kind, message, where, hint } = result
  return { outcome: 'failed', package: before.name, version: before.version, error: { kind, message, where, hint } }
}

function printAll(updates: readonly Update[], options: PluginOptions): void {
  if (updates.length === 0) print('no package is installed')
  for (const { before, result } of updates) {
    if (result instanceof BailiffError) {
      print(`${styled('red', 'failed')}  ${before.name} ${before.version} stays: ${describeError(result)}`)
    } else if (result.outcome === 'unchanged') printUnchanged(before)
    else if (result.outcome === 'declined') print(`${before.name} ${before.version} stays`)
    else printOutcome(result, options)
  }
}

/** Only the registry knows of newer versions: a tarball is what it is, and a newer one is another file. */
function printUnchanged({ name, version, from }: LockedPackage): void {
  if (from.type === 'registry') return print(`${name} ${version} is the newest`)
  print(`${name} ${version} stays: it came from a ${from.type}, and ${printable(from.spec)} still has this version`)
  print(`  a newer one is added by its path: bailiff plugin add ${from.type === 'folder' ? 'FOLDER' : './NAME.tgz'}`)
}
