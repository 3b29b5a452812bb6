import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { Allowance } from '../../../core/firewall/allowance.ts'
import { suite } from '../../suite.ts'

const test = suite('firewall allowance')

test('so many at once, and so many a second after that', () => {
  const allowance = new Allowance(0)
  const cases: [count: number, now: number, taken: boolean][] = [
    // Few from a helper that has just begun, and more within seconds.
    [10_001, 0, false],
    [10_000, 0, true],
    [1, 0, false],
    [80_000, 4000, true],
    [1, 4000, false],
    [100_000, 9000, true],
    [1, 9000, false],
    [10_001, 9500, false],
    [10_000, 9500, true],
    [20_000, 10_500, true],
    [1, 10_500, false],
    // However long it was quiet.
    [100_001, 1e9, false],
    [100_000, 1e9, true],
  ]
  for (const [count, now, taken] of cases) assert.is(allowance.take(count, now), taken, `${count} at ${now}`)
})

test('whatever is asked for, no more gets through than the burst and the rate allow', () => {
  const asked = fc.array(fc.tuple(fc.nat(30_000), fc.nat(2000)), { maxLength: 60 })
  fc.assert(
    fc.property(asked, (steps) => {
      const allowance = new Allowance(0)
      let [now, taken] = [0, 0]
      for (const [count, pause] of steps) {
        now += pause
        if (allowance.take(count, now)) taken += count
        assert.ok(taken <= Math.min(100_000, 10_000 + now * 20) + now * 20 + 1)
      }
    }),
  )
})

test.run()
