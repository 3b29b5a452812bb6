/** Between what the agent speaks of (prefixes, ends) and what goes over the wire (digits, seconds from now). */
import { formatPrefix, ipv4Value, prefixParts } from '../address.ts'
import type { FirewallEntry } from '../plugin.ts'
import { MessageError, type Declaration, type Reply, type WireEntry, type WirePorts } from './messages.ts'

/** Entries in one message: with at most 70 bytes each they stay below the cap of a frame. */
const entriesEach = 10_000

/** The entry for the wire; seconds are rounded up, so that no ban ends early, and are 0 when it is over already. */
export function toWire({ prefix, until }: FirewallEntry, index: number, now: number): WireEntry {
  const seconds = until === null ? null : Math.max(0, Math.ceil((until - now) / 1000))
  const single = ipv4Value(prefix)
  if (single >= 0) return [index, single.toString(16).padStart(8, '0'), 32, seconds]
  const { bytes, length } = prefixParts(prefix)
  return [index, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex'), length, seconds]
}

/** The entries of a `listed` reply. Throws `MessageError` where they are no prefixes. */
export function fromWire({ ports, entries }: Reply & { type: 'listed' }, now: number): FirewallEntry[] {
  return entries.map(([index, address, length, seconds]) => {
    const prefix = formatPrefix(Buffer.from(address, 'hex'), length)
    const [protocol, list] = ports[index] ?? []
    if (prefix === null || protocol === undefined || list === undefined)
      throw new MessageError('an entry makes no sense')
    return { prefix, ports: { protocol, ports: list }, until: seconds === null ? null : now + seconds * 1000 }
  })
}

/** A piece of a row of items: which it is, and whether another follows. */
interface Piece<Item> {
  readonly part: number
  readonly items: readonly Item[]
  readonly more: boolean
}

/** Pieces that each fit into a message, made when they are asked for; one empty piece of nothing. */
export function* inPieces<Item>(all: Iterable<Item>): Generator<Piece<Item>> {
  let items: Item[] = []
  let part = 0
  for (const item of all) {
    if (items.length === entriesEach) {
      yield { part: part++, items, more: true }
      items = []
    }
    items.push(item)
  }
  yield { part, items, more: false }
}

/** Pieces of declarations that each fit into a message, however many ports they have. */
export function declarationPieces(declarations: readonly Declaration[]): Declaration[][] {
  const parts: Declaration[][] = [[]]
  let portsInPart = 0
  for (const declaration of declarations) {
    portsInPart += declaration[2].length + 1
    if (portsInPart > 50_000) {
      parts.push([])
      portsInPart = declaration[2].length + 1
    }
    parts.at(-1)?.push(declaration)
  }
  return parts
}

/** The same text for the same ports. */
export const portsKey = ({ protocol, ports }: WirePorts): string => `${protocol} ${ports.join(',')}`
