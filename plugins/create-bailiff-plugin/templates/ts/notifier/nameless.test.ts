import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { everyEvent, notifierChecks, registerChecks, testHost } from 'bailiff/testing'
import type { NotifierPlugin } from 'bailiff/plugin'
import plugin from './nameless.ts'
import { startServer } from './server.ts'

const notifier: NotifierPlugin = plugin
const server = await startServer()
after(() => server.stop())

// What every notifier keeps, looked at on the other side.
registerChecks(notifierChecks(plugin, { options: { url: server.url }, told: () => server.messages.join('\n') }), test)

test('of starts and stops nothing is told', async () => {
  const before = server.messages.length
  const { host, end } = testHost({ url: server.url })
  for (const event of everyEvent.filter(({ type }) => type === 'start' || type === 'stop'))
    await notifier.notify(event, host)
  assert.equal(server.messages.length, before)
  end()
})

test('where nobody answers it has failed, so that the agent tries again', async () => {
  const { host, end } = testHost({ url: 'http://127.0.0.1:1' })
  const alarm = everyEvent.find(({ type }) => type === 'alarm')
  assert.ok(alarm)
  await assert.rejects(async () => notifier.notify(alarm, host))
  end()
})

test('package.json says of the options what the plugin says ("npx bailiff plugin pack" writes it)', () => {
  // The compiled test is in dist/.
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { bailiff } = JSON.parse(text) as { bailiff: { provides: { options: object }[] } }
  assert.deepEqual(bailiff.provides[0]?.options, plugin.options)
})
