import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BailiffError, describeError, exitCodes, printable, quote } from '../errors.ts'
import type { TrialEvent, TrialRequest } from '../testing/trial/messages.ts'
import { runTrial } from '../testing/trial/run-trial.ts'
import { jsonLine } from './json-line.ts'
import { moduleStamps, sourceStamps } from './module-stamps.ts'
import { print, styled } from './output.ts'
import { isModuleFile } from './module-file.ts'
import { trialRequest } from './plugin-request.ts'
import { trialText } from './plugin-trial-text.ts'
import type { TrialOptions } from './plugin-writing.ts'

const lookEveryMs = 250
/** Editors write a file in several steps. */
const calmMs = 100

/** Tries a plugin once, or at every save until Ctrl-C; with `build` that is run before. Answers the exit code. */
export async function developPlugin(file: string, words: readonly string[], options: TrialOptions): Promise<number> {
  const { build } = options
  if (options.once) {
    if (build !== undefined && !(await isBuilt(build))) return exitCodes.config
    const request = await trialRequest('dev', file, words, options)
    return isModuleFile(request.file)
      ? trialOfModule(request, options)
      : trial(request, options, new AbortController().signal)
  }
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ending.abort())
  const look = () => (build === undefined ? moduleStamps(resolve(file)) : sourceStamps('.'))
  try {
    for (let run = 1; !ending.signal.aborted; run++) {
      const saved = new AbortController()
      const stamps = look()
      if (run > 1) announce(`saved: trial ${run}`, options)
      const watching = untilSaved(look, stamps, ending.signal).then(() => saved.abort())
      if (build === undefined || (await isBuilt(build))) {
        const request = await trialRequest('dev', file, words, options)
        if (isModuleFile(request.file)) await trialOfModule(request, options)
        else await trial(request, options, AbortSignal.any([saved.signal, ending.signal]))
      }
      if (!saved.signal.aborted && !ending.signal.aborted) announce('waiting for the next save; Ctrl-C ends', options)
      await watching
    }
  } finally {
    ending.abort()
  }
  return 0
}

/** Runs a command, whose words are separated by blanks, and says where it fails. What it prints goes to standard error. */
async function isBuilt(command: string): Promise<boolean> {
  const [program = '', ...words] = command.trim().split(/\s+/)
  const why = await new Promise<string | null>((done) => {
    const child = spawn(program, words, { stdio: ['ignore', process.stderr, 'inherit'] })
    child.on('error', ({ message }) => done(message))
    child.on('close', (code, signal) => done(code === 0 ? null : `it ended with ${signal ?? code}`))
  })
  if (why !== null) process.stderr.write(`${styled('red', `not built by ${quote(command)}: ${printable(why)}`)}\n`)
  return why === null
}

/** Its code is loaded where there is such a matcher. */
async function trialOfModule(request: TrialRequest, options: TrialOptions): Promise<number> {
  return (await import('./plugin-module.ts')).trialOfModule(request, options)
}

/** Runs one trial and shows it. Answers the exit code. */
export async function trial(
  request: TrialRequest,
  { json }: Pick<TrialOptions, 'json'>,
  signal: AbortSignal,
): Promise<number> {
  const counts = { calls: 0, failed: 0, checks: 0, broken: 0, beside: 0 }
  const show = (event: TrialEvent) => {
    if (event.type === 'call') counts.calls++
    if (event.type === 'call' && event.outcome === 'failed') counts.failed++
    if (event.type === 'check') counts.checks++
    if (event.type === 'check' && !event.ok) counts.broken++
    if (event.type === 'failure') counts.beside++
    const text = json ? asJson(event) : trialText(event)
    if (text !== null) print(text)
  }
  const outcome = await runTrial(request, (event) => safely(() => show(event)), signal)
  if (!json && outcome !== null) print(summary(request.mode, outcome, counts))
  if (outcome === null || outcome === 'ok') return 0
  if (outcome === 'crashed') return exitCodes.software
  return outcome === 'config' || request.mode === 'test' ? exitCodes.config : exitCodes.unavailable
}

function summary(
  mode: TrialRequest['mode'],
  outcome: string,
  {
    calls,
    failed,
    checks,
    broken,
    beside,
  }: Readonly<Record<'calls' | 'failed' | 'checks' | 'broken' | 'beside', number>>,
): string {
  const counted = mode === 'test' ? `${checks - broken} of ${checks} checks hold` : `${calls} calls, ${failed} failed`
  const done =
    beside === 0 ? counted : `${counted}, and ${beside === 1 ? 'an error' : `${beside} errors`} beside them, told above`
  if (outcome === 'ok') return styled('green', mode === 'test' ? `it keeps its contract: ${done}` : `all well: ${done}`)
  if (outcome === 'config') return styled('red', 'it was not tried')
  if (outcome === 'crashed') return styled('red', `it came to no end: ${done}`)
  return styled('red', mode === 'test' ? `it does not keep its contract: ${done}` : `not all was carried out: ${done}`)
}

function asJson(event: TrialEvent): string | null {
  return event.type === 'doing' ? null : jsonLine(event)
}

/** What a plugin sends in the place of an event is left out. */
function safely(show: () => void): void {
  try {
    show()
  } catch (error) {
    if (error instanceof BailiffError) print(describeError(error))
  }
}

function announce(text: string, { json }: TrialOptions): void {
  if (!json) print(styled('dim', `-- ${text} --`))
}

/** Resolves when a module was saved and is so for a moment, or when the signal aborts. */
async function untilSaved(look: () => string, before: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(lookEveryMs, undefined, { signal }).catch(() => {})
    let now = look()
    if (now === before) continue
    for (let last = ''; now !== last && !signal.aborted; now = look()) {
      last = now
      await sleep(calmMs, undefined, { signal }).catch(() => {})
    }
    return
  }
}
