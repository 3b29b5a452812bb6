/** What is to be changed in the table, whatever tool does it. */
import { setImmediate as otherWork } from 'node:timers/promises'
import type { Entry } from './admission.ts'
import type { WirePorts } from './messages.ts'
import { isSameSet, setName, type SetKey } from './set-names.ts'
import type { Step } from './table-layout.ts'

/** Address digits and when it ends, in milliseconds of `performance.now()`; null: never. An `Entry` is one. */
export type Element = Pick<Entry, 'address' | 'endsAt'>

/** When elements end, by their addresses. */
export type Elements = ReadonlyMap<string, Element['endsAt']>

/**
 * Changes are one transaction, carried out in order.
 * `create` adds elements that are not there: where one is, or comes twice, the transaction fails with `exists`.
 * `put` adds elements; what is there stays, and gets its new time from kernels since 6.12. Of an element
 * that comes twice the last one counts there.
 * `renew` adds elements, or gives them their new time; each comes once.
 * `remove` removes elements; what is not there, or has just expired, is no failure.
 */
export type Change =
  | Step
  | { readonly do: 'create'; readonly name: string; readonly elements: readonly Element[] }
  | { readonly do: 'put'; readonly name: string; readonly elements: readonly Element[] }
  | { readonly do: 'renew'; readonly name: string; readonly elements: readonly Element[] }
  | { readonly do: 'remove'; readonly name: string; readonly addresses: readonly string[] }

/**
 * Elements that one transaction changes at most. While anybody listens to the events of nf_tables, as
 * the helper does, the kernel keeps 4 KiB for each until the end of the transaction, so this is 80 MB.
 */
const elementsInTransaction = 20_000

/** After so many other work gets its turn; without a compiler they take 50 ms. */
const entriesInOneGo = 50_000

/** The entries of one set. */
export interface Group {
  readonly key: SetKey
  readonly elements: Entry[]
}

/** Entries by set, in their order. A long list lets other work have its turn. */
export async function bySet(entries: readonly Entry[]): Promise<Map<string, Group>> {
  const groups = new Map<string, Group>()
  const known = new Map<WirePorts, Map<number, Group>>()
  let last: Group | null = null
  let room = entriesInOneGo
  for (const entry of entries) {
    if (--room === 0) {
      await otherWork()
      room = entriesInOneGo
    }
    // Most entries are of the same set as the one before.
    if (last !== null && isSameSet(last.key, entry)) {
      last.elements.push(entry)
      continue
    }
    // Names are made once for each ports and length: a batch has few of them and many entries.
    let lengths = known.get(entry.ports)
    if (lengths === undefined) known.set(entry.ports, (lengths = new Map()))
    const slot = entry.family * 1000 + entry.length
    let group = lengths.get(slot)
    if (group === undefined) {
      const name = setName(entry)
      group = groups.get(name) ?? { key: entry, elements: [] }
      groups.set(name, group)
      lengths.set(slot, group)
    }
    group.elements.push(entry)
    last = group
  }
  return groups
}

/** How many different addresses there are. A long list lets other work have its turn. */
export async function countDistinct(elements: readonly Element[]): Promise<number> {
  const addresses = new Set<string>()
  for (const [place, { address }] of elements.entries()) {
    if (place % entriesInOneGo === entriesInOneGo - 1) await otherWork()
    addresses.add(address)
  }
  return addresses.size
}

/** The elements by address. Of one that comes twice the last one counts. */
export function byAddress(elements: readonly Element[]): Elements {
  return new Map(elements.map(({ address, endsAt }) => [address, endsAt]))
}

/** Each element once; of one that comes twice the last one. */
export function distinct(elements: readonly Element[]): Element[] {
  return Array.from(byAddress(elements), ([address, endsAt]) => ({ address, endsAt }))
}

/** What makes the elements of a set the wanted ones; nothing where they are. */
export function difference(name: string, held: Elements, wanted: Elements, toleranceMs: number): Change[] {
  const fresh: Element[] = []
  const changed: Element[] = []
  for (const [address, endsAt] of wanted) {
    const before = held.get(address)
    if (before === undefined) fresh.push({ address, endsAt })
    else if (!close(before, endsAt, toleranceMs)) changed.push({ address, endsAt })
  }
  const gone = [...held.keys()].filter((address) => !wanted.has(address))
  const changes: Change[] = []
  if (gone.length > 0) changes.push({ do: 'remove', name, addresses: gone })
  if (changed.length > 0) changes.push({ do: 'renew', name, elements: changed })
  if (fresh.length > 0) changes.push({ do: 'create', name, elements: fresh })
  return changes
}

/** The changes in order as transactions of at most `most` changed elements. */
export function transactions(changes: readonly Change[], most = elementsInTransaction): Change[][] {
  const parts: Change[][] = []
  let room = 0
  for (const change of changes.flatMap((each) => (weightOf(each) <= most ? [each] : cut(each, most)))) {
    const weight = weightOf(change)
    if (parts.length === 0 || weight > room) {
      parts.push([])
      room = most
    }
    parts.at(-1)?.push(change)
    room -= weight
  }
  return parts
}

/** The whole seconds that an element still has; an end that is past becomes one second, the least there is. */
export function secondsLeft(endsAt: number, now: number): number {
  return Math.max(1, Math.ceil((endsAt - now) / 1000))
}

/** How many elements a change touches. */
function weightOf(change: Change): number {
  if (change.do === 'create' || change.do === 'put') return change.elements.length
  if (change.do === 'renew') return 2 * change.elements.length
  return change.do === 'remove' ? change.addresses.length : 0
}

/** A change of elements as several. */
function cut(change: Change, most: number): Change[] {
  const parts: Change[] = []
  if ('elements' in change) {
    const each = change.do === 'renew' ? most / 2 : most
    for (let at = 0; at < change.elements.length; at += each) {
      parts.push({ ...change, elements: change.elements.slice(at, at + each) })
    }
  } else if (change.do === 'remove') {
    for (let at = 0; at < change.addresses.length; at += most) {
      parts.push({ ...change, addresses: change.addresses.slice(at, at + most) })
    }
  }
  return parts
}

function close(one: number | null, other: number | null, toleranceMs: number): boolean {
  return one === null || other === null ? one === other : Math.abs(one - other) <= toleranceMs
}
