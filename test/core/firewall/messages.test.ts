import * as assert from 'uvu/assert'
import fc from 'fast-check'
import {
  decodeReply,
  decodeRequest,
  encode,
  MessageError,
  refusalReasons,
  type Reply,
  type Request,
  type WireEntry,
  type WirePrefix,
} from '../../../core/firewall/messages.ts'
import { suite } from '../../suite.ts'

const test = suite('firewall messages')

const id = fc.nat()
const portList = fc.uniqueArray(fc.integer({ min: 0, max: 65_535 }), { minLength: 1, maxLength: 20 })
const ports = fc.oneof(
  fc.constant(['all', []] as const),
  fc.tuple(
    fc.constantFrom('tcp' as const, 'udp' as const),
    portList.map((list) => list.toSorted((a, b) => a - b)),
  ),
)
const hex = (digits: number) =>
  fc.uint8Array({ minLength: digits / 2, maxLength: digits / 2 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const entry: fc.Arbitrary<WireEntry> = fc.tuple(
  fc.nat(255),
  fc.oneof(hex(8), hex(32)),
  fc.nat(128),
  fc.option(fc.nat(), { nil: null }),
)
const entries = fc.array(entry, { maxLength: 5 })
const more = fc.boolean()

const spared: fc.Arbitrary<WirePrefix> = fc.oneof(fc.tuple(hex(8), fc.nat(32)), fc.tuple(hex(32), fc.nat(128)))

const request: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ type: fc.constant('list' as const), id, known: fc.nat(1000) }),
  fc.record({ type: fc.constantFrom('add' as const, 'load' as const, 'del' as const), id, entries }),
  fc.record({ type: fc.constant('spare' as const), id, prefixes: fc.array(spared, { maxLength: 5 }) }),
  fc.record({ type: fc.constant('sync' as const), id, part: fc.nat(1000), entries, more }),
  fc.record({
    type: fc.constant('declare' as const),
    id,
    ports: fc.array(fc.tuple(fc.nat(255), ports).map(([index, some]) => [index, ...some] as const)),
  }),
)

const reasons = Object.keys(refusalReasons) as (keyof typeof refusalReasons)[]
const reply: fc.Arbitrary<Reply> = fc.oneof(
  fc.record({ type: fc.constant('hello' as const), version: fc.nat(1000), pid: fc.nat(4_000_000) }),
  fc.record({
    type: fc.constant('done' as const),
    id,
    refused: fc.array(fc.tuple(fc.oneof(hex(8), hex(32)), fc.nat(128), fc.constantFrom(...reasons))),
    more,
  }),
  fc.record({ type: fc.constant('listed' as const), id, ports: fc.array(ports, { maxLength: 3 }), entries, more }),
  fc.record({ type: fc.constant('repaired' as const), count: fc.nat() }),
  fc.record({ type: fc.constant('alarm' as const), message: fc.string() }),
  fc.record({
    type: fc.constant('failed' as const),
    id: fc.option(id, { nil: null }),
    code: fc.constantFrom('set-full' as const, 'failed' as const),
    message: fc.string(),
  }),
)

/** With the prototype of objects, which those of fast-check may lack. */
const plain = <Value>(value: Value): Value => structuredClone(value)

test('what is encoded is decoded again, on one line', () => {
  const oneLine = (line: string) => assert.is(line.indexOf('\n'), line.length - 1)
  fc.assert(
    fc.property(request, reply, (asked, answered) => {
      oneLine(encode(asked))
      oneLine(encode(answered))
      assert.equal(decodeRequest(encode(asked)), plain(asked))
      assert.equal(decodeReply(encode(answered)), plain(answered))
    }),
  )
})

test('a line that is no message is refused by name of what is wrong', () => {
  const cases: [line: string, says: RegExp][] = [
    ['', /no JSON/],
    ['[]', /no object/],
    ['null', /no object/],
    ['{"type":"list"}', /id/],
    ['{"type":"list","id":-1}', /id/],
    ['{"type":"list","id":1.5}', /id/],
    ['{"type":"list","id":1,"known":0,"table":"filter"}', /unknown key/],
    ['{"type":"flush","id":1}', /type/],
    ['{"type":"add","id":1}', /entries/],
    ['{"type":"add","id":1,"entries":[[0,"c0000201",32]]}', /list of 4/],
    ['{"type":"add","id":1,"entries":[["all_v4","c0000201",32,60]]}', /index/],
    ['{"type":"add","id":1,"entries":[[0,"C0000201",32,60]]}', /hexadecimal/],
    ['{"type":"add","id":1,"entries":[[0,"c000020",32,60]]}', /hexadecimal/],
    ['{"type":"add","id":1,"entries":[[0,"192.0.2.1",32,60]]}', /hexadecimal/],
    ['{"type":"add","id":1,"entries":[[0,"c0000201",32,"60"]]}', /seconds/],
    ['{"type":"add","id":1,"entries":[[1024,"c0000201",32,60]]}', /index/],
    ['{"type":"sync","id":1,"part":0,"entries":[]}', /more/],
    ['{"type":"sync","id":1,"entries":[],"more":false}', /part/],
    ['{"type":"declare","id":1,"ports":[[0,"tcp",[]]]}', /exactly for tcp and udp/],
    ['{"type":"declare","id":1,"ports":[[0,"all",[22]]]}', /exactly for tcp and udp/],
    ['{"type":"declare","id":1,"ports":[[0,"tcp",[80,22]]]}', /ascend/],
    ['{"type":"declare","id":1,"ports":[[0,"tcp",[22,22]]]}', /ascend/],
    ['{"type":"declare","id":1,"ports":[[0,"tcp",[65536]]]}', /port/],
    ['{"type":"declare","id":1,"ports":[[0,"icmp",[1]]]}', /protocol/],
  ]
  for (const [line, says] of cases) {
    assert.throws(
      () => decodeRequest(line),
      (error: Error) => error instanceof MessageError && says.test(error.message),
      line,
    )
  }
})

test('no text makes the decoders throw anything but their error', () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.jsonValue().map((value) => JSON.stringify(value)),
  )
  const decodes = (decode: (line: string) => unknown, line: string) => {
    try {
      decode(line)
    } catch (error) {
      assert.instance(error, MessageError)
    }
  }
  fc.assert(
    fc.property(text, (line) => {
      decodes(decodeRequest, line)
      decodes(decodeReply, line)
    }),
    { numRuns: 2000 },
  )
  decodes(decodeRequest, '['.repeat(1_000_000))
  decodes(decodeRequest, `{"__proto__":${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}}`)
})

test.run()
