import { BailiffError, quote, suggest, type Where } from '../errors.ts'
import { isPackageName } from '../settings/package-names.ts'
import { isRecord, type Sourced } from '../settings/sourced.ts'
import { validate } from '../settings/validate.ts'
import { parseYaml } from '../settings/yaml-file.ts'
import { oldestPluginApi, apiVersion } from './api-version.ts'
import { manifestSchema, packageSchema } from './manifest-schema.ts'
import type { PackageManifest } from './manifest.ts'

/** By this word of `keywords` a package says that it is meant for Bailiff. */
export const keyword = 'bailiff-plugin'

/** A package, as its `package.json` has it. */
export interface PackageDescription {
  readonly name: string
  readonly version: string
  /** Empty where it has none. As it stands there: printable only where it is printed. */
  readonly description: string
  readonly manifest: PackageManifest
  /** What it needs beside itself and Bailiff, `NAME@RANGE`: npm installs dependencies by itself, and these not. */
  readonly peers: readonly string[]
}

/** What is wrong with a package, all at once. Its own message is that of the first problem. */
export class InvalidPackage extends BailiffError {
  readonly problems: readonly BailiffError[]

  constructor(problems: readonly [BailiffError, ...BailiffError[]]) {
    const [{ message, where, hint }] = problems
    super('data', message, { ...(where && { where }), ...(hint !== undefined && { hint }) })
    this.problems = problems
  }
}

/**
 * Reads and checks a `package.json`; `file` is how people know it. Throws an `InvalidPackage` that tells all that is
 * wrong with places: no JSON, no name or version, no manifest or a wrong one, another version of the plugin API, no
 * keyword, dependencies that are not in a registry. Nothing of the package is run.
 */
export function readPackage(text: string, file: string): PackageDescription {
  const given = parseJson(text, file)
  const problems: BailiffError[] = []
  const plain = validate(packageSchema, given, problems)
  if (plain !== undefined && !isPackageName(plain.name))
    problems.push(wrong(`${quote(plain.name)} cannot be the name of a package`, given.where('name')))
  const manifest = readManifest(given, problems)
  for (const field of ['dependencies', 'optionalDependencies', 'peerDependencies'])
    checkDependencies(given.at(field), problems)
  const keywords: unknown = given.at('keywords').value ?? []
  if (Array.isArray(keywords) && !keywords.includes(keyword))
    problems.push(missingKeyword(keywords.filter((one) => typeof one === 'string') as string[], given))
  const [first, ...others] = problems
  if (first !== undefined) throw new InvalidPackage([asData(first), ...others.map(asData)])
  // Both are there, for there are no problems.
  const { name = '', version = '', description = '' } = plain ?? {}
  return {
    name,
    version,
    description: description.slice(0, 500),
    manifest: manifest as PackageManifest,
    peers: Object.entries(plain?.peerDependencies ?? {})
      .filter(([peer]) => peer !== 'bailiff' && plain?.peerDependenciesMeta?.[peer]?.optional !== true)
      .map(([peer, range]) => `${peer}@${range}`),
  }
}

function readManifest(given: Sourced, problems: BailiffError[]): PackageManifest | undefined {
  const manifest = given.at('bailiff')
  const where = given.where('bailiff')
  if (manifest.value === undefined) {
    problems.push(
      wrong('there is no manifest (the field "bailiff"), so this is no package of plugins', where, {
        hint: 'its author writes one, e.g. "bailiff": { "api": 1, "provides": [{ "kind": "action", "name": "edge", "module": "edge.mjs" }] }; "bailiff plugin pack" checks it',
      }),
    )
    return undefined
  }
  const api = isRecord(manifest.value) ? manifest.value.api : undefined
  // What else is in it may be right in that version.
  if (typeof api === 'number' && (api > apiVersion || api < oldestPluginApi)) {
    problems.push(wrongApi(api, manifest.where('api')))
    return undefined
  }
  const before = problems.length
  const read = validate(manifestSchema, manifest, problems)
  return problems.length > before ? undefined : (read as PackageManifest | undefined)
}

/** JSON is YAML, but for tabs, so that the reader of the configuration knows the places. */
function parseJson(text: string, file: string): Sourced {
  try {
    if (!isRecord(JSON.parse(text))) throw new Error('it is no object')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new InvalidPackage([wrong(`cannot be read as JSON: ${why}`, { file })])
  }
  try {
    return parseYaml(
      text.replaceAll(/^[\t ]+/gm, (indent) => indent.replaceAll('\t', ' ')),
      file,
    )
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    throw new InvalidPackage([asData(error)])
  }
}

function wrongApi(api: number, where: Where): BailiffError {
  const has = oldestPluginApi === apiVersion ? `${apiVersion}` : `${oldestPluginApi} and ${apiVersion}`
  return wrong(`it is written for version ${api} of the plugin API, and this Bailiff has ${has}`, where, {
    hint:
      api > apiVersion
        ? 'update Bailiff, or take an older version of the package: bailiff plugin add NAME@VERSION'
        : 'take a newer version of the package, or ask its author for one',
  })
}

function missingKeyword(keywords: readonly string[], given: Sourced): BailiffError {
  const near = suggest(keyword, keywords)
  const found = near === undefined ? '' : `; it has ${quote(near)}`
  return wrong(`"keywords" lacks ${keyword}, without which no package is loaded${found}`, given.where('keywords'), {
    hint: `its author adds "keywords": ["${keyword}"]`,
  })
}

/** Only what a registry has is fetched: folders would lead out of the package, and git runs programs. */
function checkDependencies(given: Sourced, problems: BailiffError[]): void {
  for (const [name, range] of Object.entries(isRecord(given.value) ? given.value : {}))
    if (!isPackageName(name) || typeof range !== 'string')
      problems.push(wrong(`depends on ${quote(name)}, which is no package`, given.where(name)))
    else if (!/^(?:npm:(?:@[\w.~-]+\/)?[\w.~-]+@)?[\w.^~<>=*| +-]*$/.test(range))
      problems.push(
        wrong(
          `depends on ${quote(name)} as ${quote(range)}: only versions of a registry are installed`,
          given.where(name),
        ),
      )
}

function wrong(message: string, where: Where, more: { readonly hint?: string } = {}): BailiffError {
  return new BailiffError('data', message, { where, ...more })
}

function asData({ message, where, hint }: BailiffError): BailiffError {
  return new BailiffError('data', message, { ...(where && { where }), ...(hint !== undefined && { hint }) })
}
