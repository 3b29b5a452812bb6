import { BailiffError, quote } from '../../errors.ts'

/** A Python expression as far as people write it where Fail2ban evaluates one. `at`: its first character, from 0. */
export type Expression =
  | { readonly type: 'number'; readonly value: bigint | number }
  | { readonly type: 'name'; readonly name: string; readonly at: number }
  | { readonly type: 'unary'; readonly operator: string; readonly of: Expression }
  | { readonly type: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  /** `a < b < c`: each pair must hold. */
  | {
      readonly type: 'comparison'
      readonly first: Expression
      readonly rest: readonly (readonly [string, Expression])[]
    }
  | { readonly type: 'logical'; readonly operator: 'and' | 'or'; readonly parts: readonly Expression[] }
  | { readonly type: 'conditional'; readonly test: Expression; readonly yes: Expression; readonly no: Expression }
  | { readonly type: 'call'; readonly name: string; readonly arguments: readonly Expression[]; readonly at: number }
  /** `[1, 5, 30][ban.Count]` */
  | { readonly type: 'item'; readonly list: readonly Expression[]; readonly index: Expression }

/** No option is longer, and no expression deeper. */
const maxLength = 2000
const maxDepth = 60

const words =
  /\s*(?:(0[xX][\da-fA-F_]+|(?:\d[\d_]*)?\.\d[\d_]*(?:[eE][+-]?\d+)?|\d[\d_]*\.?(?:[eE][+-]?\d+)?)|([A-Za-z_][\w.]*)|(\*\*|\/\/|<<|>>|<=|>=|==|!=|[-+*/%<>()[\],&|^~]))/y

interface Word {
  readonly type: 'number' | 'name' | 'sign' | 'end'
  readonly text: string
  readonly at: number
}

/** Operators that bind alike, the loosest first; all lean to the left. */
const levels: readonly (readonly string[])[] = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '/', '//', '%']]
const comparisons = ['<', '<=', '>', '>=', '==', '!=']
const keywords = ['and', 'or', 'not', 'if', 'else']

/**
 * Reads an expression: numbers, names, `+ - * / // % **`, shifts, `& | ^ ~`, comparisons, `and or not`, `a if b else c`,
 * calls, and an item of a list. Python's precedence. Throws a BailiffError that names the position, from 1.
 */
export function parseExpression(text: string): Expression {
  if (text.length > maxLength) throw new BailiffError('config', `the expression is longer than ${maxLength} characters`)
  const parser = new Parser(text)
  const expression = parser.conditional()
  parser.end()
  return expression
}

/** The error at a character of an expression. */
export function expressionError(text: string, at: number, message: string): BailiffError {
  return new BailiffError('config', `${message} at character ${at + 1} of ${quote(text)}`, {
    hint: 'known are numbers, ban.Time, ban.Count, banFactor, + - * / // % ** << >>, comparisons, "a if b else c", min, max, pow, abs, int, float, round and functions of math',
  })
}

