import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { BailiffError, describeError, printable, quote } from '../errors.ts'
import { filesOf, followsLog } from '../explaining/candidate.ts'
import { compileChecked } from '../compiled-settings.ts'
import { ruleNamesOf, treePartsOf, withoutPatterns } from '../jails.ts'
import { KeptFiles } from '../kept-files.ts'
import type { FilterLanguage } from '../matching/filter-language.ts'
import type { CompiledFilter, MatcherPlugin } from '../plugin.ts'
import { languageFor } from '../prepared-filters.ts'
import { byLog, oldestFirst } from '../replaying/log-generations.ts'
import type { ReplayJail } from '../replaying/replay.ts'
import { runReplay, type ReplayOutcome, type ReplayRun } from '../replaying/run-replay.ts'
import type { StoredLog } from '../replaying/stored-log.ts'
import type { JailSettings } from '../settings/jail.ts'
import { KeptValues } from '../settings/kept-values.ts'
import type { Settings } from '../settings/load-settings.ts'
import { cacheFolder } from '../settings/places.ts'
import { agentSettings, type ConfigurationChoice } from './agent-settings.ts'
import { loadEngines } from './load-engines.ts'
import { startProgress } from './progress.ts'
import { DifferenceReport } from './replay-difference.ts'
import { JsonReport, TextReport } from './replay-report.ts'
import type { ReplayOptions } from './replay.ts'

/** Replays logs and prints what came of it. Throws a BailiffError for a configuration or log it cannot read. */
export async function replayLogs(logs: readonly string[], options: ReplayOptions): Promise<void> {
  const stop = stopSignal()
  const engines = await loadEngines()
  if (options.against === undefined) {
    const report = options.json ? new JsonReport() : new TextReport(options.lines === true)
    const outcome = await replayWith(choiceOf(options), logs, options, { engines, stop, ...report.listeners })
    report.end(outcome, stop.stopped)
  } else {
    const report = new DifferenceReport(options)
    await replayWith(choiceOf(options), logs, options, { engines, stop, ...report.before })
    if (!stop.stopped) await replayWith({ config: options.against }, logs, options, { engines, stop, ...report.after })
    report.end(stop.stopped)
  }
  stop.done()
}

function choiceOf({ config, fail2ban }: ReplayOptions): ConfigurationChoice {
  return { ...(config === undefined ? {} : { config }), ...(fail2ban === undefined ? {} : { fail2ban }) }
}

interface Stop {
  readonly stopped: boolean
  done(): void
}

type Listening = Pick<ReplayRun, 'onBan' | 'onUnban' | 'onProlonged'> & {
  readonly engines: readonly MatcherPlugin[]
  readonly stop: Stop
}

async function replayWith(
  choice: ConfigurationChoice,
  files: readonly string[],
  options: ReplayOptions,
  { engines, stop, onBan, onUnban, onProlonged }: Listening,
): Promise<ReplayOutcome> {
  const settings = await agentSettings(choice)
  for (const problem of settings.problems) tell(describeError(problem))
  const chosen = chooseJails(settings, options.jail)
  const logs = await storedLogs(files, chosen, options.jail !== undefined)
  const progress = startProgress({ label: 'replaying', total: totalBytes(files), unit: 'bytes' })
  let reading = ''
  try {
    return await runReplay({
      jails: await readyJails(chosen),
      observe: settings.observe,
      engines,
      logs,
      onBan,
      onUnban,
      ...(onProlonged === undefined ? {} : { onProlonged }),
      tell,
      onNameFailure: (name, error) => tell(`the name ${name} of ignoreip cannot be looked up: ${error.message}`),
      progress: (bytes, file) => {
        if (file !== reading) progress.label(basename((reading = file)))
        progress.at(bytes)
      },
      stopped: () => stop.stopped,
    })
  } finally {
    progress.end()
  }
}

function chooseJails({ jails, broken, file }: Settings, name: string | undefined): readonly JailSettings[] {
  const chosen = name === undefined ? jails : jails.filter((jail) => jail.name === name)
  if (chosen.length > 0) return chosen
  const names = jails.map((jail) => jail.name).join(', ') || 'none'
  if (name === undefined)
    throw new BailiffError('config', 'no jail is on, so nobody would be banned', { where: { file } })
  const what = broken.includes(name) ? 'is set aside because of an error in the configuration' : 'is not on'
  throw new BailiffError('no-input', `the jail ${quote(name)} ${what}; there are ${names}`)
}

/** Jails whose filter does not compile are left out, and told. Each filter is compiled once. */
async function readyJails(jails: readonly JailSettings[]): Promise<ReplayJail[]> {
  const compiled = new Map<string, CompiledFilter>()
  const own = jails.filter((jail) => treePartsOf(jail) === null)
  const language = await languageFor(own, new KeptValues(new KeptFiles(cacheFolder())))
  const ready: ReplayJail[] = []
  for (const jail of jails) ready.push(...(await readyJail(jail, compiled, language)))
  return ready
}

async function readyJail(
  jail: JailSettings,
  compiled: Map<string, CompiledFilter>,
  language: FilterLanguage,
): Promise<ReplayJail[]> {
  const fail2ban = treePartsOf(jail)
  if (fail2ban !== null) {
    const filter = { ...withoutPatterns, name: jail.filter.name }
    const tree = { name: jail.name, filterName: jail.filter.name, parts: fail2ban }
    return [{ ...jail, filter, ruleNames: ruleNamesOf(jail.filter, filter), counting: fail2ban.counting, tree }]
  }
  try {
    const key = JSON.stringify([jail.filter.where, jail.filter.mode, jail.dates])
    const filter = compiled.get(key) ?? (await compileChecked(jail.filter, language, jail.dates))
    compiled.set(key, filter)
    return [{ ...jail, filter, ruleNames: ruleNamesOf(jail.filter, filter) }]
  } catch (error) {
    tell(`${jail.name} is left out: ${describeError(error)}`)
    return []
  }
}

async function storedLogs(
  files: readonly string[],
  jails: readonly JailSettings[],
  allRead: boolean,
): Promise<readonly StoredLog[]> {
  const logs: StoredLog[] = []
  for (const [log, generations] of byLog(files)) {
    const following = jails.filter((jail) => [log, ...generations].some((path) => followsLog(filesOf(jail), path)))
    const readers = allRead || following.length === 0 ? jails : following
    if (!allRead && following.length === 0 && jails.length > 1)
      tell(`no jail follows ${log === '-' ? 'standard input' : log}, so all of them read it (--jail chooses one)`)
    logs.push({ log, jails: readers.map(({ name }) => name), files: await oldestFirst(generations) })
  }
  return logs
}

/** Null where some of it is a pipe. */
function totalBytes(files: readonly string[]): number | null {
  try {
    return files.reduce((sum, file) => sum + statSync(file === '-' ? '/dev/stdin' : file).size, 0) || null
  } catch {
    return null
  }
}

/** The first Ctrl-C ends the reading, a second one everything. */
function stopSignal(): Stop {
  let stopped = false
  const hear = () => {
    if (stopped) process.exit(130)
    stopped = true
  }
  process.on('SIGINT', hear)
  return {
    get stopped() {
      return stopped
    },
    done: () => void process.off('SIGINT', hear),
  }
}

function tell(message: string): void {
  process.stderr.write(`bailiff: ${printable(message)}\n`)
}
