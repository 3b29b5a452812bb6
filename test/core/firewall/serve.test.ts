import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { readLines } from '../../../core/firewall/frames.ts'
import {
  decodeReply,
  decodeRequest,
  encode,
  maxFrameBytes,
  type Reply,
  type Request,
} from '../../../core/firewall/messages.ts'
import { suite } from '../../suite.ts'
import { elementsOf, makeNamespace, type Namespace } from './namespace.ts'

const test = suite('firewall helper', 'root', 'nft', 'ip')
const main = fileURLToPath(new URL('../../../core/firewall/main.js', import.meta.url))

let space: Namespace
let child: ChildProcess
let connection: Duplex
let replies: AsyncGenerator<string, void>

test.before(() => {
  space = makeNamespace()
})
test.before.each(async () => {
  space.run('nft', 'flush', 'ruleset')
  const words = [...space.inside, process.execPath, '--jitless', main]
  child = spawn(words[0] ?? '', words.slice(1), { stdio: ['ignore', 'ignore', 'ignore', 'pipe'], env: {} })
  connection = child.stdio[3] as Duplex
  replies = readLines(connection)
  assert.is((await reply()).type, 'hello')
})
test.after.each(() => {
  child.kill('SIGKILL')
})
test.after(() => space.remove())

async function reply(): Promise<Reply> {
  const next = await replies.next()
  return next.done === true ? { type: 'failed', id: null, code: 'failed', message: 'ended' } : decodeReply(next.value)
}

async function ask(request: Request): Promise<Reply> {
  connection.write(encode(request))
  return reply()
}

const declare = () => ask({ type: 'declare', id: 1, ports: [[0, 'all', []]] })
const done = (id: number, refused: Extract<Reply, { type: 'done' }>['refused'] = []): Reply => {
  return { type: 'done', id, refused, more: false }
}

test('it answers each request with its number, and says why it refuses an entry', async () => {
  assert.equal(await declare(), done(1))
  const entries = [
    [0, 'c6336401', 32, 60],
    [0, '7f000001', 32, 60],
    [0, 'c6336401', 24, 60],
    [1, 'c6336402', 32, 60],
    [0, 'c6336403', 32, 0],
    [0, '08000000', 7, 60],
    [0, 'c6336404', 32, null],
  ] as const
  const refused = [
    ['7f000001', 32, 'special'],
    ['c6336401', 24, 'host-bits'],
    ['c6336402', 32, 'undeclared'],
    ['c6336403', 32, 'time'],
    ['08000000', 7, 'wide'],
  ] as const
  assert.equal(await ask({ type: 'add', id: 7, entries }), done(7, refused))
  assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.1', '198.51.100.4'])
})

test('an index stands for the same ports for ever', async () => {
  await declare()
  const again = await ask({ type: 'declare', id: 2, ports: [[0, 'tcp', [22]]] })
  assert.is(again.type === 'failed' ? again.code : again.type, 'bad-message')
  assert.not.match(space.run('nft', 'list', 'ruleset'), 'tcp_22')
  assert.equal(await declare(), done(1))
})

test('a sync counts only when all its parts came', async () => {
  await declare()
  await ask({ type: 'add', id: 2, entries: [[0, 'c6336409', 32, 60]] })
  const part = (id: number, number: number, address: string, more: boolean): Request => {
    return { type: 'sync', id, part: number, entries: [[0, address, 32, 60]], more }
  }
  // The second part is missing.
  connection.write(encode(part(3, 0, 'c6336401', true)))
  assert.is((await ask(part(3, 2, 'c6336402', false))).type, 'failed')
  // A line between the parts cannot be read.
  connection.write(encode(part(4, 0, 'c6336401', true)))
  connection.write('garbage\n')
  assert.is((await reply()).type, 'failed')
  assert.is((await ask(part(4, 1, 'c6336402', false))).type, 'failed')
  // Another request comes between them.
  connection.write(encode(part(5, 0, 'c6336401', true)))
  assert.is((await ask({ type: 'del', id: 6, entries: [] })).type, 'done')
  assert.is((await ask(part(5, 1, 'c6336402', false))).type, 'failed')
  assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.9'])
  connection.write(encode(part(7, 0, 'c6336401', true)))
  assert.equal(await ask(part(7, 1, 'c6336402', false)), done(7))
  assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.1', '198.51.100.2'])
})

