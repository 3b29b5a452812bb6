import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { actionChecks, ActionTester, registerChecks } from 'bailiff/testing'
import plugin from './nameless.ts'
import { startServer } from './server.ts'

const server = await startServer()
after(() => server.stop())

// What every action keeps, looked at on the other side.
registerChecks(actionChecks(plugin, { options: { url: server.url }, holds: () => [...server.banned] }), test)

test('where nobody answers, the ban has failed, so that the agent tries again', async () => {
  const tester = await ActionTester.start(plugin, { options: { url: 'http://127.0.0.1:1' } })
  assert.equal((await tester.ban('192.0.2.7')).outcome, 'failed')
  await tester.stop()
})

test('package.json says of the options what the plugin says ("npx bailiff plugin pack" writes it)', () => {
  // The compiled test is in dist/.
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { bailiff } = JSON.parse(text) as { bailiff: { provides: { options: object }[] } }
  assert.deepEqual(bailiff.provides[0]?.options, plugin.options)
})
