/** Reads which matcher in WebAssembly a filter names, and finds it: a file, or one of the installed packages. */
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path'
import { BailiffError, quote, suggest, type Where } from '../errors.ts'
import type { InstalledPackages } from './installed-packages.ts'
import { means, readings, shortName } from './package-names.ts'
import type { LockedPackage, LockedPlugin } from './plugin-lock.ts'
import type { Sourced } from './sourced.ts'

/** A matcher in WebAssembly that finds the lines of a filter. Plain data. */
export interface MatcherUse {
  /** For people: the name of its package as it was given, or of its file. */
  readonly name: string
  /** Absolute; null: it is in a package, and was not looked for yet. */
  readonly file: string | null
  readonly options: Readonly<Record<string, string | number | boolean>>
  readonly where: Where
  /** Places of single options, by their name. */
  readonly optionsAt: Readonly<Record<string, Where>>
  /** The JSON Schema of its options, where the manifest of its package has one. */
  readonly schema?: unknown
}

interface RawMatcher {
  readonly matcher?: string | undefined
  readonly options?: Readonly<Record<string, string | number | boolean>> | undefined
}

/** What says how lines are matched in another way. */
const otherWays =
  'failregex ignoreregex prefregex format match ignore address forwarded time user programs modes'.split(' ')

/** The matcher that a filter names; null: it names none. A path is relative to the file that names it. */
export function readMatcher(raw: RawMatcher, given: Sourced, problems: BailiffError[]): MatcherUse | null {
  const { matcher, options = {} } = raw
  if (matcher === undefined) {
    if (raw.options !== undefined)
      problems.push(new BailiffError('config', 'options are those of a matcher', { where: given.whereKey('options') }))
    return null
  }
  for (const option of otherWays.filter((one) => given.at(one).value !== undefined))
    problems.push(
      new BailiffError('config', `the matcher decides which lines match: leave ${option} out`, {
        where: given.whereKey(option),
      }),
    )
  const where = given.where('matcher')
  const optionsAt = Object.fromEntries(Object.keys(options).map((name) => [name, given.whereKey('options', name)]))
  if (!isPath(matcher)) return { name: matcher, file: null, options, where, optionsAt }
  const file = resolve(dirname(where.file), matcher)
  if (!file.endsWith('.wasm')) problems.push(noModule(matcher, where))
  return { name: basename(file), file, options, where, optionsAt }
}

/**
 * The same with its file, which for one of a package is looked for: by the name of the package (`odd`, `@scope/odd`), with
 * that of the matcher behind it (`odd/access`), or by that of the matcher alone. Throws a BailiffError at its place.
 */
export async function locateMatcher(use: MatcherUse, packages: InstalledPackages | null): Promise<MatcherUse> {
  if (use.file !== null || packages === null) return use
  const { name, where } = use
  const all = await packages.all()
  const found = candidates(name, all)
  const [first, second] = found
  if (first === undefined) throw noMatcher(use, all)
  if (second !== undefined) {
    const names = found.map(({ of, plugin }) => `${of.name}/${plugin.name}`).join(' or ')
    throw new BailiffError('config', `${quote(name)} may be several matchers`, {
      where,
      hint: `write which one: ${names}`,
    })
  }
  await packages.check(first.of, where)
  const file = join(packages.rootOf(first.of), first.plugin.module)
  if (!file.endsWith('.wasm')) throw noModule(`${first.of.name}/${first.plugin.module}`, where)
  // Without a schema the manifest says that there are none.
  const { options: schema = { type: 'object' } } = first.plugin
  return { ...use, file, schema }
}

/** What is wrong with the matcher of a filter of a package, which lies below `root`: it must not name files elsewhere. */
export function foreignMatcher({ file, name, where }: MatcherUse, root: string): BailiffError | null {
  if (file === null || file.startsWith(root + sep)) return null
  const message = `a filter of a package may name a matcher of its own, and not ${quote(isAbsolute(file) ? file : name)}`
  return new BailiffError('config', message, { where })
}

interface Candidate {
  readonly of: LockedPackage
  readonly plugin: LockedPlugin
}

function matchersOf(all: readonly LockedPackage[]): Candidate[] {
  return all.flatMap((of) => of.plugins.filter(({ kind }) => kind === 'matcher').map((plugin) => ({ of, plugin })))
}

function candidates(given: string, all: readonly LockedPackage[]): Candidate[] {
  const matchers = matchersOf(all)
  const ways = readings(given)
  const named = matchers.filter(({ of, plugin }) =>
    ways.some(({ name, part }) => means(name, of.name) && (part === null || part === plugin.name)),
  )
  return named.length > 0 ? named : matchers.filter(({ plugin }) => plugin.name === given)
}

function noMatcher({ name, where }: MatcherUse, all: readonly LockedPackage[]): BailiffError {
  const names = matchersOf(all).map(({ of, plugin }) => `${shortName(of.name)}/${plugin.name}`)
  const known = names.length === 0 ? 'no package that is installed has one' : `there are ${names.join(', ')}`
  const isInstalled = readings(name).some((way) => all.some((of) => means(way.name, of.name)))
  // One that is misspelt may lack the part behind the package.
  const meant = isInstalled
    ? undefined
    : suggest(name, [...matchersOf(all).map(({ of }) => shortName(of.name)), ...names])
  const add = isInstalled ? '' : `"bailiff plugin add ${name}" installs a package; `
  return new BailiffError('config', `there is no matcher ${quote(name)}; ${meant ? `did you mean ${meant}?` : known}`, {
    where,
    hint: `${add}a file of your own is a path: ./${name.replace(/^.*\//, '')}.wasm`,
  })
}

function isPath(matcher: string): boolean {
  return /^\.{0,2}\//.test(matcher) || matcher.endsWith('.wasm')
}

function noModule(given: string, where: Where): BailiffError {
  return new BailiffError('config', `a filter is matched by a module of WebAssembly (.wasm), not by ${quote(given)}`, {
    where,
    hint: `"bailiff plugin build" makes one of AssemblyScript`,
  })
}
