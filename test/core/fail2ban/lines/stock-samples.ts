/** The sample logs that come with the Fail2ban that is installed, and the options that they are for. Nothing of them is kept here. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { comparedTests, comparedTree } from '../../../compared-fail2ban.ts'
import { scratch } from '../../settings/scratch.ts'

/** A filter with options, and the lines that are its samples, in order. */
export interface SampleRun {
  readonly folder: string
  readonly filter: string
  readonly options: Readonly<Record<string, string>>
  readonly lines: readonly string[]
  /** What the samples say of each line; null: nothing, so it is no failure. */
  readonly facts: readonly (SampleFact | null)[]
  /** Lines come from the journal. */
  readonly journal: boolean
}

/** A `failJSON` of the samples. */
export interface SampleFact {
  readonly match?: boolean
  readonly host?: string
  /** As a clock in Zurich shows it, `2005-08-14T11:59:59`. */
  readonly time?: string
  readonly attempts?: number
  readonly users?: readonly string[]
  /** Python's condition under which it holds. */
  readonly constraint?: string
  /** Groups by name, and a description. */
  readonly [group: string]: unknown
}

/** All that are packaged: of the stock filters, and of those that only its tests have. */
export function sampleRuns(): SampleRun[] {
  const tests = filtersOfTests()
  return [comparedTree, tests].flatMap((folder) => filtersIn(folder).flatMap((filter) => runsOf(folder, filter)))
}

/** The filters that only its tests have, with what they include where the packaged ones look for it in its source. */
function filtersOfTests(): string {
  const places = [join(comparedTests, 'config/filter.d'), join(comparedTree, 'filter.d')]
  if (!places.every((place) => existsSync(place))) return scratch()
  const [own = '', stock = ''] = places
  const files = readdirSync(own).filter((name) => name.startsWith('zzz-') && name.endsWith('.conf'))
  const text = (name: string) => readFileSync(join(own, name), 'utf8').replace(/^before *=.*\//m, 'before = ')
  const common = { 'filter.d/common.conf': readFileSync(join(stock, 'common.conf'), 'utf8') }
  return scratch({ ...common, ...Object.fromEntries(files.map((name) => [`filter.d/${name}`, text(name)])) })
}

function filtersIn(folder: string): string[] {
  const place = join(folder, 'filter.d')
  if (!existsSync(place)) return []
  return readdirSync(place)
    .filter((name) => name.endsWith('.conf') && !name.endsWith('common.conf'))
    .map((name) => name.slice(0, -'.conf'.length))
}

interface Options {
  readonly [name: string]: string
}

function runsOf(folder: string, filter: string): SampleRun[] {
  const runs = new Map<string, Run>()
  const files = [filter]
  let [common, current]: [Options, readonly Options[]] = [{}, [{}]]
  for (const file of files) {
    const path = join(comparedTests, 'files/logs', file)
    if (!existsSync(path)) continue
    let fact: SampleFact | null = null
    for (const line of readFileSync(path, 'utf8').split(/\r*\n/)) {
      const [, kind, json = ''] = /^#+ ?(failJSON|(?:file|filter)Options|addFILE):(.+)$/.exec(line) ?? []
      if (kind === 'addFILE') files.push(JSON.parse(json) as string)
      else if (kind === 'fileOptions') common = JSON.parse(json) as Options
      else if (kind === 'filterOptions') {
        const given = JSON.parse(json) as Options | Options[]
        current = (Array.isArray(given) ? given : [given]).map((one) => ({ ...common, ...one }))
      } else if (kind === 'failJSON') fact = JSON.parse(json) as SampleFact
      // Behind a fact stands its line, whatever it is.
      else if (fact !== null || (!line.startsWith('#') && line.trim() !== '')) {
        for (const options of current) addLine(runs, filter, options, line, fact)
        fact = null
      }
    }
  }
  return [...runs.values()].map((run) => ({ folder, filter, ...run }))
}

interface Run {
  readonly options: Options
  readonly lines: string[]
  readonly facts: (SampleFact | null)[]
  readonly journal: boolean
}

function addLine(
  runs: Map<string, Run>,
  filter: string,
  options: Options,
  line: string,
  fact: SampleFact | null,
): void {
  const condition = options['test.condition']
  if (!holds(condition, filter, options) || !holds(fact?.constraint, filter, options)) return
  const key = options['test.filter-name'] ?? JSON.stringify(filterOptions(options))
  const journal = options.logtype === 'journal'
  const run = runs.get(key) ?? { options: filterOptions(options), lines: [], facts: [], journal }
  runs.set(key, run)
  run.lines.push(`${journal ? (options['test.prefix-line'] ?? '') : ''}${line}`)
  run.facts.push(fact)
}

/** The conditions that there are: `name == 'x'` and `opts.get('mode') != 'x'`. */
function holds(condition: string | undefined, filter: string, options: Options): boolean {
  if (condition === undefined) return true
  const [, name, isNot, value] = /^(name|opts\.get\('mode'\)) *(?:==|(!=)) *'([^']*)'$/.exec(condition) ?? []
  if (name === undefined) throw new Error(`a condition of samples that is not known: ${condition}`)
  return ((name === 'name' ? filter : options.mode) === value) !== (isNot !== undefined)
}

function filterOptions(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !name.startsWith('test.')))
}