test('too many new bans are to be tried again, but a sync may have as many', async () => {
  await declare()
  const entries = (from: number) =>
    Array.from({ length: 10_000 }, (_, i) => [0, (from + i).toString(16).padStart(8, '0'), 32, 600] as const)
  // Loopback is refused, so the kernel does not slow this down; asking counts all the same.
  let asked = 0
  let last: Reply = done(0)
  for (; asked < 100 && last.type === 'done'; asked++) {
    last = await ask({ type: 'add', id: asked, entries: entries(0x7f000000) })
  }
  assert.is(last.type === 'failed' ? last.code : last.type, 'busy')
  // Ten thousand at once are taken by a helper that has just begun.
  assert.ok(asked > 1, `${asked}`)
  const sync: Request = { type: 'sync', id: 999, part: 0, entries: entries(0xc6330000), more: false }
  assert.equal(await ask(sync), done(999))
  assert.is(elementsOf(space, 'all_v4').length, 10_000)
})

test('no row of requests bans a quarter of the world', async () => {
  await declare()
  const sync: Request = { type: 'sync', id: 1, part: 0, entries: [], more: false }
  assert.equal(
    await ask({ type: 'add', id: 1, entries: [[0, '09000000', 8, 600]] }),
    done(1, [['09000000', 8, 'unsynced']]),
  )
  assert.equal(await ask(sync), done(1))
  const eighth = (n: number) => [0, `${n.toString(16).padStart(2, '0')}000000`, 8, 600] as const
  const some = (from: number, count: number) => Array.from({ length: count }, (_, i) => eighth(from + i))
  // 10.0.0.0/8 may hold an address of this machine.
  assert.equal(await ask({ type: 'add', id: 2, entries: some(11, 40) }), done(2))
  assert.equal(
    await ask({ type: 'add', id: 3, entries: some(51, 26) }),
    done(3, [
      ['4b000000', 8, 'broad'],
      ['4c000000', 8, 'broad'],
    ]),
  )
  assert.equal(await ask({ type: 'del', id: 4, entries: some(11, 2) }), done(4))
  assert.equal(await ask({ type: 'add', id: 5, entries: some(75, 3) }), done(5, [['4d000000', 8, 'broad']]))
  assert.equal(
    await ask({ type: 'sync', id: 6, part: 0, entries: some(11, 65), more: false }),
    done(6, [['4b000000', 8, 'broad']]),
  )
})

test('a line that is too long ends the connection and the helper, and changes nothing', async () => {
  await declare()
  await ask({ type: 'add', id: 2, entries: [[0, 'c6336401', 32, 60]] })
  const ended = once(child, 'close')
  connection.on('error', () => {})
  connection.write('x'.repeat(maxFrameBytes + 1))
  const last = await reply()
  assert.is(last.type === 'failed' ? last.code : last.type, 'bad-message')
  assert.equal(await ended, [0, null])
  assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.1'])
})

test('it ends with the connection and not by a signal that ends the agent', async () => {
  await declare()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) child.kill(signal)
  assert.equal(await declare(), done(1))
  const ended = once(child, 'close')
  connection.end()
  assert.equal(await ended, [0, null])
})

test('started by hand it says how it is started', async () => {
  const alone = spawn(process.execPath, [main], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  alone.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()))
  assert.equal(await once(alone, 'close'), [64, null])
  assert.is(said, 'bailiff-firewall is started by bailiff, with a socket as descriptor 3\n')
})

test('100 000 random frames: each is answered, none changes anything', async () => {
  await declare()
  await ask({ type: 'add', id: 2, entries: [[0, 'c6336401', 32, null]] })
  space.run('nft', 'add', 'table', 'inet', 'other')
  const before = space.run('nft', 'list', 'ruleset')
  const frames = randomFrames(100_000)
  let written = 0
  const writing = (async () => {
    for (const frame of frames) {
      written++
      if (!connection.write(frame)) await once(connection, 'drain')
    }
  })()
  for (let answered = 0; answered < frames.length; answered++) {
    const answer = await reply()
    if (answer.type !== 'failed' || answer.code !== 'bad-message') assert.unreachable(JSON.stringify(answer))
  }
  await writing
  assert.is(written, 100_000)
  assert.is(space.run('nft', 'list', 'ruleset'), before)
  assert.equal(await declare(), done(1))
})

