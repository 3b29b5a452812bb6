/**
 * Reads the source of a JavaScript expression without flags as a tree of bytes, for lines that are ASCII. It is the
 * expression that `matchers/regexp` runs, so both look for the same. What a table of states cannot say (look-behind,
 * boundaries, back-references) becomes a node that says so, and matches at least what the expression does.
 */

export type RegexNode =
  /** One byte of these ranges, in pairs; no ranges: none. */
  | { readonly type: 'set'; readonly ranges: readonly number[] }
  | { readonly type: 'sequence'; readonly items: readonly RegexNode[] }
  | { readonly type: 'alternation'; readonly branches: readonly RegexNode[] }
  | {
      readonly type: 'repeat'
      readonly item: RegexNode
      readonly min: number
      readonly max: number
      readonly lazy: boolean
    }
  /** A capturing group, by its number. */
  | { readonly type: 'group'; readonly number: number; readonly item: RegexNode }
  /** A look ahead: what follows begins so, or does not. */
  | { readonly type: 'look'; readonly negated: boolean; readonly item: RegexNode }
  | { readonly type: 'start' | 'end' }
  /** Something that is only known to take no text (`any: false`), or any text at all. */
  | { readonly type: 'unsure'; readonly any: boolean }

/** An expression that cannot be read; the message says why, for people. */
export class UnreadableRegex extends Error {}

/** The tree of an expression. Throws an UnreadableRegex for syntax that the emitter of patterns does not use. */
export function readRegex(source: string): RegexNode {
  const reader = new RegexReader(source)
  const node = reader.alternation()
  reader.mustEnd()
  return node
}

/** The bytes of ASCII. */
export const lastAscii = 127

/** Those of which `\w` is made, and all others. */
const wordBytes = [48, 57, 65, 90, 95, 95, 97, 122]
const otherBytes = [0, 47, 58, 64, 91, 94, 96, 96, 123, lastAscii]

class RegexReader {
  readonly #text: string
  #at = 0
  #groups = 0

  constructor(text: string) {
    this.#text = text
  }

  mustEnd(): void {
    if (this.#at < this.#text.length) this.#fail()
  }

  alternation(): RegexNode {
    const branches = [this.#sequence()]
    while (this.#take('|')) branches.push(this.#sequence())
    const [only] = branches
    return branches.length === 1 && only !== undefined ? only : { type: 'alternation', branches }
  }

  #sequence(): RegexNode {
    const items: RegexNode[] = []
    while (this.#at < this.#text.length && !this.#isNext('|') && !this.#isNext(')'))
      items.push(this.#repeated(items.at(-1)))
    const [only] = items
    return items.length === 1 && only !== undefined ? only : { type: 'sequence', items }
  }

  #repeated(before: RegexNode | undefined): RegexNode {
    const item = this.#atom(before)
    const found = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})(\??)/.exec(this.#text.slice(this.#at, this.#at + 24))
    if (found === null) return item
    this.#at += found[0].length
    const [, sign, low, comma, high, lazy] = found
    const min = sign === undefined ? Number(low) : sign === '+' ? 1 : 0
    const top = comma === undefined ? min : high === '' ? Infinity : Number(high)
    const max = sign === undefined ? top : sign === '?' ? 1 : Infinity
    return { type: 'repeat', item, min, max, lazy: lazy === '?' }
  }

  #atom(before: RegexNode | undefined): RegexNode {
    const sign = this.#text[this.#at++]
    switch (sign) {
      case '^':
        return { type: 'start' }
      case '$':
        return { type: 'end' }
      case '.':
        return {
          type: 'set',
          ranges: complement([
            [10, 10],
            [13, 13],
          ]),
        }
      case '[':
        return this.#class()
      case '(':
        return this.#bracket()
      case '\\':
        return this.#escape(before)
      case undefined:
      case '*':
      case '+':
      case '?':
      case '{':
        return this.#fail()
      default:
        return bytes(sign.charCodeAt(0))
    }
  }

  #bracket(): RegexNode {
    const kind = /^\?(?:<?[=!]|:)/.exec(this.#text.slice(this.#at, this.#at + 4))?.[0] ?? ''
    if (kind === '' && this.#isNext('?')) return this.#fail()
    this.#at += kind.length
    const number = kind === '' ? ++this.#groups : 0
    const item = this.alternation()
    if (!this.#take(')')) return this.#fail()
    if (kind === '') return { type: 'group', number, item }
    if (kind === '?:') return item
    return kind.startsWith('?<') ? { type: 'unsure', any: false } : { type: 'look', negated: kind === '?!', item }
  }

  #class(): RegexNode {
    const negated = this.#take('^')
    const ranges: (readonly [number, number])[] = []
    while (!this.#take(']')) {
      const from = this.#member()
      const isRange = this.#isNext('-') && this.#text[this.#at + 1] !== ']'
      if (isRange) this.#at++
      ranges.push([from, isRange ? this.#member() : from])
    }
    return { type: 'set', ranges: negated ? complement(ranges) : withinAscii(ranges) }
  }

  #member(): number {
    const sign = this.#text[this.#at++]
    if (sign === undefined) return this.#fail()
    if (sign !== '\\') return sign.charCodeAt(0)
    const code = this.#code()
    return code ?? this.#fail()
  }

  #escape(before: RegexNode | undefined): RegexNode {
    const sign = this.#text[this.#at]
    if (sign === 'b' || sign === 'B') {
      this.#at++
      return boundary(sign === 'b', before)
    }
    const number = /^[1-9]\d*/.exec(this.#text.slice(this.#at, this.#at + 5))?.[0]
    if (number !== undefined) {
      this.#at += number.length
      return { type: 'unsure', any: true }
    }
    const code = this.#code()
    return code === null ? this.#fail() : bytes(code)
  }

  /** The character of an escape behind its backslash; null where it is another thing. */
  #code(): number | null {
    const rest = this.#text.slice(this.#at, this.#at + 5)
    const hex = /^(?:x([0-9a-f]{2})|u([0-9a-f]{4}))/i.exec(rest)
    if (hex !== null) {
      this.#at += hex[0].length
      return parseInt(hex[1] ?? hex[2] ?? '', 16)
    }
    if (!/^[^A-Za-z0-9]/.test(rest)) return null
    this.#at++
    return rest.charCodeAt(0)
  }

  #isNext(sign: string): boolean {
    return this.#text[this.#at] === sign
  }

  #take(sign: string): boolean {
    const isNext = this.#isNext(sign)
    if (isNext) this.#at++
    return isNext
  }

