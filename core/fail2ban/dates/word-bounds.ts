/**
 * How Fail2ban completes the expression of a date: word boundaries on both sides unless the expression says where it
 * begins and ends, and one group around all where none is written.
 */
import { pythonStrip } from './python-text.ts'

/** `line`: at the start of a line, behind at most two characters that are of no word. */
export type Bound = 'line' | 'word' | 'none'

export interface BoundedExpression {
  readonly expression: string
  /** It matches at the start or the end of a line only. */
  readonly isAnchored: boolean
  /** It can only begin where a line begins. */
  readonly beginsLine: boolean
  /** Behind group 1 it takes no character. Known of the group that is set here. */
  readonly cutsToEnd: boolean
  /** The bound in front that was asked for was set, as nothing in the expression speaks against it. */
  readonly isBoundBefore: boolean
}

/** Completes an expression of Python. What is not well formed stays so. */
export function boundExpression(written: string, before: Bound, after: Bound): BoundedExpression {
  const { flags, rest } = withoutFlags(pythonStrip(written))
  const isBoundBefore = before !== 'none' && !saysItsBegin.test(rest)
  const isBoundAfter = after !== 'none' && !saysItsEnd.test(rest)
  const isGrouped = hasGroup.test(rest)
  const grouped = isGrouped ? rest : rest.replace(wholeExpression, '$<head>($<body>)$<tail>')
  const front = !isBoundBefore ? '' : before === 'line' ? '^(?:\\W{0,2})?' : '(?=^|\\b|\\W)'
  const bounded = `${front}${grouped}${isBoundAfter ? '(?=\\b|\\W|$)' : ''}`
  const beginsLine = (isBoundBefore && before === 'line') || lineBegin.test(bounded)
  return {
    expression: flags + withoutMarks(bounded),
    beginsLine,
    isAnchored: beginsLine || lineEnd.test(bounded),
    cutsToEnd: !isGrouped,
    isBoundBefore,
  }
}

/** A pattern without the bounds that its own text has, for a place inside another one. */
export function withoutBounds(pattern: string): string {
  return pattern
    .replace(/^\{UNB\}/, '')
    .replace(/^\{\^LN-BEG\}/, '')
    .replace(/^\((?:\?:)?\^\|\\b\|\\W\)/, '')
    .replace(/\(\?=\\b\|\\W\|\$\)$/, '')
}

/** Flags at the start of a group, `(?i)`. */
const flagGroup = '(?:\\(\\?\\w+\\))?'
const saysItsBegin = new RegExp(`^\\(*${flagGroup}(?:\\^|\\(*\\*\\*|\\((?:\\?:)?\\^)`)
const saysItsEnd = /(?<!\\)(?:\$\)?|\\b|\\s|\*\*\)*)$/
const lineBegin = new RegExp(`^${flagGroup}(?:\\^|\\((?:\\?:)?\\^(?!\\|))`)
const lineEnd = /(?<![\\|])\$\)?$/
/** Finds a group that is not of the form `(?`. */
export const hasGroup = /(?<!\(\?)(?<!\\)\((?!\?)/
const wholeExpression = new RegExp(`^(?<head>${flagGroup}\\^?${flagGroup})(?<body>[^\\n]*?)(?<tail>\\$?)$`)

/** The first group of flags, which Python wants in front of all. */
function withoutFlags(text: string): { flags: string; rest: string } {
  const flags = /\(\?[a-z]+\)/.exec(text)?.[0] ?? ''
  return { flags, rest: flags === '' ? text : text.replace(flags, '') }
}

/** Without the `**` in front and behind that stand for "no bound here". */
function withoutMarks(text: string): string {
  const drop = (marks: string) => marks.replaceAll('**', '')
  return text.replace(new RegExp(`^\\(*${flagGroup}\\(*\\*\\*`), drop).replace(/(?<!\\)\*\*\)*$/, drop)
}
