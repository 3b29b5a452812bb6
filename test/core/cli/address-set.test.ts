/** The set of addresses that a summary counts: the same as a set of their texts, with as many as there may be. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { parseAddress } from '../../../core/address.ts'
import { writeKey } from '../../../core/address-words.ts'
import { AddressSet } from '../../../core/cli/address-set.ts'
import { suite } from '../../suite.ts'

const test = suite('addresses told apart')

function words(address: string): Uint32Array {
  const parsed = parseAddress(address)
  assert.ok(parsed !== null, address)
  const key = new Uint32Array(4)
  if (parsed !== null) writeKey(parsed, key)
  return key
}

const ipv4 = (value: number) => [24, 16, 8, 0].map((bits) => (value >>> bits) & 255).join('.')

test('each address counts once, the first and last of IPv4 among them', () => {
  const set = new AddressSet(100)
  const all = ['0.0.0.0', '255.255.255.255', '192.0.2.1', '::', '::1', '2001:db8::1', '::ffff:0:0:1', '0.0.0.1']
  for (let round = 0; round < 3; round++) for (const address of all) set.add(words(address))
  assert.is(set.size, all.length)
  set.add(words('192.0.2.2'))
  assert.is(set.size, all.length + 1)
})

test('as a set of texts, whatever comes and whenever it is asked', () => {
  const address = fc.oneof(
    fc.nat(3000).map(ipv4),
    fc.nat(0xffff_ffff).map(ipv4),
    fc.nat(0xffff).map((low) => `2001:db8::${low.toString(16)}`),
  )
  const runs = fc.array(fc.array(address, { maxLength: 700 }), { maxLength: 8 })
  fc.assert(
    fc.property(runs, (batches) => {
      const set = new AddressSet(1_000_000)
      const texts = new Set<string>()
      for (const batch of batches) {
        for (const one of batch) {
          set.add(words(one))
          texts.add(one)
        }
        assert.is(set.size, texts.size)
      }
    }),
    { numRuns: 60 },
  )
})

test('what two have is in the one that takes over the other', () => {
  const [one, other] = [new AddressSet(1000), new AddressSet(1000)]
  for (const address of ['0.0.0.0', '192.0.2.1', '2001:db8::1']) one.add(words(address))
  for (const address of ['192.0.2.1', '192.0.2.2', '0.0.0.0', '2001:db8::1', '2001:db8::2']) other.add(words(address))
  one.addAll(other.words())
  assert.is(one.size, 5)
  one.addAll(one.words())
  assert.is(one.size, 5)
})

test('more than there may be are not told apart', () => {
  for (const [most, own] of [
    [3000, (index: number) => ipv4(index)],
    [10, (index: number) => `2001:db8::${index.toString(16)}`],
  ] as const) {
    const set = new AddressSet(most)
    for (let index = 0; index < most * 2; index++) set.add(words(own(index)))
    assert.is(set.size, most)
  }
})

test.run()
