import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { printable, type Where } from '../errors.ts'
import type { Failure, TrialEvent } from '../testing/trial/messages.ts'
import { styled } from './output.ts'

const longestAbout = 60
const longestText = 2000
/** The agent does nothing else meanwhile. */
const longBlockMs = 200

/**
 * What happened in a trial as people read it, some lines; null for what they need not see. Whatever stands in an event
 * was said by the plugin.
 */
export function trialText(event: TrialEvent): string | null {
  switch (event.type) {
    case 'loaded':
      return `${styled('bold', clean(event.name))} is ${event.kind === 'action' ? 'an action' : `a ${event.kind}`}; options ${clean(JSON.stringify(event.options) ?? '{}')}`
    case 'call':
      return callText(event)
    case 'again':
      return row('', styled('dim', `called again in ${milliseconds(event.inMs)}`))
    case 'log':
      return row('log', `${clean(event.level)}: ${clean(event.message)}${fieldsText(event.fields)}`)
    case 'firewall':
      return row('firewall', `would hold ${event.held.map(clean).join(', ') || 'nothing'}`)
    case 'line':
      return row('line', clean(event.line))
    case 'found':
      return row(
        event.found === null ? 'nothing' : styled('green', 'found'),
        `${event.found === null ? '' : `${clean(JSON.stringify(event.found))} in: `}${clean(event.line)}`,
      )
    case 'check':
      return checkText(event)
    case 'failure':
      return `${styled('red', 'FAILED')}  ${failureText(event.failure)}`
    case 'printed':
      return row(event.stream === 'stdout' ? 'prints' : 'prints!', clean(event.line))
    default:
      return null
  }
}

function callText({
  verb,
  about,
  ms,
  blockedMs,
  outcome,
  afterMs,
  refusals,
  failure,
}: Extract<TrialEvent, { type: 'call' }>): string {
  const what = about.length > 3 ? `${about.slice(0, 3).join(', ')} and ${about.length - 3} more` : about.join(', ')
  const head = `  ${clean(verb).padEnd(9)} ${clean(what).slice(0, longestAbout).padEnd(17)} `
  const time = `${milliseconds(ms)}${blockedMs > longBlockMs ? ` (keeps the thread ${milliseconds(blockedMs)}: the agent stands still so long)` : ''}`
  switch (outcome) {
    case 'done':
      return `${head} ${styled('green', 'done')}    ${time}`
    case 'retry':
      return `${head} ${styled('yellow', 'again')}   ${time}, RetryLater(${Number(afterMs)})`
    case 'refused':
      return `${head} ${styled('yellow', 'refused')} ${time}: ${(refusals ?? []).slice(0, 5).map(clean).join('; ')}`
    case 'failed':
      return `${head} ${styled('red', 'FAILED')}  ${time}: ${failure === undefined ? 'it does not say why' : failureText(failure)}`
  }
}

function checkText({ name, ok, ms, failure, remedy }: Extract<TrialEvent, { type: 'check' }>): string {
  if (ok) return `  ${styled('green', 'ok')}      ${clean(name)}${ms > 1000 ? ` (${milliseconds(ms)})` : ''}`
  const todo = remedy === null ? '' : `\n          ${styled('bold', 'to do:')} ${clean(remedy)}`
  return `  ${styled('red', 'FAILED')}  ${clean(name)}\n          ${failure === null ? '' : failureText(failure, '          ')}${todo}`
}

/** The message, the place, the line that stands there, and the next step. */
function failureText({ message, where, hint }: Failure, indent = '                    '): string {
  const parts = linesOf(message)
  if (where !== undefined) parts.push(`at ${placeText(where)}`, ...lineAt(where))
  if (hint !== undefined) parts.push(...linesOf(hint))
  return parts.join(`\n${indent}`)
}

/** A message may have lines, as that of an assertion. */
function linesOf(text: string): string[] {
  return String(text)
    .slice(0, longestText)
    .split(/\s*\n\s*/)
    .map(clean)
}

function placeText({ file, line, column }: Where): string {
  const near = relative(process.cwd(), file)
  return clean(
    [near.startsWith('..') ? file : `./${near}`, line, column].filter((part) => part !== undefined).join(':'),
  )
}

function lineAt({ file, line }: Where): string[] {
  if (line === undefined) return []
  try {
    const text = readFileSync(file, 'utf8').split('\n')[line - 1]
    return text === undefined ? [] : [styled('dim', `${line} | ${clean(text.trim()).slice(0, 120)}`)]
  } catch {
    return []
  }
}

function row(what: string, text: string): string {
  return `  ${what.padEnd(9)} ${text}`
}

function fieldsText(fields: object): string {
  const text = JSON.stringify(fields)
  return text === '{}' ? '' : ` ${clean(text)}`
}

function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

function clean(text: unknown): string {
  const whole = String(text)
  return printable(whole.length > longestText ? `${whole.slice(0, longestText)}…` : whole)
}
