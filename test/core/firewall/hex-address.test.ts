import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { formatPrefix } from '../../../core/address.ts'
import { hexToText, textToHex } from '../../../core/firewall/hex-address.ts'
import { suite } from '../../suite.ts'

const test = suite('firewall hex addresses')

test('digits, the text for nft and the text of nft are the same address', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    // Many zeros, so that there is something to shorten.
    fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }).map((list) => Uint8Array.from(list)),
  )
  fc.assert(
    fc.property(bytes, (given) => {
      const hex = Buffer.from(given).toString('hex')
      assert.is(textToHex(hexToText(hex)), hex)
      assert.is(textToHex(formatPrefix(given, given.length * 8) ?? ''), hex)
    }),
  )
})

test('all the forms that nft prints are read', () => {
  const cases: [text: string, hex: string | null][] = [
    ['192.0.2.1', 'c0000201'],
    ['::', '0'.repeat(32)],
    ['::1', '1'.padStart(32, '0')],
    ['2001:db8::', `20010db8${'0'.repeat(24)}`],
    ['::192.0.2.1', 'c0000201'.padStart(32, '0')],
    ['::ffff:192.0.2.1', 'ffffc0000201'.padStart(32, '0')],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['', null],
    ['192.0.2', null],
    ['1:2:3', null],
    ['1:2:3:4:5:6:7:8:9', null],
    ['eth0', null],
    ['a.b.c.d', null],
  ]
  for (const [text, hex] of cases) assert.is(textToHex(text), hex, text)
})

test.run()
