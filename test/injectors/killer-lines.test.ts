import * as assert from 'uvu/assert'
import { endAgents } from '../core/cli/agent-process.ts'
import { suite } from '../suite.ts'
import { killers, playKiller } from './killer-lines.ts'

const test = suite('lines that patterns take for ever')

test.after.each(endAgents)

for (const [name, killer] of Object.entries(killers)) {
  test(`${name}: no honest line is lost, in the same log or another`, async () => {
    const { lost, other } = await playKiller(killer, { killers: 40, perSecond: 20, floods: 2 })
    assert.is(lost, 0)
    // What it should be is measured by the soak; here the machine may be busy.
    assert.ok(other.max < 5000, `another log was ${other.max} ms late`)
  })
}

test.run()
