import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { BailiffError } from '../../../../core/errors.ts'
import { banLengthening, type BantimeExtra } from '../../../../core/fail2ban/counting/ban-lengthening.ts'
import { parseExpression } from '../../../../core/fail2ban/counting/expression-syntax.ts'
import { checkNames, evaluate, type Value } from '../../../../core/fail2ban/counting/expression-value.ts'
import { suite } from '../../../suite.ts'

const test = suite('ban lengthening')
const beside = suite('ban lengthening as Fail2ban does', 'fail2ban-regex')

const none: BantimeExtra = {
  increment: true,
  factor: null,
  formula: null,
  multipliers: null,
  maxtimeSeconds: null,
  rndtimeSeconds: null,
}
const lengths = (extra: Partial<BantimeExtra>, seconds = 600, counts = [1, 2, 3, 25]) => {
  const lengthen = banLengthening({ ...none, ...extra }, () => 0.5)
  return counts.map((count) => lengthen?.(seconds, count))
}

test('by default each ban lasts twice as long, up to a limit', () => {
  assert.equal(lengths({}), [1200, 2400, 4800, 600 * 2 ** 20])
  assert.equal(lengths({ maxtimeSeconds: 3600 }), [1200, 2400, 3600, 3600])
  assert.equal(lengths({ maxtimeSeconds: 60 }), [60, 60, 60, 60])
  assert.equal(lengths({ rndtimeSeconds: 10, maxtimeSeconds: 1200 }), [1205, 1205, 1205, 1205])
  assert.equal(lengths({ factor: '0.5' }), [600, 1200, 2400, 300 * 2 ** 20])
  assert.is(banLengthening({ ...none, increment: false }), null)
})

test('multipliers win over the formula', () => {
  assert.equal(lengths({ multipliers: '1 5 30', formula: '1' }), [3000, 18_000, 18_000, 18_000])
  assert.equal(lengths({ multipliers: '1  2', factor: '24' }), [28_800, 28_800, 28_800, 28_800])
})

test('a formula never makes a ban shorter than the base', () => {
  assert.equal(lengths({ formula: '3' }), [600, 600, 600, 600])
  assert.equal(lengths({ formula: 'ban.Time * [1, 2, 4][min(ban.Count, 2)]' }), [1200, 2400, 2400, 2400])
})

test('what cannot be read is an error that names option and position', () => {
  const refused: readonly (readonly [Partial<BantimeExtra>, RegExp])[] = [
    [{ formula: 'ban.Time *' }, /bantime\.formula: something is missing at character 11/],
    [{ formula: 'ban.Tiem * 2' }, /bantime\.formula: nothing is called ban\.Tiem at character 1 /],
    [{ formula: 'open("x")' }, /at character 6 /],
    [{ formula: '__import__(1)' }, /no function __import__ at character 1 /],
    [{ formula: 'ban.__class__' }, /nothing is called/],
    [{ formula: '2 * (1 + 2' }, /\) is missing at character 11/],
    [{ formula: '1; 2' }, /";" is not expected at character 2/],
    [{ formula: '('.repeat(100) + '1' }, /too many parentheses/],
    [{ formula: '-'.repeat(100) + '1' }, /too many/],
    [{ factor: 'ban.Time' }, /bantime\.factor: nothing is called/],
    [{ factor: '1/0' }, /bantime\.factor: .*division by zero/],
    [{ factor: '9 ** 9 ** 9' }, /bantime\.factor: .*too large/],
    [{ multipliers: '1 2 x' }, /bantime\.multipliers: "x"/],
  ]
  for (const [extra, message] of refused) {
    const name = JSON.stringify(extra)
    try {
      banLengthening({ ...none, ...extra })
    } catch (error) {
      assert.instance(error, BailiffError, name)
      assert.match((error as Error).message, message)
      continue
    }
    assert.unreachable(name)
  }
})

test('any text is read or refused, and nothing else', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (text) => {
      try {
        parseExpression(text)
      } catch (error) {
        assert.instance(error, BailiffError)
      }
    }),
  )
})

