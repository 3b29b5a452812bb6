import { printable, type Where } from '../errors.ts'
import type { ReadyJail } from '../jails.ts'
import type { CompiledFilter, Pattern } from '../plugin.ts'
import type { PatternText } from '../settings/filter-file.ts'
import { builtInFilters } from '../settings/places.ts'
import { isRecord } from '../settings/sourced.ts'
import { matchedBy, type AskedEngines } from './matched-by.ts'
import { styled } from './output.ts'
import { treeDetails } from './tree-details.ts'

/** What became of the samples of a filter. */
export interface SampleCount {
  readonly tried: number
  readonly failed: number
}

/** What runs for a jail. */
export interface JailDetails {
  readonly jail: string
  /** `file:line`. */
  readonly place: string
  readonly mode: 'enforce' | 'observe'
  readonly filter: { readonly name: string; readonly mode: string; readonly place: string }
  /** As the configuration would name them. */
  readonly sources: readonly string[]
  /** Why these; null where the configuration names them. */
  readonly because: string | null
  readonly programs: readonly string[] | null
  /** Null: it reads no lines. */
  readonly dates: string | null
  readonly ports: string
  readonly counts: string
  readonly actions: readonly string[]
  /** Actions of a Fail2ban tree, which are not run. */
  readonly insteadOf: readonly string[]
  readonly notifiers: readonly string[]
  readonly samples: SampleCount
  /** The engine that matches its filter, in words; null where none does. */
  readonly matchedBy: string | null
  readonly patterns: readonly PatternDetails[]
  /** Of filters of fields. */
  readonly rules: readonly string[]
  readonly warnings: readonly string[]
}

/** How a pattern runs. */
export interface PatternDetails {
  readonly list: 'prefregex' | 'failregex' | 'ignoreregex'
  /** From 0, as `bailiff test` counts. */
  readonly index: number
  readonly place: string
  readonly text: string
  readonly linear: boolean
  /** What only an engine that backtracks can match; null where it is linear. */
  readonly backtracking: string | null
  /** Every line that it matches has one of these; null: every line is looked at. */
  readonly literals: readonly string[] | null
  /** Whether its match begins where the text begins. */
  readonly anchored: boolean
}

/** Names a filter in one of its modes. */
export function filterKey({ filterSettings: { where, mode } }: ReadyJail): string {
  return JSON.stringify([where, mode])
}

/** What runs for a jail, in words; `samples`: by `filterKey`. Without engines it is not said which matches its filter. */
export function jailDetails(
  jail: ReadyJail,
  samples: ReadonlyMap<string, SampleCount>,
  engines: AskedEngines | null = null,
): JailDetails {
  const { filter, filterSettings, ports } = jail
  const tree = jail.fail2ban && treeDetails(jail, jail.fail2ban)
  const patterns = tree?.patterns ?? patternsOf(jail)
  return {
    jail: jail.name,
    place: placeOf(jail.where),
    mode: jail.mode,
    filter: tree?.filter ?? {
      name: filterSettings.name,
      mode: filterSettings.mode,
      place: placeOf(filterSettings.where),
    },
    sources:
      jail.bansOf === null
        ? jail.sources.map(({ name, options }) => sourceText(name, options))
        : [`bans of ${jail.bansOf.jails?.join(', ') ?? 'all jails that read lines'}`],
    because: jail.sourceChoice,
    programs: filter.programs,
    dates: tree?.dates ?? (jail.bansOf === null ? datesOf(jail) : null),
    ports: ports.protocol === 'all' ? 'all' : `${ports.protocol} ${ports.ports.join(', ')}`,
    counts: countsOf(jail) + (tree?.counting ?? ''),
    actions: jail.actions.map(({ id }) => id),
    insteadOf: tree?.insteadOf ?? [],
    notifiers: jail.notifiers.map(({ id }) => id),
    samples: samples.get(filterKey(jail)) ?? { tried: 0, failed: 0 },
    matchedBy: tree || jail.bansOf !== null || engines === null ? null : matchedBy(filter, engines),
    patterns,
    rules: filter.structure === null ? [] : filter.structure.match.map(({ text }) => text),
    warnings: tree ? [] : warningsOf(jail, patterns),
  }
}

/** The details as people read them, without control characters. */
export function detailsText(details: JailDetails): string {
  const { filter, samples, programs, because } = details
  const passed = samples.tried - samples.failed
  const facts: [name: string, text: string][] = [
    ['where', details.place],
    ['filter', `${filter.name} in mode ${filter.mode}, ${filter.place}`],
    ['reads', details.sources.join(', ')],
    ...(because === null ? [] : [['because', because] as [string, string]]),
    ...(programs === null ? [] : [['programs', programs.join(', ')] as [string, string]]),
    ...(details.matchedBy === null ? [] : [['engine', details.matchedBy] as [string, string]]),
    ...(details.dates === null ? [] : [['dates', details.dates] as [string, string]]),
    ['counts', details.counts],
    ['ports', details.ports],
    ['actions', details.actions.join(', ') || 'none'],
    ...details.insteadOf.map((line): [string, string] => ['not run', line]),
    ...(details.notifiers.length === 0 ? [] : [['notifiers', details.notifiers.join(', ')] as [string, string]]),
    ['samples', samples.tried === 0 ? 'none' : `${passed} of ${samples.tried} passed`],
  ]
  return [
    `${styled('bold', printable(details.jail))} (${details.mode})`,
    ...facts.map(([name, text]) => `  ${name.padEnd(9)}  ${printable(text)}`),
    ...details.rules.map((text, index) => `  ${`match ${index}`.padEnd(9)}  ${printable(text)}`),
    ...details.patterns.flatMap(patternLines),
    ...details.warnings.map((text) => `  ${styled('yellow', 'warning')}    ${printable(text)}`),
  ].join('\n')
}

