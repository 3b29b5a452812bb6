import type { FilterTexts } from '../lines/filter-texts.ts'
import { readTreeFilter } from './filter-reading.ts'
import type { TreeJail } from './tree-jail.ts'

/**
 * The filter of a jail for lines of the journal, or of files, whatever the jail itself reads: patterns of a filter may
 * depend on it. What the jail says of its own stays. `passed`: options in brackets that the filter gets besides. Null: it
 * has none. Throws a BailiffError.
 */
export function textsOfKind(
  folder: string,
  { name, filter, options }: TreeJail,
  journal: boolean,
  passed = '',
): FilterTexts | null {
  if (filter === null) return null
  const { texts } = filter
  if (texts.journal === journal) return texts
  const other = readTreeFilter(folder, (options.filter ?? filter.name ?? name) + passed, journal ? 'journal' : 'file')
  const own = Object.fromEntries(
    (['failregex', 'ignoreregex'] as const).flatMap((option) => {
      const lines = options[option]?.split('\n').filter((line) => line !== '') ?? []
      return lines.length > 0 ? [[option, lines]] : []
    }),
  )
  const { timezone, encoding, usedns, datepattern } = texts
  return { ...texts, ...other?.texts, timezone, encoding, usedns, datepattern, ...own, journal }
}