  #fail(): never {
    throw new UnreadableRegex(`its expression has something at character ${this.#at} that tables cannot hold`)
  }
}

/** Where the byte before is known as one of words, or as none of them, a boundary is a look at the byte behind. */
function boundary(here: boolean, before: RegexNode | undefined): RegexNode {
  const inWord = before === undefined ? null : endsInWord(before)
  if (inWord === null) return { type: 'unsure', any: false }
  return { type: 'look', negated: inWord === here, item: { type: 'set', ranges: wordBytes } }
}

/** Whether the last byte of each text that a node matches is one of words; null: it may be either, or there may be none. */
function endsInWord(node: RegexNode): boolean | null {
  switch (node.type) {
    case 'set': {
      const isInside = (from: number, to: number) => within(wordBytes, from, to)
      const isOutside = (from: number, to: number) => within(otherBytes, from, to)
      if (node.ranges.length === 0) return null
      return eachRange(node.ranges, isInside) ? true : eachRange(node.ranges, isOutside) ? false : null
    }
    case 'sequence': {
      const last = node.items.at(-1)
      return last === undefined ? null : endsInWord(last)
    }
    case 'alternation': {
      const [first = null, ...others] = node.branches.map(endsInWord)
      return others.every((one) => one === first) ? first : null
    }
    case 'group':
      return endsInWord(node.item)
    case 'repeat':
      return node.min > 0 ? endsInWord(node.item) : null
    default:
      return null
  }
}

function within(ranges: readonly number[], from: number, to: number): boolean {
  return !eachRange(ranges, (low, high) => from < low || to > high)
}

function eachRange(ranges: readonly number[], holds: (from: number, to: number) => boolean): boolean {
  for (let at = 0; at < ranges.length; at += 2) if (!holds(ranges[at] ?? 0, ranges[at + 1] ?? 0)) return false
  return true
}

function bytes(code: number): RegexNode {
  return { type: 'set', ranges: withinAscii([[code, code]]) }
}

function withinAscii(ranges: readonly (readonly [number, number])[]): number[] {
  return ranges.filter(([from]) => from <= lastAscii).flatMap(([from, to]) => [from, Math.min(to, lastAscii)])
}

function complement(ranges: readonly (readonly [number, number])[]): number[] {
  const gaps: number[] = []
  let next = 0
  for (const [from, to] of ranges.toSorted(([a], [b]) => a - b)) {
    if (from > lastAscii) break
    if (from > next) gaps.push(next, from - 1)
    next = Math.max(next, to + 1)
  }
  if (next <= lastAscii) gaps.push(next, lastAscii)
  return gaps
}
