/** Conditions on fields as functions. */
import type { FieldCheck, FieldRule, Pattern } from '../../core/plugin.ts'
import type { Field, FieldTree } from './field-tree.ts'
import type { FieldValues } from './field-values.ts'

/** What the patterns of a rule captured. */
export interface Captures {
  address: string | null
  readonly groups: Record<string, string>
}

/** Whether a rule holds for the fields of a line. What is captured where it does not hold means nothing. */
export type Rule = (values: FieldValues, captures: Captures) => boolean

/** Whether a condition holds for the value in a slot; -1: there is none. */
export type Check = (values: FieldValues, slot: number, captures: Captures) => boolean

/** Makes a rule; the fields that it asks for are added to the tree. */
export function createRule({ conditions }: FieldRule, tree: FieldTree): Rule {
  // Those that cost least come first: most lines fail there.
  const parts = conditions
    .toSorted((a, b) => cost(a.check) - cost(b.check))
    .map(({ field, check }) => ({ field: tree.field(field), check: createCheck(check) }))
  return (values, captures) => {
    for (const { field, check } of parts) if (!check(values, slotOf(values, field), captures)) return false
    return true
  }
}

/** Whether a rule runs patterns, which may take long. */
export function hasPattern({ conditions }: FieldRule): boolean {
  return conditions.some(({ check }) => cost(check) >= patternCost)
}

/** The slot in which a field has a value; -1 where it has none. */
export function slotOf(values: FieldValues, field: Field): number {
  for (const slot of field) if (values.has(slot)) return slot
  return -1
}

const patternCost = 100

function cost(check: FieldCheck): number {
  switch (check.type) {
    case 'exists':
    case 'equal':
      return 0
    case 'range':
      return 1
    case 'prefix':
    case 'suffix':
    case 'contains':
      return 2
    case 'regex':
      return patternCost
    case 'not':
      return cost(check.of)
    case 'all':
    case 'any':
      return Math.max(...check.of.map(cost))
  }
}

/** Makes a condition. */
export function createCheck(check: FieldCheck): Check {
  switch (check.type) {
    case 'exists':
      return (_, slot) => slot >= 0 === check.exists
    case 'equal':
      return equalTo(check.texts)
    case 'prefix':
      return ofText((text) => check.texts.some((one) => text.startsWith(one)))
    case 'suffix':
      return ofText((text) => check.texts.some((one) => text.endsWith(one)))
    case 'contains':
      return ofText((text) => check.texts.some((one) => text.includes(one)))
    case 'range':
      return ofText((text) => isBetween(text, check.min ?? -Infinity, check.max ?? Infinity))
    case 'regex':
      return matching(check.pattern)
    case 'not': {
      const inner = createCheck(check.of)
      return (values, slot, captures) => !inner(values, slot, captures)
    }
    case 'all': {
      const all = check.of.toSorted((a, b) => cost(a) - cost(b)).map(createCheck)
      return (values, slot, captures) => all.every((one) => one(values, slot, captures))
    }
    case 'any': {
      const any = check.of.map(createCheck)
      return (values, slot, captures) => any.some((one) => one(values, slot, captures))
    }
  }
}

/** A few texts are compared as bytes, without making a text of the value. */
function equalTo(texts: readonly string[]): Check {
  const wanted = new Set(texts)
  const few = texts.length > 8 ? null : texts.map((text) => ({ text, bytes: Buffer.from(text) }))
  const among = ofText((text) => wanted.has(text))
  if (few === null) return among
  return (values, slot, captures) => {
    if (slot < 0 || values.isList(slot)) return among(values, slot, captures)
    for (const { bytes, text } of few) if (values.equals(slot, bytes, text)) return true
    return false
  }
}

/** Holds where the text of the value does, or of one element of a list. */
function ofText(holds: (text: string, captures: Captures) => boolean): Check {
  return (values, slot, captures) => {
    if (slot < 0) return false
    if (values.isList(slot)) return values.elementsOf(slot).some((text) => holds(text, captures))
    const text = values.textOf(slot)
    return text !== null && holds(text, captures)
  }
}

/** Numbers as JSON writes them, also in quotes. */
function isBetween(text: string, min: number, max: number): boolean {
  if (!/^-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/.test(text)) return false
  const value = Number(text)
  return value >= min && value <= max
}

/** A pattern never sees a newline, which no line of text holds either: nobody is to hide from `.*` behind one. */
function matching(pattern: Pattern): Check {
  const ascii = new RegExp(pattern.ascii, pattern.flags)
  const unicode = new RegExp(pattern.unicode, `${pattern.flags}u`)
  return ofText((given, captures) => {
    const text = given.includes('\n') ? given.replaceAll('\n', ' ') : given
    const found = (isAscii(text) ? ascii : unicode).exec(text)
    if (found === null) return false
    // The first group of a name that is not empty wins.
    for (const [index, tag] of pattern.groups.entries()) {
      const captured = found[index + 1]
      if (tag === null || captured === undefined) continue
      if (tag === 'addr') captures.address ??= captured
      else captures.groups[tag] ||= captured
    }
    return true
  })
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false
  return true
}
