import { BailiffError } from '../../errors.ts'
import { expressionError, type Expression } from './expression-syntax.ts'

/** A number of Python: whole ones are bigints of any size, others doubles. A truth value is 0 or 1. */
export type Value = bigint | number

/** Whole numbers have at most so many bits: a formula must not fill the memory. */
const maxBits = 4096n

/** What names stand for. */
export type Names = Readonly<Record<string, Value>>

/**
 * What an expression is worth, in Python's arithmetic: `/` is a double, `//` and `%` lean to the lower, whole numbers are
 * exact, and what Python calls an error is one (division by zero, a double that overflows where Python says so). Throws a
 * BailiffError.
 */
export function evaluate(expression: Expression, names: Names): Value {
  const valueOf = (each: Expression) => evaluate(each, names)
  switch (expression.type) {
    case 'number':
      return expression.value
    case 'name':
      return known(names, expression.name)
    case 'unary':
      return unary(expression.operator, valueOf(expression.of))
    case 'binary':
      return binary(expression.operator, valueOf(expression.left), valueOf(expression.right))
    case 'comparison':
      return holds(expression.first, expression.rest, valueOf) ? 1n : 0n
    case 'logical':
      return logical(expression.operator, expression.parts, valueOf)
    case 'conditional':
      return valueOf(isTrue(valueOf(expression.test)) ? expression.yes : expression.no)
    case 'call':
      return call(expression.name, expression.arguments.map(valueOf))
    case 'item':
      return item(expression.list.map(valueOf), valueOf(expression.index))
  }
}

/** Refuses names and functions that nothing has, at their place in `text`. */
export function checkNames(expression: Expression, names: readonly string[], text: string): void {
  for (const part of parts(expression)) checkNames(part, names, text)
  const { type } = expression
  if (type === 'name' && !names.includes(expression.name) && !(expression.name in numbers))
    throw expressionError(text, expression.at, `nothing is called ${expression.name}`)
  if (type === 'call' && !(expression.name in functions))
    throw expressionError(text, expression.at, `there is no function ${expression.name}`)
}

const numbers: Names = { 'math.e': Math.E, 'math.pi': Math.PI, 'math.inf': Infinity, True: 1n, False: 0n }

const functions: Readonly<Record<string, (values: readonly Value[]) => Value>> = {
  min: (values) => values.reduce((least, value) => (value < least ? value : least)),
  max: (values) => values.reduce((most, value) => (value > most ? value : most)),
  abs: ([value = 0n]) => (value < 0 ? -value : value),
  int: ([value = 0n]) => whole(toDouble(value), Math.trunc, value),
  float: ([value = 0]) => toDouble(value),
  round: ([value = 0n]) => whole(toDouble(value), halfEven, value),
  pow: ([base = 0n, exponent = 0n, modulus]) =>
    modulus === undefined ? power(base, exponent) : binary('%', power(base, exponent), modulus),
  'math.pow': ([base = 0, exponent = 0]) => finite(toDouble(base) ** toDouble(exponent), [base, exponent]),
  'math.exp': ([value = 0]) => finite(Math.exp(toDouble(value)), [value]),
  'math.log': ([value = 0, base]) => logarithm(toDouble(value)) / (base === undefined ? 1 : logarithm(toDouble(base))),
  'math.log2': ([value = 0]) => Math.log2(positive(toDouble(value))),
  'math.log10': ([value = 0]) => Math.log10(positive(toDouble(value))),
  'math.sqrt': ([value = 0]) => finite(Math.sqrt(toDouble(value)), [value]),
  'math.ceil': ([value = 0]) => whole(toDouble(value), Math.ceil, value),
  'math.floor': ([value = 0]) => whole(toDouble(value), Math.floor, value),
  'math.fabs': ([value = 0]) => Math.abs(toDouble(value)),
}

/** How many arguments functions take, where it is not exactly one. */
const argumentCounts: Readonly<Record<string, readonly [least: number, most: number]>> = {
  min: [2, 100],
  max: [2, 100],
  pow: [2, 3],
  'math.pow': [2, 2],
  'math.log': [1, 2],
}

function known(names: Names, name: string): Value {
  return names[name] ?? numbers[name] ?? failed(`nothing is called ${name}`)
}

function unary(operator: string, value: Value): Value {
  if (operator === 'not') return isTrue(value) ? 0n : 1n
  if (operator === '+') return value
  if (operator === '-') return -value
  return typeof value === 'bigint' ? ~value : failed('~ wants a whole number')
}

function binary(operator: string, left: Value, right: Value): Value {
  if (operator === '**') return power(left, right)
  if (operator === '/') return divided(left, right)
  if (typeof left === 'bigint' && typeof right === 'bigint') return bounded(ofWhole(operator, left, right))
  return ofDoubles(operator, toDouble(left), toDouble(right))
}

function ofWhole(operator: string, left: bigint, right: bigint): bigint {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '//':
      return (left - modulo(left, right)) / right
    case '%':
      return modulo(left, right)
    case '<<':
      return right < 0n || right > maxBits ? failed(`a shift by ${right}`) : left << right
    case '>>':
      return right < 0n ? failed(`a shift by ${right}`) : left >> right
    case '&':
      return left & right
    case '|':
      return left | right
    default:
      return left ^ right
  }
}

function ofDoubles(operator: string, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '//':
      return floorDivided(left, right)
    case '%':
      return floatModulo(left, right)
    default:
      return failed(`${operator} wants whole numbers`)
  }
}

