import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { checkedMessage, checkedQuestion } from '../../../core/plugin-host/checked-messages.ts'
import { NotAllowed } from '../../../core/plugin-host/fields.ts'
import { FrameReader, frameOf } from '../../../core/plugin-host/frames.ts'
import { suite } from '../../suite.ts'

const test = suite('frames of plugin hosts')
const message = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)))

test('frames come as they were sent, however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(message, fc.uint8Array())), fc.array(fc.nat(50)), (sent, cuts) => {
      const stream = Buffer.concat(sent.map(([each, bytes]) => frameOf(each, bytes)))
      const reader = new FrameReader(1 << 20)
      const got: string[] = []
      let at = 0
      for (const cut of [...cuts, stream.length]) {
        for (const frame of reader.take(stream.subarray(at, at + cut)))
          got.push(JSON.stringify([frame.message, [...frame.bytes]]))
        at = Math.min(stream.length, at + cut)
      }
      assert.equal(
        got,
        sent.map(([each, bytes]) => JSON.stringify([each, [...bytes]])),
      )
    }),
    { numRuns: 500 },
  )
})

test('any bytes are frames or an error, and nothing is kept of what is too long', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        for (const { message: given } of new FrameReader(100).take(Buffer.from(bytes))) assert.is.not(given, undefined)
      } catch (error) {
        assert.instance(error, Error)
      }
    }),
    { numRuns: 2000 },
  )
  assert.throws(() => [...new FrameReader(100).take(Buffer.from([255, 255, 255, 255, 1, 0, 0, 0]))], /100 are allowed/)
})

test('any JSON is a known message or refused, and leaves no trace', () => {
  const types = ['answer', 'failure', 'log', 'emit', 'firewall', 'denied', 'cursor', 'follow-matching', 'fault']
  const made = fc
    .record({ type: fc.constantFrom(...types), ask: fc.constantFrom(...types) })
    .chain((type) =>
      fc
        .dictionary(
          fc.constantFrom('call', 'instance', 'fields', 'failure', 'asked', 'log', '__proto__'),
          fc.jsonValue(),
        )
        .map((rest) => ({ ...rest, ...type })),
    )
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), made), (given) => {
      for (const check of [checkedMessage, checkedQuestion])
        try {
          check(JSON.parse(JSON.stringify(given)))
        } catch (error) {
          assert.instance(error, NotAllowed, String(error))
        }
      assert.equal(Object.keys(Object.prototype), [])
    }),
    { numRuns: 2000 },
  )
})

test.run()
