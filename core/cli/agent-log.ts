import { pino, type Logger, type LoggerOptions } from 'pino'
import { printable } from '../errors.ts'
import { standardOutput, type Output } from './log-output.ts'
import { LogLimit, shortMessage } from './log-limit.ts'
import { styled } from './output.ts'

const levels: Readonly<Record<number, [name: string, style: Parameters<typeof styled>[0]]>> = {
  20: ['debug', 'dim'],
  30: ['info', 'dim'],
  40: ['warn', 'yellow'],
  50: ['error', 'red'],
  60: ['fatal', 'red'],
}

/** The agent's own log on standard output: a line of text for people, or of JSON for programs. Floods are told, not written. */
export function createLog(format: 'text' | 'json', level: string): Logger {
  const output = outputFor(format)
  const limit = new LogLimit((level, withheld, example) => {
    const name = (levels[level] ?? levels[30])?.[0] as 'info'
    unlimited[name]({ withheld }, `… and ${withheld} more like: ${example}`)
  })
  const unlimited = pinoOf(level, {}, output)
  const hooks: LoggerOptions = {
    hooks: {
      logMethod(words, write, level) {
        const at = words.findIndex((word) => typeof word === 'string')
        const message = String(words[at] ?? '')
        if (!limit.passes(level, message)) return
        if (at >= 0) (words as unknown[])[at] = shortMessage(message)
        write.apply(this, words)
      },
    },
  }
  return pinoOf(level, hooks, output)
}

function pinoOf(level: string, options: LoggerOptions, write: Output): Logger {
  return pino({ ...options, level, base: null }, { write })
}

function outputFor(format: 'text' | 'json'): Output {
  const shown = format === 'json' ? (json: string) => json : textLine
  const left = (lines: number) =>
    shown(
      `${JSON.stringify({ level: 40, time: Date.now(), msg: `${lines} lines are missing here: nobody read this log` })}\n`,
    )
  const output = standardOutput(left)
  return (json) => output(shown(json))
}

/** `2026-11-22T13:41:02.000Z info  message  field=value`, without the fields whose value the message has already. */
function textLine(json: string): string {
  const { time, level, msg, event: _, ...fields } = JSON.parse(json) as Record<string, unknown>
  const [name, style] = levels[Number(level)] ?? ['info', 'dim']
  // A message may bring its next step on a line of its own; here everything is one line.
  const message = printable(String(msg ?? '').replace(/\n\s*/g, '; '))
  const more = Object.entries(fields)
    .map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)] as const)
    .filter(([, value]) => !says(message, value))
    .map(([key, value]) => `  ${styled('dim', `${key}=`)}${printable(value)}`)
  return `${new Date(Number(time)).toISOString()} ${styled(style, name.padEnd(5))} ${message}${more.join('')}\n`
}

/** Whether the value stands in the message by itself: the 5 of a date or an address is not the 5 of five failures. */
function says(message: string, value: string): boolean {
  for (let at = message.indexOf(value); at >= 0; at = message.indexOf(value, at + 1)) {
    const [before, after] = [message.slice(0, at), message.slice(at + value.length)]
    if (!/[\p{L}\p{N}][.:/_-]*$/u.test(before.slice(-8)) && !/^[.:/_-]*[\p{L}\p{N}]/u.test(after.slice(0, 8)))
      return true
  }
  return false
}
