import { listedEndpoints, parseEndpoint } from '../../core/address.ts'
import type { CompiledFilter, FieldPath, Structure } from '../../core/plugin.ts'
import { createRule, hasPattern, slotOf, type Captures, type Rule } from './checks.ts'
import type { Field, FieldTree } from './field-tree.ts'
import type { FieldValues } from './field-values.ts'

/** What a filter found in the fields of a line. */
export interface FieldsFound {
  readonly rule: number
  readonly address: string
  readonly groups: Readonly<Record<string, string>>
  readonly time?: string
  readonly hops?: readonly string[]
}

/** A filter with a structure, ready for the lines of one tree. */
export class FieldFilter {
  readonly #programs: ReadonlySet<string> | null
  readonly #match: readonly Rule[]
  readonly #ignore: readonly Rule[]
  readonly #address: readonly Field[]
  readonly #forwarded: readonly Field[]
  readonly #time: readonly Field[]
  readonly #user: readonly Field[]
  /** Whether it runs patterns, which may take long. */
  readonly hasPatterns: boolean

  constructor({ programs }: CompiledFilter, structure: Structure, tree: FieldTree) {
    const fields = (paths: readonly FieldPath[]) => paths.map((path) => tree.field(path))
    this.#programs = programs === null ? null : new Set(programs)
    this.#match = structure.match.map((rule) => createRule(rule, tree))
    this.#ignore = structure.ignore.map((rule) => createRule(rule, tree))
    this.#address = fields(structure.address)
    this.#forwarded = fields(structure.forwarded)
    this.#time = fields(structure.time)
    this.#user = fields(structure.user)
    this.hasPatterns = [...structure.match, ...structure.ignore].some(hasPattern)
  }

  /** Whether it reads lines of this program; null: the line names none, and is no line of text either. */
  reads(program: string | null): boolean {
    return this.#programs === null || program === null || this.#programs.has(program)
  }

  /** The first rule that holds, unless the line is to be ignored or names no address; else null. */
  find(values: FieldValues): FieldsFound | null {
    for (let rule = 0; rule < this.#match.length; rule++) {
      const captures: Captures = { address: null, groups: {} }
      if (!this.#match[rule]?.(values, captures)) continue
      if (this.#isIgnored(values)) return null
      return this.#found(rule, values, captures)
    }
    return null
  }

  #isIgnored(values: FieldValues): boolean {
    return this.#ignore.some((rule) => rule(values, { address: null, groups: {} }))
  }

  #found(rule: number, values: FieldValues, { address: captured, groups }: Captures): FieldsFound | null {
    const named = captured === null ? this.#named(values) : [captured]
    const address = named[0] === undefined ? undefined : nearest(named[0])
    if (address === undefined) return null
    const user = firstText(values, this.#user)
    if (user !== undefined && user !== '') groups.user = user
    const time = firstText(values, this.#time)
    const hops = [...this.#forwarded.flatMap((field) => textsOf(values, field)), ...named]
    const isChain = hops.length > 1 || hops[0] !== address
    return { rule, address, groups, ...(time === undefined ? {} : { time }), ...(isChain ? { hops } : {}) }
  }

  /** What the fields say that have an address. */
  #named(values: FieldValues): string[] {
    return this.#address.flatMap((field) => {
      const text = textsOf(values, field).join(',')
      return parseEndpoint(nearest(text) ?? '') === null ? [] : [text]
    })
  }
}

/** The last address of a list: that of who spoke to the service, or to the last proxy. */
function nearest(list: string): string | undefined {
  return list.includes(',') ? listedEndpoints(list).at(-1) : list
}

function textsOf(values: FieldValues, field: Field): readonly string[] {
  const slot = slotOf(values, field)
  if (slot < 0) return []
  if (values.isList(slot)) return values.elementsOf(slot)
  const text = values.textOf(slot)
  return text === null ? [] : [text]
}

function firstText(values: FieldValues, fields: readonly Field[]): string | undefined {
  for (const field of fields) {
    const [text] = textsOf(values, field)
    if (text !== undefined) return text
  }
  return undefined
}
