import { parseAddress, parsePrefix, type Address, type Prefix } from '../address.ts'
import type { Ban, LogPosition, Ports, UnbanReason } from '../events.ts'
import type { Row, Value } from './sqlite.ts'

/** The end of a ban. */
export interface Unban {
  readonly prefix: Prefix
  readonly jail: string
  /** Unix milliseconds. */
  readonly at: number
  readonly reason: UnbanReason
}

/** A ban of the past or of now. */
export interface HistoryEntry extends Ban {
  /** When it ended, unix milliseconds; null: it is in force, or nobody told the store of its end. */
  readonly ended: number | null
  readonly reason: UnbanReason | null
}

/** How often a prefix was banned by a jail. */
export interface Offence {
  readonly jail: string
  readonly prefix: Prefix
  /** The highest `count` of its bans. */
  readonly count: number
  /** When its last ban began, unix milliseconds. */
  readonly last: number
}

/** Failures that have not led to a ban. */
export interface PendingFailures {
  readonly jail: string
  readonly address: Address
  /** When, unix milliseconds, ascending. */
  readonly times: readonly number[]
}

export function readPending(row: Row): PendingFailures | null {
  const address = parseAddress(String(row.address))
  const times = parse(row.times)
  if (address === null || typeof row.jail !== 'string' || !Array.isArray(times) || !times.every(isCount)) return null
  return { jail: row.jail, address, times }
}

/** The columns of a ban, in the order of `banValues`. */
export const banColumns = 'prefix, jail, since, until, count, failures, ports, lines'

export function banValues(ban: Ban): Value[] {
  const { prefix, jail, since, until, count, failures, ports, lines } = ban
  return [prefix, jail, since, until, count, failures, JSON.stringify(ports), JSON.stringify(lines)]
}

/** The ban of a row; null where the row was damaged. */
export function readBan(row: Row): Ban | null {
  const prefix = parsePrefix(String(row.prefix))
  const ports = parse(row.ports)
  const lines = parse(row.lines)
  const { jail, since, until, count, failures } = row
  if (prefix === null || !isPorts(ports) || !isTexts(lines) || typeof jail !== 'string') return null
  if (!isCount(since) || !isCount(count) || !isCount(failures) || !(until === null || isCount(until))) return null
  return { prefix, jail, ports, since, until, count, failures, lines }
}

export function readHistory(row: Row): HistoryEntry | null {
  const ban = readBan(row)
  const ended = isCount(row.ended) ? row.ended : null
  const reason = row.reason === 'expired' || row.reason === 'unbanned' ? row.reason : null
  return ban && { ...ban, ended, reason }
}

export function readOffence(row: Row): Offence | null {
  const prefix = parsePrefix(String(row.prefix))
  const { jail, count, last } = row
  return prefix !== null && typeof jail === 'string' && isCount(count) && isCount(last)
    ? { jail, prefix, count, last }
    : null
}

export const positionColumns = 'path, device, inode, birth, head_hash, head_length, offset, inside_line'

export function positionValues(position: LogPosition): Value[] {
  const { path, device, inode, birth, headHash, headLength, offset, insideLine } = position
  return [path, device, inode, birth, headHash, headLength, offset, insideLine ? 1 : 0]
}

export function readPosition(row: Row): LogPosition | null {
  const { path, device, inode, birth, head_hash: headHash, head_length: headLength, offset } = row
  if (![path, device, inode, birth, headHash].every((text) => typeof text === 'string')) return null
  if (!isCount(headLength) || !isCount(offset)) return null
  const [p, d, i, b, h] = [path, device, inode, birth, headHash].map(String) as [string, string, string, string, string]
  return { path: p, device: d, inode: i, birth: b, headHash: h, headLength, offset, insideLine: row.inside_line === 1 }
}

function parse(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return undefined
  }
}

function isPorts(value: unknown): value is Ports {
  if (typeof value !== 'object' || value === null || !('protocol' in value) || !('ports' in value)) return false
  const { protocol, ports } = value
  if (!Array.isArray(ports) || !ports.every((port) => isCount(port) && port < 65536)) return false
  return protocol === 'all' ? ports.length === 0 : (protocol === 'tcp' || protocol === 'udp') && ports.length > 0
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
