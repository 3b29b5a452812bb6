/** Builders of commands and statements. Each throws a `TypeError` where nft would take a wrong name for something else. */
import type {
  BaseChain,
  BitwiseAnd,
  Chain,
  Command,
  Element,
  ElementValue,
  InTable,
  Listable,
  Match,
  Payload,
  PayloadFields,
  Rule,
  Set,
  SetReference,
  Statement,
  Table,
} from './objects.ts'

/** The longest name of a table, chain or set that the kernel takes (NFT_NAME_MAXLEN, with its ending zero, is 256). */
export const longestName = 255

/** Whether nft reads the name back from its own text output: a letter, then letters, digits, `/`, `\`, `_`, `.`. */
export function isName(text: string): boolean {
  return text.length <= longestName && /^[A-Za-z][A-Za-z0-9/\\_.]*$/.test(text)
}

export const addTable = (table: Table): Command => ({ add: { table: named(table) } })
/** Rejected by the kernel when the table is not there. */
export const deleteTable = ({ family, name }: Table): Command => ({ delete: { table: { family, name } } })

/** Nothing happens when the same chain is there; a chain with another hook or priority is an error. */
export const addChain = (chain: Chain | BaseChain): Command => ({ add: { chain: named(chain) } })
/** The chain must be empty, and no rule may jump to it. */
export const deleteChain = (chain: Chain): Command => ({ delete: { chain: place(chain) } })
/** Removes the rules of the chain. */
export const flushChain = (chain: Chain): Command => ({ flush: { chain: place(chain) } })

/** Nothing happens when the same set is there; a set of another type is an error. */
export const addSet = (set: Set): Command => ({ add: { set: named(set) } })
/** No rule may refer to the set. */
export const deleteSet = (set: InTable & { name: string }): Command => ({ delete: { set: place(set) } })
/** Removes the elements of the set. */
export const flushSet = (set: InTable & { name: string }): Command => ({ flush: { set: place(set) } })

/** Appends a rule to its chain. */
export const addRule = (rule: Rule): Command => ({ add: { rule } })

/** Elements that are there stay as they are; newer kernels (6.12 on) give them the new time. */
export function addElements(set: InTable & { name: string }, elem: readonly Element[]): Command {
  return { add: { element: { ...place(set), elem: filled(elem) } } }
}

/** One element that is there already makes the kernel refuse the whole transaction, with the failure `exists`. */
export function createElements(set: InTable & { name: string }, elem: readonly Element[]): Command {
  return { create: { element: { ...place(set), elem: filled(elem) } } }
}

/** One element that is not there makes the kernel refuse the whole transaction. */
export function deleteElements(set: InTable & { name: string }, elem: readonly ElementValue[]): Command {
  return { delete: { element: { ...place(set), elem: filled(elem) } } }
}

export const list = (what: Listable): Command => ({ list: what })

/** An element that leaves after that many whole seconds, 1 at least. */
export function timed(val: ElementValue, timeout: number): Element {
  if (!Number.isSafeInteger(timeout) || timeout < 1) throw new TypeError(`not a time of whole seconds: ${timeout}`)
  return { elem: { val, timeout } }
}

/** Holds for packets in which the field has this value, or one of these values, or one that the set knows. */
export function match(left: Payload | BitwiseAnd, right: Match['match']['right']): Match {
  return { match: { op: '==', left, right } }
}

/** The part of a field that a mask leaves: `ip6 saddr & ffff:ffff:ffff:ffff::`. */
export const and = (field: Payload, mask: string | number): BitwiseAnd => ({ '&': [field, mask] })

export function payload<Protocol extends keyof PayloadFields>(
  protocol: Protocol,
  field: PayloadFields[Protocol],
): Payload {
  return { payload: { protocol, field } } as Payload
}

/** Refers to a set of the same table. */
export const inSet = (name: string): SetReference => `@${named({ name }).name}`

export const counter: Statement = { counter: null }
export const drop: Statement = { drop: null }
export const accept: Statement = { accept: null }

function named<Thing extends { readonly name: string }>(thing: Thing): Thing {
  if (!isName(thing.name)) throw new TypeError(`not a name for nft: ${JSON.stringify(thing.name)}`)
  return thing
}

/** Commands that name a thing carry nothing but where it is. */
function place({ family, table, name }: InTable & { readonly name: string }): InTable & { readonly name: string } {
  return { family, table, name }
}

function filled<Item>(items: readonly Item[]): readonly Item[] {
  if (items.length === 0) throw new TypeError('nft takes no empty list of elements')
  return items
}
