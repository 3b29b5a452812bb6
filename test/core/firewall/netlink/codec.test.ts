import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { readExpressions, writeExpressions, type Expression } from '../../../../core/firewall/netlink/expressions.ts'
import {
  attributesOf,
  items,
  largeNumber,
  MalformedError,
  nest,
  nftablesMessage,
  number,
  readAddresses,
  readMessages,
  text,
  verdictOf,
  type InMessage,
} from '../../../../core/firewall/netlink/messages-in.ts'
import { MessageWriter } from '../../../../core/firewall/netlink/messages-out.ts'
import { suite } from '../../../suite.ts'

const test = suite('netlink codec')

const header = { type: 0x0a0c, flags: 5, sequence: 0xfffffffe, family: 1 }

function written(write: (out: MessageWriter) => void): InMessage {
  const out = new MessageWriter()
  out.begin(header)
  write(out)
  out.end()
  const [message] = readMessages(Buffer.concat(out.pieces()))
  if (message === undefined) throw new Error('there is no message')
  return message
}

test('what is written is read again', () => {
  const word = fc.stringMatching(/^[a-z_0-9%]{0,40}$/)
  const size = fc.nat({ max: 0xffffffff })
  const large = fc.nat({ max: Number.MAX_SAFE_INTEGER })
  const bytes = fc.uint8Array({ maxLength: 70 })
  fc.assert(
    fc.property(word, size, large, bytes, (name, small, big, some) => {
      const message = written((out) => {
        out.text(1, name)
        out.nest(2, () => {
          out.number(3, small)
          out.nest(4, () => out.largeNumber(5, big))
        })
        out.bytes(6, some)
      })
      const attributes = attributesOf(message)
      assert.is(text(attributes, 1), name)
      assert.is(number(nest(attributes, 2), 3), small)
      assert.is(largeNumber(nest(nest(attributes, 2), 4), 5), big)
      assert.equal([...(attributes.get(6) ?? [])], [...some])
      assert.is(message.sequence, header.sequence)
      assert.is(nftablesMessage(message), 12)
    }),
  )
})

test('elements are read with their addresses and times, alone and among others', () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  )
  const element = fc.tuple(
    address.map((some) => Buffer.from(some).toString('hex')),
    fc.option(fc.integer({ min: 1, max: 2 ** 42 })),
  )
  fc.assert(
    fc.property(fc.array(element, { maxLength: 300 }), fc.boolean(), (elements, anew) => {
      const message = written((out) =>
        out.nest(3, () => elements.forEach(([digits, ms]) => out.address(digits, ms, anew))),
      )
      const attributes = attributesOf(message)
      const list = attributes.get(3) ?? Buffer.alloc(0)
      assert.equal(
        [...readAddresses(list)],
        elements.map(([digits, ms]) => ({ address: digits, leftMs: ms })),
      )
      assert.is(items(attributes, 3).length, elements.length)
    }),
  )
})

test('expressions are read as they were written', () => {
  const hex = (length: number) =>
    fc.uint8Array({ minLength: length, maxLength: length }).map((some) => Buffer.from(some).toString('hex'))
  const plain = { noNullPrototype: true } as const
  const expression: fc.Arbitrary<Expression> = fc.oneof(
    fc.record({ is: fc.constant('meta' as const), key: fc.nat(30) }, plain),
    fc.record(
      {
        is: fc.constant('payload' as const),
        base: fc.constantFrom(1 as const, 2 as const),
        offset: fc.nat(60),
        length: fc.nat(16),
      },
      plain,
    ),
    fc.record({ is: fc.constant('bitwise' as const), mask: fc.oneof(hex(4), hex(16)) }, plain),
    fc.record({ is: fc.constant('cmp' as const), equals: fc.oneof(hex(1), hex(2)) }, plain),
    fc.record({ is: fc.constant('lookup' as const), set: fc.stringMatching(/^[a-z]{1,20}$/) }, plain),
    fc.constant({ is: 'counter' as const }),
    fc.constant({ is: 'drop' as const }),
  )
  fc.assert(
    fc.property(fc.array(expression, { maxLength: 12 }), (expressions) => {
      const message = written((out) => writeExpressions(out, 4, expressions))
      assert.equal(readExpressions(attributesOf(message), 4), expressions)
    }),
  )
})

