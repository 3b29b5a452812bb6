import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readOptions, registerChecks, sourceChecks, testHost } from 'bailiff/testing'
import source from './redis-stream.mjs'
import { RedisConnection, RedisError, ReplyReader } from './resp.mjs'

// A real server, where there is one (Debian: redis-server), and a client that writes, as a service would. They are there
// before the first test is, since what is to be done after all tests is done when none is left.
const isThere = spawnSync('redis-server', ['--version']).status === 0
const redis = isThere ? await startRedis() : null
const writer = redis && (await RedisConnection.open(new URL(redis.url), new AbortController().signal))
await writer?.call('AUTH', 'secret')
after(() => {
  writer?.close()
  redis?.stop()
})

test('package.json says of the options what the plugin says', () => {
  const { bailiff } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
  assert.deepEqual(bailiff.provides[0].options, source.options)
})

test('a reply is the same, however it comes in pieces', () => {
  const bytes = Buffer.from('*3\r\n$5\r\na\r\nbc\r\n:-7\r\n*2\r\n$-1\r\n+OK\r\n')
  const expected = [Buffer.from('a\r\nbc'), -7, [null, Buffer.from('OK')]]
  for (let cut = 1; cut < bytes.length; cut++) {
    const reader = new ReplyReader()
    assert.equal(reader.read(bytes.subarray(0, cut)), undefined)
    assert.deepEqual(reader.read(bytes.subarray(cut)).value, expected)
  }
  assert.ok(new ReplyReader().read(Buffer.from('-ERR no\r\n')).value instanceof RedisError)
  const large = Buffer.alloc(1_000_000, 'x')
  const reader = new ReplyReader()
  reader.read(Buffer.from(`$${large.length}\r\n`))
  assert.deepEqual(reader.read(Buffer.concat([large, Buffer.from('\r\n')])).value, large)
})

test('what is no reply is refused', () => {
  for (const text of ['HTTP/1.1 400\r\n', ':x\r\n', '$-2\r\n', '*1e999\r\n', '*1\r\n'.repeat(20), 'x'.repeat(70_000)])
    assert.throws(() => new ReplyReader().read(Buffer.from(text)), /no answer of Redis/, text.slice(0, 20))
})

test('a Redis that is not there is an error', async () => {
  const url = `redis://127.0.0.1:${await freePort()}`
  await assert.rejects(bring({ url, stream: 'log' }, '0-0', 'never'), /ECONNREFUSED/)
})

if (redis !== null) {
  process.env.REDIS_PASSWORD = 'secret'
  let unfinished = ''
  const write = async (text) => {
    const lines = (unfinished + text).split('\n')
    unfinished = lines.pop()
    for (const line of lines) await writer.call('XADD', 'log', '*', 'host', 'web1', 'line', line)
  }
  registerChecks(sourceChecks(source, { options: { url: redis.url, stream: 'log' }, write, resumes: true }), test)

  test('entries without the field are passed over, and no entry is more than one line', async () => {
    await writer.call('XADD', 'odd', '1-1', 'other', 'x')
    await writer.call('XADD', 'odd', '1-2', 'line', 'one\nforged\n')
    await writer.call('XADD', 'odd', '2001-0', 'line', 'two')
    const { text, said } = await bring({ url: redis.url, stream: 'odd' }, '0-0', 'two\n')
    assert.equal(text, 'one forged\ntwo\n')
    assert.deepEqual(said, [
      { cursor: '1-2', live: false, writtenAt: 1 },
      { cursor: '2001-0', live: false, writtenAt: 2001 },
    ])
  })

  test('a connection that breaks is an error, and it goes on behind what it has brought', async () => {
    await writer.call('XADD', 'again', '1-1', 'line', 'one')
    const broken = bring({ url: redis.url, stream: 'again' }, '0-0', 'two\n', async () => {
      await writer.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await writer.call('XADD', 'again', '1-2', 'line', 'two')
    })
    await assert.rejects(broken, /Redis closed the connection/)
    assert.equal((await bring({ url: redis.url, stream: 'again' }, '1-1', 'two\n')).text, 'two\n')
  })

  test('what Redis says no to is an error with its words', async () => {
    await writer.call('SET', 'text', 'x')
    await assert.rejects(bring({ url: redis.url, stream: 'text' }, '0-0', 'never'), /WRONGTYPE/)
    process.env.REDIS_PASSWORD = 'wrong'
    await assert.rejects(bring({ url: redis.url, stream: 'log' }, '0-0', 'never'), /WRONGPASS/)
    process.env.REDIS_PASSWORD = 'secret'
  })
} else test('with a real Redis', { skip: 'redis-server is not installed' }, () => {})

/** Runs the source from a cursor until its text ends so; `first` is called when something has come. */
async function bring(given, cursor, until, first = () => {}) {
  const { host, end } = testHost(await readOptions(source.options, given))
  let text = ''
  const said = []
  const done = new AbortController()
  const own = Object.assign(Object.create(host), { cursor: () => said.at(-1)?.cursor ?? cursor, since: () => 0 })
  const running = source.start(async (bytes, from) => {
    const isFirst = text === ''
    text += bytes.toString()
    said.push(from)
    if (isFirst) await first()
    if (text.endsWith(until)) done.abort()
  }, own)
  const failed = await Promise.race([running.then(() => null), once(done.signal, 'abort').then(() => null)]).catch(
    (error) => error,
  )
  end()
  await running.catch(() => {})
  if (failed) throw failed
  return { text, said }
}

async function startRedis() {
  const folder = mkdtempSync(join(tmpdir(), 'redis-stream-test-'))
  const port = await freePort()
  const words = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder, '--requirepass', 'secret']
  const child = spawn('redis-server', words, { stdio: 'ignore' })
  const stop = () => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  const url = `redis://127.0.0.1:${port}`
  for (let i = 0; i < 600; i++) {
    try {
      const connection = await RedisConnection.open(new URL(url), new AbortController().signal)
      connection.close()
      return { url, stop }
    } catch {
      await sleep(100)
    }
  }
  throw new Error('redis-server does not answer')
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}
