import type { MatcherPlugin } from '../plugin.ts'
import { builtTree, engineFiles } from '../built-in.ts'
import { BailiffError, quote, describeError, exitCodes, printable } from '../errors.ts'
import { trySamples } from '../filter-samples.ts'
import { compileSettings } from '../compiled-settings.ts'
import { prepareJails, type Instance, type ReadyJail } from '../jails.ts'
import { filterLanguage } from '../matching/filter-language.ts'
import { PluginHosts } from '../plugin-host/plugin-hosts.ts'
import { Registry } from '../registry.ts'
import { InvalidSettings } from '../settings/load-settings.ts'
import { isHeader } from '../settings/structure.ts'
import { agentSettings, type ConfigurationChoice } from './agent-settings.ts'
import { checkFirewallConf } from './check-firewall-conf.ts'
import type { CheckOptions } from './check.ts'
import { forgeableLogs } from './forgeable-logs.ts'
import { loadEngines } from './load-engines.ts'
import { missingNamespaces } from './missing-namespaces.ts'
import { logsOf, missingCertificates, missingLogs, missingPrograms } from './missing-files.ts'
import { closedFolders } from './agent-folders.ts'
import { accountProblems } from './named-accounts.ts'
import { detailsText, filterKey, jailDetails, type JailDetails, type SampleCount } from './jail-details.ts'
import { counted, print, styled } from './output.ts'
import { marksTable, patternMarks } from './pattern-marks.ts'
import { startProgress } from './progress.ts'
import { table } from './table.ts'
import { triedAs } from './tried-as.ts'

/** What a check found out. */
export interface Findings {
  readonly file: string | undefined
  readonly jails: readonly ReadyJail[]
  readonly broken: readonly string[]
  readonly filters: readonly { readonly name: string; readonly patterns: number; readonly samples: number }[]
  /** How many samples each filter passed, by `filterKey`. */
  readonly samples: ReadonlyMap<string, SampleCount>
  /** The engines that filters are given to, in the order of `built-in.ts`. */
  readonly engines: readonly MatcherPlugin[]
  readonly problems: readonly BailiffError[]
  readonly warnings: readonly BailiffError[]
}

/**
 * Checks the configuration and prints what was found. Returns the exit code: 0, or 78 where anything is
 * wrong. Throws a BailiffError where there is no configuration.
 */
export async function checkConfiguration(options: CheckOptions): Promise<number> {
  const findings = await check(options)
  const engines = options.verbose ? { engines: findings.engines, files: engineFiles() } : null
  const details = findings.jails.map((jail) => jailDetails(jail, findings.samples, engines))
  if (options.json) printJson(findings, details, options)
  else printText(findings, details, options)
  if (options.verbose && !options.json) await printMissingNamespaces(options)
  return findings.problems.length === 0 ? 0 : exitCodes.config
}

/** Checks the configuration. Throws a BailiffError where there is none. */
export async function check(choice: ConfigurationChoice): Promise<Findings> {
  try {
    const settings = await agentSettings(choice)
    const registry = new Registry(builtTree, new PluginHosts({ user: triedAs(settings.state) }))
    const { jails, broken, problems, warnings } = await prepareJails(settings, filterLanguage, registry)
    const engines = await loadEngines()
    const reports = tryFilters(eachFilter(jails.filter(({ fail2ban }) => fail2ban === null)), engines)
    const firewallConf = checkFirewallConf()
    const treeProblems = await checkTreeFilters(jails)
    const unusable = new Set(treeProblems.keys())
    return {
      file: settings.file,
      engines,
      jails: jails.filter(({ name }) => !unusable.has(name)),
      broken: [...broken, ...unusable],
      filters: [
        ...reports.map(({ name, patterns, report }) => ({ name, patterns, samples: report.tried })),
        ...treeFilters(jails),
      ],
      samples: new Map(
        reports.map(({ key, report }) => [key, { tried: report.tried, failed: report.problems.length }]),
      ),
      problems: [
        ...problems,
        ...treeProblems.values(),
        ...accountProblems(settings),
        ...reports.flatMap(({ report }) => report.problems),
        ...(await matchersThatFail(jails)),
        ...firewallConf.problems,
      ],
      warnings: [
        ...settings.warnings,
        ...warnings,
        ...jails.filter(({ fail2ban }) => fail2ban === null).flatMap(missingLogs),
        ...jails.flatMap(forgeableAddress),
        ...jails.flatMap(forgeableLogs),
        ...missingPrograms(settings),
        ...missingCertificates(settings),
        ...closedFolders(settings),
        ...firewallConf.warnings,
      ],
    }
  } catch (error) {
    if (!(error instanceof BailiffError) || error.kind !== 'config') throw error
    const problems = error instanceof InvalidSettings ? error.problems : [error]
    return {
      file: problems[0]?.where?.file,
      jails: [],
      broken: [],
      filters: [],
      samples: new Map(),
      problems,
      engines: [],
      warnings: [],
    }
  }
}

