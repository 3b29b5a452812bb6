/** What `nft -j` lists, checked and typed. */
import { NftError } from './nft-error.ts'

/** Everything that one or more lists told, in the order of nft. */
export interface Ruleset {
  readonly tables: readonly ListedTable[]
  readonly chains: readonly ListedChain[]
  readonly sets: readonly ListedSet[]
  readonly rules: readonly ListedRule[]
  readonly others: readonly ListedOther[]
}

export interface ListedTable {
  readonly family: string
  readonly name: string
  /** `dormant`, `owner`… */
  readonly flags: readonly string[]
}

export interface ListedChain {
  readonly family: string
  readonly table: string
  readonly name: string
  /** Only chains that the kernel calls have a type, a hook, a priority and a policy. */
  readonly type?: string
  readonly hook?: string
  readonly prio?: number
  readonly policy?: string
}

export interface ListedSet {
  readonly family: string
  readonly table: string
  readonly name: string
  /** The type; for concatenations the types, joined with ` . `. */
  readonly type: string
  readonly flags: readonly string[]
  readonly size?: number
  readonly timeout?: number
  /** Empty where the list was terse. */
  readonly elements: readonly ListedElement[]
}

export interface ListedElement {
  /** Text or number for plain values; prefixes, ranges and concatenations as nft prints them. */
  readonly value: unknown
  /** The seconds it was given; absent: it stays. */
  readonly timeout?: number
  /** The whole seconds that it still has. */
  readonly expires?: number
}

export interface ListedRule {
  readonly family: string
  readonly table: string
  readonly chain: string
  /** The statements as nft prints them. */
  readonly expr: readonly unknown[]
}

/** An object that this module has no type for. */
export interface ListedOther {
  /** `map`, `flowtable`, `counter`… */
  readonly kind: string
  readonly family: string
  readonly table: string
}

type Fields = Readonly<Record<string, unknown>>

/** Reads the output of `nft -j`: one JSON document a list command, each on a line of its own. */
export function readRuleset(output: string): Ruleset {
  const ruleset = { tables: [], chains: [], sets: [], rules: [], others: [] } satisfies Ruleset
  for (const line of output.split('\n')) {
    if (line !== '') readDocument(line, ruleset)
  }
  return ruleset
}

interface Growing {
  tables: ListedTable[]
  chains: ListedChain[]
  sets: ListedSet[]
  rules: ListedRule[]
  others: ListedOther[]
}

function readDocument(line: string, into: Growing): void {
  const items = field(parse(line), 'nftables')
  if (!Array.isArray(items)) throw strange(line)
  for (const item of items) {
    const [kind, fields] = Object.entries(asFields(item))[0] ?? []
    if (kind === undefined || kind === 'metainfo') continue
    if (kind === 'table') into.tables.push(readTable(asFields(fields)))
    else if (kind === 'chain') into.chains.push(readChain(asFields(fields)))
    else if (kind === 'set') into.sets.push(readSet(asFields(fields)))
    else if (kind === 'rule') into.rules.push(readRule(asFields(fields)))
    else into.others.push(readOther(kind, asFields(fields)))
  }
}

function readTable(fields: Fields): ListedTable {
  return { family: text(fields, 'family'), name: text(fields, 'name'), flags: words(fields.flags) }
}

function readChain(fields: Fields): ListedChain {
  const chain = { family: text(fields, 'family'), table: text(fields, 'table'), name: text(fields, 'name') }
  if (fields.hook === undefined) return chain
  const { prio } = fields
  const hooked = { type: text(fields, 'type'), hook: text(fields, 'hook'), policy: text(fields, 'policy') }
  return { ...chain, ...hooked, ...(typeof prio === 'number' ? { prio } : {}) }
}

function readSet(fields: Fields): ListedSet {
  const { size, timeout, elem } = fields
  return {
    family: text(fields, 'family'),
    table: text(fields, 'table'),
    name: text(fields, 'name'),
    type: words(fields.type).join(' . '),
    flags: words(fields.flags),
    ...(typeof size === 'number' ? { size } : {}),
    ...(typeof timeout === 'number' ? { timeout } : {}),
    elements: Array.isArray(elem) ? elem.map(readElement) : [],
  }
}

function readElement(item: unknown): ListedElement {
  if (typeof item !== 'object' || item === null || !('elem' in item)) return { value: item }
  const { val, timeout, expires } = asFields(item.elem)
  return {
    value: val,
    ...(typeof timeout === 'number' ? { timeout } : {}),
    ...(typeof expires === 'number' ? { expires } : {}),
  }
}

function readRule(fields: Fields): ListedRule {
  const { expr } = fields
  const where = { family: text(fields, 'family'), table: text(fields, 'table'), chain: text(fields, 'chain') }
  return { ...where, expr: Array.isArray(expr) ? expr : [] }
}

function readOther(kind: string, { family, table }: Fields): ListedOther {
  return { kind, family: String(family), table: String(table) }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw strange(line)
  }
}

function asFields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null) throw strange(value)
  return value as Fields
}

function field(value: unknown, key: string): unknown {
  return asFields(value)[key]
}

function text(fields: Fields, key: string): string {
  const value = fields[key]
  if (typeof value !== 'string') throw strange(fields)
  return value
}

/** nft prints one word bare and several as a list. */
function words(value: unknown): string[] {
  return (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(String)
}

function strange(what: unknown): NftError {
  const shown = typeof what === 'string' ? what : JSON.stringify(what)
  return new NftError(
    'unreadable',
    `nft printed something that is no list of its format: ${String(shown).slice(0, 200)}`,
  )
}
