/** The table of Bailiff in the language of nft: what makes it, and how its rules are recognised. */
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
  type Command,
  type Rule,
  type Ruleset,
  type Set as NftSet,
  type Statement,
} from './nftables-json/index.ts'
import { formatPrefix } from '../address.ts'
import { bitsOf, readSetName, setName } from './set-names.ts'
import type { WirePorts } from './messages.ts'
import { chain, rulesOf, table, typeOf, type ListedRules, type Sets, type Step } from './table-layout.ts'

const inTable = { family: table.family, table: table.name } as const
const baseChain = { ...inTable, ...chain }

/** By what to find an element again: where it lives. */
export const setAt = (name: string): NftSet & { name: string } => ({ ...inTable, name, type: 'ipv4_addr' })

/** The command for a step. `size` is how many elements a set takes. */
export function commandOf(step: Step, size: number): Command {
  switch (step.do) {
    case 'add-table':
      return addTable(table)
    case 'delete-table':
      return deleteTable(table)
    case 'add-chain':
      return addChain(baseChain)
    case 'flush-chain':
      return flushChain(baseChain)
    case 'add-set':
      return addSet({ ...inTable, name: step.name, type: typeOf(step.key.family), flags: ['timeout'], size })
    case 'add-rule':
      return addRule(ruleOf(step))
    case 'delete-set':
      return deleteSet(setAt(step.name))
  }
}

/** The rules of a list. */
export function listedRules(listed: Ruleset): ListedRules {
  return { portsOf: (set) => portsOfRule(listed, set), areThoseOf: (sets) => sameRules(listed, sets) }
}

/** `tcp dport { 80, 443 } ip6 saddr & ffff:: @tcp_80_443_v6_16 counter drop` */
function ruleOf({ name, key, protocol }: ReturnType<typeof rulesOf>[number]): Rule {
  const {
    ports: { ports },
    family,
    length,
  } = key

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

/** The ports that the rule with this set matches. */
function portsOfRule({ rules }: Ruleset, name: string): WirePorts | undefined {
  for (const { expr } of rules) {
    if (!JSON.stringify(expr).includes(`"@${name}"`)) continue
    const found = /"protocol":"(tcp|udp)","field":"dport"\}\},"right":\{"set":\[([\d,]+)\]/.exec(JSON.stringify(expr))
    const ports = (found?.[2] ?? '').split(',').map(Number)
    const sorted = ports.toSorted((a, b) => a - b)
    const key = readSetName(name)
    // The hash in the name says whether these are its ports, and of both protocols.
    for (const protocol of [found?.[1] === 'udp' ? 'udp' : 'tcp', 'tcp+udp'] as const) {
      const read = { protocol, ports: sorted }
      if (key !== null && setName({ ...key, ports: read }) === name) return read
    }
  }
  return undefined
}

/** A nft that prints rules in another form only makes them be written again at each sync. */
function sameRules({ rules }: Ruleset, sets: Sets): boolean {
  const wanted = new Set(rulesOf(sets).map((rule) => JSON.stringify(ruleOf(rule).expr)))
  const found = rules.map(({ expr }) => JSON.stringify(expr.map((part) => (isCounter(part) ? counter : part))))
  return found.length === wanted.size && found.every((rule) => wanted.delete(rule))
}

const isCounter = (part: unknown) => typeof part === 'object' && part !== null && 'counter' in part
