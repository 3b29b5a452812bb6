import { closeSync, openSync, readSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseAddress, parsePrefix, type Prefix } from '../address.ts'
import type { AddressExplanation } from '../control/api.ts'
import { BailiffError, quote } from '../errors.ts'
import { counts, verdictOn } from '../explaining/address-verdict.ts'
import { askKernel, withKernel } from '../explaining/ask-kernel.ts'
import { filesOf, jailCandidate, unusedCandidate, type Candidate } from '../explaining/candidate.ts'
import { lastMentions } from '../explaining/last-mention.ts'
import type { LineExplanation } from '../explaining/line-explanation.ts'
import { LineExplainer } from '../explaining/line-explainer.ts'
import { LineSequence } from '../explaining/line-sequence.ts'
import { OfflineReports } from '../explaining/offline-report.ts'
import { unfinishedLine } from '../explaining/unfinished-line.ts'
import type { JailSettings } from '../settings/jail.ts'
import type { MatcherPlugin } from '../plugin.ts'
import { Registry } from '../registry.ts'
import { FilterLibrary } from '../settings/filter-library.ts'
import { loadSettings, type Settings } from '../settings/load-settings.ts'
import { builtInFilters } from '../settings/places.ts'
import { agentAt } from './agent-socket.ts'
import { printAddress } from './explain-address-text.ts'
import { lineText } from './explain-line-text.ts'
import type { ExplainOptions } from './explain.ts'
import { print } from './output.ts'

/** Lines of standard input that are explained; of a whole log `replay` tells more. */
const mostLines = 1000
const mostBytes = 16 * 1024 * 1024

/** Explains an address, a line, or the lines on standard input. Throws a BailiffError for what it cannot read. */
export async function explain(what: readonly string[], options: ExplainOptions): Promise<void> {
  const [only = ''] = what
  const prefix = what.length === 1 ? parsePrefix(only.trim()) : null
  const now = options.now === undefined ? Date.now() : readTime(options.now)
  const settings = await loadSettings({
    ...(options.config === undefined ? {} : { file: options.config }),
    alsoOff: true,
  })
  const reports = new Reports(options, settings, now)
  try {
    if (prefix !== null) return await explainAddress(prefix, options, settings, reports, now)
    const lines = only === '-' && what.length === 1 ? readStdin() : [asked(what.join(' '))]
    await explainLines(lines, options, settings, reports, now)
  } finally {
    reports.close()
  }
}

/** Asks the agent, and where none answers the store. */
class Reports {
  readonly #options: ExplainOptions
  readonly #settings: Settings
  readonly #now: number
  #offline: OfflineReports | null = null

  constructor(options: ExplainOptions, settings: Settings, now: number) {
    this.#options = options
    this.#settings = settings
    this.#now = now
  }

