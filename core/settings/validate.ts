import type * as z from 'zod'
import { BailiffError, quote, suggest, type Where } from '../errors.ts'
import { inWords } from './option-kinds.ts'
import type { Sourced } from './sourced.ts'

/**
 * What a schema makes of a value, or undefined where it does not fit; then everything that is wrong is
 * added to `problems`, each with its place.
 */
export function validate<T>(schema: z.ZodType<T>, given: Sourced, problems: BailiffError[]): T | undefined {
  const result = schema.safeParse(given.value)
  if (result.success) return result.data
  for (const issue of result.error.issues) problems.push(...explain(issue, given))
  return undefined
}

function explain(issue: z.core.$ZodIssue, given: Sourced): BailiffError[] {
  const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)))
  if (issue.code === 'unrecognized_keys') {
    const lines = issue.message.split('\n')
    return issue.keys.map((key, index) => wrong(lines[index] ?? issue.message, given.whereKey(...path, key)))
  }
  return [wrong(sentence(issue, given.at(...path).value), given.where(...path))]
}

function wrong(message: string, where: Where): BailiffError {
  return new BailiffError('config', message, { where })
}

function sentence(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'invalid_type') return wrongType(issue.expected, value)
  if (issue.code === 'invalid_value') return wrongWord(issue.values.map(String), value)
  if (issue.code === 'too_small')
    return typeof value === 'number' ? `must be at least ${issue.minimum}, but is ${value}` : 'must not be empty'
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}, but is ${String(value)}`
  return issue.message
}

function wrongType(expected: string, value: unknown): string {
  if (value === undefined) return 'is missing'
  const wanted: Readonly<Record<string, string>> = {
    string: 'text',
    object: 'a map of options',
    record: 'a map',
    array: 'a list',
    int: 'a whole number',
    number: 'a number',
  }
  const remedy = expected === 'string' && typeof value === 'number' ? `; write it in quotes: '${value}'` : ''
  return `must be ${wanted[expected] ?? expected}, but is ${inWords(value)}${remedy}`
}

function wrongWord(allowed: readonly string[], value: unknown): string {
  const meant = typeof value === 'string' ? suggest(value, allowed) : undefined
  return `must be ${allowed.join(' or ')}, not ${quote(value)}${meant ? `; did you mean ${meant}?` : ''}`
}
