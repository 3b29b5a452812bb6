import { BailiffError, quote } from '../../errors.ts'
import { parseExpression } from './expression-syntax.ts'
import { checkNames, evaluate, type Value } from './expression-value.ts'

/** The options `bantime.*` of a jail that lengthen later bans, as they are written. */
export interface BantimeExtra {
  readonly increment: boolean
  /** Python expressions; null: the default. */
  readonly factor: string | null
  readonly formula: string | null
  /** Whole numbers separated by blanks. They win over the formula. */
  readonly multipliers: string | null
  readonly maxtimeSeconds: number | null
  readonly rndtimeSeconds: number | null
}

/** Seconds of a ban by the base in seconds and the number of bans before, at least one. Throws where the expression fails. */
export type BanLengthening = (seconds: number, count: number) => number

/** Twice as long with each ban before, up to a million times. */
const usualFormula = 'ban.Time * (1 << (ban.Count if ban.Count < 20 else 20)) * banFactor'

/**
 * What `bantime.formula`, `.factor`, `.multipliers`, `.maxtime` and `.rndtime` say together; null where `increment` is
 * off. By a formula no ban is shorter than the base; `maxtime` may make it so; `rndtime` comes on top. Throws a
 * BailiffError for what cannot be read, which names option and position.
 */
export function banLengthening(extra: BantimeExtra, random: () => number = Math.random): BanLengthening | null {
  if (!extra.increment) return null
  const factor = factorOf(extra.factor ?? '1')
  const multipliers = multipliersOf(extra.multipliers ?? '')
  const plain =
    multipliers.length > 0 ? byMultipliers(multipliers, factor) : byFormula(extra.formula ?? usualFormula, factor)
  const { maxtimeSeconds, rndtimeSeconds } = extra
  return (seconds, count) => {
    const capped = Math.min(plain(seconds, count), maxtimeSeconds ?? Infinity)
    return rndtimeSeconds === null ? capped : capped + random() * rndtimeSeconds
  }
}

function byMultipliers(multipliers: readonly bigint[], factor: Value): BanLengthening {
  return (seconds, count) => {
    const multiplier = multipliers[count] ?? multipliers.at(-1) ?? 1n
    return Number([factor, multiplier].reduce(multiplied, wholeIfWhole(seconds)))
  }
}

function byFormula(text: string, factor: Value): BanLengthening {
  const names = ['ban.Time', 'ban.Count', 'banFactor']
  const formula = named('bantime.formula', () => {
    const expression = parseExpression(text)
    checkNames(expression, names, text)
    return expression
  })
  return (seconds, count) => {
    const values = { 'ban.Time': wholeIfWhole(seconds), 'ban.Count': BigInt(count), banFactor: factor }
    return Math.max(seconds, Number(evaluate(formula, values)))
  }
}

function factorOf(text: string): Value {
  return named('bantime.factor', () => {
    const expression = parseExpression(text)
    checkNames(expression, [], text)
    return evaluate(expression, {})
  })
}

function multipliersOf(text: string): bigint[] {
  const words = text.split(/\s+/).filter((word) => word !== '')
  const bad = words.find((word) => !/^[+-]?\d+$/.test(word))
  if (bad === undefined) return words.map((word) => BigInt(word.replace('+', '')))
  const hint = 'write whole numbers with blanks between them, as "1 2 4 8"'
  throw new BailiffError('config', `bantime.multipliers: ${quote(bad)} is no whole number`, { hint })
}

function multiplied(left: Value, right: Value): Value {
  const [one, other] = [left, right].map((value) => ({ type: 'number', value }) as const)
  return one && other ? evaluate({ type: 'binary', operator: '*', left: one, right: other }, {}) : left
}

/** `bantime` is a whole number of seconds there. */
function wholeIfWhole(seconds: number): Value {
  return Number.isInteger(seconds) ? BigInt(seconds) : seconds
}

/** What an error is about. */
function named<T>(option: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    throw new BailiffError(
      error.kind,
      `${option}: ${error.message}`,
      error.hint === undefined ? {} : { hint: error.hint },
    )
  }
}
