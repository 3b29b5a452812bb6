import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { AddressTable } from '../../../core/firewall/address-table.ts'
import { suite } from '../../suite.ts'

const test = suite('address table')

const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0')

/** Few addresses, so that they come again; some differ in one word alone. */
const addresses = {
  4: fc.nat(40).map((each) => hex(each * 0x01000001, 8)),
  6: fc
    .tuple(fc.nat(3), fc.nat(5), fc.nat(2))
    .map(([a, b, c]) => `20010db8${hex(a, 8)}${hex(b * 2 ** 29, 8)}${hex(c, 8)}`),
} as const

const step = (address: fc.Arbitrary<string>) =>
  fc.oneof(
    fc.record({ do: fc.constant('put' as const), address, ms: fc.option(fc.nat(100)) }),
    fc.record({ do: fc.constantFrom('drop' as const, 'see' as const), address }),
    fc.record({ do: fc.constantFrom('round' as const, 'take' as const, 'rebuild' as const) }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.nat(30) }),
  )

for (const family of [4, 6] as const) {
  test(`IPv${family}: it answers as a map of ends and a set of seen addresses would`, () => {
    fc.assert(
      fc.property(fc.array(step(addresses[family]), { maxLength: 300 }), fc.integer(), (steps, seed) => {
        const table = new AddressTable(family, seed)
        const model = new Map<string, number | null>()
        const seen = new Set<string>()
        let now = 1000
        const liveIn = (address: string) => {
          const end = model.get(address)
          return end === undefined || (end !== null && end <= now) ? undefined : end
        }
        for (const each of steps) {
          if (each.do === 'put') {
            const end = each.ms === null ? null : now + each.ms
            table.put(each.address, end, now)
            model.set(each.address, end)
            seen.add(each.address)
          } else if (each.do === 'drop') {
            table.drop(each.address)
            model.delete(each.address)
          } else if (each.do === 'see') {
            assert.is(table.see(each.address, now), liveIn(each.address))
            if (model.has(each.address)) seen.add(each.address)
          } else if (each.do === 'round') {
            table.startRound()
            seen.clear()
          } else if (each.do === 'take') {
            const unseen = [...model.keys()].filter((one) => !seen.has(one) && liveIn(one) !== undefined)
            assert.equal(
              table
                .takeUnseen(1000, now)
                .map(([one]) => one)
                .toSorted(),
              unseen.toSorted(),
            )
            for (const one of model.keys()) seen.add(one)
          } else if (each.do === 'rebuild') table.rebuild(now)
          else if (each.do === 'wait') now += each.ms
          for (const address of model.keys()) assert.is(table.endOf(address, now), liveIn(address))
        }
      }),
      { numRuns: 200 },
    )
  })
}

test('it grows and shrinks with what is in it, and forgets what is over', () => {
  const table = new AddressTable(4, 7)
  for (let number = 0; number < 20_000; number++) table.put(hex(number * 65_537, 8), number % 2 ? 10 : 1e9, 0)
  assert.is(table.size, 20_000)
  table.rebuild(10)
  assert.is(table.size, 10_000)
  assert.is([...table.stretches(1000)].flat().length, 10_000)
  for (let number = 0; number < 20_000; number++) table.drop(hex(number * 65_537, 8))
  table.rebuild(10)
  assert.is(table.size, 0)
  assert.equal([...table.stretches(1000)].flat(), [])
})

for (const [what, change] of [
  [
    'grows',
    (table: AddressTable) => Array.from({ length: 50 }, (_, number) => table.put(hex(1e6 + number, 8), null, 0)),
  ],
  ['shrinks', (table: AddressTable) => (table.drop(hex(1, 8)), table.rebuild(0))],
] as const) {
  test(`what was in it before is given in stretches, also when it ${what} meanwhile`, () => {
    const table = new AddressTable(4, 7)
    for (let number = 0; number < 40; number++) table.put(hex(number, 8), number < 5 ? null : 1e9, 0)
    for (let number = 5; number < 40; number++) if (what === 'shrinks') table.drop(hex(number, 8))
    const given = new Set<string>()
    let places = 0
    for (const stretch of table.stretches(16)) {
      if (places++ === 1) change(table)
      for (const [address] of stretch) given.add(address)
    }
    for (const number of [0, 2, 3, 4]) assert.ok(given.has(hex(number, 8)), String(number))
  })
}

test('what is replaced is what was not put again, however the table grows meanwhile', () => {
  for (const family of [4, 6] as const) {
    fc.assert(
      fc.property(
        fc.array(addresses[family], { maxLength: 60 }),
        fc.array(addresses[family], { maxLength: 60 }),
        fc.integer(),
        fc.integer({ min: 1, max: 7 }),
        (before, after, seed, most) => {
          const table = new AddressTable(family, seed)
          for (const address of before) table.put(address, 10, 0)
          table.startReplacing()
          for (const address of after) table.put(address, null, 1)
          const replaced: string[] = []
          for (let some = table.takeReplaced(most, 2); some.length > 0; some = table.takeReplaced(most, 2))
            for (const [address] of some) replaced.push(address)
          assert.equal(replaced.toSorted(), [...new Set(before)].filter((one) => !after.includes(one)).toSorted())
          assert.is(table.size, new Set(after).size)
          for (const address of after) assert.is(table.endOf(address, 20), null)
        },
      ),
    )
  }
})

test.run()
