/** The three kinds of forms of dates: a pattern of tokens, seconds since 1970, and the label TAI64N. */
import {
  checkDateExpression,
  compileDateExpression,
  type DateExpression,
  type DateMatch,
  type DateText,
} from './date-expression.ts'
import { replaceTokens, type DateToken } from './date-tokens.ts'
import { LineFails } from './line-fails.ts'
import { pythonFloat } from './python-numbers.ts'
import { usualSpelling, type UsualSpelling } from './usual-dates.ts'
import { boundExpression, hasGroup, type Bound, type BoundedExpression } from './word-bounds.ts'
import { writtenTime, type TimeFrame } from './written-time.ts'

/** One form of dates, as a template says it. It never changes, so that many detectors may have it. */
export interface DateForm {
  /** As `fail2ban-regex` prints it. */
  readonly name: string
  /** As written; null for the kinds that Fail2ban makes without one. */
  readonly pattern: string | null
  /** The expression, in Python's syntax, as `fail2ban-regex -v` prints it. */
  readonly expression: string
  /** It stands at the start or the end of a line only. */
  readonly isAnchored: boolean
  readonly beginsLine: boolean
  /** How nearly all such dates are spelled, which can be read by columns; null: that is not known. */
  readonly usual: UsualSpelling | null
  /** Throws a PatternError for an expression that cannot be searched for. */
  check(): void
  /** See `DateExpression`, which is compiled by the first search. */
  search(text: DateText, from: number, end: number): DateMatch | null
  /** Unix seconds; null: what was found tells no time. Throws a `LineFails`. */
  time(match: DateMatch, now: number, frame: TimeFrame): number | null
}

/** A form of `%` tokens. Throws an `UnknownToken`. */
export function patternForm(pattern: string, tokens: ReadonlyMap<string, DateToken>): DateForm {
  const isUnbound = pattern.startsWith('{UNB}')
  const bare = isUnbound ? pattern.slice('{UNB}'.length) : pattern
  const isLineBegin = !isUnbound && bare.startsWith(lineBegin)
  const text = isLineBegin ? bare.slice(lineBegin.length) : bare
  const before: Bound = isUnbound ? 'none' : isLineBegin ? 'line' : 'word'
  const words = replaceTokens(text, tokens, ({ word }) => word)
  const expression = replaceTokens(text, tokens, (token) => token.expression)
  // Names of months and days are found in any case.
  const flags = /(?<!%)%[aAbBpc]/.test(text) ? '(?iu)' : ''
  const bounded = boundExpression(flags + expression, before, isUnbound ? 'none' : 'word')
  return formOf({
    ...bounded,
    name: lineName(words, before, bounded),
    pattern,
    usual: usualSpelling(pattern, new RegExp(`^${tokens.get('ExY')?.expression.replace('(?P<', '(?<')}$`)),
    time: ({ fields }, now, frame) => writtenTime(fields, now, frame),
  })
}

/** Where seconds since 1970 stand. `{ pattern }` has `{EPOCH}` or `{LEPOCH}` in it. */
export type EpochPlace = 'line-begin' | 'usual' | { readonly pattern: string }

/** A form of seconds since 1970; `isLong`: milli- and microseconds count, too. */
export function epochForm(place: EpochPlace, isLong: boolean): DateForm {
  const seconds = isLong ? '\\d{10,11}(?:\\d{3}(?:\\.\\d{1,6}|\\d{3})?)?' : '\\d{10,11}\\b(?:\\.\\d{3,6})?'
  if (typeof place === 'object') {
    // Since 1.1 what is cut out of the line is the pattern's own group, if it has one.
    const written = place.pattern.replace(epochToken, `(${seconds})`)
    const bounded = boundExpression(hasGroup.test(place.pattern) ? written : `(${written})`, 'word', 'word')
    return formOf({
      ...bounded,
      name: place.pattern,
      pattern: null,
      cutsToEnd: !hasGroup.test(place.pattern),
      time: secondsOf('second', isLong),
    })
  }
  const before = place === 'line-begin' ? 'line' : 'none'
  const [expression, equivalent] = place === 'line-begin' ? epochAtLineBegin(seconds) : usualEpoch(seconds)
  const bounded = boundExpression(expression, before, 'word')
  return formOf({
    ...bounded,
    name: lineName(isLong ? 'LongEpoch' : 'Epoch', before, bounded),
    pattern: null,
    equivalent: boundExpression(equivalent, before, 'word').expression,
    cutsToEnd: true,
    time: secondsOf('first', isLong),
  })
}

