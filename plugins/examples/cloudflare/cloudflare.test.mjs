import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { actionChecks, ActionTester, registerChecks } from 'bailiff/testing'
import cloudflare from './cloudflare.mjs'
import { pauseOf } from './lists-api.mjs'
import { startServer } from './lists-server.mjs'

process.env.CLOUDFLARE_API_TOKEN = 'good'
const servers = []
after(() => servers.forEach((server) => server.stop()))

async function other(given) {
  const server = await startServer(given)
  servers.push(server)
  const options = { account: 'a'.repeat(32), list: 'b'.repeat(32), api: server.api }
  return { ...server, options, held: () => [...server.state.items.keys()] }
}

const whole = await other()
registerChecks(actionChecks(cloudflare, { options: whole.options, holds: whole.held }), test)

test('what others put into the list stays; a sync reads all its pages', async () => {
  const { state, options, held } = await other({ pageSize: 10 })
  for (let i = 0; i < 35; i++)
    state.items.set(`198.51.100.${i}`, { id: `x${i}`, ip: `198.51.100.${i}`, comment: 'the office' })
  const tester = await ActionTester.start(cloudflare, { options })
  await tester.ban('192.0.2.1', '192.0.2.2')
  assert.equal((await tester.sync('192.0.2.2', '2001:db8::3')).outcome, 'done')
  assert.deepEqual(held().slice(35), ['192.0.2.2', '2001:db8::3'])
  assert.equal((await tester.unban('198.51.100.7', '192.0.2.2')).outcome, 'done')
  assert.equal(held().length, 36)
  // Another agent, which shares the list, has a ban of its own.
  const second = await ActionTester.start(cloudflare, { options: { ...options, owner: 'web2' } })
  await second.ban('192.0.2.9')
  await tester.sync()
  assert.deepEqual(held().slice(35), ['192.0.2.9'])
  await Promise.all([tester.stop(), second.stop()])
})

test('many bans are one request, and what is too wide for a list is refused', async () => {
  const { state, options, held } = await other()
  const tester = await ActionTester.start(cloudflare, { options })
  const many = Array.from({ length: 500 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
  const { outcome, refusals } = await tester.ban(...many, '8.0.0.0/7', '2000::/11')
  assert.equal(outcome, 'refused')
  assert.match(refusals.join(), /8\.0\.0\.0\/7: a list of Cloudflare.*2000::\/11: /)
  assert.equal(held().length, 500)
  assert.equal(state.requests.filter((request) => request.startsWith('POST')).length, 1)
  await tester.stop()
})

test('a rate limit is waited for as long as it says, a running operation too', async () => {
  const { state, options, held } = await other()
  const tester = await ActionTester.start(cloudflare, { options })
  state.limited = 1
  const limited = await tester.ban('192.0.2.1')
  assert.deepEqual([limited.outcome, limited.afterMs], ['retry', 7000])
  state.busyUntil = Infinity
  const busy = await tester.ban('192.0.2.1')
  assert.deepEqual([busy.outcome, busy.afterMs], ['retry', 5000])
  assert.deepEqual(held(), [])
  await tester.stop()
})

test('an operation without end, one that fails, and a token that is refused are failures, with their words', async () => {
  const endless = await other({ operationMs: Infinity })
  const hurried = await ActionTester.start(cloudflare, { options: endless.options, deadlineMs: 300 })
  assert.equal((await hurried.ban('192.0.2.1')).outcome, 'failed')
  const { state, options } = await other()
  const tester = await ActionTester.start(cloudflare, { options })
  state.failing = 'the list is full'
  assert.match((await tester.ban('192.0.2.1')).error.message, /could not change the list: the list is full/)
  process.env.CLOUDFLARE_API_TOKEN = 'bad'
  assert.match((await tester.ban('192.0.2.1')).error.message, /answers 403: Authentication error \(10000\)/)
  process.env.CLOUDFLARE_API_TOKEN = 'good'
  await Promise.all([hurried.stop(), tester.stop()])
})

test('without a token it does not start', async () => {
  delete process.env.CLOUDFLARE_API_TOKEN
  assert.throws(() => cloudflare.start(), /CLOUDFLARE_API_TOKEN is not set/)
  process.env.CLOUDFLARE_API_TOKEN = 'good'
})

test('Retry-After is seconds or a date, and is not believed without end', () => {
  const now = Date.parse('2026-11-22T13:41:02Z')
  for (const [header, ms] of [
    ['7', 7000],
    ['0', 1000],
    ['999999', 600_000],
    ['Sun, 22 Nov 2026 13:42:02 GMT', 60_000],
    ['Sun, 22 Nov 2020 13:42:02 GMT', 1000],
    ['soon', 5000],
    [null, 5000],
  ])
    assert.equal(pauseOf(header, now), ms, String(header))
})

test('package.json says of the options what the plugin says', () => {
  const { bailiff } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
  assert.deepEqual(bailiff.provides[0].options, cloudflare.options)
})
