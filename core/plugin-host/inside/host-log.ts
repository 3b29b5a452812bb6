/** The logger that a plugin sees in its host. */
import type { Logger } from '../../plugin.ts'
import type { LogLevel } from '../messages.ts'
import type { Channel } from './channel.ts'

/** In a second; what is more is counted and told. */
const most = 200
const longest = 2000
const levels = ['debug', 'info', 'warn', 'error'] as const

export function hostLog(channel: Channel): Logger {
  let [since, count] = [0, 0]
  const write = (level: LogLevel, fields: unknown, message: unknown) => {
    const now = performance.now()
    if (now - since > 1000) {
      if (count > most) send('warn', {}, `… and ${count - most} more`)
      ;[since, count] = [now, 0]
    }
    if (++count <= most) send(level, fields, message)
  }
  const send = (level: LogLevel, fields: unknown, message: unknown) =>
    channel.send({ type: 'log', level, fields: plain(fields), message: String(message ?? '').slice(0, longest) })
  const [debug, info, warn, error] = levels.map(
    (level) => (fields: object, message: string) => write(level, ...words(fields, message)),
  )
  return { debug, info, warn, error } as Logger
}

/** As pino takes them: the message alone, too. */
function words(fields: unknown, message: unknown): [fields: unknown, message: unknown] {
  return typeof fields === 'string' && message === undefined ? [{}, fields] : [fields, message]
}

function plain(fields: unknown): Record<string, string | number | boolean> {
  if (fields instanceof Error) return { error: fields.message.slice(0, longest) }
  return Object.fromEntries(
    Object.entries(fields ?? {})
      .slice(0, 32)
      .map(([key, value]) => [key.slice(0, 100), plainValue(value)]),
  )
}

function plainValue(value: unknown): string | number | boolean {
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (value instanceof Error) return value.message.slice(0, longest)
  if (typeof value === 'string') return value.slice(0, longest)
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, longest)
  } catch {
    return String(value).slice(0, longest)
  }
}
