import { EventEmitter } from 'node:events'
import * as assert from 'uvu/assert'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { parsePrefix } from '../../../core/address.ts'
import { FairShare } from '../../../core/plugin-host/fair-share.ts'
import { FrameWriter } from '../../../core/plugin-host/frames.ts'
import { HostedFirewall } from '../../../core/plugin-host/hosted-firewall.ts'
import type { FromHost, ToHost } from '../../../core/plugin-host/messages.ts'
import type { Firewall } from '../../../core/plugin.ts'
import { suite } from '../../suite.ts'

const test = suite('what a plugin host may take of the agent')

const prefix = parsePrefix('192.0.2.1')
assert.ok(prefix)
const entries = Array.from({ length: 1000 }, () => ({
  prefix,
  ports: { protocol: 'tcp' as const, ports: [22] },
  until: null,
}))
const asked = (question: number, more: boolean): Extract<FromHost, { type: 'firewall' }> => ({
  type: 'firewall',
  question,
  instance: 1,
  more,
  asked: { method: 'add', entries },
})

test('of who may not use the firewall nothing is gathered, however much comes', () => {
  const said: ToHost[] = []
  const firewall = new HostedFirewall((message) => said.push(message))
  const nobody = () => {
    throw new Error('without the capability')
  }
  for (let part = 0; part < 5000; part++) firewall.take(asked(part, true), nobody)
  assert.equal(said, [])
  firewall.take(asked(1, false), nobody)
  assert.equal(said, [{ type: 'firewall-failure', question: 1, message: 'without the capability' }])
})

test('what is gathered for the firewall is bounded over all questions, and free again when it was carried out', async () => {
  const said: ToHost[] = []
  const firewall = new HostedFirewall((message) => said.push(message))
  const of = { add: async () => [] } as unknown as Firewall
  for (let round = 0; round < 3; round++) {
    for (let part = 0; part < 800; part++) firewall.take(asked(round, true), () => of)
    firewall.take(asked(round, false), () => of)
    await new Promise((resolve) => setImmediate(resolve))
    assert.is(said.length, round + 1)
  }
  for (let part = 0; part < 1000; part++) firewall.take(asked(10 + (part % 7), true), () => of)
  assert.throws(() => firewall.take(asked(20, true), () => of), /more than 1000000 entries for the firewall at once/)
})

test('who takes more than its share is read more slowly, and it is told', () => {
  let [now, told] = [0, 0]
  const share = new FairShare({ exceeded: () => told++, now: () => now })
  // A second and a half of each ten: less than its share.
  for (let second = 0; second < 100; second++) {
    now += 1000
    assert.is(share.rest(150), 0)
  }
  assert.is(told, 0)
  let taken = 0
  for (const end = now + 60_000; now < end;) {
    now += 100
    taken += 100
    now += share.rest(100)
  }
  assert.ok(taken < 20_000, `${taken} ms of 60 s`)
  assert.ok(told > 0 && told <= 24, `told ${told} times`)
})

test('a stream that takes too much is paused for that long', () => {
  const stream = Object.assign(new EventEmitter(), { paused: 0, pause: () => stream.paused++, resume() {} })
  let now = 0
  const share = new FairShare({ exceeded() {}, now: () => now })
  share.read(stream as unknown as Readable, (data) => {
    now += data.length
  })
  stream.emit('data', Buffer.alloc(200))
  assert.is(stream.paused, 0)
  stream.emit('data', Buffer.alloc(200))
  assert.is(stream.paused, 1)
})

test('what waits for a host that does not read is known, beside one large answer that it asked for', () => {
  const socket = {
    writable: true,
    writableNeedDrain: false,
    writableLength: 0,
    write: (bytes: Buffer) => (socket.writableLength += bytes.length),
  }
  const writer = new FrameWriter(socket as unknown as Socket)
  writer.send({ type: 'firewall-answer', question: 1, value: 'x'.repeat(100_000) })
  assert.is(writer.unreadBytes, 0)
  for (let ping = 0; ping < 1000; ping++) writer.send({ type: 'ping', ping })
  assert.ok(writer.unreadBytes > 20_000 && writer.unreadBytes < 60_000, String(writer.unreadBytes))
  writer.flush()
  socket.writableLength = 0
  assert.is(writer.unreadBytes, 0)
})

test.run()
