import * as assert from 'uvu/assert'
import { FewWarnings } from '../../../../core/fail2ban/counting/few-warnings.ts'
import { suite } from '../../../suite.ts'

const test = suite('few warnings')

test('of many warnings in a minute the first are told, and how many were left out with the next', () => {
  let now = 1000
  const told: string[] = []
  const { warn } = new FewWarnings(
    (jail, message) => void told.push(`${jail} ${message}`),
    () => now,
  )
  for (let i = 0; i < 1000; i++) warn('sshd', `name ${i}`)
  assert.is(told.length, 20)
  assert.is(told.at(-1), 'sshd name 19')
  now += 60_000
  warn('web', 'another')
  assert.equal(told.slice(20), ['null 980 more warnings like those before were left out', 'web another'])
})

test.run()
