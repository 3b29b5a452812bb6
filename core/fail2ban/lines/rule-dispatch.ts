import type { Failregex } from '../regex/failregex.ts'

/** A failregex and its index in the filter. */
export interface NumberedRule {
  readonly index: number
  readonly regex: Failregex
  /** A text that stands in all that it matches, besides its begin; null: nothing is known. */
  readonly laterLiteral: string | null
  /** All lines that it matches end the session that the prefregex names, and are no failures. */
  readonly endsQuietly: boolean
  /** All lines that it matches are no failures, gain nothing and end no session. */
  readonly opensQuietly: boolean
}

/**
 * Which failregexes may match a text, by a few of its characters: most begin with `^` and some words, so few of many are
 * left. Their order is kept. With `multiline` a `^` is the begin of any line, and all are always left.
 */
export class RuleDispatch {
  readonly #failregex: readonly Failregex[]
  readonly #multiline: boolean
  /** Grows as texts ask for it. */
  #root: DispatchNode | null = null

  constructor(failregex: readonly Failregex[], multiline: boolean) {
    this.#failregex = failregex
    this.#multiline = multiline
  }

  for(text: string): readonly NumberedRule[] {
    let node = this.root
    while (node.column >= 0) node = this.step(node, text.charCodeAt(node.column))
    return node.rules
  }

  /** Whether a failregex has a group of this name. */
  names(group: string): boolean {
    return this.#failregex.some(({ names }) => names.includes(group))
  }

  /** Where every text begins. */
  get root(): DispatchNode {
    return (this.#root ??= this.#begun())
  }

  /** Where a text leads that has a character of this code in the node's column, which it has; not a number: the text has ended. */
  step(node: DispatchNode, codeThere: number): DispatchNode {
    // All other characters share the last place, as does the end of the text.
    const code = Math.min(codeThere, asciiCodes) || asciiCodes
    return (node.next[code] ??= nodeFor(fitting(node.begun, node.column, code), node.column + 1))
  }

  #begun(): DispatchNode {
    const rules = this.#failregex.map((regex, index) => ({
      index,
      regex,
      laterLiteral: null,
      endsQuietly: false,
      opensQuietly: false,
    }))
    return nodeFor(
      rules.map((rule) => ({ rule, begins: this.#multiline ? null : rule.regex.begins })),
      0,
    )
  }
}

/** Some rules, and the column whose character tells which of them may match; -1: none tells. */
export interface DispatchNode {
  readonly rules: readonly NumberedRule[]
  readonly begun: readonly Begun[]
  readonly column: number
  /** By the code of the character. */
  readonly next: (DispatchNode | undefined)[]
}

/** A rule and the texts with one of which all begins that it matches; null: it may begin with anything. */
interface Begun {
  readonly rule: NumberedRule
  readonly begins: readonly string[] | null
}

/** Codes from here on are not told apart. */
export const asciiCodes = 128
const mostColumns = 24

/** `from`: the first column in which nobody has looked yet. */
function nodeFor(begun: readonly Begun[], from: number): DispatchNode {
  const column = tellingColumn(begun, from)
  const next = Array.from<undefined>({ length: column < 0 ? 0 : asciiCodes + 1 })
  return { rules: column < 0 ? begun.map((one) => known(one, begun.length === 1)) : [], begun, column, next }
}

function known({ rule: { index, regex } }: Begun, isAlone: boolean): NumberedRule {
  const laterLiteral = isAlone ? null : regex.laterLiteral
  return { index, regex, laterLiteral, endsQuietly: endsQuietly(regex), opensQuietly: opensQuietly(regex) }
}

function opensQuietly({ merges, names, filled }: Failregex): boolean {
  return !merges && filled.has('nofail') && !['mlfid', 'mlfforget', 'mlfgained'].some((name) => names.includes(name))
}

function endsQuietly({ merges, names, filled }: Failregex): boolean {
  const isHarmless = filled.has('nofail') || filled.has('mlfgained')
  return !merges && !names.includes('mlfid') && isHarmless && filled.has('mlfforget')
}

/** The first column in which not all that is left may have the same. */
function tellingColumn(begun: readonly Begun[], from: number): number {
  for (let column = from; column < mostColumns; column++) {
    const codes = new Set(begun.flatMap((one) => codesAt(one, column) ?? [anyCode]))
    if (codes.size > 1) return column
  }
  return -1
}

const anyCode = -1

/** The codes that a text may have there; null: any, or none. */
function codesAt({ begins }: Begun, column: number): readonly number[] | null {
  if (begins === null || begins.some((begin) => begin.length <= column)) return null
  return begins.map((begin) => begin.charCodeAt(column))
}

/** The rules that may match a text with this character there, and how it may begin then. */
function fitting(begun: readonly Begun[], column: number, code: number): readonly Begun[] {
  return begun.flatMap(({ rule, begins }) => {
    if (begins === null) return { rule, begins }
    const left = begins.filter((begin) => begin.length <= column || begin.charCodeAt(column) === code)
    return left.length === 0 ? [] : { rule, begins: left }
  })
}