test('an expression that is not ours is none', () => {
  const foreign = written((out) =>
    out.nest(4, () => {
      for (const name of ['limit', 'cmp', 'lookup', 'immediate', 'meta']) {
        out.nest(1, () => {
          out.text(1, name)
          // Register 2, or another verdict.
          out.nest(2, () => out.number(1, 2))
        })
      }
    }),
  )
  assert.equal(readExpressions(attributesOf(foreign), 4), [null, null, null, null, null])
})

test('random bytes, and messages with something wrong in them, end in messages or in the one error', () => {
  const good = Buffer.concat([
    ...messageOf((out) => {
      out.text(1, 'bailiff')
      out.nest(3, () => {
        out.address('c6336401', 60_000)
        out.address('20010db8000000000000000000000001', null)
      })
      writeExpressions(out, 4, [{ is: 'cmp', equals: '02' }, { is: 'bitwise', mask: 'ffffff00' }, { is: 'drop' }])
    }),
  ])
  const broken = fc
    .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
    .map((changes) => {
      const copy = Buffer.from(good)
      for (const [at, byte] of changes) copy[at] = byte
      return copy
    })
  const cut = fc.nat(good.length).map((length) => good.subarray(0, length))
  const random = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes))
  let readable = 0
  fc.assert(
    fc.property(fc.oneof(broken, cut, random), (bytes) => {
      try {
        for (const message of readMessages(bytes)) {
          readEverything(message)
          readable++
        }
      } catch (error) {
        if (!(error instanceof MalformedError)) throw error
      }
    }),
    { numRuns: 20_000 },
  )
  assert.ok(readable > 1000)
})

test('what does not fit is refused, and what fits is in several pieces', () => {
  const out = new MessageWriter()
  for (let sequence = 1; sequence <= 100; sequence++) {
    out.begin({ ...header, sequence })
    out.bytes(1, new Uint8Array(60_000))
    out.end()
  }
  assert.ok(out.pieces().length > 1)
  const messages = [...readMessages(Buffer.concat(out.pieces()))]
  assert.equal(
    messages.map(({ sequence }) => sequence),
    Array.from({ length: 100 }, (_, place) => place + 1),
  )
  out.clear()
  assert.is(Buffer.concat(out.pieces()).length, 0)
  assert.throws(
    () => written((full) => full.bytes(1, new Uint8Array(70_000))),
    (error: unknown) => error instanceof RangeError,
  )
  const tooMany = (full: MessageWriter) =>
    full.nest(3, () => Array.from({ length: 3000 }, () => full.address('c6336401', 60_000)))
  assert.throws(
    () => written(tooMany),
    (error: unknown) => error instanceof RangeError,
  )
})

test('errors are read with and without the request behind them', () => {
  const error = (flags: number, copied: number, said: string) => {
    const words = Buffer.from(`${said}\0`)
    const padded = Buffer.alloc(4 + ((words.length + 3) & ~3))
    padded.writeUInt16LE(4 + words.length, 0)
    padded.writeUInt16LE(1, 2)
    words.copy(padded, 4)
    const body = Buffer.alloc(20 + copied)
    body.writeInt32LE(-17, 0)
    body.writeUInt32LE(16 + copied, 4)
    return verdictOf({ type: 2, flags, sequence: 1, port: 1, body: Buffer.concat([body, padded]) })
  }
  assert.equal(error(0x300, 0, 'already'), { errno: 17, text: 'already' })
  assert.equal(error(0x200, 48, 'already'), { errno: 17, text: 'already' })
  assert.equal(error(0x100, 0, ''), { errno: 17, text: '' })
  assert.is(verdictOf({ type: 0x0a0f, flags: 0, sequence: 1, port: 1, body: Buffer.alloc(4) }), null)
})

test.run()

function messageOf(write: (out: MessageWriter) => void): readonly Buffer[] {
  const out = new MessageWriter()
  for (const type of [0x0a0c, 2, 3, 0x0a0f]) {
    out.begin({ ...header, type })
    write(out)
    out.end()
  }
  return out.pieces()
}

function readEverything(message: InMessage): void {
  verdictOf(message)
  const attributes = attributesOf(message)
  for (const type of attributes.keys()) {
    text(attributes, type)
    number(attributes, type)
    largeNumber(attributes, type)
  }
  items(attributes, 3)
  for (const each of readAddresses(attributes.get(3) ?? Buffer.alloc(0))) each.address.slice(0)
  readExpressions(attributes, 4)
}
