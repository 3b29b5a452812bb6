import { parsePrefix } from '../address.ts'
import type { AgentEvent } from '../events.ts'
import type { ActionBan } from '../plugin.ts'

/** One of each kind of prefix that is banned, of the addresses that are reserved for documentation. */
export const samplePrefixes = ['192.0.2.7', '2001:db8::7', '198.51.100.0/24', '2001:db8:1::/64'] as const

/** A ban as an action gets it: of the jail `sshd`, for an hour, but for what `more` says. Throws for what is no prefix. */
export function actionBan(prefix: string, more: Partial<ActionBan> = {}): ActionBan {
  const parsed = parsePrefix(prefix)
  if (parsed === null) throw new Error(`"${prefix}" is no address and no prefix`)
  return {
    prefix: parsed,
    jail: 'sshd',
    ports: { protocol: 'tcp', ports: [22] },
    since: 1_800_000_000_000,
    until: Date.now() + 3_600_000,
    count: 1,
    failures: 5,
    lines: [`Failed password for root from ${prefix} port 22 ssh2`],
    reason: 'new',
    ...more,
  }
}

const time = 1_800_000_000_000
const { reason: _, ...ban } = actionBan('192.0.2.7')

/** One event of every type, and a ban for ever. */
export const everyEvent: readonly AgentEvent[] = [
  { type: 'start', time, jails: ['sshd'] },
  { type: 'ban', time, ban, reason: 'new', action: 'firewall' },
  { type: 'ban', time, ban: { ...ban, until: null }, reason: 'restored', action: 'firewall' },
  { type: 'would-ban', time, ban },
  { type: 'unban', time, ban, reason: 'expired' },
  { type: 'alarm', time, subject: 'firewall', message: 'the set is full' },
  { type: 'stop', time },
]

/** The value with all in it frozen: who changes what it was given is found out. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) frozen(part)
  return Object.freeze(value)
}