/** `{EPOCH}` or `{LEPOCH}`, unless a backslash stands before it. */
export const epochToken = /(?<!\\)\{L?EPOCH\}/gi

/** A form of the labels TAI64N, `@4000000037c219bf2ef02e94`. */
export function tai64nForm(before: 'line' | 'none'): DateForm {
  const bounded = boundExpression('@[0-9a-f]{24}', before, 'word')
  return formOf({
    ...bounded,
    name: lineName('TAI64N', before, bounded),
    pattern: null,
    // Taken as seconds since 1970: neither the 2^62 nor the ten seconds of TAI's labels are more than left out.
    time: ({ first }) => Number.parseInt(first?.slice(2, 17) ?? '', 16),
  })
}

const lineBegin = '{^LN-BEG}'

interface FormParts extends BoundedExpression {
  readonly name: string
  readonly pattern: string | null
  /** What finds the same as the expression in less time; left out: the expression itself. */
  readonly equivalent?: string
  readonly usual?: UsualSpelling | null
  readonly time: DateForm['time']
}

function formOf({ expression, equivalent = expression, usual = null, cutsToEnd, ...parts }: FormParts): DateForm {
  let compiled: DateExpression | undefined
  const { name, pattern, isAnchored, beginsLine, time } = parts
  const check = () => checkDateExpression(expression)
  const search: DateForm['search'] = (text, from, end) => {
    compiled ??= compileDateExpression(equivalent, cutsToEnd)
    return compiled.search(text, from, end)
  }
  return { name, pattern, expression, isAnchored, beginsLine, usual, check, search, time }
}

function lineName(name: string, before: Bound, { isBoundBefore }: BoundedExpression): string {
  return before === 'line' && isBoundBefore && !name.startsWith(lineBegin) ? lineBegin + name : name
}

/**
 * At the start of a line, behind a bracket there, or behind `audit(`. The conditions demand nothing: where one does not
 * hold, the other does, as its group took no part.
 */
function usualEpoch(seconds: string): [expression: string, equivalent: string] {
  const [bracket, audit] = ['(?<=^\\[)', '(?<=\\baudit\\()']
  return [
    `((?:^|(?P<square>${bracket})|(?P<selinux>${audit}))${seconds})(?:(?(selinux)(?=:\\d+\\)))|(?(square)(?=\\])))`,
    `((?:^|${bracket}|${audit})${seconds})`,
  ]
}

/** Where the bracket is not closed, the number may stand there without it. */
function epochAtLineBegin(seconds: string): [expression: string, equivalent: string] {
  const [bracket, closing] = ['(?<=^\\[)', '(?=\\])']
  return [`((?P<square>${bracket})?${seconds})(?(square)${closing})`, `(${bracket}${seconds}${closing}|${seconds})`]
}

function secondsOf(group: 'first' | 'second', isLong: boolean): (match: DateMatch) => number | null {
  return ({ [group]: text }) => {
    if (text === undefined) throw new LineFails('seconds that are left out')
    const seconds = pythonFloat(text)
    if (seconds !== null && !Number.isFinite(seconds)) throw new LineFails('seconds without end')
    const length = [...text].length
    if (seconds === null || !isLong || length < 13) return seconds
    return seconds / (length >= 16 && !text.includes('.') ? 1_000_000 : 1000)
  }
}
