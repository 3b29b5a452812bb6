/** Finds the plugin of an installed package that the configuration names. Nothing of the package is run. */
import { join } from 'node:path'
import { BailiffError, quote } from '../errors.ts'
import type { JsonSchema } from '../plugin.ts'
import { addAgain, type InstalledPackages } from '../settings/installed-packages.ts'
import { means, readings, shortName } from '../settings/package-names.ts'
import type { LockedPackage, LockedPlugin } from '../settings/plugin-lock.ts'
import type { PluginKind, PluginUse } from '../settings/plugin-use.ts'
import { oldestPluginApi, apiVersion } from './api-version.ts'
import type { Capabilities } from './manifest.ts'

/** A plugin of a package whose files are those that were installed, and the options that its manifest accepts. */
export interface PackagedPlugin {
  readonly kind: PluginKind
  /** For logs, status and the folder of its state: `edge`, or with another name than its package `edge-purge`. */
  readonly name: string
  readonly package: string
  readonly version: string
  /** The module, absolute. */
  readonly file: string
  /** The folder of the package: `package.json` lies there. */
  readonly root: string
  /** The folder with the package and all that it depends on. */
  readonly tree: string
  /** The version of the plugin API that it was written for. */
  readonly api: number
  /** Those that were consented to. */
  readonly capabilities: Capabilities
  /** As the schema of the manifest made them. */
  readonly options: unknown
}

interface Found {
  readonly of: LockedPackage
  readonly plugin: LockedPlugin
}

/**
 * The plugin that a use names: by the name of its package (`edge`, `@scope/edge`), with that of the plugin behind it
 * (`edge/purge`), or by that of the plugin where no package is called so. Null where no package has one. Throws a
 * BailiffError where the name means several, where the package has none of this kind or was changed, and where the
 * manifest does not accept the options.
 */
export async function findPackaged(
  kind: PluginKind,
  use: PluginUse,
  packages: InstalledPackages,
): Promise<PackagedPlugin | null> {
  const found = choose(kind, use, await packages.all())
  if (found === null) return null
  const { of, plugin } = found
  checkApi(of, use)
  await packages.check(of, use.where)
  const name = instanceName(found)
  const { checkStrangeOptions } = await import('../strange-options.ts')
  const options = await checkStrangeOptions({ schema: closed(plugin.options), use, name })
  const root = packages.rootOf(of)
  return {
    kind,
    name,
    package: of.name,
    version: of.version,
    file: join(root, plugin.module),
    root,
    tree: join(packages.folder, of.folder),
    api: of.api,
    capabilities: plugin.capabilities as Capabilities,
    options,
  }
}

/** How the configuration names all plugins of a kind that packages have, sorted. */
export function packagedNames(kind: PluginKind, all: readonly LockedPackage[]): string[] {
  const named = all.flatMap((of) => {
    const plugins = of.plugins.filter((plugin) => plugin.kind === kind)
    const short = shortName(of.name)
    const isOwn = (name: string) => plugins.length === 1 || name === lastWord(of)
    return plugins.map(({ name }) => (isOwn(name) ? short : `${short}/${name}`))
  })
  return named.toSorted()
}

function choose(kind: PluginKind, use: PluginUse, all: readonly LockedPackage[]): Found | null {
  const given = use.plugin
  const named = readings(given).flatMap(({ name, part }) =>
    all.filter((one) => means(name, one.name)).map((of) => ({ of, part })),
  )
  const found = named.flatMap(({ of, part }) => ofPackage(kind, of, part).map((plugin) => ({ of, plugin })))
  const alone = named.length > 0 ? [] : ofAny(kind, given, all)
  const meant = found.length > 0 ? found : alone
  if (meant.length > 1)
    throw new BailiffError('config', `${quote(given)} may be several ${kind}s`, {
      where: use.where,
      hint: `write which one: ${meant.map(exactName).join(' or ')}`,
    })
  const [of] = named
  if (meant.length === 0 && of !== undefined) throw withoutKind(kind, of.of, use)
  return meant[0] ?? null
}

/** Those of a package that are meant where nobody or somebody says which: the one of its own name, else all. */
function ofPackage(kind: PluginKind, of: LockedPackage, part: string | null): readonly LockedPlugin[] {
  const some = of.plugins.filter((plugin) => plugin.kind === kind)
  const own = some.filter(({ name }) => name === (part ?? lastWord(of)))
  return part !== null || own.length > 0 ? own : some
}

function ofAny(kind: PluginKind, given: string, all: readonly LockedPackage[]): Found[] {
  return all.flatMap((of) =>
    of.plugins.filter((plugin) => plugin.kind === kind && plugin.name === given).map((plugin) => ({ of, plugin })),
  )
}

/** `edge` of `bailiff-plugin-edge` and of `@scope/bailiff-plugin-edge`. */
function lastWord({ name }: LockedPackage): string {
  return shortName(name).replace(/^.*[/:@]/, '')
}

function exactName({ of, plugin }: Found): string {
  return `${of.name}/${plugin.name}`
}

function instanceName({ of, plugin }: Found): string {
  const short = shortName(of.name)
    .replace(/^module:/, '')
    .replaceAll(/[^\w.-]+/g, '-')
    .replace(/^-/, '')
  return plugin.name === short ? short : plugin.name === lastWord(of) ? short : `${short}-${plugin.name}`
}

/** Options that a schema does not name are mistakes, unless it says that there may be others. */
function closed(schema: unknown): JsonSchema {
  return schema === undefined
    ? { type: 'object', properties: {}, additionalProperties: false }
    : { additionalProperties: false, ...(schema as JsonSchema) }
}

function checkApi({ name, version, api }: LockedPackage, { where }: PluginUse): void {
  if (api >= oldestPluginApi && api <= apiVersion) return
  throw new BailiffError(
    'config',
    `${name} ${version} is written for version ${api} of the plugin API; this Bailiff has ${apiVersion}`,
    {
      where,
      hint: api > apiVersion ? 'update Bailiff' : `bailiff plugin update ${shortName(name)}`,
    },
  )
}

function withoutKind(kind: PluginKind, of: LockedPackage, { plugin, where }: PluginUse): BailiffError {
  const has = of.plugins.map((one) => `the ${one.kind} ${one.name}`)
  const filters = of.filters === null ? [] : ['filters']
  return new BailiffError(
    'config',
    `${quote(plugin)} is no ${kind}: ${of.name} has ${[...has, ...filters].join(', ')}`,
    {
      where,
      hint: `"bailiff plugin info ${shortName(of.name)}" tells what it has; "bailiff plugin add ${addAgain(of)}" installs it anew`,
    },
  )
}
