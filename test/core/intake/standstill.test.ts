import * as assert from 'uvu/assert'
import { Standstill } from '../../../core/intake/standstill.ts'
import { suite } from '../../suite.ts'

const test = suite('standstill')

const log = (position: number, behind = 1 << 20, state: 'reading' | 'waiting' = 'reading') => ({
  log: '/var/log/auth.log',
  state,
  position,
  behind,
})

test('a log that is far behind and not read on for a minute stands still, until it is read on', () => {
  const standstill = new Standstill()
  const steps: [atSeconds: number, position: number, found: boolean][] = [
    [0, 100, false],
    [59, 100, false],
    [61, 100, true],
    [90, 100, true],
    [100, 101, false],
    [159, 101, false],
    [160, 101, true],
  ]
  for (const [at, position, found] of steps)
    assert.is(standstill.find([log(position)], at * 1000) !== null, found, String(at))
})

test('a log that waits, ends in an unfinished line, or is gone does not', () => {
  const standstill = new Standstill()
  for (let at = 0; at < 300_000; at += 10_000) {
    assert.is(standstill.find([log(1, 60_000)], at), null)
    assert.is(standstill.find([log(1, 1 << 20, 'waiting')], at), null)
    assert.is(standstill.find([], at), null)
  }
})

test.run()
