import * as assert from 'uvu/assert'
import { FullTables } from '../../core/full-tables.ts'
import { suite } from '../suite.ts'

const test = suite('full tables')

test('what a table gives up is told at once, and then every ten minutes with all of it', () => {
  const told: string[] = []
  const full = new FullTables((subject, message) => told.push(`${subject}: ${message}`))
  let given = 0
  for (let second = 0; second <= 1200; second++) {
    if (second >= 10 && second <= 1100) given += 3
    full.look('table of a', 'a', given, second * 1000, (since) => `${since} more`)
    full.look('table of b', 'b', 0, second * 1000, () => 'nothing was given up')
  }
  assert.equal(told, ['a: 3 more', 'a: 1800 more'])
})

test('a table that was made anew is told of again', () => {
  const told: string[] = []
  const full = new FullTables((_, message) => told.push(message))
  full.look('t', 't', 500, 0, String)
  full.look('t', 't', 7, 3_600_000, String)
  assert.equal(told, ['500', '7'])
})

test.run()
