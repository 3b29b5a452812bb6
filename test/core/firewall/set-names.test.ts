import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { isName } from '../../../core/firewall/nftables-json/index.ts'
import { readSetName, setName, type SetKey } from '../../../core/firewall/set-names.ts'
import { suite } from '../../suite.ts'

const test = suite('firewall set names')

test('a name says what the set is for', () => {
  const cases: [key: SetKey, name: string][] = [
    [{ ports: { protocol: 'all', ports: [] }, family: 4, length: 32 }, 'all_v4'],
    [{ ports: { protocol: 'all', ports: [] }, family: 6, length: 128 }, 'all_v6'],
    [{ ports: { protocol: 'all', ports: [] }, family: 4, length: 24 }, 'all_v4_24'],
    [{ ports: { protocol: 'tcp', ports: [22] }, family: 4, length: 32 }, 'tcp_22_v4'],
    [{ ports: { protocol: 'tcp', ports: [80, 443] }, family: 6, length: 64 }, 'tcp_80_443_v6_64'],
    [{ ports: { protocol: 'udp', ports: [5060] }, family: 6, length: 128 }, 'udp_5060_v6'],
  ]
  for (const [key, name] of cases) {
    assert.is(setName(key), name)
    assert.equal(readSetName(name), key)
  }
})

test('names that are not ours are not read', () => {
  const names = ['', 'all', 'all_v5', 'tcp_v4', 'all_22_v4', 'tcp_022_v4', 'tcp_443_80_v4', 'tcp_22_22_v4', 'all_v4_32']
  for (const name of [...names, 'tcp_70000_v4', 'all_v4_024', 'ALL_v4', 'all_v4 ', 'icmp_1_v4', 'all_h00_v4']) {
    assert.is(readSetName(name), null, name)
  }
})

const key: fc.Arbitrary<SetKey> = fc
  .record({
    protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'tcp+udp' as const, 'all' as const),
    list: fc.uniqueArray(fc.integer({ min: 0, max: 65_535 }), { minLength: 1, maxLength: 200 }),
    family: fc.constantFrom(4 as const, 6 as const),
    length: fc.integer({ min: 1, max: 128 }),
  })
  .map(({ protocol, list, family, length }) => ({
    ports: { protocol, ports: protocol === 'all' ? [] : list.toSorted((a, b) => a - b) },
    family,
    length: family === 4 ? Math.min(32, length) : length,
  }))

test('a name is one that nft takes, and says its own key', () => {
  fc.assert(
    fc.property(key, (each) => {
      const name = setName(each)
      assert.ok(isName(name), name)
      const read = readSetName(name)
      assert.equal(read, { ...each, ports: read?.ports ?? null })
      if (read?.ports) assert.equal(read.ports, each.ports)
      else assert.ok(each.ports.ports.length > 10)
    }),
  )
})

test('different sets have different names', () => {
  fc.assert(
    fc.property(key, key, (one, other) => {
      assert.is(setName(one) === setName(other), JSON.stringify(one) === JSON.stringify(other))
    }),
  )
  const long = Array.from({ length: 100 }, (_, place) => place * 3)
  const names = [long, long.slice(1), [...long, 999], long.with(50, 151)].flatMap((ports) =>
    (['tcp', 'udp', 'tcp+udp'] as const).map((protocol) =>
      setName({ ports: { protocol, ports }, family: 4, length: 32 }),
    ),
  )
  assert.is(new Set(names).size, 12)
})

test.run()
