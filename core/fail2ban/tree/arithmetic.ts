/** Arithmetic of Python on numbers alone: `+ - * / // % **` and parentheses. There are no names: nothing is run. */

/** As in Python, whole numbers (`bigint`) are exact and those with a point are not. */
export type PythonNumber = bigint | number

/** Why a text is no arithmetic, for people. */
export class ArithmeticError extends Error {}

/** Digits of whole numbers beyond which nobody means a result. */
const longestNumber = 400

/** The value of an expression. Throws an ArithmeticError. */
export function calculate(text: string): PythonNumber {
  return new Calculation(text).result()
}

const blanks = /[ \t\f]*(?:#[^\n]*)?/y
const blanksInParentheses = /(?:[ \t\f\r\n]|#[^\n]*)*/y
const number =
  /0[xX](?:_?[\da-fA-F])+|(?:\d(?:_?\d)*)?\.\d(?:_?\d)*(?:[eE][+-]?\d(?:_?\d)*)?|\d(?:_?\d)*(?:\.(?:[eE][+-]?\d(?:_?\d)*)?|[eE][+-]?\d(?:_?\d)*)?/y
const operator = /\*\*|\/\/|[-+*/%()]/y

/** Reads from left to right; each method reads what binds as tightly as its name says, or tighter. */
class Calculation {
  readonly #text: string
  #at = 0
  #open = 0

  constructor(text: string) {
    // Blanks before and newlines around an expression mean nothing.
    this.#text = text.replace(/^[ \t\n]+/, '').replace(/\n[ \t\n]*$/, '')
  }

  result(): PythonNumber {
    const value = this.#sum()
    if (this.#at < this.#text.length) throw this.#unexpected()
    return value
  }

  #sum(): PythonNumber {
    let value = this.#product()
    for (let sign = this.#take('+', '-'); sign !== null; sign = this.#take('+', '-'))
      value = calculated(value, sign, this.#product())
    return value
  }

  #product(): PythonNumber {
    let value = this.#signed()
    const signs = ['*', '/', '//', '%']
    for (let sign = this.#take(...signs); sign !== null; sign = this.#take(...signs))
      value = calculated(value, sign, this.#signed())
    return value
  }

  #signed(): PythonNumber {
    let isNegative = false
    for (let sign = this.#take('+', '-'); sign !== null; sign = this.#take('+', '-'))
      isNegative = isNegative !== (sign === '-')
    const value = this.#power()
    return isNegative ? -value : value
  }

  #power(): PythonNumber {
    const base = this.#operand()
    return this.#take('**') === null ? base : calculated(base, '**', this.#signed())
  }

  #operand(): PythonNumber {
    if (this.#take('(') !== null) {
      this.#open += 1
      if (this.#open > 100) throw new ArithmeticError('parentheses are more than 100 deep')
      const value = this.#sum()
      // Behind the last one newlines end the expression again.
      this.#skip()
      if (this.#text[this.#at] !== ')') throw this.#unexpected()
      this.#at += 1
      this.#open -= 1
      return value
    }
    this.#skip()
    number.lastIndex = this.#at
    const digits = number.exec(this.#text)?.[0]
    if (digits === undefined || /[\p{L}\p{N}_.]/u.test(this.#text.charAt(this.#at + digits.length)))
      throw this.#unexpected()
    this.#at += digits.length
    return numberOf(digits)
  }

  #skip(): void {
    const pattern = this.#open > 0 ? blanksInParentheses : blanks
    pattern.lastIndex = this.#at
    this.#at += pattern.exec(this.#text)?.[0].length ?? 0
  }

  #take(...wanted: string[]): string | null {
    this.#skip()
    operator.lastIndex = this.#at
    const found = operator.exec(this.#text)?.[0]
    if (found === undefined || !wanted.includes(found)) return null
    this.#at += found.length
    return found
  }

  #unexpected(): ArithmeticError {
    const rest = this.#text.slice(this.#at, this.#at + 20)
    return new ArithmeticError(rest === '' ? 'it ends too early' : `there is no sense in "${rest}"`)
  }
}

function numberOf(digits: string): PythonNumber {
  const plain = digits.replace(/_/g, '')
  if (/^0x/i.test(plain)) return BigInt(plain)
  if (/[.e]/i.test(plain)) return finite(Number(plain))
  if (/^0\d*[1-9]/.test(plain)) throw new ArithmeticError(`the number "${digits}" begins with 0`)
  if (plain.length > longestNumber) throw tooLarge()
  return BigInt(plain)
}

function calculated(left: PythonNumber, sign: string, right: PythonNumber): PythonNumber {
  if (/^[/%]/.test(sign) && Number(right) === 0) throw new ArithmeticError('it divides by zero')
  const value =
    typeof left === 'bigint' && typeof right === 'bigint'
      ? exact(left, sign, right)
      : inexact(Number(left), sign, Number(right))
  return typeof value === 'bigint' ? value : finite(value)
}

function exact(left: bigint, sign: string, right: bigint): PythonNumber {
  const rest = sign === '%' || sign === '//' ? ((left % right) + right) % right : 0n
  switch (sign) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return Number(left) / Number(right)
    case '%':
      return rest
    case '//':
      return (left - rest) / right
    default:
      return power(left, right)
  }
}

function inexact(left: number, sign: string, right: number): number {
  switch (sign) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return left / right
    case '%':
      return remainder(left, right)
    case '//':
      return Math.floor((left - remainder(left, right)) / right + 0.5)
    default:
      if (left === 0 && right < 0) throw new ArithmeticError('it divides by zero')
      return left ** right
  }
}

/** It has the sign of the divisor. */
function remainder(left: number, right: number): number {
  const rest = left % right
  return rest !== 0 && rest < 0 !== right < 0 ? rest + right : rest
}

function power(base: bigint, exponent: bigint): PythonNumber {
  if (exponent < 0n) return inexact(Number(base), '**', Number(exponent))
  const digits = base.toString().length * Number(exponent)
  if (digits > longestNumber && base * base > 1n) throw tooLarge()
  return base ** exponent
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value
  throw tooLarge()
}

function tooLarge(): ArithmeticError {
  return new ArithmeticError('it is too large')
}
