/** The rules of our table as nf_tables has them: what nft makes of `tcp dport 22 ip saddr @tcp_22_v4 counter drop`. */
import type { WirePorts } from '../messages.ts'
import { bitsOf, readSetName, setName, type SetKey } from '../set-names.ts'
import { protocolsOf, rulesOf, type ListedRules, type RuleProtocol, type Sets } from '../table-layout.ts'
import type { Expression } from './expressions.ts'
import { family as families, meta, payloadBase, protocolNumber } from './kernel-numbers.ts'

/** How the packet's port is found: by a set without a name, which is there for this one rule, or by its number. */
export type PortLookup = { readonly set: string; readonly id?: number }

/**
 * The expressions of the rule for a set and a protocol. `portSet` is the set without a name that holds its ports; it is
 * needed where there are several.
 */
export function expressionsOf(
  name: string,
  { ports, family, length }: SetKey,
  protocol: RuleProtocol,
  portSet: PortLookup,
): Expression[] {
  const source = { 4: { offset: 12, length: 4 }, 6: { offset: 8, length: 16 } }[family]
  const mask: Expression = { is: 'bitwise', mask: maskOf(family, length) }
  return [
    ...portExpressions(protocol, ports.ports, portSet),
    // A table of the family inet sees packets of all families.
    { is: 'meta', key: meta.nfproto },
    { is: 'cmp', equals: hex(family === 4 ? families.ip : families.ip6, 1) },
    { is: 'payload', base: payloadBase.network, ...source },
    ...(length === bitsOf(family) ? [] : [mask]),
    { is: 'lookup', set: name },
    { is: 'counter' },
    { is: 'drop' },
  ]
}

/** A rule that was read. */
export interface ListedRule {
  /** Null for each expression that is none of ours. */
  readonly expressions: readonly (Expression | null)[]
}

/** What the rules of our chain say. `portSets` are the sets without a name, with their ports ascending. */
export function listedRules(
  rules: readonly ListedRule[],
  portSets: ReadonlyMap<string, readonly number[]>,
): ListedRules {
  return {
    portsOf: (set) => {
      const key = readSetName(set)
      const rule = rules.find(({ expressions }) =>
        expressions.some((each) => each?.is === 'lookup' && each.set === set),
      )
      const read = rule === undefined || key === null ? [] : portsOf(rule, portSets)
      // The hash in the name says whether these are its ports.
      return read.find((ports) => key !== null && setName({ ...key, ports }) === set)
    },
    areThoseOf: (sets) => {
      const wanted = rulesOf(sets).length
      const found = rules.map((rule) => named(rule, sets, portSets))
      return found.length === wanted && new Set(found).size === wanted && !found.includes(null)
    },
  }
}

/** The set and the protocol whose rule this is, exactly as it should be; null where it is no such rule. */
function named(rule: ListedRule, sets: Sets, portSets: ReadonlyMap<string, readonly number[]>): string | null {
  for (const each of rule.expressions) {
    const key = each?.is === 'lookup' ? sets.get(each.set) : undefined
    if (each?.is !== 'lookup' || key === undefined) continue
    const portSet = firstLookup(rule)
    const found = JSON.stringify(rule.expressions)
    const of = protocolsOf(key.ports.protocol).find(
      (protocol) => JSON.stringify(expressionsOf(each.set, key, protocol, { set: portSet })) === found,
    )
    const samePorts = key.ports.ports.length < 2 || portSets.get(portSet)?.join() === key.ports.ports.join()
    return of !== undefined && samePorts ? `${of} ${each.set}` : null
  }
  return null
}

/** What the ports of a rule may be those of: its protocol alone, or both. */
function portsOf(rule: ListedRule, portSets: ReadonlyMap<string, readonly number[]>): WirePorts[] {
  const [first, second] = rule.expressions
  if (first?.is !== 'meta' || second?.is !== 'cmp') return []
  const protocol = second.equals === hex(protocolNumber.udp, 1) ? 'udp' : 'tcp'
  const ports = portSets.get(firstLookup(rule))
  return ports === undefined
    ? []
    : [
        { protocol, ports },
        { protocol: 'tcp+udp', ports },
      ]
}

function firstLookup({ expressions }: ListedRule): string {
  const found = expressions.find((each) => each?.is === 'lookup')
  return found?.is === 'lookup' ? found.set : ''
}

function portExpressions(
  protocol: RuleProtocol,
  [port, ...more]: readonly number[],
  portSet: PortLookup,
): Expression[] {
  if (protocol === 'all' || port === undefined) return []
  return [
    { is: 'meta', key: meta.l4proto },
    { is: 'cmp', equals: hex(protocolNumber[protocol], 1) },
    // The port of the destination, behind the one of the source.
    { is: 'payload', base: payloadBase.transport, offset: 2, length: 2 },
    more.length === 0 ? { is: 'cmp', equals: hex(port, 2) } : { is: 'lookup', ...portSet },
  ]
}

function maskOf(family: 4 | 6, length: number): string {
  const bits = '1'.repeat(length).padEnd(bitsOf(family), '0')
  return bits.replace(/.{4}/g, (four) => Number.parseInt(four, 2).toString(16))
}

const hex = (value: number, bytes: number) => value.toString(16).padStart(bytes * 2, '0')
