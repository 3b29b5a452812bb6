import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type {
  AllowRequest,
  BanReport,
  BanRequest,
  Control,
  JailAnswer,
  JailReport,
  UnbanRequest,
} from '../../../core/control/api.ts'
import { connectControl } from '../../../core/control/client.ts'
import { startControl } from '../../../core/control/server.ts'
import { parsePrefix } from '../../../core/address.ts'
import { BailiffError } from '../../../core/errors.ts'
import { rejects, suite } from '../../suite.ts'

const test = suite('control')
const folder = mkdtempSync(join(tmpdir(), 'bailiff-control-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const socket = join(folder, 'private', 'control.sock')

const asked: (BanRequest | UnbanRequest)[] = []
const allowed: AllowRequest[] = []
const control: Control = {
  status: () => ({ version: '1' }) as ReturnType<Control['status']>,
  jail: (name): JailAnswer => {
    if (name === 'empty') return { ...({} as JailAnswer), jail: name, bans: [] }
    if (name !== 'sshd & co') throw new BailiffError('no-input', `no jail ${name}`, { hint: 'there is sshd & co' })
    return { ...({} as JailAnswer), jail: name, bans: bansOf(3) }
  },
  explain: async (prefix) => ({ prefix }) as Awaited<ReturnType<Control['explain']>>,
  ban: async (given) => (asked.push(given), { results: [] }),
  unban: async (given) => (asked.push(given), { ended: [], absent: [], listed: [], lists: [] }),
  pause: async () => ({ pausedSince: 1, bans: 2, failure: null }),
  resume: async () => ({ pausedSince: null, bans: 2, failure: null }),
  reload: async () => {
    throw new Error('a secret detail')
  },
  address: (prefix) => ({ prefix, bans: [], spared: null, failures: [] }),
  allows: () => [],
  allow: async (given) => (allowed.push(given), { allowed: [], ended: [] }),
  disallow: async (subjects) => ({ ended: [...subjects], absent: [] }),
  lists: () => [],
  swapList: async (name, text, lengthMs) => {
    if (name === 'bad') throw new BailiffError('data', 'a bad list')
    let length = 0
    for await (const part of text) length += part.length
    return {
      name,
      since: 1,
      until: lengthMs,
      lines: length,
      entries: 0,
      added: 0,
      gone: 0,
      leftOut: 0,
      example: null,
      pending: null,
      working: false,
    }
  },
  unlist: async (name) => ({ ended: [{ name, entries: 1 }], pending: null }),
  words: () => ({ jails: ['a'], lists: [], allowed: [], banned: [] }),
  metrics: () => 'bailiff_info 1\n',
}
const server = await startControl(socket, control)
const client = connectControl([join(folder, 'nobody.sock'), socket])

test('answers, on the first socket where somebody does', async () => {
  assert.equal(await client.status(), { version: '1' } as never)
  const { jail, bans } = await client.jail('sshd & co')
  assert.equal([jail, bans.map(({ count }) => count)], ['sshd & co', [0, 1, 2]])
})

test('a million bans would come line by line, and nothing in them harms a terminal', async () => {
  const lines: string[] = []
  for await (const line of client.jailLines('sshd & co')) lines.push(line)
  assert.is(lines.length, 5)
  assert.is(lines.at(-1), ']}')
  const report = JSON.parse(lines.join('\n')) as JailReport
  assert.equal(
    report.bans.map(({ count }) => count),
    [0, 1, 2],
  )
  assert.not.match(lines.join(''), /\p{Cc}/u)
  assert.match(lines[1] ?? '', '\\u009b')
})

test('a jail without bans has the same first and last line', async () => {
  const lines: string[] = []
  for await (const line of client.jailLines('empty')) lines.push(line)
  assert.equal(lines, ['{"jail":"empty","bans":[', ']}'])
})

test('lists of any length are sent as text, and a refusal comes also while they are sent', async () => {
  const part = `${'192.0.2.1\n'.repeat(100_000)}`
  const answer = await client.swapList('a b/c', [part, part], 5000)
  assert.equal([answer.name, answer.lines, answer.until], ['a b/c', 2_000_000, 5000])
  await rejects(client.swapList('bad', [part, part], null), 'a bad list')
  assert.equal((await client.unlist('x y')).ended, [{ name: 'x y', entries: 1 }])
})

test('who is to be allowed is an address or a name', async () => {
  await client.allow({ subjects: ['2001:DB8:0::1', 'Home.Example.NET.'], lengthMs: 1000 })
  assert.equal(allowed, [{ subjects: ['2001:db8::1', 'home.example.net'], lengthMs: 1000 }])
  for (const subject of ['', 'a b', '1.2.3', '-x'])
    await rejects(client.allow({ subjects: [subject], lengthMs: null }), 'neither an IP address')
  assert.is((await post('/v1/allow', '{"subjects":["192.0.2.1"]}')).status, 400)
  assert.is(await client.metrics(), 'bailiff_info 1\n')
})

test('explain takes addresses and prefixes, and nothing else', async () => {
  for (const text of ['192.0.2.7', '198.51.100.0/24', '2001:db8::/64']) {
    const prefix = parsePrefix(text)
    assert.is((await client.explain(prefix!)).prefix, prefix)
  }
  await rejects(client.explain('none' as never), '"none" is no IP address or prefix')
})

test('pause and resume', async () => {
  assert.equal(await client.pause(), { pausedSince: 1, bans: 2, failure: null })
  assert.equal(await client.resume(), { pausedSince: null, bans: 2, failure: null })
})

test('folder and socket are private', () => {
  assert.is(statSync(join(folder, 'private')).mode & 0o777, 0o700)
  assert.is(statSync(socket).mode & 0o777, 0o600)
})

test('a refusal comes with its kind and next step, an error of the agent without its details', async () => {
  const refusal = await client.jail('nginx').catch((error: unknown) => error)
  assert.instance(refusal, BailiffError)
  assert.equal([(refusal as BailiffError).kind, (refusal as BailiffError).hint], ['no-input', 'there is sshd & co'])
  const failure = await client.reload().catch((error: unknown) => error)
  assert.is((failure as BailiffError).kind, 'software')
  assert.not.match((failure as BailiffError).message, 'secret')
})

test('addresses arrive in their canonical form, and what is none is refused', async () => {
  asked.length = 0
  await post('/v1/ban', '{"prefixes":["2001:DB8:0::1","192.0.2.9/24"],"lengthMs":null}')
  assert.equal(asked, [{ prefixes: [parsePrefix('2001:db8::1')!, parsePrefix('192.0.2.0/24')!], lengthMs: null }])
  const bad = [
    '{}',
    '{"prefixes":[]}',
    '{"prefixes":["010.1.1.1"]}',
    '{"prefixes":["192.0.2.1"],"until":1}',
    '[1',
    '"all"',
    '{"prefixes":["192.0.2.1"],"lengthMs":-1}',
  ]
  for (const body of bad) assert.is((await post('/v1/ban', body)).status, 400, body)
  assert.is((await post('/v1/unban', '{"prefixes":"some"}')).status, 400)
  assert.is((await post('/v1/unban', '{"prefixes":"all"}')).status, 200)
  assert.is(asked.length, 2)
})

test('what is unknown or too long is refused', async () => {
  assert.is((await post('/v1/shutdown', '{}')).status, 404)
  assert.is((await post('/v1/jails/%E0%A4%A', '{}', 'GET')).status, 400)
  assert.is((await post('/v1/ban', `{"prefixes":["${'1'.repeat(300_000)}"]}`)).status, 400)
})

test('a second agent on the same socket is refused, a socket left behind is not in the way', async () => {
  const problem = await startControl(socket, control).catch((error: unknown) => error)
  assert.match((problem as Error).message, 'running already')
  const left = join(folder, 'left.sock')
  await new Promise<void>((resolve) => {
    const dead = createServer().listen(left, () => {
      // Closing removes the file; a process that is killed leaves it.
      dead.close(() => resolve())
      writeFileSync(`${left}.x`, '')
    })
  })
  const again = await startControl(left, control)
  await again.stop()
})

test('a file in the place of the socket stays', async () => {
  const file = join(folder, 'precious.txt')
  writeFileSync(file, 'precious')
  const problem = await startControl(file, control).catch((error: unknown) => error)
  assert.match((problem as Error).message, 'something else')
  assert.is(readFileSync(file, 'utf8'), 'precious')
})

test('a path too long for a socket says so', async () => {
  const problem = await startControl(join(folder, 'x'.repeat(120)), control).catch((error: unknown) => error)
  assert.match((problem as Error).message, 'bytes')
})

test('nobody there is an error with the next step', async () => {
  const problem = await connectControl([join(folder, 'nobody.sock')])
    .status()
    .catch((error: unknown) => error)
  assert.is((problem as BailiffError).kind, 'unavailable')
  assert.match((problem as BailiffError).hint ?? '', 'bailiff run')
})

test.after(() => server.stop())
test.run()

function* bansOf(count: number): Generator<BanReport> {
  for (let each = 0; each < count; each++)
    yield { ...({} as BanReport), count: each, lines: ['\u009b2J \u0007'], enforced: true, observed: false }
}

function post(path: string, body: string, method = 'POST'): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sending = request({ socketPath: socket, path, method }, (response) => {
      let text = ''
      response.on('data', (part) => (text += part))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sending.on('error', reject)
    sending.end(method === 'GET' ? undefined : body)
  })
}
