import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { breakAll, faults } from './faults.ts'

const test = suite('damaged store, broken at every call of the system', 'strace')

for (const fault of Object.keys(faults) as (keyof typeof faults)[]) {
  test(`${fault} at every point while all is written anew doubles nothing and reads nothing over`, async () => {
    const points = await breakAll('damaged', fault)
    assert.ok(points > 5, `only ${points} points`)
  })
}

test.run()
