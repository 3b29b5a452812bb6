/** Reads filters, from files and from inside jails, and makes of each what one of its modes is. */
import { parseAddress, type Address } from '../address.ts'
import { BailiffError, quote, suggest, type Where } from '../errors.ts'
import type { FieldRule, Structure } from '../plugin.ts'
import { readMatcher, type MatcherUse } from './matcher-use.ts'
import type { Bantime } from './option-kinds.ts'
import { pluginUses, type PluginUse } from './plugin-use.ts'
import { filterSchema } from './schema.ts'
import type { Sourced } from './sourced.ts'
import { readRules, readStructure } from './structure.ts'
import { validate } from './validate.ts'
import { readYaml } from './yaml-file.ts'

/** A pattern as it was written, and where. */
export interface PatternText {
  readonly text: string
  readonly where: Where
}

/** The patterns of a filter in one of its modes. Plain data. */
export interface FilterSettings {
  readonly name: string
  readonly mode: string
  readonly where: Where
  readonly programs: readonly string[] | null
  readonly prefregex: PatternText | null
  /** The common ones first, then what the mode includes, then what it adds. */
  readonly failregex: readonly PatternText[]
  readonly ignoreregex: readonly PatternText[]
  /** What is asked of fields, with the rules of the mode; null: lines are plain text. */
  readonly structure: Structure<PatternText> | null
  /** What finds its lines in the place of patterns; null or absent: nothing does. */
  readonly matcher?: MatcherUse | null
  /** How the dates of its lines look; null: as usual. */
  readonly datepattern: readonly PatternText[] | null
  readonly samples: FilterSamples
}

/** Lines that come with a filter, of all modes. */
export interface FilterSamples {
  /** `modes`: those in which the line must match; null: all. */
  readonly match: readonly {
    readonly line: string
    readonly address: Address
    readonly user: string | null
    readonly modes: readonly string[] | null
    readonly where: Where
  }[]
  /** Lines that must match in no mode. */
  readonly pass: readonly { readonly line: string; readonly where: Where }[]
  /** Lines that may tell of this address and no other; null: of none. */
  readonly hostile: readonly { readonly line: string; readonly address: Address | null; readonly where: Where }[]
}

/** A whole filter: a file of `filters`, or what a jail says in its place. Plain data. */
export interface FilterDefinition {
  readonly name: string
  readonly where: Where
  readonly description: string
  readonly programs: readonly string[] | null
  readonly sources: readonly PluginUse[]
  /** Logs into which a peer can write whole lines, by the end of their path, and what to do about it. */
  readonly forgeable: Readonly<Record<string, string>>
  /** Empty: all traffic. */
  readonly ports: readonly number[]
  readonly ipv6prefix: 64 | 128 | null
  /** `bans`: it has no patterns, for it reads no lines; jails with it count the bans of others. */
  readonly counts: 'lines' | 'bans'
  /** With what jails count that do not say. */
  readonly usual: UsualCounting
  readonly prefregex: PatternText | null
  readonly failregex: readonly PatternText[]
  readonly ignoreregex: readonly PatternText[]
  /** With the rules of all modes; null: lines are plain text. */
  readonly structure: Structure<PatternText> | null
  /** As in `FilterSettings`. */
  readonly matcher?: MatcherUse | null
  readonly datepattern: readonly PatternText[] | null
  /** Always has `normal`. */
  readonly modes: Readonly<Record<string, FilterMode>>
  readonly samples: FilterSamples
}

/** Rules of counting; lengths of time in ms. */
export interface UsualCounting {
  readonly findtime?: number | undefined
  readonly maxretry?: number | undefined
  readonly bantime?: Bantime | undefined
}

/** What a mode adds to the common patterns and rules. */
export interface FilterMode {
  readonly include: readonly { readonly mode: string; readonly where: Where }[]
  readonly failregex: readonly PatternText[]
  readonly ignoreregex: readonly PatternText[]
  readonly match: readonly FieldRule<PatternText>[]
  readonly ignore: readonly FieldRule<PatternText>[]
}

/** Reads the file of a filter. Everything that is wrong with it goes to `problems`; then there is no filter. */
export async function readFilterFile(
  file: string,
  name: string,
  problems: BailiffError[],
): Promise<FilterDefinition | undefined> {
  try {
    return defineFilter(await readYaml(file), name, problems)
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    problems.push(error)
    return undefined
  }
}

