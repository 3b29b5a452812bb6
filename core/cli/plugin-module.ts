/** `bailiff plugin dev` and `test` on a matcher in WebAssembly, or in AssemblyScript, which is then built first. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { BailiffError, describeError, exitCodes, printable, quote } from '../errors.ts'
import { runCheck } from '../testing/check.ts'
import { findByModule, moduleChecks, type ModuleSubject } from '../testing/module-checks.ts'
import { failureOf } from '../testing/trial/failure.ts'
import type { TrialRequest } from '../testing/trial/messages.ts'
import type { ModuleUse } from '../wasm-matcher/load-module.ts'
import { jsonLine } from './json-line.ts'
import { print, styled } from './output.ts'
import { trialText } from './plugin-trial-text.ts'
import type { TrialOptions } from './plugin-writing.ts'

/** Runs its suite, or shows what it finds in each line. Answers the exit code. */
export async function trialOfModule(request: TrialRequest, { json }: Pick<TrialOptions, 'json'>): Promise<number> {
  const { module, remove } = await builtModule(request.file)
  try {
    const subject = { file: module, options: optionsOf(request.options), lines: request.lines }
    return request.mode === 'test' ? await test(subject, json === true) : find(subject, json === true)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    if (json) print(jsonLine({ type: 'failure', failure: { message: describeError(error) } }))
    else print(styled('red', `it was not tried: ${describeError(error)}`))
    return exitCodes.config
  } finally {
    await remove()
  }
}

/** The options of the command line, for a module. Throws a BailiffError for one that is no plain value. */
export function optionsOf(options: TrialRequest['options']): ModuleUse['options'] {
  const plain = (value: unknown): value is string | number | boolean =>
    ['string', 'number', 'boolean'].includes(typeof value)
  for (const [name, value] of Object.entries(options))
    if (!plain(value))
      throw new BailiffError('usage', `the option ${quote(name)} of a matcher is a text, a number, true or false`)
  return options as ModuleUse['options']
}

/** The module itself, or one built of its source, which is gone after `remove`. */
export async function builtModule(file: string): Promise<{ readonly module: string; remove(): Promise<void> }> {
  if (file.endsWith('.wasm')) return { module: file, remove: async () => {} }
  const { compileMatcher } = await import('../wasm-matcher/compile-matcher.ts')
  const bytes = await compileMatcher(file, sayOnStderr)
  const folder = await mkdtemp(join(tmpdir(), 'bailiff-matcher-'))
  const module = join(folder, `${basename(file, '.ts')}.wasm`)
  await writeFile(module, bytes)
  return { module, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** What a compiler says, line by line without control characters. */
export function sayOnStderr(text: string): void {
  process.stderr.write(text.split('\n').map(printable).join('\n'))
}

async function test(subject: ModuleSubject, json: boolean): Promise<number> {
  const checks = moduleChecks(subject)
  let broken = 0
  for (const check of checks) {
    const { message: _, error, ...outcome } = await runCheck(check)
    if (!outcome.ok) broken++
    const event = { type: 'check' as const, ...outcome, failure: outcome.ok ? null : failureOf(error, subject.file) }
    print(json ? jsonLine(event) : (trialText(event) ?? ''))
    if (!outcome.ok && check === checks[0]) return untested(json)
  }
  const held = `${checks.length - broken} of ${checks.length} checks hold`
  if (json) print(jsonLine({ type: 'end', outcome: broken === 0 ? 'ok' : 'failed' }))
  else if (broken > 0) print(styled('red', `it does not keep its contract: ${held}`))
  else {
    print(styled('green', `it keeps its contract: ${held}`))
    if (subject.lines?.length === 0)
      print('it was given no lines of its format: --lines some.log tries those, and what is made of them')
  }
  return broken === 0 ? 0 : exitCodes.config
}

/** Without a start nothing else can hold. */
function untested(json: boolean): number {
  if (json) print(jsonLine({ type: 'end', outcome: 'config' }))
  else print(styled('red', 'it cannot be tested, for it does not start: nothing else was tried'))
  return exitCodes.config
}

function find(subject: ModuleSubject, json: boolean): number {
  const { lines = [] } = subject
  if (lines.length === 0)
    throw new BailiffError('usage', 'a matcher in WebAssembly needs lines to be tried with', {
      hint: 'bailiff plugin dev ./odd.wasm --lines some.log',
    })
  const all = findByModule(subject)
  for (const [index, found] of all.entries()) {
    const event = { type: 'found' as const, line: lines[index] ?? '', found }
    print(json ? jsonLine(event) : (trialText(event) ?? ''))
  }
  const count = all.filter((found) => found !== null).length
  print(json ? jsonLine({ type: 'end', outcome: 'ok' }) : styled('green', `found in ${count} of ${all.length} lines`))
  return 0
}
