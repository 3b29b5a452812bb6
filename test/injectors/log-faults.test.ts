import * as assert from 'uvu/assert'
import { endAgents } from '../core/cli/agent-process.ts'
import { suite } from '../suite.ts'
import { logFaults } from './log-faults.ts'
import { playFault } from './play-fault.ts'

const test = suite('logs under every fault')

test.after.each(endAgents)

for (const [name, { allowedLoss = 0 }] of Object.entries(logFaults)) {
  test(name, async () => {
    const { lines, lost, wrong } = await playFault(name)
    assert.equal(wrong, [])
    // Lines that stand nowhere any more are a matter of time: the soak is strict, here the machine may be busy.
    if (lost.length > lines * allowedLoss * 4) assert.unreachable(`lost ${lost.length} of ${lines}: ${lost.join(' ')}`)
  })
}

test.run()