/** Matchers in WebAssembly that cannot be started, or do not accept their options. */
async function matchersThatFail(jails: readonly ReadyJail[]): Promise<BailiffError[]> {
  const named = jails.flatMap(({ filter: { module }, filterSettings: { matcher } }) =>
    module && matcher ? [{ module, where: matcher.where }] : [],
  )
  if (named.length === 0) return []
  const { guardedModule } = await import('../wasm-matcher/guarded-module.ts')
  return named.flatMap(({ module, where }) => {
    try {
      guardedModule(module, 1).start()
      return []
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      return [new BailiffError('config', `the matcher ${quote(module.name)} cannot be started: ${why}`, { where })]
    }
  })
}

/** What is wrong with filters of a Fail2ban tree, by jail. */
async function checkTreeFilters(jails: readonly ReadyJail[]): Promise<Map<string, BailiffError>> {
  const problems = new Map<string, BailiffError>()
  if (jails.every(({ fail2ban }) => fail2ban === null)) return problems
  const { filterProblem } = await import('../fail2ban/running/filter-problem.ts')
  const { OptionPlaces } = await import('../fail2ban/running/option-place.ts')
  for (const { name, filter, fail2ban, findtimeMs } of jails) {
    if (!fail2ban?.texts) continue
    const { texts, folder } = fail2ban
    const setup = { jail: name, texts, findtimeSeconds: findtimeMs / 1000 }
    const problem = filterProblem(setup, (option) => new OptionPlaces(folder).ofFilter(name, filter.name, option))
    if (problem !== null) problems.set(name, problem)
  }
  return problems
}

/** The filters that jails of a Fail2ban tree use, each once for all that it may say. */
function treeFilters(jails: readonly ReadyJail[]): Findings['filters'] {
  const texts = jails.flatMap(({ fail2ban }) => fail2ban?.texts ?? [])
  const each = [...new Map(texts.map((filter) => [JSON.stringify(filter), filter])).values()]
  return each.map(({ name, prefregex, failregex, ignoreregex }) => {
    const patterns = failregex.length + ignoreregex.length + (prefregex === null ? 0 : 1)
    return { name, patterns, samples: 0 }
  })
}

/** One jail for each filter in each of its modes. */
function eachFilter(jails: readonly ReadyJail[]): ReadyJail[] {
  return [...new Map(jails.map((jail) => [filterKey(jail), jail] as const)).values()]
}

/** Runs the samples of filters, and shows how far it is where that takes long. */
function tryFilters(jails: readonly ReadyJail[], engines: readonly MatcherPlugin[]) {
  const progress = startProgress({ label: 'trying samples', total: jails.length, unit: 'entries' })
  const reports = jails.map((jail, done) => {
    progress.at(done)
    const { filter, filterSettings, dates } = jail
    // The samples have the dates that the filter speaks of, whatever those of the jail's log look like.
    const compiled = dates.datepattern === null ? filter : compileSettings(filterSettings, filterLanguage)
    const report = trySamples(filterSettings, compiled, engines)
    return { key: filterKey(jail), name: filter.name, patterns: patternsOf(filter), report }
  })
  progress.end()
  return reports
}

/** A jail that believes a header alone: who reaches the service past its proxy says in it what he likes. */
function forgeableAddress({ filter, where }: ReadyJail): BailiffError[] {
  const fields = filter.structure?.address ?? []
  if (fields.length === 0 || !fields.every(isHeader)) return []
  const named = fields.map(({ key }) => key).join(', ')
  const message = `the address is in ${named} alone, which a client that reaches the service directly writes himself`
  const hint = `name the field of the peer as well, address: [${named}, remote_addr], and the proxies in trusted_proxies`
  return [new BailiffError('config', message, { where, hint })]
}

