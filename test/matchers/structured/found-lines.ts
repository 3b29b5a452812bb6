import { LineReader } from '../../../core/matching/lines.ts'
import { filterLanguage } from '../../../core/matching/filter-language.ts'
import { compileSettings } from '../../../core/compiled-settings.ts'
import { describeError, type BailiffError } from '../../../core/errors.ts'
import type { CompiledFilter, FoundLine, Scanner } from '../../../core/plugin.ts'
import { defineFilter } from '../../../core/settings/filter-file.ts'
import { inMode } from '../../../core/settings/filter-modes.ts'
import { parseYaml } from '../../../core/settings/yaml-file.ts'
import structured from '../../../matchers/structured/index.ts'

/** The filter that a YAML text is. Throws with everything that is wrong with it. */
export function filterOf(yaml: string, mode = 'normal'): CompiledFilter {
  const problems: BailiffError[] = []
  const filter = defineFilter(parseYaml(yaml, 'filter.yaml'), 'test', problems)
  if (filter === undefined) throw new Error(problems.map(describeError).join('\n'))
  return compileSettings(inMode(filter, mode, filter.where), filterLanguage)
}

/** What the matcher finds in the lines, in order, and how many it calls malformed. */
export function findIn(
  filters: readonly CompiledFilter[],
  lines: readonly string[],
): { readonly found: readonly FoundLine[]; readonly malformed: number } {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  const scanner: Scanner = structured.compile(filters)
  const found: FoundLine[] = []
  scanner.scan(new LineReader().block(bytes, bytes.toString('latin1'), 0), (one) => found.push(one))
  return { found, malformed: scanner.malformed ?? 0 }
}
