/** Makes what a filter asks of fields ready for matchers. */
import { BailiffError, type Where } from '../errors.ts'
import type { FieldCheck, FieldRule, Pattern, Structure } from '../plugin.ts'

/** A pattern of a condition as it was written, and where. */
export interface ConditionPattern {
  readonly text: string
  readonly where: Where
}

/** How many addresses a match captures, at least and at most. */
export interface AddressCount {
  readonly min: number
  readonly max: number
}

/** A pattern made ready, and how many addresses it captures. */
export interface ReadyPattern {
  readonly pattern: Pattern
  readonly addresses: AddressCount
}

/**
 * Compiles the patterns of all conditions. Throws a BailiffError at the place of a pattern that does not compile,
 * or that names addresses where none may be; and without a place where a rule would find no address, or two.
 */
export function compileStructure(
  source: Structure<ConditionPattern>,
  compile: (text: string) => ReadyPattern,
): Structure {
  const rule = (given: FieldRule<ConditionPattern>, isMatch: boolean): FieldRule => {
    const conditions = given.conditions.map(({ field, check }) => ({ field, ...compileCheck(check, compile) }))
    if (isMatch) checkAddresses(given.text, sum(conditions), source.address.length > 0)
    return { text: given.text, conditions: conditions.map(({ field, check }) => ({ field, check })) }
  }
  return {
    ...source,
    match: source.match.map((one) => rule(one, true)),
    ignore: source.ignore.map((one) => rule(one, false)),
  }
}

interface Compiled {
  readonly check: FieldCheck
  readonly addresses: AddressCount
}

const none: AddressCount = { min: 0, max: 0 }

function compileCheck(given: FieldCheck<ConditionPattern>, compile: (text: string) => ReadyPattern): Compiled {
  switch (given.type) {
    case 'regex': {
      const { pattern, addresses } = atPlace(given.pattern.where, () => compile(given.pattern.text))
      return { check: { type: 'regex', pattern }, addresses }
    }
    case 'not': {
      const inner = compileCheck(given.of, compile)
      if (inner.addresses.max > 0)
        throw new BailiffError('config', 'what must not hold captures no address: leave <ADDR> out below not')
      return { check: { type: 'not', of: inner.check }, addresses: none }
    }
    case 'all':
    case 'any': {
      const inner = given.of.map((one) => compileCheck(one, compile))
      const check: FieldCheck = { type: given.type, of: inner.map((one) => one.check) }
      return { check, addresses: given.type === 'all' ? sum(inner) : either(inner) }
    }
    default:
      return { check: given, addresses: none }
  }
}

function sum(parts: readonly { readonly addresses: AddressCount }[]): AddressCount {
  return parts.reduce(
    (total, { addresses }) => ({ min: total.min + addresses.min, max: total.max + addresses.max }),
    none,
  )
}

function either(parts: readonly { readonly addresses: AddressCount }[]): AddressCount {
  return {
    min: Math.min(...parts.map(({ addresses }) => addresses.min)),
    max: Math.max(...parts.map(({ addresses }) => addresses.max)),
  }
}

function checkAddresses(text: string, { min, max }: AddressCount, hasField: boolean): void {
  if (max > 1) throw new BailiffError('config', `two conditions capture an address: ${text}`)
  if (min === 0 && !hasField)
    throw new BailiffError('config', `nothing says where the address is: ${text}`, {
      hint: 'name its field (address: remote_addr), or capture it with <ADDR> in a regex',
    })
}

/** What a pattern is refused for, told at the place where it stands. */
function atPlace<Result>(where: Where, make: () => Result): Result {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    const hint = error.hint === undefined ? {} : { hint: error.hint }
    throw new BailiffError('config', error.message, { where, cause: error, ...hint })
  }
}
