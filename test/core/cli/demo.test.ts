import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { AgentProcess, bailiff, endAgents } from './agent-process.ts'

const test = suite('the demonstration')

test('bans on a log that is being written, says each time that nothing is protected, answers status, goes on until stopped', async () => {
  const demo = new AgentProcess(['demo'])
  await demo.shows(/ban 203\.0\.113\.\d+ until/)
  await demo.shows('nothing is protected')
  const status = await bailiff(['status'])
  assert.is(status.code, 0, status.stderr)
  assert.match(status.stdout, 'nothing is protected')
  assert.match((await bailiff(['status', 'sshd'])).stdout, /203\.0\.113\.\d+/)
  const seen = demo.output.length
  await demo.shows(/ban 203\.0\.113|ban 198\.51\.100/, seen)
  const bans = demo.output.match(/\[sshd\] ban /g)?.length ?? 0
  const warnings = demo.output.match(/in-memory firewall only: nothing is protected/g)?.length ?? 0
  assert.ok(warnings >= bans, `${bans} bans, ${warnings} warnings`)
  assert.is(await demo.end('SIGINT'), 0)
})

test.after.each(endAgents)
test.run()
