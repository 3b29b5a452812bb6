/** Makes a package of one's own ready to be published: what the manifest can be told of is written, all is checked. */
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { BailiffError, whyUnreadable, type Where } from '../errors.ts'
import type { PluginHosts } from '../plugin-host/plugin-hosts.ts'
import type { MatcherPlugin } from '../plugin.ts'
import { untold } from '../plugin-options.ts'
import type { PluginKind } from '../settings/plugin-use.ts'
import { isRecord } from '../settings/sourced.ts'
import { loadModule, takesOptions } from '../wasm-matcher/load-module.ts'
import { apiVersion } from './api-version.ts'
import { fetchPackage } from './fetch-package.ts'
import { tryPackedFilters, tryPackedJails } from './filter-samples.ts'
import { InvalidPackage, keyword, readPackage, type PackageDescription } from './read-package.ts'

/** A package that was packed. */
export interface PackedPackage {
  readonly description: PackageDescription
  /** Absolute. */
  readonly tarball: string
  readonly integrity: string
  readonly files: number
  /** Fields of `package.json` that were written: `keywords`, `bailiff.provides[0].options`. */
  readonly written: readonly string[]
  readonly samples: number
}

interface Packing {
  readonly hosts: PluginHosts
  readonly engines: readonly MatcherPlugin[]
  /** Where the tarball is to lie. */
  readonly into: string
}

/**
 * Checks the package in a folder, writes what its manifest lacks and can be told, and packs it by `npm pack`. Its
 * modules are loaded, each in a process of its own. Throws a BailiffError with what is wrong; then there is no tarball.
 */
export async function packFolder(given: string, { hosts, engines, into }: Packing): Promise<PackedPackage> {
  const folder = resolve(given)
  const file = join(folder, 'package.json')
  const written = await completeManifest(file, folder, hosts)
  const made = await mkdtemp(join(tmpdir(), 'bailiff-pack-'))
  try {
    await writeFile(join(made, 'package.json'), '{ "private": true }\n')
    const { description, tarball, integrity, files } = await fetchPackage({ type: 'folder', path: folder }, made)
    const { filters, jails } = description.manifest
    const label = join(folder, filters ?? '')
    const tried = filters === undefined ? null : await tryPackedFilters({ root: folder, folder: label, label }, engines)
    const jailFolder = { folder: join(folder, jails ?? ''), label: join(folder, jails ?? '') }
    const own = { name: description.name, filters: tried?.names ?? [] }
    const triedJails = jails === undefined ? [] : (await tryPackedJails({ ...jailFolder, ...own })).problems
    const [first, ...others] = [...(tried?.problems ?? []), ...triedJails]
    if (first !== undefined) throw new InvalidPackage([first, ...others])
    const to = join(resolve(into), basename(tarball))
    await copyFile(tarball, to)
    return { description, tarball: to, integrity, files: files.size, written, samples: tried?.tried ?? 0 }
  } finally {
    await rm(made, { recursive: true, force: true })
  }
}

/** Writes what is missing into `package.json`, which keeps its indentation. Answers which fields. */
async function completeManifest(file: string, folder: string, hosts: PluginHosts): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new BailiffError('no-input', `cannot be read: ${whyUnreadable(cause)}`, {
      where: { file },
      hint: 'name the folder of a package; "npm init" makes a package.json',
      cause,
    })
  })
  const given = parsed(text)
  // What is no object, or has no manifest, is told by the reader.
  if (!isRecord(given) || !isRecord(given.bailiff)) {
    readPackage(text, file)
    return []
  }
  const written = fillIn(given, given.bailiff)
  const { manifest } = readPackage(JSON.stringify(given, null, indentOf(text)), file)
  for (const [index, { kind, module, options }] of manifest.provides.entries()) {
    if (kind === 'matcher') {
      checkMatcher(join(folder, module), options, { file, option: `bailiff.provides[${index}].options` })
      continue
    }
    const declared = await declaredBy(join(folder, module), kind, { hosts, options })
    if (declared === null || isDeepStrictEqual(declared, options)) continue
    const raw = (given.bailiff.provides as Record<string, unknown>[])[index]
    if (raw !== undefined) raw.options = declared
    written.push(`bailiff.provides[${index}].options`)
  }
  const next = `${JSON.stringify(given, null, indentOf(text))}\n`
  readPackage(next, file)
  if (written.length > 0) await writeFile(file, next)
  return written
}

function fillIn(given: Record<string, unknown>, manifest: Record<string, unknown>): string[] {
  const written: string[] = []
  const keywords: unknown = given.keywords ?? []
  if (Array.isArray(keywords) && !keywords.includes(keyword)) {
    given.keywords = [...(keywords as unknown[]), keyword]
    written.push('keywords')
  }
  if (manifest.api === undefined) {
    manifest.api = apiVersion
    written.push('bailiff.api')
  }
  return written
}

/**
 * What a module declares its options by, as it says: the reader of manifests looks at it. Of what is no JSON Schema and
 * no zod the manifest alone can tell.
 */
async function declaredBy(
  file: string,
  kind: PluginKind,
  { hosts, options }: { readonly hosts: PluginHosts; readonly options: unknown },
): Promise<unknown> {
  try {
    const declared = await hosts.declaredOptions({ name: basename(file), file, manifest: null }, kind)
    return declared === null ? (options ?? null) : declared
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    const { message, hint, where = { file } } = error
    if (options !== undefined && message.includes(untold)) return options
    throw new BailiffError('data', message, { where, ...(hint !== undefined && { hint }), cause: error })
  }
}

/** Of a matcher in WebAssembly nobody can say but its author what options it takes. */
function checkMatcher(file: string, options: unknown, where: Where): void {
  // One that is not there is told where all files are looked at.
  if (!file.endsWith('.wasm') || !existsSync(file)) return
  const module = loadModule({ name: basename(file), file, options: {}, where: { file } })
  if (options !== undefined || !takesOptions(module)) return
  throw new BailiffError(
    'data',
    `${basename(file)} takes options (configure), and the manifest says that it has none`,
    {
      where,
      hint: 'write them: "options": { "type": "object", "properties": { "NAME": { "type": "string" } }, "additionalProperties": false }',
    },
  )
}

function indentOf(text: string): string {
  return /\n([ \t]+)"/.exec(text)?.[1] ?? '  '
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
