import { BailiffError, quote, suggest, type Where } from '../errors.ts'
import type { FilterDefinition, FilterSettings } from './filter-file.ts'

/**
 * The filter in one of its modes. A mode has the common patterns, those of the modes it includes, and
 * its own. Throws a BailiffError at `where` for a mode that the filter does not have.
 */
export function inMode(filter: FilterDefinition, mode: string, where: Where): FilterSettings {
  const names = Object.keys(filter.modes)
  if (!Object.hasOwn(filter.modes, mode)) {
    const meant = suggest(mode, names)
    throw new BailiffError(
      'config',
      `the filter ${quote(filter.name)} has no mode ${quote(mode)}; ${meant ? `did you mean ${meant}?` : `it has ${names.join(', ')}`}`,
      { where },
    )
  }
  const { structure } = filter
  const modes = modesOf(filter, mode).flatMap((name) => filter.modes[name] ?? [])
  const parts = [filter, ...modes]
  return {
    name: filter.name,
    mode,
    where: filter.where,
    programs: filter.programs,
    prefregex: filter.prefregex,
    failregex: parts.flatMap((part) => part.failregex),
    ignoreregex: parts.flatMap((part) => part.ignoreregex),
    structure: structure && {
      ...structure,
      match: [structure, ...modes].flatMap((part) => part.match),
      ignore: [structure, ...modes].flatMap((part) => part.ignore),
    },
    ...(filter.matcher ? { matcher: filter.matcher } : {}),
    datepattern: filter.datepattern,
    samples: filter.samples,
  }
}

/** The mode itself and all it includes, included ones first, each once. */
function modesOf(filter: FilterDefinition, mode: string, seen = new Set<string>()): string[] {
  if (seen.has(mode)) return []
  seen.add(mode)
  return [...(filter.modes[mode]?.include ?? []).flatMap((part) => modesOf(filter, part.mode, seen)), mode]
}
