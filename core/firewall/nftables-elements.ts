/** Elements of sets, and the commands that change them. */
import {
  addElements,
  createElements,
  deleteElements,
  timed,
  type Command,
  type Element,
  type Ruleset,
} from './nftables-json/index.ts'
import type { Entry } from './admission.ts'
import { hexToText, textToHex } from './hex-address.ts'
import type { WirePorts } from './messages.ts'
import { setAt } from './nftables-layout.ts'
import { setName, type SetKey } from './set-names.ts'

/** Address digits and when it ends, in milliseconds of `performance.now()`; null: never. */
export type Elements = Map<string, number | null>

interface Group {
  readonly key: SetKey
  readonly elements: Elements
}

/** Entries by set. Of an entry that comes twice the last one counts. */
export function bySet(entries: readonly Entry[]): Map<string, Group> {
  const groups = new Map<string, Group>()
  const names = new Map<WirePorts, Map<number, string>>()
  for (const entry of entries) {
    // Names are made once for each ports and length: a batch has few of them and many entries.
    let lengths = names.get(entry.ports)
    if (lengths === undefined) names.set(entry.ports, (lengths = new Map()))
    const slot = entry.family * 1000 + entry.length
    let name = lengths.get(slot)
    if (name === undefined) lengths.set(slot, (name = setName(entry)))
    let found = groups.get(name)
    if (found === undefined) groups.set(name, (found = { key: entry, elements: new Map() }))
    found.elements.set(entry.address, entry.endsAt)
  }
  return groups
}

/** Adds elements that are not there; where one is, the kernel refuses the transaction. */
export function added(name: string, elements: Elements, now: number): Command[] {
  return elements.size === 0 ? [] : [createElements(setAt(name), withTimes(elements, now))]
}

/** Adding before deleting: what is not there, or has just expired, does not make the kernel refuse the batch. */
export function removed(name: string, addresses: readonly string[]): Command[] {
  if (addresses.length === 0) return []
  const texts = addresses.map(hexToText)
  return [addElements(setAt(name), texts), deleteElements(setAt(name), texts)]
}

/**
 * Adds elements, or gives them their new time. Kernels before 6.12 do not renew the time of an element
 * that is there, so it is deleted and added again. A deletion costs four times as much as an addition
 * (19 ms against 4.5 ms: the kernel waits until nobody looks at what was deleted any more).
 */
export function renewed(name: string, elements: Elements, now: number): Command[] {
  if (elements.size === 0) return []
  return [...removed(name, [...elements.keys()]), addElements(setAt(name), withTimes(elements, now))]
}

/** What makes the elements of a set the wanted ones; nothing where they are. */
export function difference(
  name: string,
  held: Elements,
  wanted: Elements,
  toleranceMs: number,
  now: number,
): Command[] {
  const fresh: Elements = new Map()
  const changed: Elements = new Map()
  for (const [address, endsAt] of wanted) {
    const before = held.get(address)
    if (before === undefined) fresh.set(address, endsAt)
    else if (!close(before, endsAt, toleranceMs)) changed.set(address, endsAt)
  }
  const gone = [...held.keys()].filter((address) => !wanted.has(address))
  return [...removed(name, gone), ...renewed(name, changed, now), ...added(name, fresh, now)]
}

function close(one: number | null, other: number | null, toleranceMs: number): boolean {
  return one === null || other === null ? one === other : Math.abs(one - other) <= toleranceMs
}

/** What a list told of a set that was listed at `now`. */
export function readElements(listed: Ruleset['sets'][number]['elements'], now: number): Elements {
  const elements: Elements = new Map()
  for (const { value, timeout, expires } of listed) {
    const address = typeof value === 'string' ? textToHex(value) : null
    if (address !== null) elements.set(address, timeout === undefined ? null : now + (expires ?? timeout) * 1000)
  }
  return elements
}

/** An end that is past becomes one second, the least that nft takes. */
function withTimes(elements: Elements, now: number): Element[] {
  return Array.from(elements, ([address, endsAt]) => {
    const text = hexToText(address)
    return endsAt === null ? text : timed(text, Math.max(1, Math.ceil((endsAt - now) / 1000)))
  })
}
