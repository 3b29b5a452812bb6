/** The sample logs that come with the Fail2ban that is installed, and the options that they are for. Nothing of them is kept here. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { comparedTests, comparedTree } from '../../../compared-fail2ban.ts'

/** A filter with options, and the lines that are its samples, in order. */
export interface SampleRun {
  readonly folder: string
  readonly filter: string
  readonly options: Readonly<Record<string, string>>
  readonly lines: readonly string[]
  /** Lines come from the journal. */
  readonly journal: boolean
}

/** All that are packaged. */
export function sampleRuns(): SampleRun[] {
  return filtersIn(comparedTree).flatMap((filter) => runsOf(comparedTree, filter))
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
  const runs = new Map<string, { options: Options; lines: string[]; journal: boolean }>()
  const files = [filter]
  let [common, current]: [Options, readonly Options[]] = [{}, [{}]]
  for (const file of files) {
    const path = join(comparedTests, 'files/logs', file)
    if (!existsSync(path)) continue
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const [, kind, json = ''] = /^#+ ?(failJSON|(?:file|filter)Options|addFILE):(.+)$/.exec(line) ?? []
      if (kind === 'addFILE') files.push(JSON.parse(json) as string)
      else if (kind === 'fileOptions') common = JSON.parse(json) as Options
      else if (kind === 'filterOptions') {
        const given = JSON.parse(json) as Options | Options[]
        current = (Array.isArray(given) ? given : [given]).map((one) => ({ ...common, ...one }))
      } else if (kind === undefined && !line.startsWith('#') && line.trim() !== '') {
        for (const options of current) {
          const key = JSON.stringify(options)
          const run = runs.get(key) ?? {
            options: filterOptions(options),
            lines: [],
            journal: options.logtype === 'journal',
          }
          runs.set(key, run)
          run.lines.push(`${run.journal ? (options['test.prefix-line'] ?? '') : ''}${line.replace(/\r+$/, '')}`)
        }
      }
    }
  }
  return [...runs.values()].map((run) => ({ folder, filter, ...run }))
}

function filterOptions(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !name.startsWith('test.')))
}
