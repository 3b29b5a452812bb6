/**
 * The table of Bailiff, whatever tool makes it: one set for each ports, family and prefix length, one
 * rule a set (one a protocol where it is for both), one chain. The chain stands before connection tracking and before any translation of
 * addresses, so a rule sees the port that the client used (Docker publishes ports by translation) and
 * costs an attacker's packet the least. Sets are plain hashes, no intervals: every element begins and
 * ends by itself.
 */
import { bitsOf, readSetName, setName, type SetKey } from './set-names.ts'
import type { WirePorts } from './messages.ts'

export const table = { family: 'inet', name: 'bailiff' } as const

/** -300 is the priority `raw`: after the reassembly of fragments (-400), before connection tracking (-200). */
export const chain = { name: 'drop_banned', type: 'filter', hook: 'prerouting', prio: -300, policy: 'accept' } as const

/** Sets by their names. */
export type Sets = ReadonlyMap<string, SetKey>

/** What a tool listed, of all tables or of ours alone, without elements and rules. Words are those of nft. */
export interface ListedFrame {
  readonly tables: readonly { readonly family: string; readonly name: string; readonly flags: readonly string[] }[]
  readonly chains: readonly ListedChain[]
  readonly sets: readonly ListedSet[]
  /** Objects that we have none of: maps, counters, flow tables… */
  readonly others: readonly InTable[]
}

/** What a tool read in the rules of our chain. */
export interface ListedRules {
  /** The ports of the rule that looks this set up. */
  portsOf(set: string): WirePorts | undefined
  /** Whether there are the rules of each of the sets, as they should be, and no other. */
  areThoseOf(sets: Sets): boolean
}

interface InTable {
  readonly family: string
  readonly table: string
}

interface ListedChain extends InTable {
  readonly name: string
  readonly type?: string
  readonly hook?: string
  readonly prio?: number
  readonly policy?: string
}

interface ListedSet extends InTable {
  readonly name: string
  readonly type: string
  readonly flags: readonly string[]
  readonly size?: number
  readonly timeout?: number
}

/** What was found where the table should be. */
export interface Found {
  /** Nothing is in the way: what is there can stay. Also true where there is no table at all. */
  readonly sound: boolean
  readonly sets: Sets
  /** Sets whose names only have a hash of their ports, and no rule tells the ports. */
  readonly nameless: readonly string[]
  /** Whether there are the rules of each of `sets`, as they should be, and no other. */
  readonly ruled: boolean
  /** The tool could not read the rules; `ruled` is false then. */
  readonly rulesUnread?: boolean
  /** The generation of the kernel's ruleset at which it was so, where the tool tells. */
  readonly generation?: number
}

/** What a rule looks at: one protocol's ports, or all traffic. */
export type RuleProtocol = Exclude<WirePorts['protocol'], 'tcp+udp'>

/** One step towards the wanted table. What is added and is there already stays as it is. */
export type Step =
  | { readonly do: 'add-table' }
  | { readonly do: 'delete-table' }
  | { readonly do: 'add-chain' }
  | { readonly do: 'flush-chain' }
  | { readonly do: 'add-set'; readonly name: string; readonly key: SetKey }
  | { readonly do: 'add-rule'; readonly name: string; readonly key: SetKey; readonly protocol: RuleProtocol }
  | { readonly do: 'delete-set'; readonly name: string }

export const byName = (keys: Iterable<SetKey>): Sets => new Map(Array.from(keys, (key) => [setName(key), key]))

/** The protocols that ports are of, each with a rule of its own. */
export function protocolsOf(protocol: WirePorts['protocol']): readonly RuleProtocol[] {
  return protocol === 'tcp+udp' ? ['tcp', 'udp'] : [protocol]
}

/** The rules that sets have. */
export function rulesOf(
  sets: Sets,
): { readonly name: string; readonly key: SetKey; readonly protocol: RuleProtocol }[] {
  return [...sets].flatMap(([name, key]) =>
    protocolsOf(key.ports.protocol).map((protocol) => ({ name, key, protocol })),
  )
}

/** The sets for single addresses that a declaration makes at once. */
export function singleAddressSets(ports: WirePorts): SetKey[] {
  return ([4, 6] as const).map((family) => ({ ports, family, length: bitsOf(family) }))
}

/** The type of a set's elements, in the words of nft. */
export const typeOf = (family: 4 | 6) => (family === 4 ? 'ipv4_addr' : 'ipv6_addr')

/** Compares the table with what it should be. `known` are the sets whose ports need not be read. */
export function examine(listed: ListedFrame, rules: ListedRules, size: number, known: Sets): Found {
  const sets = new Map<string, SetKey>()
  const nameless: string[] = []
  let sound = soundFrame(listed)
  for (const set of listed.sets.filter(isOurs)) {
    const read = readSetName(set.name)
    if (read === null || !soundSet(set, read.family, size)) {
      sound = false
      continue
    }
    const ports = read.ports ?? known.get(set.name)?.ports ?? rules.portsOf(set.name)
    if (ports === undefined) nameless.push(set.name)
    else sets.set(set.name, { ports, family: read.family, length: read.length })
  }
  return { sound, sets, nameless, ruled: rules.areThoseOf(sets) }
}

/**
 * The steps that leave exactly these sets, with their rules, and the elements that those already had:
 * all but those of `emptied`, which are made again.
 */
export function mend(found: Found, wanted: Sets, emptied: readonly string[] = []): Step[] {
  const old = [...found.sets.keys(), ...found.nameless].filter((name) => !wanted.has(name))
  return [
    { do: 'add-table' },
    ...(found.sound ? [] : [{ do: 'delete-table' } as const, { do: 'add-table' } as const]),
    { do: 'add-chain' },
    { do: 'flush-chain' },
    ...(found.sound ? [...old, ...emptied].map((name) => ({ do: 'delete-set', name }) as const) : []),
    ...Array.from(wanted, ([name, key]) => ({ do: 'add-set', name, key }) as const),
    ...rulesOf(wanted).map(({ name, key, protocol }) => ({ do: 'add-rule', name, key, protocol }) as const),
  ]
}

/** Whether the table is awake and holds our chain, or no chain yet, and nothing foreign. */
function soundFrame(listed: ListedFrame): boolean {
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

const isOurs = (listed: InTable) => listed.family === table.family && listed.table === table.name

function soundSet(set: ListedSet, family: 4 | 6, size: number): boolean {
  const plain = set.flags.length === 1 && set.flags[0] === 'timeout' && set.timeout === undefined
  return plain && set.type === typeOf(family) && set.size === size
}
