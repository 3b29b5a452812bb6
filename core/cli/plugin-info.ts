import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { printable } from '../errors.ts'
import { allAsked } from '../packages/capabilities.ts'
import { fetchPackage, viewPackage } from '../packages/fetch-package.ts'
import type { ProvidedPlugin } from '../packages/manifest.ts'
import { readPackage } from '../packages/read-package.ts'
import { readWanted, type WantedPackage } from '../packages/wanted-package.ts'
import { InstalledPackages } from '../settings/installed-packages.ts'
import { means, shortName } from '../settings/package-names.ts'
import { isRecord } from '../settings/sourced.ts'
import { missingNamespaces } from './missing-namespaces.ts'
import { print, styled } from './output.ts'
import { filtersOf, jailsOf, originOf } from './plugin-list.ts'
import { pluginFolder } from './plugin-place.ts'
import { askedText, useText } from './plugin-proposal.ts'
import type { PluginOptions } from './plugin.ts'

/** A package as it is told, installed or not. */
interface Told {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly api: number
  readonly plugins: readonly ProvidedPlugin[]
  /** Names of its filters; of one that is not installed, null where that is not known. */
  readonly filters: readonly string[] | null
  /** Names of its jails, likewise. */
  readonly jails: readonly string[] | null
  readonly installed: null | {
    readonly from: string
    readonly at: string
    readonly folder: string
    readonly integrity: string
    readonly signature: string
    readonly installScripts: readonly string[]
    readonly problem: string | null
  }
}

/** Tells of a package, which is not installed where it is not. Throws a BailiffError where there is none. */
export async function showPackage(what: string, { config, json }: PluginOptions): Promise<void> {
  const installed = new InstalledPackages(await pluginFolder(config))
  const told = (await installedOne(what, installed)) ?? (await otherOne(readWanted(what)))
  if (json) print(JSON.stringify({ ...told, shortName: shortName(told.name) }, null, 2))
  else printText(told)
}

async function installedOne(what: string, installed: InstalledPackages): Promise<Told | null> {
  const one = (await installed.all()).find(({ name }) => means(what, name))
  if (one === undefined) return null
  return {
    name: one.name,
    version: one.version,
    description: one.description,
    api: one.api,
    plugins: one.plugins as readonly ProvidedPlugin[],
    filters: await filtersOf(one, installed),
    jails: await jailsOf(one, installed),
    installed: {
      from: originOf(one),
      at: one.installed,
      folder: installed.rootOf(one),
      integrity: one.integrity,
      signature: one.signature,
      installScripts: one.installScripts,
      problem: await installed.flawOf(one),
    },
  }
}

/** Of a name only what the registry says of it is read; a tarball or folder is looked at whole. */
async function otherOne(wanted: WantedPackage): Promise<Told> {
  const folder = await mkdtemp(join(tmpdir(), 'bailiff-plugin-'))
  try {
    await writeFile(join(folder, 'package.json'), '{ "private": true }\n')
    const files = wanted.type === 'registry' ? null : await fetchPackage(wanted, folder)
    const { name, version, description, manifest } =
      wanted.type === 'registry'
        ? readPackage(JSON.stringify(await viewPackage(wanted, folder)), `${wanted.name}@${wanted.range}: package.json`)
        : (files?.description ?? readPackage('{}', wanted.path))
    const named = (folder: string | undefined) =>
      folder === undefined ? [] : files && yamlNames(files.files.keys(), folder)
    return {
      name,
      version,
      description,
      api: manifest.api,
      plugins: manifest.provides,
      installed: null,
      filters: named(manifest.filters),
      jails: named(manifest.jails),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function yamlNames(paths: Iterable<string>, folder: string): string[] {
  const below = `${folder}/`
  const inside = [...paths].filter((path) => path.startsWith(below) && path.endsWith('.yaml'))
  return inside.map((path) => path.slice(below.length, -5))
}

function printText({ name, version, description, api, plugins, filters, jails, installed }: Told): void {
  print(styled('bold', printable(`${name} ${version}`)) + (installed === null ? '  (not installed)' : ''))
  if (description !== '') print(`  ${printable(description)}`)
  const facts: [string, string][] = [
    ['api', String(api)],
    ...(filters === null || filters.length === 0 ? [] : [['filters', filters.join(', ')] as [string, string]]),
    ...(jails === null || jails.length === 0 ? [] : [['jails', jails.join(', ')] as [string, string]]),
    ...(installed === null
      ? []
      : ([
          ['from', installed.from],
          ['installed', installed.at],
          ['in', installed.folder],
          ['signature', installed.signature],
          ['integrity', installed.integrity],
          ...(installed.installScripts.length > 0
            ? [['scripts', `not run: ${installed.installScripts.join(', ')}`]]
            : []),
          ...(installed.problem === null ? [] : [['problem', installed.problem]]),
        ] as [string, string][])),
  ]
  for (const [what, text] of facts) print(`  ${what.padEnd(11)}${printable(text)}`)
  for (const plugin of plugins) {
    print(askedText(allAsked([plugin])).join('\n'))
    for (const line of optionLines(plugin.options)) print(`      ${printable(line)}`)
  }
  const missing = plugins.some(({ kind }) => kind !== 'matcher') ? missingNamespaces(null) : null
  if (missing !== null) print(`\n${styled('yellow', 'on this machine')} ${printable(missing)}`)
  const use = useText(name, plugins, filters ?? [], jails ?? [])
  if (use !== '') print(`\n${printable(use)}`)
}

/** The options of a schema, one line each: `url (needed): where bans are sent`. */
function optionLines(schema: unknown): string[] {
  const properties = isRecord(schema) && isRecord(schema.properties) ? schema.properties : {}
  const needed = isRecord(schema) && Array.isArray(schema.required) ? (schema.required as unknown[]) : []
  const names = Object.keys(properties).slice(0, 50)
  if (names.length === 0) return ['it has no options']
  return names.map((name) => {
    const one = properties[name]
    const says = isRecord(one) && typeof one.description === 'string' ? `: ${one.description.slice(0, 200)}` : ''
    return `option ${name}${needed.includes(name) ? ' (needed)' : ''}${says}`
  })
}
