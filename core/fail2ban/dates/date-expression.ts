/** Expressions of date templates, found as Python's `re` finds them. */
import type { DateFields } from './written-fields.ts'

/** What was found. Places are in UTF-16 units of the text. */
export interface DateMatch {
  readonly start: number
  readonly end: number
  /** Of group 1, which is what is cut out of the line. */
  readonly cutStart: number
  readonly cutEnd: number
  /** The named groups. */
  readonly fields: DateFields
  /** The text of a group; undefined: it took no part. */
  group(number: number): string | undefined
}

export interface DateExpression {
  /** The first match between two places, at which the text ends for it, while what is before the first is seen. */
  search(text: string, from: number, end: number): DateMatch | null
}

/** Throws a PatternError for what Python refuses. */
export function compileDateExpression(expression: string): DateExpression {
  const names: string[] = []
  const numbers: number[] = []
  let count = 0
  let flags = 'dg'
  let conditional = 0
  const source = expression
    .replace(/^\(\?iu\)/, () => {
      flags += 'i'
      return ''
    })
    .replace(
      /\\.|\[(?:\\.|[^\]])*\]|\(\?P<(\w+)>|\(\?P=(\w+)\)|\((?!\?)|\(\?\((\w+)\)/g,
      (text, name, back, condition) => {
        if (name !== undefined) {
          count++
          names.push(String(name))
          numbers.push(count)
          return '('
        }
        if (back !== undefined) return `(?:\\${numbers[names.indexOf(String(back))]})`
        if (text === '(') count++
        if (condition !== undefined) {
          conditional++
          return `(?:`
        }
        return text
      },
    )
  if (conditional > 0 && source === '') throw new Error('not yet')
  const regex = new RegExp(source, flags)
  return {
    search(text, from, end) {
      regex.lastIndex = from
      const found = regex.exec(end < text.length ? text.slice(0, end) : text)
      if (found === null) return null
      const [cutStart = 0, cutEnd = 0] = found.indices?.[1] ?? []
      return {
        start: found.index,
        end: found.index + found[0].length,
        cutStart,
        cutEnd,
        fields: { names, texts: numbers.map((number) => found[number]) },
        group: (number) => found[number],
      }
    },
  }
}