test('valid messages of any content: each is answered, and only the own table changes', async () => {
  space.run('nft', 'add', 'table', 'inet', 'other')
  space.run('nft', 'add', 'set', 'inet', 'other', 'all_v4', '{ type ipv4_addr; }')
  space.run('nft', 'add', 'element', 'inet', 'other', 'all_v4', '{ 198.51.100.1 }')
  const others = () => space.run('nft', 'list', 'table', 'inet', 'other')
  const before = others()
  for (const [place, request] of fc.sample(anyRequest, 400).entries()) {
    connection.write(encode(request))
    // Only the last part of a sync is answered, unless it is wrong; a list tells that all before it was.
    const last = 1_000_000 + place
    connection.write(encode({ type: 'list', id: last, known: 0 }))
    const answered = new Set<number | null>()
    for (let next = await reply(); !isEnd(next, last); next = await reply()) if ('id' in next) answered.add(next.id)
    assert.ok(answered.has(request.id) || (request.type === 'sync' && request.more), JSON.stringify(request))
  }
  assert.is(others(), before)
  assert.equal(space.run('nft', 'list', 'tables').trim().split('\n').toSorted(), [
    'table inet bailiff',
    'table inet other',
  ])
  assert.is(child.exitCode, null)
})

test.run()

const isEnd = (answer: Reply, id: number) => answer.type === 'listed' && answer.id === id && !answer.more

const anyPorts = fc.oneof(
  fc.constant(['all', []] as const),
  fc.uniqueArray(fc.integer({ min: 0, max: 65_535 }), { minLength: 1, maxLength: 30 }).map((list) => {
    return ['tcp', list.toSorted((a, b) => a - b)] as const
  }),
)
const anyEntry = fc.tuple(
  fc.nat(5),
  fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    fc.uint8Array({ minLength: 2, maxLength: 2 }).map((bytes) => `${Buffer.from(bytes).toString('hex')}0000`),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    fc
      .uint8Array({ minLength: 4, maxLength: 4 })
      .map((bytes) => `2001${Buffer.from(bytes).toString('hex')}${'0'.repeat(20)}`),
  ),
  fc.constantFrom(16, 24, 32, 48, 64, 128),
  fc.option(fc.nat(5000)),
)
const anyEntries = fc.array(anyEntry, { maxLength: 30 })
const anyRequest: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ type: fc.constant('list' as const), id: fc.nat(), known: fc.nat(1000) }),
  fc.record({ type: fc.constantFrom('add' as const, 'del' as const), id: fc.nat(), entries: anyEntries }),
  fc.record({
    type: fc.constant('sync' as const),
    id: fc.nat(3),
    part: fc.nat(1),
    entries: anyEntries,
    more: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('declare' as const),
    id: fc.nat(),
    ports: fc.array(
      fc.tuple(fc.nat(5), anyPorts).map(([index, some]) => [index, ...some] as const),
      { maxLength: 3 },
    ),
  }),
)

/** Lines that are no messages: random bytes, random JSON, and messages with something wrong in them. */
function randomFrames(count: number): Buffer[] {
  const base = [
    '{"type":"add","id":3,"entries":[[0,"c6336402",32,60]]}',
    '{"type":"del","id":3,"entries":[[0,"c6336401",32,60]]}',
    '{"type":"sync","id":3,"part":0,"entries":[],"more":false}',
    '{"type":"declare","id":3,"ports":[[1,"tcp",[22]]]}',
    '{"type":"list","id":3}',
  ]
  const broken = fc
    .tuple(fc.constantFrom(...base), fc.nat(60), fc.nat(3), fc.string({ maxLength: 6 }))
    .map(([text, at, cut, insert]) => Buffer.from(text.slice(0, at) + insert + text.slice(at + cut)))
  const bytes = fc.uint8Array({ maxLength: 60 }).map((random) => Buffer.from(random))
  const json = fc.json({ maxDepth: 3 }).map((text) => Buffer.from(text))
  const bare = fc.oneof(broken, bytes, json).filter((line) => !line.includes(10) && !isRequest(line))
  return fc.sample(bare, count).map((line) => Buffer.concat([line, Buffer.from('\n')]))
}

function isRequest(line: Buffer): boolean {
  try {
    decodeRequest(line.toString('utf8'))
    return true
  } catch {
    return false
  }
}
