import { BailiffError } from '../errors.ts'
import { InstalledPackages, type PackedFile } from '../settings/installed-packages.ts'
import { shortName } from '../settings/package-names.ts'
import type { LockedPackage } from '../settings/plugin-lock.ts'
import { print } from './output.ts'
import { pluginFolder } from './plugin-place.ts'
import type { PluginOptions } from './plugin.ts'
import { table } from './table.ts'

/** Lists what is installed. Throws a BailiffError where that cannot be read. */
export async function listPackages({ config, json }: PluginOptions): Promise<void> {
  const folder = await pluginFolder(config)
  const installed = new InstalledPackages(folder)
  const packages = await installed.all()
  const rows = await Promise.all(
    packages.map(async (one) => ({
      one,
      filters: await filtersOf(one, installed),
      jails: await jailsOf(one, installed),
      flaw: await installed.flawOf(one),
    })),
  )
  if (json) {
    const plain = rows.map(({ one, filters, jails, flaw }) => ({
      ...one,
      shortName: shortName(one.name),
      filters,
      jails,
      problem: flaw,
    }))
    print(JSON.stringify({ folder, packages: plain }, null, 2))
    return
  }
  if (packages.length === 0) {
    print(`no package is installed in ${folder}\n  "bailiff plugin add NAME" installs one`)
    return
  }
  const cells = rows.map(({ one, filters, jails, flaw }) => [
    shortName(one.name),
    one.version,
    [
      ...one.plugins.map(({ kind, name }) => `${kind} ${name}`),
      ...filters.map((name) => `filter ${name}`),
      ...jails.map((name) => `jail ${name}`),
    ].join(', '),
    originOf(one),
    flaw === null ? { text: 'whole', style: 'green' as const } : { text: 'changed', style: 'red' as const },
  ])
  print(table(['NAME', 'VERSION', 'HAS', 'FROM', 'FILES'], cells))
  if (rows.some(({ flaw }) => flaw !== null))
    print('\nwhat has changed is not used: "bailiff plugin verify" tells what to do')
}

/** The filters that a package has, by their names in it. */
export async function filtersOf(one: LockedPackage, installed: InstalledPackages): Promise<string[]> {
  return namesIn(one, installed.filters())
}

/** The jails that a package has, by their names in it. */
export async function jailsOf(one: LockedPackage, installed: InstalledPackages): Promise<string[]> {
  return namesIn(one, installed.jails())
}

async function namesIn(one: LockedPackage, listing: Promise<readonly PackedFile[]>): Promise<string[]> {
  const all = await listing.catch((error: unknown) => {
    if (error instanceof BailiffError) return []
    throw error
  })
  return all.filter(({ of }) => of.name === one.name).map(({ name }) => name.replace(/^.*\//, ''))
}

/** Where a package came from, in words. */
export function originOf({ from }: LockedPackage): string {
  return from.type === 'registry' ? 'registry' : from.spec
}
