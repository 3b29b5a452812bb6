import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { BailiffError, quote, suggest } from '../errors.ts'
import { makeFolder } from '../rights/hand-over.ts'
import { findConfig } from '../settings/find-config.ts'
import { pluginFolderOf, readTree } from '../settings/load-settings.ts'
import { means, shortName } from '../settings/package-names.ts'
import { releaseAgeOf, usualReleaseAgeMs } from '../settings/release-age.ts'
import { defaultPlaces } from '../settings/places.ts'
import type { LockedPackage } from '../settings/plugin-lock.ts'

/** Where packages are installed, and how long a version of them must have been in the registry. */
export interface PluginPlace {
  readonly folder: string
  readonly releaseAgeMs: number
}

/**
 * The folder of installed packages: that of the configuration, whatever else is wrong with it; the usual one where
 * there is no configuration. Throws a BailiffError where one is named and cannot be read.
 */
export async function pluginFolder(config: string | undefined): Promise<string> {
  return (await pluginPlace(config)).folder
}

async function pluginPlace(config: string | undefined): Promise<PluginPlace> {
  const places = defaultPlaces()
  try {
    const main = await findConfig(config, places.configFolders)
    const { tree } = await readTree(main.file, main.text)
    return { folder: pluginFolderOf(tree, places), releaseAgeMs: releaseAgeOf(tree) }
  } catch (error) {
    const isNone = error instanceof BailiffError && error.kind === 'no-input'
    if (config !== undefined || !isNone) throw error
    return { folder: join(places.state, 'packages'), releaseAgeMs: usualReleaseAgeMs }
  }
}

/** As `pluginFolder`, for who writes there: the folder of the state around it is made as the agent makes it. */
export async function writablePluginFolder(config: string | undefined): Promise<PluginPlace> {
  const place = await pluginPlace(config)
  const { folder } = place
  const state = dirname(folder)
  const isRoot = process.geteuid?.() === 0
  if (isRoot && folder === join(state, 'packages') && !existsSync(state)) makeFolder(state)
  return place
}

/** The installed package that a name means. Throws a BailiffError (`no-input`) where there is none. */
export function installedPackage(given: string, packages: readonly LockedPackage[]): LockedPackage {
  const found = packages.filter(({ name }) => means(given, name))
  const [first, second] = found
  if (first !== undefined && second !== undefined)
    throw new BailiffError('usage', `${quote(given)} may be ${found.map(({ name }) => name).join(' or ')}`, {
      hint: `write the whole name, behind module: to mean no other: module:${first.name}`,
    })
  if (first !== undefined) return first
  const names = packages.map(({ name }) => shortName(name))
  const meant = suggest(given, names)
  const known = names.length === 0 ? 'none is' : `there are ${names.join(', ')}`
  throw new BailiffError(
    'no-input',
    `no package ${quote(given)} is installed; ${meant ? `did you mean ${meant}?` : known}`,
    {
      hint: '"bailiff plugin list" shows what is; "bailiff plugin add" installs one',
    },
  )
}
