import * as assert from 'uvu/assert'
import { endAgents } from '../core/cli/agent-process.ts'
import { suite } from '../suite.ts'
import { logFaults } from './log-faults.ts'
import { playFault } from './play-fault.ts'

const test = suite('logs under every fault')

test.after.each(endAgents)

for (const [name, { perishable }] of Object.entries(logFaults)) {
  test(name, async () => {
    const { lines, lost, wrong } = await playFault(name)
    assert.equal(wrong, [])
    // Where lines perish the soak is strict; here the machine may be too busy for the agent to look in time.
    const allowed = perishable ? lines / 4 : 0
    if (lost.length > allowed) assert.unreachable(`lost ${lost.length} of ${lines}: ${lost.slice(0, 50).join(' ')}`)
  })
}

test.run()
