import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { after, test } from 'node:test'
import { everyEvent, hostileEvents, notifierChecks, readOptions, registerChecks, testHost } from 'bailiff/testing'
import ntfy from './ntfy.mjs'

/** As ntfy takes messages: JSON with a topic, at the root; another token than the right one is refused. */
const taken = []
const server = createServer(async (request, response) => {
  let body = ''
  for await (const part of request) body += part
  const { authorization } = request.headers
  const status = authorization !== undefined && authorization !== 'Bearer good' ? 401 : request.url === '/' ? 200 : 404
  if (status === 200) taken.push(JSON.parse(body))
  response.writeHead(status).end('{}')
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
after(() => {
  server.closeAllConnections()
  server.close()
})
const given = { server: `http://127.0.0.1:${server.address().port}`, topic: 'bans-of-web1' }
const tell = async (event, more = {}) => {
  const { host, end } = testHost(await readOptions(ntfy.options, { ...given, ...more }))
  taken.length = 0
  await ntfy.notify(event, host)
  end()
  return taken
}

registerChecks(notifierChecks(ntfy, { options: given, told: () => JSON.stringify(taken) }), test)

test('a ban says who and for how long; an alarm is urgent; what is not asked for is not told', async () => {
  const of = (type) => everyEvent.find((event) => event.type === type)
  const [ban] = await tell(of('ban'))
  assert.deepEqual([ban.topic, ban.title, ban.priority], ['bans-of-web1', '192.0.2.7 is banned', 3])
  assert.match(ban.message, /^sshd: \d+ failures; until \d{4}-/)
  assert.equal((await tell(of('alarm')))[0].priority, 4)
  assert.deepEqual(await tell(of('unban')), [])
  assert.equal((await tell(of('unban'), { events: ['unban'] }))[0].title, '192.0.2.7 is let in again')
})

test('a message stays a message, whatever stands in an event and however long it is', async () => {
  for (const event of hostileEvents) {
    const [message] = await tell(event, { events: [event.type], lines: true })
    assert.deepEqual(Object.keys(message), ['topic', 'title', 'message', 'priority', 'tags'])
    assert.ok(Buffer.byteLength(message.message) <= 4096)
  }
  const [long] = await tell({ type: 'alarm', time: 0, subject: 'x', message: 'é'.repeat(9000) })
  assert.ok(Buffer.byteLength(long.message) <= 4096 && /^é+…$/.test(long.message))
})

test('the token is sent where there is one, and a refusal is a failure', async () => {
  const alarm = everyEvent.find(({ type }) => type === 'alarm')
  process.env.NTFY_TOKEN = 'good'
  assert.equal((await tell(alarm)).length, 1)
  process.env.NTFY_TOKEN = 'bad'
  await assert.rejects(tell(alarm), /answers 401/)
  delete process.env.NTFY_TOKEN
})

test('package.json says of the options what the plugin says', () => {
  const { bailiff } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
  assert.deepEqual(bailiff.provides[0].options, ntfy.options)
})
