import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { registerChecks, sourceChecks, testHost } from 'bailiff/testing'
import plugin from './nameless.ts'
import { startServer } from './server.ts'

const server = await startServer()
after(() => server.stop())

/** Appends text to what the source reads: a line is there when it is whole. */
let unfinished = ''
function write(text: string): void {
  const lines = (unfinished + text).split('\n')
  unfinished = lines.pop() ?? ''
  server.lines.push(...lines)
}

// What every source keeps: lines arrive once and in order, also when the agent is slow, or is killed and goes on.
registerChecks(sourceChecks(plugin, { options: { url: server.url, pause: 0.02 }, write, resumes: true }), test)

test('where nobody answers it has failed, so that the agent starts it again', async () => {
  const { host, end } = testHost({ url: 'http://127.0.0.1:1', pause: 1 })
  await assert.rejects(async () =>
    plugin.start(async () => {}, Object.assign(Object.create(host), { cursor: () => null })),
  )
  end()
})

test('package.json says of the options what the plugin says ("npx bailiff plugin pack" writes it)', () => {
  // The compiled test is in dist/.
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { bailiff } = JSON.parse(text) as { bailiff: { provides: { options: object }[] } }
  assert.deepEqual(bailiff.provides[0]?.options, plugin.options)
})
