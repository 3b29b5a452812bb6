import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { breakAll, faults } from './faults.ts'

const test = suite('store, broken at every call of the system', 'strace')

for (const fault of Object.keys(faults) as (keyof typeof faults)[]) {
  test(`${fault} at every point loses nothing that was acknowledged and doubles nothing`, async () => {
    const points = await breakAll('sound', fault)
    assert.ok(points > 5, `only ${points} points`)
  })
}

test('kill at every point of a migration leaves the old schema or the new one', async () => {
  const points = await breakAll('old', 'kill')
  assert.ok(points > 5, `only ${points} points`)
})

test.run()
