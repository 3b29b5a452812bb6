import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as assert from 'uvu/assert'
import { withDeadline } from '../../../core/enforcing/deadline.ts'
import type { NotifierPlugin } from '../../../core/plugin.ts'
import webhook from '../../../plugins/notifiers/webhook.ts'
import { testHost } from '../../../core/testing/test-host.ts'
import { everyEvent } from '../../../core/testing/sample-bans.ts'
import { notifierChecks } from '../../../core/testing/notifier-checks.ts'
import { optionIssues } from '../../../core/testing/option-checks.ts'
import { keepsContract, rejects, suite } from '../../suite.ts'

const plugin = webhook as NotifierPlugin
const received: { url: string; method: string; token: string; body: string }[] = []
const server = createServer((request, response) => {
  let body = ''
  request.on('data', (part) => (body += part))
  request.on('end', () => {
    received.push({
      url: request.url ?? '',
      method: request.method ?? '',
      token: String(request.headers['x-token']),
      body,
    })
    if (request.url === '/silent') return
    response.writeHead(request.url === '/broken' ? 500 : request.url === '/elsewhere' ? 302 : 204, {
      location: '/hook',
    })
    response.end()
  })
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
server.unref()
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const options = { url: `${base}/hook`, method: 'POST', headers: { 'x-token': 't' }, events: ['ban', 'unban', 'alarm'] }
const ban = everyEvent[1]!

keepsContract(
  'notifier webhook',
  notifierChecks(plugin, {
    options,
    host: testHost(options).host,
    told: async () => received.map(({ body }) => body).join('\n'),
  }),
)

const test = suite('notifier webhook')

test('an event is sent as JSON, with the headers, and only of the types asked for', async () => {
  received.length = 0
  for (const event of everyEvent) await plugin.notify(event, testHost({ ...options, events: ['alarm'] }).host)
  assert.equal(
    received.map(({ url, method, token }) => [url, method, token]),
    [['/hook', 'POST', 't']],
  )
  assert.equal(
    JSON.parse(received[0]?.body ?? ''),
    everyEvent.find(({ type }) => type === 'alarm'),
  )
})

test('another answer than success, a redirect, silence and a refused connection are failures', async () => {
  for (const [path, message] of [
    ['/broken', 'answered 500'],
    ['/elsewhere', 'fetch failed'],
  ] as const) {
    await rejects(plugin.notify(ban, testHost({ ...options, url: base + path }).host), message)
  }
  const silent = testHost({ ...options, url: `${base}/silent` }).host
  await rejects(
    withDeadline(silent, 300, async () => plugin.notify(ban, silent)),
    'did not answer within',
  )
  await rejects(plugin.notify(ban, testHost({ ...options, url: 'http://127.0.0.1:1/' }).host), 'fetch failed')
})

test('only the web is an address', async () => {
  for (const url of ['file:///etc/passwd', 'ftp://example.org/', 'example.org', '']) {
    assert.ok((await optionIssues(plugin.options, { ...options, url })).length > 0, url)
  }
})

test.after(() => server.closeAllConnections())
test.run()
