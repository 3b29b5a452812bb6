import { pino, type Logger } from 'pino'
import { printable } from '../errors.ts'
import { styled } from './output.ts'

const levels: Readonly<Record<number, [name: string, style: Parameters<typeof styled>[0]]>> = {
  20: ['debug', 'dim'],
  30: ['info', 'dim'],
  40: ['warn', 'yellow'],
  50: ['error', 'red'],
  60: ['fatal', 'red'],
}

/** The agent's own log on standard output: a line of text for people, or of JSON for programs. */
export function createLog(format: 'text' | 'json', level: string): Logger {
  if (format === 'json') return pino({ level, base: null })
  return pino({ level, base: null }, { write: (line: string) => void process.stdout.write(textLine(line)) })
}

/** `2026-11-22T13:41:02.000Z info  message`; the fields stand in the message already where people need them. */
function textLine(json: string): string {
  const { time, level, msg } = JSON.parse(json) as { time: number; level: number; msg?: string }
  const [name, style] = levels[level] ?? ['info', 'dim']
  return `${new Date(time).toISOString()} ${styled(style, name.padEnd(5))} ${printable(msg ?? '')}\n`
}
