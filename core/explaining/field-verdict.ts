/** Why the fields of a line are not what a filter asks for: which condition fails, and what the line has there. */
import type { ConditionTrace, FieldText, FieldTrace } from '../../matchers/structured/field-trace.ts'
import { quote } from '../errors.ts'
import type { FieldCheck } from '../plugin.ts'
import type { PatternText } from '../settings/filter-file.ts'
import type { Candidate } from './candidate.ts'
import type { Cause, Step } from './line-explanation.ts'

/** What became of a line in a filter of fields that found nothing in it. */
export interface FieldsEnd {
  readonly cause: Cause
  readonly verdict: string
  readonly nearly: boolean
  readonly steps: readonly Step[]
}

/** Conditions of a rule that are told of, and characters of a value. */
const conditionsShown = 12
const longestValue = 120

/** `begins`: whether the line begins as the format does. */
export function fieldsEnd({ jail, filter, settings }: Candidate, trace: FieldTrace, begins: boolean): FieldsEnd {
  const format = settings.structure?.format === 'logfmt' ? 'logfmt' : 'JSON'
  if (!trace.readable) {
    const steps = [failed('fields', `no ${format} all the way to the end of the line`)]
    const verdict = begins
      ? `The line begins as ${format} and is none to its end (it is cut off, or a quote or bracket is missing), so ${jail} passes it over.`
      : `The line is no ${format}, and ${jail} reads nothing else.`
    return { cause: begins ? 'malformed' : 'other-format', verdict, nearly: false, steps }
  }
  if (!trace.ofProgram) {
    const programs = filter.programs?.join(', ') ?? ''
    const of = trace.program === null ? 'names no program' : `is of the program ${quote(trace.program)}`
    const verdict = `The line ${of}, and ${jail} reads only lines of ${programs}.`
    return {
      cause: 'other-program',
      verdict,
      nearly: false,
      steps: [failed('program', `it reads lines of ${programs}`)],
    }
  }
  const held = trace.rules.map(({ conditions }) => conditions.filter(({ holds }) => holds).length / conditions.length)
  const nearest = held.indexOf(Math.max(...held))
  return held[nearest] === 1
    ? afterConditions(jail, trace, nearest)
    : unmet(jail, trace, nearest, settings.structure?.match[nearest]?.conditions.map(({ check }) => check) ?? [])
}

function afterConditions(jail: string, trace: FieldTrace, rule: number): FieldsEnd {
  const met = { step: 'fields', ok: true, detail: `they meet the conditions of rule ${rule + 1}` }
  if (trace.ignoredBy !== null)
    return {
      cause: 'ignoreregex',
      verdict: `The fields are what ${jail} looks for, and rule ${trace.ignoredBy + 1} of its "ignore" takes the line away.`,
      nearly: true,
      steps: [met, failed('ignore', `rule ${trace.ignoredBy + 1} holds as well`)],
    }
  const { addresses } = trace
  const has = addresses.map((each) => hasText(each)).join('; ') || 'no field is named for it'
  return {
    cause: 'no-address',
    verdict: `The fields are what ${jail} looks for, but none of them has an IP address where it is looked for: ${has}.`,
    nearly: true,
    steps: [met, failed('address', has)],
  }
}

function unmet(
  jail: string,
  { rules }: FieldTrace,
  index: number,
  checks: readonly FieldCheck<PatternText>[],
): FieldsEnd {
  const conditions = rules[index]?.conditions ?? []
  const failing = conditions.flatMap((each, at) => (each.holds ? [] : [{ each, check: checks[at] }]))
  const asks = failing
    .slice(0, 3)
    .map(({ each, check }) => `${hasText(each)}, and ${jail} asks for ${asked(each, check)}`)
  const more = failing.length > 3 ? `; ${failing.length - 3} more fail` : ''
  const others = conditions.length - failing.length
  const held =
    others === 0
      ? ''
      : failing.length > 1
        ? `; ${others} of its ${conditions.length} conditions hold`
        : others === 1
          ? '; its other condition holds'
          : `; its other ${others} conditions hold`
  const of = rules.length > 1 ? ` (rule ${index + 1} of ${rules.length}, which comes nearest)` : ''
  const steps = conditions.slice(0, conditionsShown).map((each, at): Step => {
    const wanted = each.holds ? '' : `, not ${asked(each, checks[at])}`
    return { step: 'fields', ok: each.holds, detail: `${hasText(each)}${wanted}` }
  })
  const only = failing.length === 1 && others > 0
  return {
    cause: only ? 'condition' : 'conditions',
    verdict: `${failing.length === 1 ? 'A condition fails' : `${failing.length} conditions fail`}${of}: ${asks.join('; ')}${more}${held}.`,
    nearly: false,
    steps,
  }
}

function hasText({ field, text }: FieldText): string {
  return text === null ? `the line has no ${field}` : `${field} is ${value(text)}`
}

/** What a condition asks for, as people would say it. */
function asked({ field }: ConditionTrace, check: FieldCheck<PatternText> | undefined): string {
  return check === undefined ? field : inWords(check)
}

function inWords(check: FieldCheck<PatternText>): string {
  switch (check.type) {
    case 'equal':
      return list(check.texts)
    case 'prefix':
      return `a text that begins with ${list(check.texts)}`
    case 'suffix':
      return `a text that ends with ${list(check.texts)}`
    case 'contains':
      return `a text with ${list(check.texts)} in it`
    case 'range':
      if (check.min === null) return `a number of at most ${check.max}`
      return check.max === null ? `a number of at least ${check.min}` : `a number from ${check.min} to ${check.max}`
    case 'exists':
      return check.exists ? 'it to be there' : 'it not to be there'
    case 'regex':
      return `a text that matches ${value(check.pattern.text)}`
    case 'not':
      return `anything but ${inWords(check.of)}`
    case 'all':
      return check.of.map(inWords).join(' and ')
    case 'any':
      return check.of.map(inWords).join(' or ')
  }
}

function list(texts: readonly string[]): string {
  const shown = texts.slice(0, 8).map(value).join(' or ')
  return texts.length > 8 ? `${shown} or one of ${texts.length - 8} more` : shown
}

function value(text: string): string {
  return quote(text.length > longestValue ? `${text.slice(0, longestValue)}…` : text)
}

function failed(step: string, detail: string): Step {
  return { step, ok: false, detail }
}