function patternLines({ list, index, linear, backtracking, literals, place, text }: PatternDetails): string[] {
  const runs = linear
    ? styled('green', 'linear')
    : styled('yellow', `backtracking: it has ${printable(backtracking ?? '')}`)
  const needs = literals === null ? 'no literal: every line is looked at' : `needs ${quoted(literals)}`
  const name = list === 'prefregex' ? list : `${list} ${index}`
  return [`  ${name}  ${runs}; ${printable(needs)}; ${printable(place)}`, `    ${printable(text)}`]
}

const fewLiterals = 6

function quoted(literals: readonly string[]): string {
  const more = literals.length > fewLiterals ? ` or ${literals.length - fewLiterals} more` : ''
  return (
    literals
      .slice(0, fewLiterals)
      .map((one) => JSON.stringify(one))
      .join(' or ') + more
  )
}

function patternsOf({ filter, filterSettings }: ReadyJail): PatternDetails[] {
  const { prefregex, failregex, ignoreregex } = filter
  const of = (list: PatternDetails['list'], patterns: readonly Pattern[], texts: readonly PatternText[]) =>
    patterns.map((pattern, index) => ({
      list,
      index,
      place: placeOf(texts[index]?.where ?? filterSettings.where),
      text: pattern.text,
      linear: pattern.backtracking === null,
      backtracking: pattern.backtracking,
      literals: pattern.literals,
      anchored: pattern.firstCharacters !== null || /^(?:\(\?[a-z]+\))*(?:\^|\\A)/.test(pattern.text),
    }))
  return [
    ...(prefregex === null
      ? []
      : of('prefregex', [prefregex], filterSettings.prefregex === null ? [] : [filterSettings.prefregex])),
    ...of('failregex', failregex, filterSettings.failregex),
    ...of('ignoreregex', ignoreregex, filterSettings.ignoreregex),
  ]
}

/** What may cost much, or let a peer choose whom the jail bans. */
function warningsOf({ filter, filterSettings }: ReadyJail, patterns: readonly PatternDetails[]): string[] {
  // Lines that get past the prefregex have its literals and its anchor.
  const prefregex = patterns.find(({ list }) => list === 'prefregex')
  const finding = patterns.filter(({ list }) => list === 'failregex')
  const unneeded = prefregex?.literals != null
  // The counts of those that come with the package are bounded, and tests hold how long a line may take.
  const isOurs = filterSettings.where.file.startsWith(`${builtInFilters}/`)
  return [
    ...(unneeded
      ? []
      : each(
          finding.filter(({ literals }) => literals === null),
          'without a literal text that every match has: all lines are looked at, which is slow on a busy log',
        )),
    ...each(
      patterns.filter(({ linear }) => !linear && !isOurs),
      'runs by backtracking: lines that a peer makes for it may take long, and are then passed over',
    ),
    ...(prefregex?.anchored
      ? []
      : each(
          finding.filter((one) => !one.anchored && leavesRoom(filter, one)),
          'does not begin with ^: text that a peer writes before it may hold an address of somebody else',
        )),
  ]
}

/** What stands before an unanchored match may be a peer's, unless nothing but the address is asked for. */
function leavesRoom({ structure }: CompiledFilter, { text }: PatternDetails): boolean {
  return structure === null && !/^\(\?<[=!]/.test(text)
}

function each(patterns: readonly PatternDetails[], what: string): string[] {
  const names = patterns.map(({ list, index }) => (list === 'prefregex' ? list : `${list} ${index}`))
  return names.length === 0 ? [] : [`${names.join(', ')}: ${what}`]
}

function datesOf({ dates, filterSettings, filter }: ReadyJail): string {
  const patterns = dates.datepattern ?? filterSettings.datepattern
  const zone = dates.timezone === null ? '' : `; those without a zone are of ${dates.timezone}`
  if (patterns !== null) return patterns.map(({ text }) => text).join(', ') + zone
  const time = filter.structure?.time ?? []
  const fields = time.map(({ key, steps }) => (steps.length > 0 ? steps.join('.') : key))
  return (fields.length > 0 ? `in the field ${fields.join(' or ')}` : 'all usual forms') + zone
}

function countsOf({ maxretry, findtimeMs, bantime, ipv6prefix, bansOf }: ReadyJail): string {
  const { baseMs, increment, factor, maxMs } = bantime
  const grows = increment
    ? `, each ${factor} times the last, ${maxMs === null ? 'without end' : `at most ${length(maxMs)}`}`
    : ''
  const networks = ipv6prefix === 64 ? '; IPv6 networks too' : ''
  const what = bansOf === null ? 'failures' : 'bans'
  return `${maxretry} ${what} within ${length(findtimeMs)} are a ban ${baseMs === null ? 'for ever' : `of ${length(baseMs)}`}${grows}${networks}`
}

/** As it would be written: `1h30m`. */
function length(ms: number): string {
  let rest = ms
  const units = [
    ['w', 604_800_000],
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const
  const parts = units.map(([unit, size]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count > 0 ? `${count}${unit}` : ''
  })
  return parts.join('') || `${ms / 1000}s`
}

function sourceText(name: string, options: unknown): string {
  const path = name === 'file' && isRecord(options) ? options.path : undefined
  if (typeof path === 'string') return path
  const isEmpty = isRecord(options) && Object.keys(options).length === 0
  return isEmpty ? name : `${name} ${JSON.stringify(options)}`
}

function placeOf({ file, line }: Where): string {
  return line === undefined ? file : `${file}:${line}`
}
