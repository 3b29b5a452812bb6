/** What a person names who wants a package: a name of the registry, a tarball or a folder. */
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { BailiffError, quote } from '../errors.ts'
import { fullName, isPackageName, shortName } from '../settings/package-names.ts'

export type WantedPackage = RegistryPackage | LocalPackage

export interface RegistryPackage {
  readonly type: 'registry'
  readonly name: string
  /** A version, a range or a tag. */
  readonly range: string
}

export interface LocalPackage {
  readonly type: 'tarball' | 'folder'
  /** Absolute. */
  readonly path: string
}

/**
 * Reads `edge`, `@scope/edge@^1.2`, `./edge.tgz`, `../edge` or `/srv/edge`. Throws a BailiffError for what is none of
 * these, and for a path at which there is nothing.
 */
export function readWanted(given: string): WantedPackage {
  // A path is written as one; a scope has a slash, too.
  if (/^\.{0,2}\/|^\.{1,2}$|\.t(?:ar\.)?gz$|\/$/.test(given)) return atPath(given)
  const [, module = '', short = '', range = 'latest'] = /^(module:)?(@?[^@]+)(?:@([^@]+))?$/.exec(given) ?? []
  const name = fullName(module + short)
  if (!isPackageName(name) || !/^[\w.^~<>=*|+-][\w.^~<>=*| +-]*$/.test(range) || range.startsWith('-'))
    throw new BailiffError('usage', `${quote(given)} is no name of a package`, {
      hint: `a name is edge, edge@1.2.0 or @scope/edge; a tarball or folder is named by its path${existsSync(given) ? `: ./${given}` : ''}`,
    })
  return { type: 'registry', name, range }
}

/** As `bailiff plugin add` takes it. */
export function wantedText(wanted: WantedPackage): string {
  return wanted.type === 'registry' ? `${shortName(wanted.name)}@${wanted.range}` : wanted.path
}

function atPath(given: string): WantedPackage {
  const path = resolve(given)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) return { type: 'folder', path }
  if (found?.isFile() && /\.(?:[cm]?[jt]s|wasm)$/.test(given))
    throw new BailiffError('usage', `${quote(given)} is a plugin by itself, and no package: it needs no installation`, {
      hint: `a file of your own is named by its path in bailiff.yaml, as in also: [${path}]; "bailiff plugin pack" makes a package`,
    })
  if (found?.isFile()) return { type: 'tarball', path }
  throw new BailiffError('no-input', `there is no tarball and no folder ${quote(given)}`, {
    hint: 'a package of the registry is named without a path: edge, @scope/edge',
  })
}
