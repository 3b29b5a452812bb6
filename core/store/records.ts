import { parsePrefix, type Prefix } from '../address.ts'
import type { Ban, CountedFailures, FilePosition, Kept, LogCursor, Ports, UnbanReason } from '../events.ts'
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
  /** Null where it has not ended, or another ban took its place. */
  readonly reason: UnbanReason | null
}

/** A ban of the past or of now, as one of a row of bans of the same prefix by the same jail. */
export interface Offence {
  readonly jail: string
  readonly prefix: Prefix
  /** The how-manieth it was. */
  readonly count: number
  /** When it began, unix milliseconds. */
  readonly last: number
  /** When it was to end; null: never. */
  readonly until: number | null
}

const unbanReasons: readonly UnbanReason[] = ['expired', 'unbanned', 'ignored']

/** The columns of a ban, in the order of `banValues`. */
export const banColumns = 'prefix, jail, since, until, count, failures, ports'

export function banValues({ prefix, jail, since, until, count, failures, ports }: Ban): Value[] {
  return [prefix, jail, since, until, count, failures, JSON.stringify(ports)]
}

/**
 * The entry of a row, with the lines where the row has them; null where the row was damaged. `known`
 * spares reading the same ports again for each of many rows.
 */
export function readEntry(row: Row, known: Map<unknown, unknown> = new Map()): HistoryEntry | null {
  const prefix = parsePrefix(String(row.prefix))
  const ports = known.get(row.ports) ?? parse(row.ports)
  known.set(row.ports, ports)
  const lines = row.lines === undefined || row.lines === null ? [] : parse(row.lines)
  const rules = rulesOf(row.rules, lines)
  const { jail, since, until, count, failures } = row
  if (prefix === null || !isPorts(ports) || !isTexts(lines) || typeof jail !== 'string') return null
  if (!isCount(since) || !isCount(count) || !isCount(failures) || !(until === null || isCount(until))) return null
  const ended = isCount(row.ended) ? row.ended : null
  const reason = unbanReasons.find((each) => each === row.reason) ?? null
  const entry: HistoryEntry = { prefix, jail, ports, since, until, count, failures, lines, ended, reason }
  return rules === null ? entry : { ...entry, rules }
}

/** The lines of a ban and what found them, as two texts; the second is null where that is not known. */
export function lineValues({ lines, rules }: Ban): [lines: string, rules: string | null] {
  if (rules === undefined) return [JSON.stringify(lines), null]
  // A ban has few rules, whose names are long.
  const names = [...new Set(rules)]
  return [JSON.stringify(lines), JSON.stringify({ names, of: rules.map((rule) => names.indexOf(rule)) })]
}

function rulesOf(value: unknown, lines: unknown): string[] | null {
  const stored = typeof value === 'string' ? parse(value) : undefined
  if (typeof stored !== 'object' || stored === null || !('names' in stored) || !('of' in stored)) return null
  const { names, of } = stored
  if (!isTexts(names) || !Array.isArray(of) || !Array.isArray(lines) || of.length !== lines.length) return null
  return of.map((index) => names[Number(index)] ?? '')
}

export function readFailures({ jails: names, entries }: Row): CountedFailures | null {
  const lists = parse(names)
  if (!Array.isArray(lists) || !(entries instanceof Uint8Array)) return null
  // Version 0.1 named one jail each.
  const jails = lists.map((list: unknown) => (typeof list === 'string' ? [list] : list))
  return jails.every(isTexts) ? { jails, entries } : null
}

export const positionColumns = 'path, device, inode, birth, head_hash, head_length, offset, inside_line'

export function positionValues(position: FilePosition): Value[] {
  const { path, device, inode, birth, headHash, headLength, offset, insideLine } = position
  return [path, device, inode, birth, headHash, headLength, offset, insideLine ? 1 : 0]
}

export function readPosition(row: Row): FilePosition | null {
  const { path, device, inode, birth, head_hash: headHash, head_length: headLength, offset } = row
  if (![path, device, inode, birth, headHash].every((text) => typeof text === 'string')) return null
  if (!isCount(headLength) || !isCount(offset)) return null
  const [p, d, i, b, h] = [path, device, inode, birth, headHash].map(String) as [string, string, string, string, string]
  return { path: p, device: d, inode: i, birth: b, headHash: h, headLength, offset, insideLine: row.inside_line === 1 }
}

export const cursorColumns = 'path, cursor, named'

export function cursorValues({ path, cursor, named }: LogCursor): Value[] {
  return [path, cursor, named]
}

export function readCursor({ path, cursor, named }: Row): LogCursor | null {
  if (typeof path !== 'string' || typeof cursor !== 'string' || !isCount(named)) return null
  return { path, cursor, named }
}

const keptKinds: readonly Kept['kind'][] = ['waiting-failure', 'id-ban']

export function readKept({ kind: stored, key, value: text }: Row): Kept | null {
  const kind = keptKinds.find((each) => each === stored)
  const value = parse(text)
  if (kind === undefined || typeof key !== 'string' || typeof value !== 'object' || value === null) return null
  return { kind, key, value }
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
  return protocol === 'all'
    ? ports.length === 0
    : ['tcp', 'udp', 'tcp+udp'].includes(String(protocol)) && ports.length > 0
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