const numbers = fc.constantFrom('0', '1', '2', '3', '7', '20', '600', '1_000', '0.5', '1.5', '.25', '2.', '1e3', '0x10')
const names = fc.constantFrom('ban.Time', 'ban.Count', 'banFactor')
const expression = fc.letrec<{ tree: string }>((tie) => {
  const [one, two, three] = [tie('tree'), tie('tree'), tie('tree')]
  const binary = fc.constantFrom('+', '-', '*', '/', '//', '%', '**', '<<', '>>', '&', '|', '^')
  return {
    tree: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'tree' },
      numbers,
      names,
      fc.tuple(one, binary, two).map((parts) => parts.join(' ')),
      one.map((inner) => `(${inner})`),
      fc.tuple(fc.constantFrom('-', '+', '~', 'not '), one).map((parts) => parts.join('')),
      fc.tuple(one, fc.constantFrom('<', '<=', '>', '>=', '==', '!='), two).map((parts) => parts.join(' ')),
      fc.tuple(one, two, three).map(([a, b, c]) => `${a} < ${b} <= ${c}`),
      fc.tuple(one, two, three).map(([a, b, c]) => `(${a} if ${b} else ${c})`),
      fc.tuple(one, fc.constantFrom('and', 'or'), two).map((parts) => parts.join(' ')),
      fc.tuple(fc.constantFrom('min', 'max', 'pow', 'math.pow'), one, two).map(([f, a, b]) => `${f}(${a}, ${b})`),
      fc
        .tuple(fc.constantFrom('int', 'float', 'abs', 'round', 'math.exp', 'math.log', 'math.sqrt', 'math.ceil'), one)
        .map(([f, a]) => `${f}(${a})`),
      fc.tuple(one, two, three).map(([a, b, c]) => `[${a}, ${b}][${c}]`),
    ),
  }
})

beside('expressions are worth what Python says', () => {
  const written = [
    'ban.Time * math.exp(float(ban.Count+1)*banFactor)/math.exp(1*banFactor)',
    'ban.Time * (1<<(ban.Count if ban.Count<20 else 20)) * banFactor',
    '-2 ** 2',
    '2 ** -1',
    '-7 // 2',
    '-7 % 3',
    '7.5 // -2',
    '1 if 0 else 2 if 0 else 3',
    'not 1 == 2',
    '2 ** 3 ** 2',
  ]
  const texts = [...written, ...fc.sample(expression.tree, Number(process.env.EXPRESSIONS ?? 4000))]
  const input = JSON.stringify(texts)
  const { stdout, stderr } = spawnSync('/usr/bin/python3', ['-W', 'ignore', '-c', script], {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  assert.ok(stdout.startsWith('['), stderr)
  const theirs = JSON.parse(stdout) as (string | null)[]
  let compared = 0
  texts.forEach((text, index) => {
    const there = theirs[index] ?? null
    const here = valueOf(text)
    if (here === 'too large') return
    compared++
    if (isBeyondDoubles(here) && there !== null)
      assert.ok(/^-?\d+$/.test(there) && isNearWhole(here, BigInt(there)), `${text}: ${here}`)
    else if (typeof here === 'number' && there !== null && /[.einf]/.test(there)) {
      const value = Number(there.replace('inf', 'Infinity'))
      assert.ok(Object.is(here, value) || isNear(here, value), `${text}: ${here}, there ${there}`)
    } else assert.is(here === null ? null : String(here), there, text)
  })
  assert.ok(compared > texts.length / 2)
})

test.run()
beside.run()

/** A whole number made of a double whose last bit depends on the library of mathematics. */
function isBeyondDoubles(value: Value | null | 'too large'): value is bigint {
  return typeof value === 'bigint' && !Number.isSafeInteger(Number(value))
}

function isNearWhole(here: bigint, there: bigint): boolean {
  const size = (value: bigint) => (value < 0n ? -value : value)
  return size(here - there) * 10n ** 12n <= size(there)
}

function isNear(here: number, there: number): boolean {
  return Math.abs(here - there) <= Math.abs(there) * 1e-12
}

function valueOf(text: string): Value | null | 'too large' {
  try {
    const tree = parseExpression(text)
    const values = { 'ban.Time': 600n, 'ban.Count': 3n, banFactor: 1.5 }
    checkNames(tree, Object.keys(values), text)
    return evaluate(tree, values)
  } catch (error) {
    assert.instance(error, BailiffError)
    // Here numbers have bounds, there they fill the memory; and roots of negative numbers are complex ones.
    return /too large|a shift by|too many|no number/.test((error as Error).message) ? 'too large' : null
  }
}

const script = `
import json, math, signal, sys
class ban: Time = 600; Count = 3
banFactor = 1.5
def late(*_): raise OverflowError()
signal.signal(signal.SIGVTALRM, late)
def value(text):
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.5)
    try:
        found = eval(text)
        if isinstance(found, complex): return None
        if isinstance(found, int): return str(int(found)) if abs(found) < 1 << 5000 else None
        return repr(found)
    except Exception: return None
    finally: signal.setitimer(signal.ITIMER_VIRTUAL, 0)
sys.setrecursionlimit(5000)
sys.set_int_max_str_digits(0)
json.dump([value(text) for text in json.load(sys.stdin)], sys.stdout)
`
