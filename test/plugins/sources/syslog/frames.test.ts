import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { Frames, maxMessageBytes } from '../../../../plugins/sources/syslog/frames.ts'
import { suite } from '../../../suite.ts'

const test = suite('frames of a syslog stream')

const message = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }).map((text) => Buffer.from(`<34>${text}`))
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 })

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const frames = new Frames()
  const found: Buffer[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] ?? 1
    const piece = Buffer.from(bytes.subarray(at, at + length))
    found.push(...frames.push(piece).map((each) => Buffer.from(each)))
    piece.fill(0)
    at += length
  }
  return [...found, ...frames.end()]
}

test('counted messages may hold anything, however the bytes are cut', () =>
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), cuts, fc.constantFrom('', '\n'), (messages, lengths, between) => {
      const stream = messages.flatMap((each) => [Buffer.from(`${each.length} `), each, Buffer.from(between)])
      assert.equal(cut(Buffer.concat(stream), lengths), messages)
    }),
  ))

test('messages that end with newlines, however the bytes are cut, the last one without', () =>
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), cuts, fc.boolean(), (messages, lengths, ended) => {
      const lines = messages.map((each) => Buffer.from(each.filter((byte) => byte !== 10)))
      const stream = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]))
      assert.equal(cut(ended ? stream : stream.subarray(0, -1), lengths), lines)
    }),
  ))

test('once lines end with newlines, no number is taken for a count', () => {
  const frames = new Frames()
  assert.equal(frames.push(Buffer.from('<34>a\n99 b\n')).map(String), ['<34>a', '99 b'])
})

test('what is too long is passed over, and what comes next is not', () => {
  const long = Buffer.alloc(maxMessageBytes + 1, 0x78)
  const counted = new Frames()
  assert.equal(counted.push(Buffer.concat([Buffer.from(`${long.length} `), long, Buffer.from('3 abc')])).map(String), [
    'abc',
  ])
  assert.is(counted.tooLong, 1)
  const lines = new Frames()
  for (let i = 0; i < 40; i++) assert.equal(lines.push(Buffer.alloc(10_000, 0x78)), [])
  assert.equal(lines.push(Buffer.from('x\nabc\n')).map(String), ['abc'])
  assert.is(lines.tooLong, 1)
})

test('a stream without framing is refused, and holds nothing', () => {
  for (const text of ['5 abcdexyz', '12345678901', '5 abcde<34>', '5x'])
    assert.throws(() => new Frames().push(Buffer.from(text)), /no length stands/, text)
})

test('it is known whether a message has begun', () => {
  const cases: [text: string, unfinished: boolean][] = [
    ['', false],
    ['<34>a\n', false],
    ['<34>a\n<', true],
    ['3 abc', false],
    ['3 abc4', true],
    ['3 ab', true],
    ['90000 ab', true],
  ]
  for (const [text, unfinished] of cases) {
    const frames = new Frames()
    frames.push(Buffer.from(text))
    assert.is(frames.unfinished, unfinished, text)
  }
})

test.run()
