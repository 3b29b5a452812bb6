/**
 * The table of Bailiff: one set for each ports, family and prefix length, one rule a set, one chain.
 * The chain stands before connection tracking and before any translation of addresses, so a rule sees
 * the port that the client used (Docker publishes ports by translation) and costs an attacker's packet
 * the least. Sets are plain hashes, no intervals: every element begins and ends by itself.
 */
import {
  addChain,
  addRule,
  addSet,
  addTable,
  and,
  counter,
  deleteSet,
  deleteTable,
  drop,
  flushChain,
  inSet,
  match,
  payload,
  type BaseChain,
  type Command,
  type ListedSet,
  type Rule,
  type Ruleset,
  type Set as NftSet,
  type Statement,
} from './nftables-json/index.ts'
import { formatPrefix } from '../address.ts'
import { bitsOf, readSetName, setName, type SetKey } from './set-names.ts'
import type { WirePorts } from './messages.ts'

export const table = { family: 'inet', name: 'bailiff' } as const
const inTable = { family: 'inet', table: 'bailiff' } as const

/** -300 is the priority `raw`: after the reassembly of fragments (-400), before connection tracking (-200). */
export const chain: BaseChain = {
  ...inTable,
  name: 'drop_banned',
  type: 'filter',
  hook: 'prerouting',
  prio: -300,
  policy: 'accept',
}

/** Sets by their names. */
export type Sets = ReadonlyMap<string, SetKey>

/** What was found where the table should be. */
export interface Found {
  /** Nothing is in the way: what is there can stay. Also true where there is no table at all. */
  readonly sound: boolean
  readonly sets: Sets
  /** Sets whose names only have a hash of their ports, and no rule tells the ports. */
  readonly nameless: readonly string[]
  /** Whether there is one rule for each of `sets`, as it should be, and no other. */
  readonly ruled: boolean
}

/** By what to find an element again: where it lives. */
export const setAt = (name: string): NftSet & { name: string } => ({ ...inTable, name, type: 'ipv4_addr' })

export const byName = (keys: Iterable<SetKey>): Sets => new Map(Array.from(keys, (key) => [setName(key), key]))

/** The sets for single addresses that a declaration makes at once. */
export function singleAddressSets(ports: WirePorts): SetKey[] {
  return ([4, 6] as const).map((family) => ({ ports, family, length: bitsOf(family) }))
}

/** Compares the table with what it should be. `known` are the sets whose ports need not be read. */
export function examine(listed: Ruleset, size: number, known: Sets): Found {
  const sets = new Map<string, SetKey>()
  const nameless: string[] = []
  let sound = soundFrame(listed)
  for (const set of listed.sets.filter(isOurs)) {
    const read = readSetName(set.name)
    if (read === null || !soundSet(set, read.family, size)) {
      sound = false
      continue
    }
    const ports = read.ports ?? known.get(set.name)?.ports ?? portsOfRule(listed, set.name)
    if (ports === undefined) nameless.push(set.name)
    else sets.set(set.name, { ports, family: read.family, length: read.length })
  }
  return { sound, sets, nameless, ruled: sameRules(listed, sets) }
}

/** The commands that leave exactly these sets, with their rules, and the elements that those already had. */
export function mend(found: Found, wanted: Sets, size: number): Command[] {
  const old = [...found.sets.keys(), ...found.nameless].filter((name) => !wanted.has(name))
  return [
    addTable(table),
    ...(found.sound ? [] : [deleteTable(table), addTable(table)]),
    addChain(chain),
    ...[...wanted].map(([name, key]) => addSet(setOf(name, key, size))),
    flushChain(chain),
    ...[...wanted].map(([name, key]) => addRule(ruleOf(name, key))),
    ...(found.sound ? old.map((name) => deleteSet(setAt(name))) : []),
  ]
}

function setOf(name: string, { family }: SetKey, size: number): NftSet {
  return { ...inTable, name, type: typeOf(family), flags: ['timeout'], size }
}

/** `tcp dport { 80, 443 } ip6 saddr & ffff:: @tcp_80_443_v6_16 counter drop` */
function ruleOf(name: string, { ports: { protocol, ports }, family, length }: SetKey): Rule {
  const source = family === 4 ? payload('ip', 'saddr') : payload('ip6', 'saddr')
  const looked = length === bitsOf(family) ? source : and(source, netmask(family, length))
  const [first, ...more] = ports
  const expr: Statement[] = []
  if (protocol !== 'all' && first !== undefined) {
    expr.push(match(payload(protocol, 'dport'), more.length === 0 ? first : { set: ports }))
  }
  return { ...inTable, chain: chain.name, expr: [...expr, match(looked, inSet(name)), counter, drop] }
}

/** As nft prints it, so that a listed rule can be compared with the wanted one. */
function netmask(family: 4 | 6, length: number): string {
  const ones = new Uint8Array(bitsOf(family) / 8).fill(0xff)
  return formatPrefix(ones, length)?.replace(/\/.*/, '') ?? ''
}

/** Whether the table is awake and holds our chain, or no chain yet, and nothing foreign. */
function soundFrame(listed: Ruleset): boolean {
  const tables = listed.tables.filter(({ family, name }) => family === table.family && name === table.name)
  const chains = listed.chains.filter(isOurs)
  const keys = ['name', 'type', 'hook', 'prio', 'policy'] as const
  return (
    tables.every(({ flags }) => flags.length === 0) &&
    !listed.others.some(isOurs) &&
    chains.length <= 1 &&
    chains.every((each) => keys.every((key) => each[key] === chain[key]))
  )
}

const isOurs = (listed: { readonly family: string; readonly table: string }) =>
  listed.family === table.family && listed.table === table.name

function soundSet(set: ListedSet, family: 4 | 6, size: number): boolean {
  const plain = set.flags.length === 1 && set.flags[0] === 'timeout' && set.timeout === undefined
  return plain && set.type === typeOf(family) && set.size === size
}

const typeOf = (family: 4 | 6) => (family === 4 ? 'ipv4_addr' : 'ipv6_addr')

/** The ports that the rule with this set matches. */
function portsOfRule({ rules }: Ruleset, name: string): WirePorts | undefined {
  for (const { expr } of rules) {
    if (!JSON.stringify(expr).includes(`"@${name}"`)) continue
    const found = /"protocol":"(tcp|udp)","field":"dport"\}\},"right":\{"set":\[([\d,]+)\]/.exec(JSON.stringify(expr))
    const ports = (found?.[2] ?? '').split(',').map(Number)
    const sorted = { protocol: found?.[1] === 'udp' ? 'udp' : 'tcp', ports: ports.toSorted((a, b) => a - b) } as const
    const key = readSetName(name)
    // The hash in the name says whether these are its ports.
    if (key !== null && setName({ ...key, ports: sorted }) === name) return sorted
  }
  return undefined
}

/** A nft that prints rules in another form only makes them be written again at each sync. */
function sameRules({ rules }: Ruleset, sets: Sets): boolean {
  const wanted = new Set([...sets].map(([name, key]) => JSON.stringify(ruleOf(name, key).expr)))
  const found = rules.map(({ expr }) => JSON.stringify(expr.map((part) => (isCounter(part) ? counter : part))))
  return found.length === wanted.size && found.every((rule) => wanted.delete(rule))
}

const isCounter = (part: unknown) => typeof part === 'object' && part !== null && 'counter' in part