/** Patterns, or rules about fields. */
function patternsOf({ failregex, ignoreregex, prefregex, structure }: ReadyJail['filter']): number {
  if (structure !== null) return structure.match.length + structure.ignore.length
  return failregex.length + ignoreregex.length + (prefregex === null ? 0 : 1)
}

function printText(
  { file, jails, broken, filters, problems, warnings }: Findings,
  details: readonly JailDetails[],
  { verbose }: CheckOptions,
): void {
  for (const problem of problems) print(`${styled('red', 'problem')}  ${describeError(problem)}`)
  for (const warning of warnings) print(`${styled('yellow', 'warning')}  ${describeError(warning)}`)
  if (problems.length + warnings.length > 0) print('')
  if (jails.length > 0) print(`${table(['JAIL', 'MODE', 'FILTER', 'SOURCES', 'PORTS', 'ACTIONS'], jails.map(rowOf))}\n`)
  const marks = marksTable(details)
  if (verbose) for (const detail of details) print(`${detailsText(detail)}\n`)
  else if (marks !== '') print(`${marks}\n`)
  for (const { name, sourceChoice } of verbose ? [] : jails)
    if (sourceChoice !== null)
      print(`${printable(name)} reads the first of its usual sources that fits: ${printable(sourceChoice)}`)
  for (const name of broken) print(`${printable(name)} is left out, because of the problems above`)
  const sum = (counts: readonly number[]) => counts.reduce((total, one) => total + one, 0)
  const parts = [
    counted(jails.length, 'jail'),
    counted(filters.length, 'filter'),
    counted(sum(filters.map(({ patterns }) => patterns)), 'pattern'),
    counted(sum(filters.map(({ samples }) => samples)), 'sample'),
    counted(problems.length, 'problem'),
    counted(warnings.length, 'warning'),
  ]
  print(`${printable(file ?? 'configuration')}: ${parts.join(', ')}`)
  if (problems.length === 0 && jails.length === 0) print('  no jail is on: write jails: { sshd: on }')
}

function rowOf({ name, mode, filter, sources, bansOf, ports, actions }: ReadyJail): string[] {
  const logs =
    bansOf === null
      ? sources.flatMap((source) => (logsOf(source).length > 0 ? logsOf(source) : [source.id]))
      : [`bans of ${bansOf.jails?.join(' ') ?? 'all jails'}`]
  const covered = ports.protocol === 'all' ? 'all' : `${ports.protocol} ${ports.ports.join(',')}`
  return [name, mode, filter.name, logs.join(' '), covered, actions.map(({ id }) => id).join(' ')].map(printable)
}

/** A wrong user was told already. */
async function printMissingNamespaces(choice: ConfigurationChoice): Promise<void> {
  try {
    const missing = missingNamespaces(await agentSettings(choice))
    if (missing !== null) print(`on this machine ${printable(missing)}`)
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
  }
}

function printJson(
  { file, jails, broken, filters, problems, warnings }: Findings,
  details: readonly JailDetails[],
  { verbose }: CheckOptions,
): void {
  const plain = ({ kind, message, where, hint }: BailiffError) => ({ kind, message, ...where, hint })
  const ids = (instances: readonly Instance[]) => instances.map(({ id }) => id)
  const object = {
    file,
    jails: jails.map(({ filter, sources, actions, notifiers, ...jail }, index) => ({
      ...jail,
      // Texts and samples are in the files.
      filterSettings: undefined,
      filterDefinition: undefined,
      ruleNames: undefined,
      fail2ban: undefined,
      filter: filter.name,
      failregex: details[index] === undefined ? [] : patternMarks(details[index]),
      sources: ids(sources),
      actions: ids(actions),
      notifiers: ids(notifiers),
    })),
    ...(verbose ? { details } : {}),
    broken,
    filters,
    problems: problems.map(plain),
    warnings: warnings.map(plain),
  }
  print(JSON.stringify(object, null, 2))
}
