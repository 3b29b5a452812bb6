/** What the kernel lists of our table. */
import { setImmediate as otherWork } from 'node:timers/promises'
import { chain, table, type ListedFrame } from '../table-layout.ts'
import type { Elements } from '../table-changes.ts'
import { readExpressions } from './expressions.ts'
import { attribute, errno, family, keyType, message, setFlag, subsystem } from './kernel-numbers.ts'
import {
  attributesOf,
  familyOf,
  items,
  largeNumber,
  readAddresses,
  nest,
  number,
  readAttributes,
  text,
  type Attributes,
  type InMessage,
} from './messages-in.ts'
import type { MessageWriter } from './messages-out.ts'
import type { ListedRule } from './rules.ts'
import { NetlinkError, type NetlinkSocket } from './socket.ts'
import { hookNumber, policyNumber } from './table-messages.ts'

/** All of our table but the elements of its sets. */
export interface ListedTable {
  readonly frame: ListedFrame
  readonly rules: readonly ListedRule[]
  /** The ports of the sets without a name, ascending. */
  readonly portSets: ReadonlyMap<string, readonly number[]>
  /** How many elements the sets have, where the kernel tells. */
  readonly counts: ReadonlyMap<string, number | undefined>
}

/** After so many answers with elements, of 32 KiB each, other work gets its turn. */
const answersInOneGo = 8

/** Lists the table. Throws `NetlinkError`. */
export function listTable(socket: NetlinkSocket): ListedTable {
  const { getTable, getChain, getSet, getRule, getObject, getFlowtable } = message
  const tables = listed(socket, getTable, undefined, (attributes) => ({
    family: table.family,
    name: text(attributes, attribute.table.name) ?? '',
    flags: (number(attributes, attribute.table.flags) ?? 0) === 0 ? [] : ['flags'],
  })).filter(({ name }) => name === table.name)
  if (tables.length === 0) return nothing
  const chains = listed(socket, getChain, undefined, readChain).filter((each) => each.table === table.name)
  const sets = listed(socket, getSet, attribute.set.table, readSet)
  const others = [getObject, getFlowtable].flatMap((kind) =>
    listed(socket, kind, attribute.object.table, () => inTable),
  )
  const rules = listed(socket, getRule, attribute.rule.table, readRule).filter((each) => each.chain === chain.name)
  const portSets = new Map<string, readonly number[]>()
  for (const { name, anonymous } of sets) if (anonymous) portSets.set(name, listPorts(socket, name))
  const named = sets.filter(({ anonymous }) => !anonymous)
  const maps = named.filter(({ isMap }) => isMap).map(() => inTable)
  const plain = named.filter(({ isMap }) => !isMap)
  const counts = new Map(plain.map(({ name, count }) => [name, count]))
  return { frame: { tables, chains, sets: plain, others: [...others, ...maps] }, rules, portSets, counts }
}

/** Lists the elements of a set; their ends are in milliseconds of `performance.now()`. */
export async function listElements(socket: NetlinkSocket, set: string): Promise<Elements> {
  const elements = new Map<string, number | null>()
  let answers = 0
  for (const answer of elementsOf(socket, set)) {
    readElements(answer, performance.now(), elements)
    if (++answers % answersInOneGo === 0) await otherWork()
  }
  return elements
}

/** The set that a message about elements names, if it is one of our table. */
export function setOf(answer: InMessage): string | undefined {
  const attributes = attributesOf(answer)
  const ours = familyOf(answer) === family.inet && text(attributes, attribute.elements.table) === table.name
  return ours ? text(attributes, attribute.elements.set) : undefined
}

/** The digits of the addresses in a message about elements. */
export function addressesOf(answer: InMessage): string[] {
  return items(attributesOf(answer), attribute.elements.list).map((item) => keyOf(readAttributes(item)).toString('hex'))
}

const inTable = { family: table.family, table: table.name } as const

const nothing: ListedTable = {
  frame: { tables: [], chains: [], sets: [], others: [] },
  rules: [],
  portSets: new Map(),
  counts: new Map(),
}

