import * as assert from 'uvu/assert'
import { parseIgnoreWord, wordsOfFile } from '../../../core/fail2ban/counting/ignore-words.ts'
import { failureId, UnreadableId } from '../../../core/fail2ban/lines/failure-id.ts'
import { maskedAddress, NoMask } from '../../../core/fail2ban/masked-address.ts'
import { suite } from '../../suite.ts'

const test = suite('addresses with masks')

const read: [text: string, masked: { address: string; length: number } | null][] = [
  ['10.0.0.0/8', { address: '10.0.0.0', length: 8 }],
  ['10.0.0.0/255.255.0.0', { address: '10.0.0.0', length: 16 }],
  ['2001:db8::/32', { address: '2001:db8::', length: 32 }],
  ['2001:db8::1/ffff:ffff::', { address: '2001:db8::1', length: 32 }],
  ['300.1.1.1/24', { address: '300.1.1.1', length: 24 }],
  ['10.0.0.0/', null],
  ['10.0.0.0/x', null],
  ['10.0.0.0/+8', null],
  ['10.0.0.0/ 8', null],
  ['10.0.0.1/24/8', null],
  ['10.0/8', null],
  ['home.example/24', null],
  ['/var/www', null],
  ['GET /login', null],
  ['::ffff:10.0.0.1/120', null],
]
for (const [text, masked] of read) test(text, () => assert.equal(maskedAddress(text), masked))

test('a mask with holes is refused', () => {
  assert.throws(
    () => maskedAddress('10.0.0.0/255.0.255.0'),
    (error: unknown) => error instanceof NoMask,
  )
  assert.throws(
    () => failureId({ fid: '10.0.0.0/255.0.255.0' }, false),
    (error: unknown) => error instanceof UnreadableId,
  )
  assert.throws(() => parseIgnoreWord('10.0.0.0/255.0.255.0'), /no mask of a network/)
})

test('an id with a slash is an id as it is, unless it is a network', () => {
  const ids: [fid: string, id: string][] = [
    ['/var/www/x', '/var/www/x'],
    ['a/b', 'a/b'],
    ['[10.0.0.7/24]', '10.0.0.0/24'],
    ['10.0.0.7/255.255.255.0', '10.0.0.0/24'],
    ['10.0.0.7/x', '10.0.0.7/x'],
  ]
  for (const [fid, id] of ids) assert.is(failureId({ fid }, false)?.id, id)
})

test('words of a file: comments begin where a word could, behind white space alone', () => {
  const text =
    '192.0.2.1, 192.0.2.2\t192.0.2.3 # home\n# 192.0.2.4\n;192.0.2.5\r\n a,#b c;d\u2003#e\n198.51.100.0/24 ; office'
  assert.equal(wordsOfFile(text), ['192.0.2.1', '192.0.2.2', '192.0.2.3', 'a', '#b', 'c;d', '198.51.100.0/24'])
})

test.run()
