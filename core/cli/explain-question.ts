import { closeSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import { parsePrefix } from '../address.ts'
import { BailiffError, quote } from '../errors.ts'
import { LineSequence } from '../explaining/line-sequence.ts'
import { unfinishedLine } from '../explaining/unfinished-line.ts'
import { loadSettings, type Settings } from '../settings/load-settings.ts'
import { agentSettings } from './agent-settings.ts'
import { AddressReports } from './address-reports.ts'
import { configuredExplainer } from './configured-explainer.ts'
import { explainAddress } from './explain-address.ts'
import { lineText } from './explain-line-text.ts'
import type { ExplainOptions } from './explain.ts'
import { print } from './output.ts'
import { tryOpen } from './try-open.ts'

/** Lines of standard input that are explained; of a whole log `replay` tells more. */
const mostLines = 1000
const mostBytes = 16 * 1024 * 1024

/** Explains an address, a line, or the lines on standard input. Throws a BailiffError for what it cannot read. */
export async function explain(what: readonly string[], options: ExplainOptions): Promise<void> {
  const [only = ''] = what
  const prefix = what.length === 1 ? parsePrefix(only.trim()) : null
  const now = options.now === undefined ? Date.now() : readTime(options.now)
  const settings = await settingsFor(options)
  const reports = new AddressReports(options, settings, now)
  try {
    if (prefix !== null) return await explainAddress(prefix, settings, reports, { now, json: options.json === true })
    if (what.length === 1 && options.jail === undefined && /^[\w.:/%-]{2,}$/.test(only)) throw noLine(only)
    const lines = only === '-' && what.length === 1 ? readStdin() : [asked(what.join(' '))]
    await explainLines(lines, options, settings, reports, now)
  } finally {
    reports.close()
  }
}

/** With the jails that are off; of a Fail2ban configuration those that are on. */
async function settingsFor({ config, fail2ban }: ExplainOptions): Promise<Settings> {
  const named = config === undefined ? {} : { config }
  if (fail2ban !== undefined) return agentSettings({ ...named, fail2ban })
  return loadSettings({ ...(config === undefined ? {} : { file: config }), alsoOff: true })
}

interface StdinLine {
  readonly bytes: Buffer
  readonly ended: boolean
}

async function explainLines(
  lines: readonly StdinLine[],
  options: ExplainOptions,
  settings: Settings,
  reports: AddressReports,
  now: number,
): Promise<void> {
  const explainer = await configuredExplainer(settings, reports)
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

/** One word is rather a mistyped address, or the name of a jail. */
function noLine(word: string): BailiffError {
  return new BailiffError('usage', `${quote(word)} is neither an IP address or prefix nor a line of a log`, {
    hint: 'a line stands in quotes, and one that is a single word on standard input; of jails "bailiff status" tells',
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

function readTime(text: string): number {
  const time = /^\d{9,11}(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text)
  if (Number.isFinite(time)) return time
  throw new BailiffError('usage', `--now ${quote(text)} is no time`, {
    hint: 'allowed are 2026-11-22T13:45:00Z, and unix seconds',
  })
}