/** Lists what is in our table by the attribute that names it, or, without one, all of the family. */
function listed<Item>(
  socket: NetlinkSocket,
  kind: number,
  tableAttribute: number | undefined,
  read: (attributes: Attributes) => Item,
): Item[] {
  const attributes = (out: MessageWriter) => {
    if (tableAttribute !== undefined) out.text(tableAttribute, table.name)
  }
  const query = { subsystem: subsystem.nftables, message: kind, family: family.inet, attributes }
  const found: Item[] = []
  for (const answer of present(socket.dump(query))) {
    const each = attributesOf(answer)
    const ours = tableAttribute === undefined || text(each, tableAttribute) === table.name
    if (ours && familyOf(answer) === family.inet) found.push(read(each))
  }
  return found
}

/** An empty list where what is asked about is not there, as the table between two questions. */
function* present(answers: Generator<InMessage, void>): Generator<InMessage, void> {
  try {
    yield* answers
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.errno !== errno.missing) throw error
  }
}

function readChain(attributes: Attributes) {
  const place = {
    family: table.family,
    table: text(attributes, attribute.chain.table) ?? '',
    name: text(attributes, attribute.chain.name) ?? '',
  }
  const hook = nest(attributes, attribute.chain.hook)
  if (hook.size === 0) return place
  return {
    ...place,
    type: text(attributes, attribute.chain.type) ?? '',
    hook: number(hook, attribute.hook.number) === hookNumber.prerouting ? 'prerouting' : 'another',
    prio: (number(hook, attribute.hook.priority) ?? 0) | 0,
    policy: number(attributes, attribute.chain.policy) === policyNumber.accept ? 'accept' : 'another',
  }
}

function readSet(attributes: Attributes) {
  const flags = number(attributes, attribute.set.flags) ?? 0
  const type = number(attributes, attribute.set.keyType)
  const size = number(nest(attributes, attribute.set.describes), attribute.setDescription.size)
  const timeout = largeNumber(attributes, attribute.set.timeout)
  return {
    ...inTable,
    name: text(attributes, attribute.set.name) ?? '',
    type: type === keyType.ipv4 ? 'ipv4_addr' : type === keyType.ipv6 ? 'ipv6_addr' : 'another',
    flags: flags === setFlag.timeout ? ['timeout'] : ['others'],
    anonymous: (flags & setFlag.anonymous) !== 0,
    count: number(attributes, attribute.set.count),
    isMap: (flags & setFlag.map) !== 0,
    ...(size === undefined ? {} : { size }),
    ...(timeout === undefined ? {} : { timeout }),
  }
}

function readRule(attributes: Attributes): ListedRule & { chain: string | undefined } {
  const expressions = readExpressions(attributes, attribute.rule.expressions)
  return { chain: text(attributes, attribute.rule.chain), expressions }
}

function listPorts(socket: NetlinkSocket, set: string): number[] {
  const ports: number[] = []
  for (const answer of elementsOf(socket, set)) {
    for (const digits of addressesOf(answer)) ports.push(Number.parseInt(digits, 16))
  }
  return ports.toSorted((one, other) => one - other)
}

function elementsOf(socket: NetlinkSocket, set: string): Generator<InMessage, void> {
  const attributes = (out: MessageWriter) => {
    out.text(attribute.elements.table, table.name)
    out.text(attribute.elements.set, set)
  }
  const query = { subsystem: subsystem.nftables, message: message.getElement, family: family.inet, attributes }
  return present(socket.dump(query))
}

function readElements(answer: InMessage, now: number, into: Map<string, number | null>): void {
  const list = attributesOf(answer).get(attribute.elements.list)
  if (list === undefined) return
  for (const { address, leftMs } of readAddresses(list)) into.set(address, leftMs === null ? null : now + leftMs)
}

function keyOf(element: Attributes): Buffer {
  return nest(element, attribute.element.key).get(attribute.data.value) ?? Buffer.alloc(0)
}