/** The remainder has the sign of the divisor. */
function modulo(left: bigint, right: bigint): bigint {
  if (right === 0n) return failed('a division by zero')
  const remainder = left % right
  return remainder !== 0n && remainder < 0n !== right < 0n ? remainder + right : remainder
}

function floatModulo(left: number, right: number): number {
  if (right === 0) return failed('a division by zero')
  const remainder = left % right
  if (remainder === 0) return right < 0 ? -0 : 0
  return remainder < 0 !== right < 0 ? remainder + right : remainder
}

/** As CPython divides: from the exact remainder, then to the nearest whole number. */
function floorDivided(left: number, right: number): number {
  if (right === 0) return failed('a division by zero')
  const remainder = left % right
  const quotient = (left - remainder) / right - (remainder !== 0 && remainder < 0 !== right < 0 ? 1 : 0)
  const floor = Math.floor(quotient)
  return quotient - floor > 0.5 ? floor + 1 : floor
}

function divided(left: Value, right: Value): number {
  if (Number(right) === 0 && right == 0) return failed('a division by zero')
  const quotient = Number(left) / Number(right)
  // Whole numbers beyond what doubles hold: cut both alike.
  if (typeof left === 'bigint' && typeof right === 'bigint' && !Number.isFinite(quotient)) {
    const bits = BigInt(Math.max(left.toString(2).length, right.toString(2).length) - 1000)
    return finite(Number(left >> bits) / Number(right >> bits), [left, right])
  }
  return toDouble(left) / toDouble(right)
}

function power(base: Value, exponent: Value): Value {
  if (typeof base === 'bigint' && typeof exponent === 'bigint' && exponent >= 0n) {
    const bits = BigInt((base < 0n ? -base : base).toString(2).length)
    if (base !== 0n && base !== 1n && base !== -1n && bits * exponent > maxBits)
      return failed('a number that is too large')
    return base ** exponent
  }
  const [from, to] = [toDouble(base), toDouble(exponent)]
  if (from === 0 && to < 0) return failed('a division by zero')
  // Python's power of 1 is always 1; a root of a negative number is a complex one, which is no time.
  if (from === 1) return 1
  return finite(from ** to, [from, to])
}

function holds(
  first: Expression,
  rest: readonly (readonly [string, Expression])[],
  valueOf: (each: Expression) => Value,
): boolean {
  let left = valueOf(first)
  for (const [operator, each] of rest) {
    const right = valueOf(each)
    if (!compare(operator, left, right)) return false
    left = right
  }
  return true
}

function compare(operator: string, left: Value, right: Value): boolean {
  switch (operator) {
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
    // A whole number and a double are equal where their values are.
    case '==':
      return left == right
    default:
      return left != right
  }
}

/** The value of the part that decides, as in Python. */
function logical(operator: 'and' | 'or', of: readonly Expression[], valueOf: (each: Expression) => Value): Value {
  let value: Value = 0n
  for (const each of of) {
    value = valueOf(each)
    if (isTrue(value) === (operator === 'or')) return value
  }
  return value
}

function call(name: string, values: readonly Value[]): Value {
  const [least, most] = argumentCounts[name] ?? [1, 1]
  if (values.length < least || values.length > most) return failed(`${name} with ${values.length} arguments`)
  return functions[name]?.(values) ?? failed(`there is no function ${name}`)
}

/** Negative indexes count from the end. */
function item(list: readonly Value[], index: Value): Value {
  if (typeof index !== 'bigint') return failed('an index that is no whole number')
  return list[Number(index < 0n ? index + BigInt(list.length) : index)] ?? failed('an index beyond the list')
}

function isTrue(value: Value): boolean {
  return typeof value === 'bigint' ? value !== 0n : value !== 0
}

function whole(value: number, round: (value: number) => number, given: Value): bigint {
  if (typeof given === 'bigint') return given
  return Number.isFinite(value) ? BigInt(round(value)) : failed('a number without end')
}

function halfEven(value: number): number {
  const rounded = Math.round(value)
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}

function toDouble(value: Value): number {
  const double = Number(value)
  return typeof value === 'bigint' && !Number.isFinite(double) ? failed('a number that is too large') : double
}

function positive(value: number): number {
  return value > 0 ? value : failed('a logarithm of nothing')
}

function logarithm(value: number): number {
  return Math.log(positive(value))
}

/** Python calls it an error where finite numbers lead to one without end or to none. */
function finite(value: number, from: readonly Value[]): number {
  if (Number.isFinite(value) || from.some((each) => typeof each === 'number' && !Number.isFinite(each))) return value
  return failed(Number.isNaN(value) ? 'what is no number' : 'a number that is too large')
}

function bounded(value: bigint): bigint {
  return value >> maxBits === 0n || value >> maxBits === -1n ? value : failed('a number that is too large')
}

function parts(expression: Expression): readonly Expression[] {
  switch (expression.type) {
    case 'number':
    case 'name':
      return []
    case 'unary':
      return [expression.of]
    case 'binary':
      return [expression.left, expression.right]
    case 'comparison':
      return [expression.first, ...expression.rest.map(([, each]) => each)]
    case 'logical':
      return expression.parts
    case 'conditional':
      return [expression.test, expression.yes, expression.no]
    case 'call':
      return expression.arguments
    case 'item':
      return [...expression.list, expression.index]
  }
}

function failed(what: string): never {
  throw new BailiffError('config', `the expression comes to ${what}`)
}
