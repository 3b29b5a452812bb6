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
  readonly time: string | undefined
  readonly hops: readonly string[] | undefined
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

  /** The first rule that holds and finds an address, unless the line is to be ignored; else null. */
  find(values: FieldValues): FieldsFound | null {
    for (let rule = 0; rule < this.#match.length; rule++) {
      const captures: Captures = { address: null, groups: {} }
      if (!this.#match[rule]?.(values, captures)) continue
      if (this.#isIgnored(values)) return null
      const found = this.#found(rule, values, captures)
      if (found !== null) return found
    }
    return null
  }

  #isIgnored(values: FieldValues): boolean {
    return this.#ignore.some((rule) => rule(values, { address: null, groups: {} }))
  }

  /** Loops and no more arrays than needed: this runs for every line that matches. */
  #found(rule: number, values: FieldValues, { address: captured, groups }: Captures): FieldsFound | null {
    const peer = captured ?? this.#peer(values)
    if (peer === null) return null
    const address = nearest(peer)
    const user = firstText(values, this.#user)
    if (user !== undefined && user !== '') groups.user = user
    const hops = this.#hops(values, captured, peer === address ? null : peer)
    const time = firstText(values, this.#time)
    return { rule, address, groups, time, hops }
  }

  /** The first field that has an address. */
  #peer(values: FieldValues): string | null {
    for (const field of this.#address) {
      const text = addressText(values, field)
      if (text !== null) return text
    }
    return null
  }

  /** All that the line says of proxies; undefined where that is one address. `list`: what the first field has, if it is a list. */
  #hops(values: FieldValues, captured: string | null, list: string | null): string[] | undefined {
    let hops: string[] | undefined
    for (const field of this.#forwarded) {
      for (const text of textsOf(values, field)) if (text !== '' && text !== '-') (hops ??= []).push(text)
    }
    if (captured !== null) {
      hops?.push(captured)
      return hops
    }
    if (hops === undefined && list === null && this.#address.length === 1) return undefined
    const named = this.#address.flatMap((field) => addressText(values, field) ?? [])
    return hops === undefined && list === null && named.length === 1 ? undefined : [...(hops ?? []), ...named]
  }
}

/** The text of a field, if it has an address; elements of a list with commas between them. */
function addressText(values: FieldValues, field: Field): string | null {
  const slot = slotOf(values, field)
  if (slot < 0) return null
  const text = values.isList(slot) ? values.elementsOf(slot).join(',') : values.textOf(slot)
  return text === null || parseEndpoint(nearest(text)) === null ? null : text
}

/** The last address of a list: that of who spoke to the service, or to the last proxy. */
function nearest(list: string): string {
  return list.includes(',') ? (listedEndpoints(list).at(-1) ?? '') : list
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
    const slot = slotOf(values, field)
    if (slot < 0) continue
    const text = values.isList(slot) ? values.elementsOf(slot)[0] : values.textOf(slot)
    if (text !== null && text !== undefined) return text
  }
  return undefined
}
