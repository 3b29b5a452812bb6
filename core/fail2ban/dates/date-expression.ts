/** Expressions of date templates, found as Python's `re` finds them. */
import { PatternError } from '../../matching/pattern-error.ts'
import { parsePattern, pythonSyntax } from '../../matching/pattern-parser.ts'
import { compilePython, type PythonMatch, type PythonPattern } from '../regex/python-pattern.ts'
import type { DateFields } from './written-fields.ts'

/** What was found. Places are in UTF-16 units of the text. */
export interface DateMatch {
  readonly start: number
  readonly end: number
  /** Of group 1, which is what is cut out of the line; both 0 where it took no part. */
  readonly cutStart: number
  readonly cutEnd: number
  /** The texts of the first two groups; undefined: it took no part, or is none. */
  readonly first: string | undefined
  readonly second: string | undefined
  /** The named groups, and these two. */
  readonly fields: DateFields
}

/** A text to search. `isAscii`: it holds ASCII alone; false: it need not. */
export interface DateText {
  readonly line: string
  readonly isAscii: boolean
}

/** Throws a PatternError for what Python refuses, and where there is no group. It takes a tenth of the time to compile. */
export function checkDateExpression(expression: string): void {
  const { text, names } = withNamedGroups(expression)
  parsePattern(text, place, { ...pythonSyntax, multiline: false })
  if (names.length === 0)
    throw new PatternError(place, expression, 0, 'it has no group, so nothing is cut out of the line')
}

/** Compiles one that `checkDateExpression` lets pass. `cutsToEnd`: behind group 1 it takes no character, so both end at the same place. */
export function compileDateExpression(expression: string, cutsToEnd: boolean): DateExpression {
  const { text, names } = withNamedGroups(expression)
  const pattern = compilePython(text, { place, multiline: false })
  const [first, second] = names.map((name) => pattern.names.indexOf(name))
  return new DateExpression(pattern, first ?? -1, second ?? -1, cutsToEnd)
}

export class DateExpression {
  readonly #pattern: PythonPattern
  readonly #first: number
  readonly #second: number
  readonly #cutsToEnd: boolean

  /** `first`, `second`: the places of the first two groups among the names; -1: there is none. */
  constructor(pattern: PythonPattern, first: number, second: number, cutsToEnd: boolean) {
    this.#pattern = pattern
    this.#first = first
    this.#second = second
    this.#cutsToEnd = cutsToEnd
  }

  /** The first match between two places, at which the text ends for it, while what is before the first is seen. */
  search({ line, isAscii }: DateText, from: number, end: number): DateMatch | null {
    const text = end < line.length ? line.slice(0, end) : line
    const found = this.#pattern.search(text, isAscii, from)
    if (found === null) return null
    const first = found.named[this.#first]
    const [cutStart, cutEnd] = first === undefined ? [0, 0] : this.#cut(found, first, text, from)
    const fields = { names: this.#pattern.names, texts: found.named }
    return { start: found.start, end: found.end, cutStart, cutEnd, first, second: found.named[this.#second], fields }
  }

  #cut(found: PythonMatch, first: string, text: string, from: number): readonly [start: number, end: number] {
    if (this.#cutsToEnd) return [found.end - first.length, found.end]
    return this.#pattern.spans(text, from)?.[1] ?? [0, 0]
  }
}

const place = { list: 'datepattern', index: 0 } as const

/** The expression with names for its first two groups where they have none, and the names of both. */
function withNamedGroups(expression: string): { readonly text: string; readonly names: readonly string[] } {
  const names: string[] = []
  const text = expression.replace(
    /\\[^]|\[\^?\]?(?:\\[^]|[^\]\\])*\]|\(\?P<(\w+)>|\((?!\?)/g,
    (found, name: string | undefined) => {
      if (name !== undefined) names.push(name)
      if (found !== '(' || names.length >= 2) return found
      names.push(`group_${names.length + 1}_`)
      return `(?P<${names.at(-1)}>`
    },
  )
  return { text, names }
}
