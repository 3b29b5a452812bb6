import type { Prefix } from '../address.ts'
import { BailiffError, quote, type Where } from '../errors.ts'
import { compileChecked } from '../compiled-settings.ts'
import { KeptFiles } from '../kept-files.ts'
import type { CompiledFilter } from '../plugin.ts'
import { languageFor } from '../prepared-filters.ts'
import type { FilterSettings, PatternText } from '../settings/filter-file.ts'
import { inMode } from '../settings/filter-modes.ts'
import type { DateSettings } from '../settings/jail.ts'
import { KeptValues } from '../settings/kept-values.ts'
import { cacheFolder } from '../settings/places.ts'
import type { PluginUse } from '../settings/plugin-use.ts'
import { filterOf, knownFilters } from './known-filters.ts'
import type { TestOptions } from './test-options.ts'

/** A filter of our own that is tried. */
export interface NativeChoice {
  readonly filter: CompiledFilter
  /** Whom the jail believes when they say for whom they speak. */
  readonly proxies: readonly Prefix[]
  /** Where the jail reads, or the filter usually. */
  readonly sources: readonly PluginUse[]
  /** What is used, in lines for people. */
  readonly uses: readonly string[]
}

/** What was found under a name, before the options of the command. */
interface Found extends Omit<NativeChoice, 'filter'> {
  readonly settings: FilterSettings
  readonly dates: DateSettings
}

/**
 * The filter of a jail of that name, of a file, or of that name (the configuration need not exist); what cannot be a
 * name is a failregex. Throws a BailiffError.
 */
export async function nativeChoice(given: string, options: TestOptions): Promise<NativeChoice> {
  const kept = new KeptValues(new KeptFiles(cacheFolder()))
  const { settings, dates, proxies, sources, uses } = looksLikeName(given)
    ? await named(given, options, kept)
    : literal(given, options)
  const { ignoreregex = [], datepattern, timezone } = options
  const more = ignoreregex.map((text): PatternText => ({ text, where: at('--ignoreregex') }))
  if (settings.structure !== null && more.length > 0)
    throw new BailiffError('usage', `--ignoreregex: ${quote(settings.name)} reads fields and has no patterns`, {
      hint: 'write what is to be left out under ignore: in the filter',
    })
  const patterns = datepattern === undefined ? null : [{ text: datepattern, where: at('--datepattern') }]
  const used: DateSettings = {
    datepattern: patterns ?? (options.date ? dates.datepattern : usualDates(settings, dates)),
    timezone: timezone ?? dates.timezone,
  }
  const ignoring = { ...settings, ignoreregex: [...settings.ignoreregex, ...more] }
  return {
    filter: await compileChecked(ignoring, await languageFor([{ filter: ignoring, dates: used }], kept), used),
    proxies,
    sources,
    uses: [
      ...uses,
      ...(datepattern === undefined ? [] : [`Use      datepattern : ${datepattern}`]),
      ...(used.timezone === null ? [] : [`Use         timezone : ${used.timezone}`]),
      ...ignoreregex.map((text) => `Use ignoreregex line : ${text}`),
    ],
  }
}

async function named(given: string, { config, mode }: TestOptions, kept: KeptValues): Promise<Found> {
  const { library, settings } = await knownFilters(config, given, kept)
  const jail = settings?.jails.find(({ name }) => name === given)
  const proxies = jail?.ignore.proxies ?? []
  const dates = jail?.dates ?? asTheFilterSays
  if (jail && mode === undefined) {
    const uses = [`Use             jail : ${jail.name}, of ${settings?.file}`, useOf(jail.filter)]
    return { settings: jail.filter, dates, proxies, sources: jail.sources, uses }
  }
  const definition = await filterOf(jail?.filter.name ?? given, library)
  const inItsMode = inMode(definition, mode ?? 'normal', { file: definition.where.file })
  return {
    settings: inItsMode,
    dates,
    proxies,
    sources: jail?.sources ?? definition.sources,
    uses: [useOf(inItsMode)],
  }
}

function useOf({ name, mode, where }: FilterSettings): string {
  return `Use           filter : ${name}${mode === 'normal' ? '' : `, mode ${mode}`}, of ${where.file}`
}

/** A failregex alone: it sees lines of any program, without their date. */
function literal(text: string, { mode }: TestOptions): Found {
  if (mode !== undefined) throw new BailiffError('usage', '--mode: a failregex has none', { hint: 'leave it out' })
  const where = at('FILTER')
  const settings: FilterSettings = {
    name: 'failregex',
    mode: 'normal',
    where,
    programs: null,
    prefregex: null,
    failregex: [{ text, where }],
    ignoreregex: [],
    structure: null,
    datepattern: null,
    samples: { match: [], pass: [], hostile: [] },
  }
  return { settings, dates: asTheFilterSays, proxies: [], sources: [], uses: [`Use   failregex line : ${text}`] }
}

/** With `--no-date` every line gets the usual date in front. */
function usualDates(settings: FilterSettings, dates: DateSettings): DateSettings['datepattern'] {
  const own = dates.datepattern ?? settings.datepattern
  return own === null ? null : [{ text: '{DEFAULT}', where: at('--no-date') }]
}

/** Names of jails and filters, and paths of filter files; what has other characters is a pattern. */
function looksLikeName(given: string): boolean {
  return /^[\w/.~+@-]+$/.test(given) || /\.(?:ya?ml|wasm)$/.test(given)
}

const asTheFilterSays: DateSettings = { datepattern: null, timezone: null }

function at(option: string): Where {
  return { file: 'command line', option }
}