/** Makes a filter of a value of the configuration. */
export function defineFilter(given: Sourced, name: string, problems: BailiffError[]): FilterDefinition | undefined {
  const before = problems.length
  const raw = validate(filterSchema, given, problems)
  if (raw === undefined) return undefined
  const samples = readSamples(raw.samples ?? {}, given.at('samples'), problems)
  const modes = Object.fromEntries(
    Object.entries({ normal: {}, ...raw.modes }).map(([mode, added]) => [
      mode,
      readMode(added, given.at('modes', mode), problems),
    ]),
  )
  checkModes(modes, samples, problems)
  const filter: FilterDefinition = {
    name,
    where: given.where(),
    description: raw.description ?? '',
    programs: raw.programs ?? null,
    sources: pluginUses('source', raw.sources ?? [], given.at('sources')),
    forgeable: raw.forgeable ?? {},
    ports: raw.ports ?? [],
    ipv6prefix: raw.ipv6prefix ?? null,
    counts: raw.counts ?? 'lines',
    usual: raw.usual ?? {},
    prefregex: raw.prefregex === undefined ? null : { text: raw.prefregex, where: given.where('prefregex') },
    failregex: patternTexts(raw.failregex, given.at('failregex')),
    ignoreregex: patternTexts(raw.ignoreregex, given.at('ignoreregex')),
    structure: raw.matcher === undefined ? readStructure(raw, given, problems) : null,
    matcher: readMatcher(raw, given, problems),
    datepattern: datePatterns(raw.datepattern, given),
    modes,
    samples,
  }
  if (filter.counts === 'bans') checkReadsNothing(filter, given, problems)
  else if (problems.length === before && !findsAnything(filter)) {
    const lacking = filter.structure === null ? 'failregex' : 'match'
    problems.push(new BailiffError('config', `the filter ${quote(name)} has no ${lacking}`, { where: filter.where }))
  }
  return problems.length === before ? filter : undefined
}

/** What speaks of lines means nothing in a filter that counts bans. */
function checkReadsNothing(filter: FilterDefinition, given: Sourced, problems: BailiffError[]): void {
  const ofLines = ['failregex', 'ignoreregex', 'prefregex', 'match', 'format', 'matcher', 'modes', 'sources', 'samples']
  const option = ofLines.find((one) => given.at(one).value !== undefined)
  if (option === undefined) return
  const message = `the filter ${quote(filter.name)} counts bans and reads no lines: leave ${option} out`
  problems.push(new BailiffError('config', message, { where: given.whereKey(option) }))
}

function findsAnything({ structure, failregex, modes, matcher }: FilterDefinition): boolean {
  if (matcher) return true
  const added = Object.values(modes)
  return structure === null
    ? failregex.length > 0 || added.some((mode) => mode.failregex.length > 0)
    : structure.match.length > 0 || added.some((mode) => mode.match.length > 0)
}

function readMode(
  raw: {
    readonly failregex?: string[] | undefined
    readonly ignoreregex?: string[] | undefined
    readonly include?: string[] | undefined
  },
  given: Sourced,
  problems: BailiffError[],
): FilterMode {
  return {
    include: patternTexts(raw.include, given.at('include')).map(({ text, where }) => ({ mode: text, where })),
    failregex: patternTexts(raw.failregex, given.at('failregex')),
    ignoreregex: patternTexts(raw.ignoreregex, given.at('ignoreregex')),
    match: readRules(given.at('match'), problems),
    ignore: readRules(given.at('ignore'), problems),
  }
}

/** The option `datepattern` of a filter or jail; null where it has none. */
export function datePatterns(texts: readonly string[] | undefined, given: Sourced): readonly PatternText[] | null {
  return texts === undefined ? null : patternTexts(texts, given.at('datepattern'))
}

function patternTexts(texts: readonly string[] = [], given: Sourced): PatternText[] {
  return texts.map((text, index) => ({ text, where: given.where(...(Array.isArray(given.value) ? [index] : [])) }))
}

interface RawSamples {
  readonly match?:
    | { line: string; address: string; user?: string | undefined; modes?: string[] | undefined }[]
    | undefined
  readonly pass?: string[] | undefined
  readonly hostile?: { line: string; address: string | null }[] | undefined
}

function readSamples(raw: RawSamples, given: Sourced, problems: BailiffError[]): FilterSamples {
  const addressOf = (text: string, where: Where): Address[] => {
    const address = parseAddress(text)
    if (address === null) problems.push(new BailiffError('config', `${quote(text)} is no address`, { where }))
    return address === null ? [] : [address]
  }
  return {
    match: (raw.match ?? []).flatMap(({ line, address, user, modes }, index) =>
      addressOf(address, given.where('match', index, 'address')).map((checked) => ({
        line,
        address: checked,
        user: user ?? null,
        modes: modes ?? null,
        where: given.where('match', index),
      })),
    ),
    pass: (raw.pass ?? []).map((line, index) => ({ line, where: given.where('pass', index) })),
    hostile: (raw.hostile ?? []).flatMap(({ line, address }, index) => {
      const checked = address === null ? [null] : addressOf(address, given.where('hostile', index, 'address'))
      return checked.map((only) => ({ line, address: only, where: given.where('hostile', index) }))
    }),
  }
}

/** Every mode that is spoken of exists. */
function checkModes(
  modes: Readonly<Record<string, FilterMode>>,
  samples: FilterSamples,
  problems: BailiffError[],
): void {
  const names = Object.keys(modes)
  const spoken = [
    ...Object.values(modes).flatMap((mode) => mode.include),
    ...samples.match.flatMap(({ modes: some, where }) => (some ?? []).map((mode) => ({ mode, where }))),
  ]
  for (const { mode, where } of spoken) {
    if (names.includes(mode)) continue
    const meant = suggest(mode, names) ?? names.join(', ')
    problems.push(new BailiffError('config', `there is no mode ${quote(mode)} here, but ${meant}`, { where }))
  }
}
