import { isIP } from 'node:net'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import {
  addressBytes,
  formatPrefix,
  parseAddress,
  parsePrefix,
  prefixParts,
  PrefixSet,
  type Prefix,
} from '../../core/address.ts'
import { suite } from '../suite.ts'

const test = suite('address')

test('an address has one canonical text', () => {
  const cases: [given: string, canonical: string | null][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['::', '::'],
    ['192.0.2.01', null],
    ['192.0.2', null],
    ['0xc0000201', null],
    ['3221225985', null],
    ['192.0.2.1/32', null],
    ['192.0.2.256', null],
    [' 192.0.2.1', null],
    ['fe80::1%eth0', null],
    ['[::1]', null],
    ['1::2::3', null],
    ['localhost', null],
    ['', null],
  ]
  for (const [given, canonical] of cases) assert.is(parseAddress(given), canonical, given)
})

test('it reads what net.isIP reads, and writes what URLs write', () => {
  const part = fc.constantFrom(
    '0',
    '1',
    '00',
    '01',
    '255',
    '256',
    'ff',
    'FFFF',
    'fffff',
    ':',
    '::',
    '.',
    '%',
    'g',
    ' ',
    '192.0.2.1',
    '-',
  )
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.ipV4Extended(),
    fc.array(part, { maxLength: 18 }).map((parts) => parts.join('')),
    groups(),
  )
  fc.assert(
    fc.property(text, (given) => {
      const family = given.includes('%') ? 0 : isIP(given)
      const address = parseAddress(given)
      assert.is(address !== null, family !== 0, given)
      if (address === null) return
      const canonical = family === 4 ? given : new URL(`http://[${given}]/`).hostname.slice(1, -1)
      const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonical) ?? []
      const words = [high, low].map((word) => Number.parseInt(word ?? '0', 16))
      const mapped = words.flatMap((word) => [word >> 8, word & 255]).join('.')
      assert.is(address, high === undefined ? canonical : mapped)
      assert.is(formatPrefix(addressBytes(address), address.includes(':') ? 128 : 32), address)
    }),
    { numRuns: 20_000 },
  )
})

/** IPv6 with many zero groups, which is where texts shorten. */
function groups(): fc.Arbitrary<string> {
  const group = fc.constantFrom('0', '0', '0000', '1', 'ab', 'ffff')
  return fc
    .tuple(fc.array(group, { minLength: 6, maxLength: 8 }), fc.constantFrom(':0:', '::', ':0:0:'))
    .map(([all, cut]) => all.join(':').replace(':0:', cut))
}

test('a prefix has its host bits cleared and one canonical text', () => {
  const cases: [given: string, canonical: string | null][] = [
    ['192.0.2.77/24', '192.0.2.0/24'],
    ['192.0.2.1/32', '192.0.2.1'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:db8::ffff/64', '2001:db8::/64'],
    ['2001:db8::1/128', '2001:db8::1'],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24'],
    ['::ffff:192.0.2.0/90', null],
    ['192.0.2.0/33', null],
    ['192.0.2.0/-1', null],
    ['192.0.2.0/024', null],
    ['192.0.2.0/', null],
    ['192.0.2.0/255.255.255.0', null],
  ]
  for (const [given, canonical] of cases) assert.is(parsePrefix(given), canonical, given)
})

const bytes = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))

test('bytes, text and prefix convert into each other without loss', () => {
  fc.assert(
    fc.property(bytes, fc.nat(128), (given, bits) => {
      const prefix = formatPrefix(given, Math.min(bits, given.length * 8))
      assert.ok(prefix)
      assert.is(parsePrefix(prefix), parsePrefix(prefixText(prefix)))
      const parts = prefixParts(prefix)
      assert.is(formatPrefix(parts.bytes, parts.length), prefix)
    }),
  )
})

test('no text makes the parser throw, and what it makes is what it reads', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.ipV4Extended()), (text) => {
      const address = parseAddress(text)
      parsePrefix(text)
      if (address !== null) {
        assert.is(parseAddress(address), address)
        assert.ok([4, 16].includes(addressBytes(address).length))
      }
    }),
  )
})

test('a prefix set knows what covers and what overlaps', () => {
  const set = new PrefixSet(
    ['192.0.2.0/24', '198.51.100.7', '2001:db8::/32', '10.0.0.0/8'].map((text) => parsePrefix(text)!),
  )
  const p = (text: string) => parsePrefix(text)!
  assert.is(set.covering(p('192.0.2.9')), '192.0.2.0/24')
  assert.is(set.covering(p('198.51.100.7')), '198.51.100.7')
  assert.is(set.covering(p('198.51.100.8')), undefined)
  assert.is(set.covering(p('2001:db8:1::5')), '2001:db8::/32')
  assert.is(set.covering(p('10.0.0.0/7')), undefined)
  assert.is(set.overlapping(p('198.51.100.0/24')), '198.51.100.7')
  assert.is(set.overlapping(p('0.0.0.0/0')), '192.0.2.0/24')
  assert.is(set.overlapping(p('203.0.113.0/24')), undefined)
  assert.is(set.overlapping(p('::/0')), '2001:db8::/32')
})

test('numbers alone say whether an address may be in a set', () => {
  const set = new PrefixSet(['192.0.2.0/24', '2001:db8:1::/48'].map((text) => parsePrefix(text)!))
  assert.equal(
    [0xc000_0207, 0xc000_0307].map((bits) => set.covers4(bits)),
    [true, false],
  )
  assert.equal(
    [0x2001_0db8, 0x2001_0db9].map((bits) => set.mayCover6(bits)),
    [true, false],
  )
  set.add(parsePrefix('fe80::/10')!)
  assert.ok(set.mayCover6(0xfea0_0000))
})

test('the set agrees with a comparison bit by bit', () => {
  const prefix = fc
    .tuple(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.integer({ min: 0, max: 32 }))
    .map(([b, n]) => formatPrefix(b, n)!)
  fc.assert(
    fc.property(fc.array(prefix, { maxLength: 8 }), prefix, (members, asked) => {
      const covers = (outer: Prefix, inner: Prefix) => {
        const a = prefixParts(outer)
        const b = prefixParts(inner)
        return a.length <= b.length && formatPrefix(b.bytes, a.length) === formatPrefix(a.bytes, a.length)
      }
      const set = new PrefixSet(members)
      assert.is(
        set.covering(asked) !== undefined,
        members.some((member) => covers(member, asked)),
      )
      assert.is(
        set.overlapping(asked) !== undefined,
        members.some((member) => covers(member, asked) || covers(asked, member)),
      )
    }),
  )
})

test.run()

function prefixText(prefix: Prefix): string {
  const { bytes: raw, length, family } = prefixParts(prefix)
  const groups = Array.from({ length: 8 }, (_, i) => (((raw[2 * i] ?? 0) << 8) | (raw[2 * i + 1] ?? 0)).toString(16))
  return `${family === 4 ? raw.join('.') : groups.join(':')}/${length}`
}
