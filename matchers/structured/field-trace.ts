/** What the matcher makes of one line, step by step with its own parts, for a person who asks. */
import type { CompiledFilter, FieldPath, FieldRule, LineBlock, LineHead, Structure } from '../../core/plugin.ts'
import { createCheck, slotOf, type Captures } from './checks.ts'
import { FieldFilter } from './field-filter.ts'
import { FieldTree } from './field-tree.ts'
import { FieldValues } from './field-values.ts'
import { createReader } from './format-reader.ts'
import { looks, placeOfFields } from './object-place.ts'

/** A field, and the text that the line has there; null: it has none. */
export interface FieldText {
  /** Its keys with dots between them. */
  readonly field: string
  readonly text: string | null
}

/** How a condition of a rule fared. */
export interface ConditionTrace extends FieldText {
  readonly holds: boolean
}

export interface FieldTrace {
  /** Whether the line is of the form that the filter names. */
  readonly readable: boolean
  /** The program that the line names; null: none. */
  readonly program: string | null
  readonly ofProgram: boolean
  /** How each rule fared, its conditions as they were written. */
  readonly rules: readonly { readonly text: string; readonly conditions: readonly ConditionTrace[] }[]
  /** What the fields have in which the address is looked for. */
  readonly addresses: readonly FieldText[]
  /** The index of the rule of `ignore` that holds; null: none. */
  readonly ignoredBy: number | null
}

/** Makes the tracer of a filter that has a structure; null for any other. */
export function createFieldTracer(filter: CompiledFilter): ((bytes: Buffer, head: LineHead) => FieldTrace) | null {
  const { structure } = filter
  return structure === null ? null : (bytes, head) => trace(filter, structure, bytes, head)
}

/** `line`: without its newline. */
function trace(filter: CompiledFilter, structure: Structure, line: Buffer, head: LineHead): FieldTrace {
  const tree = new FieldTree(structure.format === 'json')
  const fields = new FieldFilter(filter, structure, tree)
  const rules = structure.match.map((rule) => ({ text: rule.text, conditions: conditionsOf(rule, tree) }))
  const ignored = structure.ignore.map((rule) => conditionsOf(rule, tree))
  const slots = new Map(structure.address.map((path) => [path, tree.field(path)]))
  const bytes = Buffer.concat([line, Buffer.from('\n')])
  const block: Omit<LineBlock, 'lines'> = { bytes, text: bytes.toString('latin1'), head: () => head }
  const { values, reader } = createReader(structure.format, [structure], tree)
  values.bytes = bytes
  values.text = block.text
  reader.open(bytes, block.text)
  const place = placeOfFields(block, 0, line.length, looks[structure.format])
  const readable = place !== null && reader.read(place.start, place.end) && reader.isClean(place.start, place.end)
  if (!readable) values.clear()
  const program = place?.program ?? null
  const ignoredBy = ignored.findIndex((conditions) => conditions.every(({ check }) => check(values).holds))
  return {
    readable,
    program: program === '' ? null : program,
    ofProgram: fields.reads(program),
    rules: rules.map(({ text, conditions }) => ({ text, conditions: conditions.map(({ check }) => check(values)) })),
    addresses: [...slots].map(([path, slot]) => ({ field: nameOf(path), text: textOf(values, slotOf(values, slot)) })),
    ignoredBy: readable && ignoredBy >= 0 ? ignoredBy : null,
  }
}

interface Condition {
  readonly check: (values: FieldValues) => ConditionTrace
}

function conditionsOf({ conditions }: FieldRule, tree: FieldTree): readonly Condition[] {
  return conditions.map(({ field: path, check: given }) => {
    const field = tree.field(path)
    const check = createCheck(given)
    return {
      check: (values) => {
        const slot = slotOf(values, field)
        const captures: Captures = { address: null, groups: {} }
        return { field: nameOf(path), text: textOf(values, slot), holds: check(values, slot, captures) }
      },
    }
  })
}

function textOf(values: FieldValues, slot: number): string | null {
  if (slot < 0) return null
  return values.isList(slot) ? values.elementsOf(slot).join(', ') : values.textOf(slot)
}

function nameOf({ key }: FieldPath): string {
  return key
}
