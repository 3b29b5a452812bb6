import { printable } from '../errors.ts'
import { compileSettings } from '../compiled-settings.ts'
import { filterLanguage } from '../matching/filter-language.ts'
import type { CompiledFilter, MatcherModule, Pattern } from '../plugin.ts'
import type { FilterDefinition } from '../settings/filter-file.ts'
import { inMode } from '../settings/filter-modes.ts'
import type { PluginUse } from '../settings/plugin-use.ts'
import type { FilterOptions } from './filter.ts'
import { filterOf, knownFilters } from './known-filters.ts'
import { print, styled } from './output.ts'

/** Shows a filter in one of its modes. Throws a BailiffError where there is no such filter or mode, or it is broken. */
export async function showFilter(given: string, { config, mode = 'normal', json }: FilterOptions): Promise<void> {
  const { library } = await knownFilters(config)
  const filter = await filterOf(given, library)
  const compiled = compileSettings(inMode(filter, mode, { file: filter.where.file }), filterLanguage)
  if (json) print(JSON.stringify(asRecord(filter, mode, compiled), null, 2))
  else print(asText(filter, mode, compiled))
}

function asRecord(filter: FilterDefinition, mode: string, compiled: CompiledFilter): object {
  const plain = ({ text, backtracking }: Pattern) => ({ text, linear: backtracking === null, backtracking })
  const { match, pass, hostile } = filter.samples
  return {
    name: filter.name,
    description: filter.description,
    file: filter.where.file,
    mode,
    modes: Object.keys(filter.modes),
    counts: filter.counts,
    programs: filter.programs,
    sources: filter.sources.map(({ plugin, options }) => ({ [plugin]: options })),
    forgeable: filter.forgeable,
    ports: filter.ports.length === 0 ? 'all' : filter.ports,
    ipv6prefix: filter.ipv6prefix,
    format: compiled.structure?.format ?? 'text',
    matcher: compiled.module?.file ?? null,
    match: compiled.structure?.match.map(({ text }) => text) ?? [],
    prefregex: compiled.prefregex && plain(compiled.prefregex),
    failregex: compiled.failregex.map(plain),
    ignoreregex: compiled.ignoreregex.map(plain),
    samples: { match: match.length, pass: pass.length, hostile: hostile.length },
  }
}

type Fact = [name: string, text: string]

const countsBans: Fact[] = [['counts', 'the bans of other jails, and reads no lines']]

const readsLines = ({ programs, sources }: FilterDefinition): Fact[] => [
  ['programs', programs?.join(', ') ?? 'whole lines'],
  ['sources', sources.map(inShort).join(', ') || 'none: the jail names one'],
]

function matcherFact({ file, rules }: MatcherModule): Fact {
  return ['matcher', rules.length === 0 ? file : `${file}: ${rules.join(', ')}`]
}

function samplesOf({ samples: { match, pass, hostile } }: FilterDefinition): Fact {
  return ['samples', `${match.length} that match, ${pass.length} that pass, ${hostile.length} hostile`]
}

function asText(filter: FilterDefinition, mode: string, compiled: CompiledFilter): string {
  const facts: Fact[] = [
    ['file', filter.where.file],
    ['modes', Object.keys(filter.modes).join(', ')],
    ...(compiled.module ? [matcherFact(compiled.module)] : [['format', compiled.structure?.format ?? 'text'] as Fact]),
    ...(filter.counts === 'bans' ? countsBans : readsLines(filter)),
    ...Object.entries(filter.forgeable).map(([log, hint]): [string, string] => ['forgeable', `${log}: ${hint}`]),
    ['ports', filter.ports.join(', ') || 'all'],
    ['ipv6prefix', filter.ipv6prefix === null ? 'as the jail says' : String(filter.ipv6prefix)],
    ...(filter.counts === 'bans' ? [] : [samplesOf(filter)]),
  ]
  const sections = [
    ['prefregex', compiled.prefregex === null ? [] : [compiled.prefregex]],
    ['failregex', compiled.failregex],
    ['ignoreregex', compiled.ignoreregex],
  ] as const
  return [
    `${styled('bold', filter.name)} in mode ${mode}: ${printable(filter.description)}`,
    ...facts.map(([name, text]) => `  ${name.padEnd(10)}  ${printable(text)}`),
    ...rulesOf(compiled),
    ...sections.flatMap(([name, patterns]) => (patterns.length === 0 ? [] : ['', name, ...patterns.map(lineOf)])),
  ].join('\n')
}

/** The conditions on fields. */
function rulesOf({ structure }: CompiledFilter): string[] {
  if (structure === null) return []
  const rules = structure.match.map(({ text }, index) => `  ${String(index).padStart(2)}  ${printable(text)}`)
  return ['', 'match', ...rules]
}

function lineOf({ text, backtracking }: Pattern, index: number): string {
  const linear = backtracking === null ? 'linear' : `backtracking: it has ${backtracking}`
  return `  ${String(index).padStart(2)}  ${styled(backtracking === null ? 'green' : 'yellow', linear)}\n      ${printable(text)}`
}

/** A source as the configuration would name it. */
function inShort({ plugin, options }: PluginUse): string {
  const path = typeof options === 'object' && options !== null && 'path' in options ? options.path : undefined
  if (plugin === 'file' && typeof path === 'string') return path
  return `${plugin} ${JSON.stringify(options)}`
}
