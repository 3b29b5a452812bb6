/** The expressions of our rules, as nf_tables runs them one after the other: all with the first register, none inverted. */
import { attribute, type payloadBase } from './kernel-numbers.ts'
import { items, nest, number, readAttributes, text, type Attributes } from './messages-in.ts'
import type { MessageWriter } from './messages-out.ts'

/** Bytes are hexadecimal digits. */
export type Expression =
  | { readonly is: 'meta'; readonly key: number }
  | {
      readonly is: 'payload'
      readonly base: (typeof payloadBase)[keyof typeof payloadBase]
      readonly offset: number
      readonly length: number
    }
  /** Keeps the bits of the mask. */
  | { readonly is: 'bitwise'; readonly mask: string }
  | { readonly is: 'cmp'; readonly equals: string }
  /** A set of the same transaction may have no name yet; then its id finds it. */
  | { readonly is: 'lookup'; readonly set: string; readonly id?: number }
  | { readonly is: 'counter' }
  | { readonly is: 'drop' }

const register = 1
const equal = 0
const maskAndXor = 0
const verdictRegister = 0
const dropVerdict = 0

/** Writes expressions as the list behind the attribute. */
export function writeExpressions(out: MessageWriter, type: number, expressions: readonly Expression[]): void {
  out.nest(type, () => {
    for (const expression of expressions) {
      out.nest(attribute.list.element, () => {
        out.text(attribute.expression.name, expression.is === 'drop' ? 'immediate' : expression.is)
        out.nest(attribute.expression.data, () => writeData(out, expression))
      })
    }
  })
}

/** The expressions behind the attribute; null for each that is none of ours. */
export function readExpressions(attributes: Attributes, type: number): (Expression | null)[] {
  return items(attributes, type).map((item) => {
    const expression = readAttributes(item)
    return readData(text(expression, attribute.expression.name), nest(expression, attribute.expression.data))
  })
}

function writeData(out: MessageWriter, expression: Expression): void {
  switch (expression.is) {
    case 'meta':
      out.number(attribute.meta.key, expression.key)
      out.number(attribute.meta.register, register)
      break
    case 'payload':
      out.number(attribute.payload.register, register)
      out.number(attribute.payload.base, expression.base)
      out.number(attribute.payload.offset, expression.offset)
      out.number(attribute.payload.length, expression.length)
      break
    case 'bitwise':
      out.number(attribute.bitwise.source, register)
      out.number(attribute.bitwise.register, register)
      out.number(attribute.bitwise.operator, maskAndXor)
      out.number(attribute.bitwise.length, expression.mask.length / 2)
      writeValue(out, attribute.bitwise.mask, expression.mask)
      writeValue(out, attribute.bitwise.xor, '0'.repeat(expression.mask.length))
      break
    case 'cmp':
      out.number(attribute.cmp.register, register)
      out.number(attribute.cmp.operator, equal)
      writeValue(out, attribute.cmp.data, expression.equals)
      break
    case 'lookup':
      out.number(attribute.lookup.register, register)
      out.text(attribute.lookup.set, expression.set)
      if (expression.id !== undefined) out.number(attribute.lookup.setId, expression.id)
      break
    case 'counter':
      break
    case 'drop':
      out.number(attribute.immediate.register, verdictRegister)
      out.nest(attribute.immediate.data, () => {
        out.nest(attribute.data.verdict, () => out.number(attribute.verdict.code, dropVerdict))
      })
  }
}

function readData(name: string | undefined, data: Attributes): Expression | null {
  switch (name) {
    case 'meta':
      return number(data, attribute.meta.register) === register ? readMeta(data) : null
    case 'payload':
      return number(data, attribute.payload.register) === register ? readPayload(data) : null
    case 'bitwise':
      return readBitwise(data)
    case 'cmp': {
      const { register: source, operator, data: value } = attribute.cmp
      const plain = number(data, source) === register && number(data, operator) === equal
      return plain ? { is: 'cmp', equals: readValue(data, value) } : null
    }
    case 'lookup': {
      const set = text(data, attribute.lookup.set)
      const plain = number(data, attribute.lookup.register) === register && !number(data, attribute.lookup.flags)
      return plain && set !== undefined ? { is: 'lookup', set } : null
    }
    case 'counter':
      return { is: 'counter' }
    case 'immediate': {
      const verdict = nest(nest(data, attribute.immediate.data), attribute.data.verdict)
      return number(verdict, attribute.verdict.code) === dropVerdict ? { is: 'drop' } : null
    }
    default:
      return null
  }
}

function readMeta(data: Attributes): Expression | null {
  const key = number(data, attribute.meta.key)
  return key === undefined ? null : { is: 'meta', key }
}

function readPayload(data: Attributes): Expression | null {
  const base = number(data, attribute.payload.base)
  const offset = number(data, attribute.payload.offset)
  const length = number(data, attribute.payload.length)
  if ((base !== 1 && base !== 2) || offset === undefined || length === undefined) return null
  return { is: 'payload', base, offset, length }
}

function readBitwise(data: Attributes): Expression | null {
  const { source, register: target, operator, mask, xor } = attribute.bitwise
  const plain =
    number(data, source) === register && number(data, target) === register && (number(data, operator) ?? 0) === 0
  const zero = /^0+$/.test(readValue(data, xor))
  return plain && zero ? { is: 'bitwise', mask: readValue(data, mask) } : null
}

function writeValue(out: MessageWriter, type: number, hex: string): void {
  out.nest(type, () => out.bytes(attribute.data.value, Buffer.from(hex, 'hex')))
}

function readValue(data: Attributes, type: number): string {
  return nest(data, type).get(attribute.data.value)?.toString('hex') ?? ''
}