class Parser {
  readonly #text: string
  readonly #words: readonly Word[]
  #next = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
    this.#words = wordsOf(text)
  }

  end(): void {
    if (this.#word.type !== 'end') throw this.#unexpected()
  }

  conditional(): Expression {
    if (++this.#depth > maxDepth) throw this.#error('too many parentheses or signs')
    const yes = this.#logical('or')
    let expression = yes
    if (this.#takes('if')) {
      const test = this.#logical('or')
      this.#expect('else')
      expression = { type: 'conditional', test, yes, no: this.conditional() }
    }
    this.#depth--
    return expression
  }

  #logical(operator: 'and' | 'or'): Expression {
    const part = () => (operator === 'or' ? this.#logical('and') : this.#negation())
    const parts = [part()]
    while (this.#takes(operator)) parts.push(part())
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { type: 'logical', operator, parts }
  }

  #negation(): Expression {
    if (!this.#takes('not')) return this.#comparison()
    if (++this.#depth > maxDepth) throw this.#error('too many parentheses or signs')
    const of = this.#negation()
    this.#depth--
    return { type: 'unary', operator: 'not', of }
  }

  #comparison(): Expression {
    const first = this.#binary(0)
    const rest: [string, Expression][] = []
    while (this.#word.type === 'sign' && comparisons.includes(this.#word.text)) {
      const { text } = this.#take()
      rest.push([text, this.#binary(0)])
    }
    return rest.length === 0 ? first : { type: 'comparison', first, rest }
  }

  #binary(level: number): Expression {
    const operators = levels[level]
    if (operators === undefined) return this.#signed()
    let left = this.#binary(level + 1)
    while (this.#word.type === 'sign' && operators.includes(this.#word.text)) {
      const { text: operator } = this.#take()
      left = { type: 'binary', operator, left, right: this.#binary(level + 1) }
    }
    return left
  }

  #signed(): Expression {
    const operator = ['-', '+', '~'].find((sign) => this.#takes(sign))
    if (operator === undefined) return this.#power()
    if (++this.#depth > maxDepth) throw this.#error('too many parentheses or signs')
    const of = this.#signed()
    this.#depth--
    return { type: 'unary', operator, of }
  }

  /** Binds tighter than a sign before it and looser than one behind it. */
  #power(): Expression {
    const left = this.#atom()
    return this.#takes('**') ? { type: 'binary', operator: '**', left, right: this.#signed() } : left
  }

  #atom(): Expression {
    const word = this.#take()
    if (word.type === 'number') return { type: 'number', value: numberOf(word.text) }
    if (word.type === 'name' && !keywords.includes(word.text)) {
      if (!this.#takes('(')) return { type: 'name', name: word.text, at: word.at }
      return { type: 'call', name: word.text, arguments: this.#list(')'), at: word.at }
    }
    if (word.text === '(') {
      const inner = this.conditional()
      this.#expect(')')
      return inner
    }
    if (word.text !== '[') throw this.#unexpected(word)
    const list = this.#list(']')
    this.#expect('[')
    const index = this.conditional()
    this.#expect(']')
    return { type: 'item', list, index }
  }

  /** Parts up to the closing sign, which is taken; a comma may stand before it. */
  #list(closing: string): Expression[] {
    const parts: Expression[] = []
    while (!this.#takes(closing)) {
      parts.push(this.conditional())
      if (this.#takes(closing)) break
      this.#expect(',')
    }
    return parts
  }

  get #word(): Word {
    return this.#words[this.#next] ?? { type: 'end', text: '', at: this.#text.length }
  }

  #take(): Word {
    const word = this.#word
    this.#next++
    return word
  }

  #takes(text: string): boolean {
    const { type } = this.#word
    if (this.#word.text !== text || (type !== 'sign' && type !== 'name')) return false
    this.#next++
    return true
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw this.#error(`${text} is missing`)
  }

  #unexpected(word = this.#word): BailiffError {
    return this.#error(word.type === 'end' ? 'something is missing' : `${quote(word.text)} is not expected`, word)
  }

  #error(message: string, { at } = this.#word): BailiffError {
    return expressionError(this.#text, at, message)
  }
}

function wordsOf(text: string): Word[] {
  const found: Word[] = []
  words.lastIndex = 0
  for (let at = 0; at < text.trimEnd().length; at = words.lastIndex) {
    words.lastIndex = at
    const [whole = '', number, name, sign] = words.exec(text) ?? []
    const word = number ?? name ?? sign
    const start = at + whole.length - (word?.length ?? 0)
    if (word === undefined) {
      const bad = at + text.slice(at).search(/\S/)
      throw expressionError(text, bad, `${quote(text[bad])} is not expected`)
    }
    const type = number !== undefined ? 'number' : name !== undefined ? 'name' : 'sign'
    found.push({ type, text: word, at: start })
  }
  return found
}

function numberOf(text: string): bigint | number {
  const digits = text.replaceAll('_', '')
  return /^(?:\d+|0[xX].*)$/.test(digits) ? BigInt(digits) : Number(digits)
}
