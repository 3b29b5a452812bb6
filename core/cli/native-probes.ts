import type { Match } from '../events.ts'
import type { CompiledFilter } from '../plugin.ts'

/** A filter as a jail of its own, so that the scanner tells what became of a line in it. */
export interface NativeProbe {
  readonly jail: string
  readonly filter: CompiledFilter
}

/** The jail of the filter itself: what it matches counts. */
export const jailOfFilter = 'filter'
const unspared = 'unspared'

/**
 * What the scanner is asked to know all about a line: the filter itself; for `all` each of its rules; and, where it is to
 * be known which lines an ignoreregex takes out, the filter without them and with each one alone.
 */
export function nativeProbes(filter: CompiledFilter, all: boolean, ignored: boolean): NativeProbe[] {
  const rules = all ? indexes(filter.structure?.match ?? filter.failregex) : []
  const ignores = ignored ? indexes(filter.structure?.ignore ?? filter.ignoreregex) : []
  return [
    { jail: jailOfFilter, filter },
    ...rules.map((rule) => ({ jail: `rule ${rule}`, filter: withOnly(filter, 'failing', [rule]) })),
    ...(ignores.length === 0 ? [] : [{ jail: unspared, filter: withOnly(filter, 'ignoring', []) }]),
    ...ignores.map((index) => ({ jail: `ignore ${index}`, filter: withOnly(filter, 'ignoring', [index]) })),
  ]
}

/** The rule that a jail stands for; null: for none. */
export function ruleOfJail(jail: string): number | null {
  const found = /^rule (\d+)$/.exec(jail)
  return found === null ? null : Number(found[1])
}

/** The ignoreregexes that take a line out of which the scanner says this; there are `count`. */
export function whoIgnores(matches: readonly Match[], count: number): number[] {
  const jails = new Set(matches.map(({ jail }) => jail))
  if (!jails.has(unspared)) return []
  return Array.from({ length: count }, (_, index) => index).filter((index) => !jails.has(`ignore ${index}`))
}

function withOnly(filter: CompiledFilter, which: 'failing' | 'ignoring', kept: readonly number[]): CompiledFilter {
  const picked = <Rule>(list: readonly Rule[], kind: typeof which) =>
    kind === which ? list.filter((_, index) => kept.includes(index)) : list
  const { structure } = filter
  return {
    ...filter,
    failregex: picked(filter.failregex, 'failing'),
    ignoreregex: picked(filter.ignoreregex, 'ignoring'),
    structure: structure && {
      ...structure,
      match: picked(structure.match, 'failing'),
      ignore: picked(structure.ignore, 'ignoring'),
    },
  }
}

function indexes(list: readonly unknown[]): number[] {
  return list.map((_, index) => index)
}
