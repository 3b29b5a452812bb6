import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { BailiffError } from '../../../core/errors.ts'
import { parseDuration } from '../../../core/settings/duration.ts'
import { suite } from '../../suite.ts'

const test = suite('duration')

test('time text is read', () => {
  const cases: [given: unknown, ms: number | null][] = [
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    [' 2w ', 1_209_600_000],
    ['1.5h', 5_400_000],
    ['1y', 31_536_000_000],
    [600, 600_000],
    ['600', 600_000],
    [1, 1000],
    ['100y', 3_153_600_000_000],
    ['permanent', null],
  ]
  for (const [given, ms] of cases) assert.is(parseDuration(given), ms, String(given))
})

test('what is no time is refused and named', () => {
  const cases: [given: unknown, message: RegExp][] = [
    ['10x', /"10x" is not a length of time; write seconds/],
    ['30m1h', /not a length of time/],
    ['1h1h', /not a length of time/],
    ['permanet', /did you mean permanent/],
    ['', /not a length/],
    ['h', /not a length/],
    ['10 m', /not a length/],
    ['1e3', /not a length/],
    [0, /shorter than a second/],
    ['0.5s', /shorter than a second/],
    [-1, /negative; for a ban without end write permanent/],
    ['-600', /negative/],
    ['101y', /longer than 100 years/],
    [Number.POSITIVE_INFINITY, /longer than 100 years/],
    [Number.NaN, /not a length/],
    [null, /not a length/],
    [true, /not a length/],
    [['10m'], /not a length/],
    [{}, /not a length/],
  ]
  for (const [given, message] of cases) {
    assert.throws(
      () => parseDuration(given),
      (error: unknown) => error instanceof BailiffError && message.test(error.message),
      JSON.stringify(given),
    )
  }
})

test('the sum of its parts, whatever they are', () => {
  const count = fc.integer({ min: 0, max: 20 })
  fc.assert(
    fc.property(count, count, count, count, fc.integer({ min: 1, max: 50 }), (w, d, h, m, s) => {
      assert.is(parseDuration(`${w}w${d}d${h}h${m}m${s}s`), ((((w * 7 + d) * 24 + h) * 60 + m) * 60 + s) * 1000)
    }),
  )
})

test('no value makes the parser fail in another way', () => {
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.stringMatching(/^[\d. smhdwy-]{0,12}$/)), (given) => {
      try {
        const ms = parseDuration(given)
        assert.ok(ms === null || (Number.isInteger(ms) && ms >= 1000 && ms <= 100 * 365 * 86_400_000))
      } catch (error) {
        assert.instance(error, BailiffError)
      }
    }),
  )
})

test.run()