  async of(prefix: Prefix): Promise<AddressExplanation> {
    if (this.#offline !== null) return this.#offline.report(prefix)
    try {
      return await (await agentAt(this.#options)).explain(prefix)
    } catch (error) {
      if (!(error instanceof BailiffError) || error.kind !== 'unavailable' || this.#options.socket !== undefined)
        throw error
      this.#offline = await OfflineReports.open(this.#settings, this.#now)
      return this.#offline.report(prefix)
    }
  }

  close(): void {
    this.#offline?.close()
  }
}

interface StdinLine {
  readonly bytes: Buffer
  readonly ended: boolean
}

async function explainLines(
  lines: readonly StdinLine[],
  options: ExplainOptions,
  settings: Settings,
  reports: Reports,
  now: number,
): Promise<void> {
  const explainer = await lineExplainer(settings, reports)
  const sequence = lines.length > 1 ? new LineSequence(settings.jails) : null
  await sequence?.start()
  const log = options.log === undefined ? null : resolve(options.log)
  const fd = log === null ? null : tryOpen(log)
  try {
    for (const [index, { bytes, ended }] of lines.entries()) {
      const open = fd !== null && unfinishedLine(fd, bytes)
      const question = { bytes, ended: ended && !open, log, fd, jail: options.jail ?? null, now, sequence }
      const explanation = await explainer.explain(question)
      if (options.json) print(JSON.stringify(explanation, null, lines.length > 1 ? undefined : 2))
      else print(`${index > 0 ? '\n' : ''}${lineText(explanation, lines.length > 1)}`)
    }
  } finally {
    if (fd !== null) closeSync(fd)
  }
}

async function explainAddress(
  prefix: Prefix,
  options: ExplainOptions,
  settings: Settings,
  reports: Reports,
  now: number,
): Promise<void> {
  const report = await askedKernel(await reports.of(prefix), settings)
  const lastLine = parseAddress(prefix) === null ? null : await lastLineOf(prefix, settings, reports, now)
  const verdict = verdictOn(report, lastLine)
  if (options.json) print(JSON.stringify({ ...verdict, ...report, lastLine }, null, 2))
  else {
    printAddress(verdict, report)
    if (lastLine !== null && !counts(lastLine.explanation))
      print(`\nThe last line that names it, in ${lastLine.log}:\n${lineText(lastLine.explanation, true)}`)
  }
}

/** Where the agent or its helper cannot say what the kernel holds, the kernel is asked. */
async function askedKernel(report: AddressExplanation, { jails }: Settings): Promise<AddressExplanation> {
  if (report.kernel !== null || (report.running && report.kernelFailure === null)) return report
  const held = process.geteuid?.() === 0 ? await askKernel(report.prefix) : null
  if (held === null) return report
  const byFirewall = new Set(
    jails.filter(({ actions }) => actions.some(({ plugin }) => plugin === 'firewall')).map(({ name }) => name),
  )
  return withKernel(report, held, ({ jail }) => byFirewall.has(jail))
}

/** What becomes of the last line that names the address, in the logs that jails read. */
async function lastLineOf(
  prefix: Prefix,
  settings: Settings,
  reports: Reports,
  now: number,
): Promise<{ readonly log: string; readonly explanation: LineExplanation } | null> {
  const logs = [...settings.jails, ...settings.off].flatMap((jail) => filesOf(jail) ?? [])
  const [mention] = lastMentions(prefix, logs)
  if (mention === undefined) return null
  const { log, bytes, ended } = mention
  const explainer = await lineExplainer(settings, reports)
  const fd = tryOpen(log)
  try {
    return { log, explanation: await explainer.explain({ bytes, ended, log, fd, jail: null, now, sequence: null }) }
  } finally {
    if (fd !== null) closeSync(fd)
  }
}

async function lineExplainer(settings: Settings, reports: Reports): Promise<LineExplainer> {
  return new LineExplainer({
    candidates: [...sound(settings.jails, 'on'), ...sound(settings.off, 'off')],
    unused: () => unusedFilters(settings),
    engines: await Promise.all(new Registry().matcherFiles().map(loadMatcher)),
    report: (address) => reports.of(address),
  })
}

/** Without the jails whose filter does not compile: "bailiff check" tells of those. */
function sound(jails: readonly JailSettings[], state: 'on' | 'off'): Candidate[] {
  return jails.flatMap((jail) => {
    try {
      // A jail that counts bans reads no lines.
      return jail.bansOf === null ? [jailCandidate(jail, state)] : []
    } catch {
      return []
    }
  })
}

async function unusedFilters(settings: Settings): Promise<Candidate[]> {
  const library = new FilterLibrary([join(settings.file, '../filters'), builtInFilters])
  const used = new Set([...settings.jails, ...settings.off].map(({ filterDefinition }) => filterDefinition.where.file))
  const definitions = await Promise.all(
    [...(await library.names()).values()].filter((file) => !used.has(file)).map((file) => library.byFile(file, [])),
  )
  return definitions.flatMap((definition) => {
    try {
      return definition === undefined ? [] : [unusedCandidate(definition)]
    } catch {
      return []
    }
  })
}

function asked(text: string): StdinLine {
  return { bytes: Buffer.from(text.replace(/\r?\n$/, '')), ended: true }
}

/** The lines of standard input. Only the last one may have no newline. */
function readStdin(): StdinLine[] {
  const parts: Buffer[] = []
  let length = 0
  for (let read = -1; read !== 0 && length < mostBytes; length += read) {
    const part = Buffer.alloc(65_536)
    read = readSync(0, part)
    parts.push(part.subarray(0, read))
  }
  const all = Buffer.concat(parts)
  const lines: StdinLine[] = []
  for (let start = 0; start < all.length && lines.length < mostLines;) {
    const newline = all.indexOf(0x0a, start)
    const end = newline < 0 ? all.length : newline
    lines.push({ bytes: all.subarray(start, end), ended: newline >= 0 })
    start = end + 1
    if (lines.length === mostLines && start < all.length)
      process.stderr.write(
        `bailiff: only the first ${mostLines} lines are explained; "bailiff replay" takes whole logs\n`,
      )
  }
  if (lines.length === 0) throw new BailiffError('data', 'there is no line on standard input')
  return lines
}

function tryOpen(path: string): number | null {
  try {
    return openSync(path, 'r')
  } catch {
    return null
  }
}

function readTime(text: string): number {
  const time = /^\d{9,11}(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text)
  if (Number.isFinite(time)) return time
  throw new BailiffError('usage', `--now ${quote(text)} is no time`, {
    hint: 'allowed are 2026-11-22T13:45:00Z, and unix seconds',
  })
}

async function loadMatcher(file: string): Promise<MatcherPlugin> {
  return ((await import(pathToFileURL(file).href)) as { default: MatcherPlugin }).default
}
