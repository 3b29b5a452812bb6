import { dirname } from 'node:path'
import { BailiffError, describeError, exitCodes } from '../errors.ts'
import { compileSettings } from '../compiled-settings.ts'
import { filterLanguage } from '../matching/filter-language.ts'
import type { FieldCheck, Pattern } from '../plugin.ts'
import type { FilterDefinition } from '../settings/filter-file.ts'
import { inMode } from '../settings/filter-modes.ts'
import { builtInFilters } from '../settings/places.ts'
import type { FilterOptions } from './filter.ts'
import { knownFilters } from './known-filters.ts'
import { print, styled } from './output.ts'
import { table } from './table.ts'

/** A filter at a glance. */
interface Overview {
  readonly name: string
  readonly description: string
  readonly modes: readonly string[]
  readonly patterns: number
  /** Whether all patterns are. */
  readonly linear: boolean
  readonly linearPatterns: number
  readonly samples: { readonly match: number; readonly pass: number; readonly hostile: number }
  readonly file: string
  readonly builtIn: boolean
  /** The package that it came in, with its version; absent where it came in none. */
  readonly package?: string
}

/** Lists all filters. Returns the exit code: 0, or 78 where one is broken; the others are listed all the same. */
export async function listFilters({ config, json }: FilterOptions): Promise<number> {
  const { library } = await knownFilters(config)
  const problems: BailiffError[] = []
  const filters: Overview[] = []
  const packed = new Map((await library.packed()).map(({ name, of }) => [name, `${of.name} ${of.version}`]))
  for (const [name, file] of await library.names()) {
    const definition = await library.byFile(file, problems)
    const from = packed.get(name)
    const overviews = definition ? overviewOf(definition, problems) : []
    filters.push(...overviews.map((one) => ({ ...one, name, ...(from !== undefined && { package: from }) })))
  }
  if (json) {
    const plain = problems.map(({ kind, message, where, hint }) => ({ kind, message, ...where, hint }))
    print(JSON.stringify({ filters, problems: plain }, null, 2))
  } else {
    for (const problem of problems) print(`${styled('red', 'problem')}  ${describeError(problem)}`)
    if (problems.length > 0) print('')
    print(table(['NAME', 'MODES', 'LINEAR', 'SAMPLES', 'FROM', 'DESCRIPTION'], filters.map(rowOf)))
  }
  return problems.length === 0 ? 0 : exitCodes.config
}

/** None where a pattern does not compile; that is then among the problems. */
function overviewOf(filter: FilterDefinition, problems: BailiffError[]): Overview[] {
  try {
    const patterns = eachPattern(filter)
    const linearPatterns = patterns.filter(({ backtracking }) => backtracking === null).length
    const { match, pass, hostile } = filter.samples
    return [
      {
        name: filter.name,
        description: filter.description,
        modes: Object.keys(filter.modes),
        patterns: patterns.length,
        linear: linearPatterns === patterns.length,
        linearPatterns,
        samples: { match: match.length, pass: pass.length, hostile: hostile.length },
        file: filter.where.file,
        builtIn: dirname(filter.where.file) === dirname(`${builtInFilters}/x`),
      },
    ]
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    problems.push(error)
    return []
  }
}

/** The patterns of all modes, each once. */
function eachPattern(filter: FilterDefinition): Pattern[] {
  const compiled = Object.keys(filter.modes).map((mode) =>
    compileSettings(inMode(filter, mode, filter.where), filterLanguage),
  )
  const all = compiled.flatMap(({ prefregex, failregex, ignoreregex, structure }) => [
    ...(prefregex === null ? [] : [prefregex]),
    ...failregex,
    ...ignoreregex,
    ...[...(structure?.match ?? []), ...(structure?.ignore ?? [])].flatMap((rule) =>
      rule.conditions.flatMap(({ check }) => patternsOf(check)),
    ),
  ])
  return [...new Map(all.map((pattern) => [pattern.text, pattern])).values()]
}

function patternsOf(check: FieldCheck): Pattern[] {
  if (check.type === 'regex') return [check.pattern]
  if (check.type === 'not') return patternsOf(check.of)
  return check.type === 'all' || check.type === 'any' ? check.of.flatMap(patternsOf) : []
}

function rowOf(overview: Overview) {
  const { name, modes, patterns, linear, linearPatterns, samples, description } = overview
  return [
    name,
    modes.join(' '),
    linear ? 'yes' : `${linearPatterns} of ${patterns}`,
    samples.match + samples.pass + samples.hostile,
    overview.builtIn ? 'Bailiff' : (overview.package ?? overview.file),
    description,
  ]
}
