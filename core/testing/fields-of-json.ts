/** What conditions say of a line of JSON by `JSON.parse`: the reference that the matcher is held against. */
import type { FieldCheck, FieldPath, FieldRule } from '../plugin.ts'

/** Whether the rule holds for the line; a line that is no JSON object: never. */
export function holdsPlainly(rule: FieldRule, line: string): boolean {
  const object = parsed(line)
  return object !== undefined && rule.conditions.every(({ field, check }) => isSo(check, valueAt(object, field)))
}

/** The object of a line; undefined where it is none. */
export function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** The value of a field; undefined where it is missing or null. */
export function valueAt(object: Record<string, unknown>, { key, steps }: FieldPath): unknown {
  return own(object, key) ?? steps.reduce<unknown>((value, step) => own(value, step), object) ?? undefined
}

function own(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value) && !/^(?:0|[1-9][0-9]*)$/.test(key)) return undefined
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
}

function isSo(check: FieldCheck, value: unknown): boolean {
  switch (check.type) {
    case 'exists':
      return (value !== undefined) === check.exists
    case 'not':
      return !isSo(check.of, value)
    case 'all':
      return check.of.every((one) => isSo(one, value))
    case 'any':
      return check.of.some((one) => isSo(one, value))
    default: {
      const texts = [value].flat().filter((one) => one !== null && one !== undefined && typeof one !== 'object')
      return texts.some((one) => isText(check, String(one)))
    }
  }
}

function isText(check: Exclude<FieldCheck, { type: 'exists' | 'not' | 'all' | 'any' }>, text: string): boolean {
  switch (check.type) {
    case 'equal':
      return check.texts.includes(text)
    case 'prefix':
      return check.texts.some((one) => text.startsWith(one))
    case 'suffix':
      return check.texts.some((one) => text.endsWith(one))
    case 'contains':
      return check.texts.some((one) => text.includes(one))
    case 'range': {
      const value = text.trim() === '' || /[^-+0-9.eE]/.test(text) ? Number.NaN : Number(text)
      return value >= (check.min ?? -Infinity) && value <= (check.max ?? Infinity)
    }
    case 'regex':
      return new RegExp(check.pattern.unicode, `${check.pattern.flags}u`).test(text.replaceAll('\n', ' '))
  }
}
