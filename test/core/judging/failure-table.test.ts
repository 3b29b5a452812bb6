import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { formatPrefix, type Address } from '../../../core/address.ts'
import { FailureTable } from '../../../core/judging/failure-table.ts'
import { suite } from '../../suite.ts'

const test = suite('failure table')

const address = (number: number) => formatPrefix(Uint8Array.of(192, 0, number >> 8, number & 255), 32) as Address
const address6 = (number: number) =>
  formatPrefix(
    Uint8Array.of(0x20, 1, 0xd, 0xb8, ...Array.from({ length: 10 }, () => 0), number >> 8, number & 255),
    128,
  ) as Address
const same = (previous: number) => previous

test('failures count while they lie within findtime of the latest', () => {
  const table = new FailureTable({ maxretry: 3, findtimeMs: 10_000, maxAddresses: 100 })
  const at = (time: number) => table.add(address(1), time, 1, same)
  assert.is(at(0), 1)
  assert.is(at(10_000), 2, 'exactly findtime apart is inside')
  assert.is(at(10_001), 2, 'the first has left the window')
  assert.is(at(10_002), 3)
})

test('failures stay as old as they are when the clock is set', () => {
  const table = new FailureTable({ maxretry: 3, findtimeMs: 10_000, maxAddresses: 100 })
  const [first, second] = [address(1), address(2)]
  table.add(first, 100_000, 1, same)
  table.add(second, 100_000, 1, same)
  table.shift(-90_000)
  assert.is(table.add(first, 19_000, 1, same), 2)
  table.shift(3_600_000)
  assert.is(table.add(first, 3_620_001, 1, same), 2, 'the first has left the window')
  assert.is(table.add(second, 3_620_001, 1, same), 1, 'and that of the other, too')
})

test('the window slides: the rate does not matter, the times do', () => {
  const table = new FailureTable({ maxretry: 3, findtimeMs: 100, maxAddresses: 100 })
  const times = [0, 60, 120, 180, 240, 300]
  assert.equal(
    times.map((time) => table.add(address(1), time, 1, same)),
    [1, 2, 2, 2, 2, 2],
  )
})

test('a line may stand for several failures', () => {
  const table = new FailureTable({ maxretry: 5, findtimeMs: 1000, maxAddresses: 100 })
  assert.is(table.add(address(1), 5, 3, same), 3)
  assert.is(table.add(address(1), 6, 1000, same), 5)
})

test('addresses and families do not touch each other, and what is forgotten is gone', () => {
  const table = new FailureTable({ maxretry: 5, findtimeMs: 1000, maxAddresses: 1000 })
  for (let i = 0; i < 200; i++) {
    table.add(address(i), i, 1, same)
    table.add(address6(i), i, 2, same)
  }
  assert.is(table.look(address(7))?.failures, 1)
  assert.is(table.look(address6(7))?.failures, 2)
  table.forget(address(7))
  table.forget(address(7))
  assert.is(table.look(address(7)), undefined)
  assert.is(table.look(address6(7))?.failures, 2)
  assert.is(table.size, 399)
})

test('a full table gives up one that failed once, never the one near the threshold', () => {
  const table = new FailureTable({ maxretry: 5, findtimeMs: 1e9, maxAddresses: 50 })
  for (let i = 0; i < 4; i++) table.add(address(9999), i, 1, same)
  for (let i = 0; i < 5000; i++) table.add(address(i), 10 + i, 1, same)
  assert.is(table.size, 50)
  assert.is(table.evicted, 5001 - 50)
  assert.is(table.add(address(9999), 6000, 1, same), 5)
})

test('what is out of the window is removed a little at a time', () => {
  const table = new FailureTable({ maxretry: 3, findtimeMs: 1000, maxAddresses: 100_000 })
  for (let i = 0; i < 10_000; i++) table.add(address(i), i / 100, 1, same)
  for (let i = 0; i < 10_000; i++) table.add(address(60_000), 1_000_000 + i, 1, same)
  assert.is(table.size, 1)
})

test('agrees with a list of times, whatever the order of calls', () => {
  const step = fc.record({
    who: fc.nat(12),
    time: fc.nat(300),
    attempts: fc.integer({ min: 1, max: 3 }),
    forget: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 6 }), (steps, maxretry) => {
      // Wide enough that nothing expires: expiry by the latest time of all is a matter of its own.
      const findtimeMs = 300
      const table = new FailureTable({ maxretry, findtimeMs, maxAddresses: 100 })
      const model = new Map<number, number[]>()
      for (const { who, time, attempts, forget } of steps) {
        if (forget && time % 5 === 0) {
          table.forget(address(who))
          model.delete(who)
          continue
        }
        const times = [...(model.get(who) ?? []), ...Array.from({ length: attempts }, () => time)]
          .toSorted((a, b) => a - b)
          .slice(-maxretry)
        model.set(who, times)
        const latest = times.at(-1) ?? 0
        assert.is(table.add(address(who), time, attempts, same), times.filter((at) => at >= latest - findtimeMs).length)
      }
      assert.is(table.size, model.size)
    }),
  )
})

test('a limit gives up the least dangerous, holds while it is set, and is taken away again', () => {
  const table = new FailureTable({ maxretry: 5, findtimeMs: 1e9, maxAddresses: 10_000 })
  for (let i = 0; i < 4; i++) table.add(address(60_000), i, 1, same)
  for (let i = 0; i < 10_000; i++) table.add(address(i), 10 + i, 1, same)
  table.limit(100)
  assert.is(table.size, 100)
  for (let i = 0; i < 1000; i++) table.add(address(i), 20_000 + i, 1, same)
  assert.is(table.size, 100)
  assert.is(table.look(address(60_000))?.failures, 4)
  table.limit(Infinity)
  for (let i = 0; i < 20_000; i++) table.add(address(i), 30_000 + i, 1, same)
  assert.is(table.size, 10_000)
  assert.is(table.look(address(60_000))?.failures, 4)
})

test('a million sources that fail once do not push out one at four of five', () => {
  const table = new FailureTable({ maxretry: 5, findtimeMs: 1e9, maxAddresses: 20_000 })
  const source = (number: number) =>
    formatPrefix(Uint8Array.of(10, number >> 16, (number >> 8) & 255, number & 255), 32) as Address
  for (let i = 0; i < 4; i++) table.add(address(1), i, 1, same)
  for (let i = 0; i < 1_000_000; i++) table.add(source(i), 10 + i, 1, same)
  assert.is(table.add(address(1), 2_000_000, 1, same), 5)
  assert.is(table.size, 20_000)
})

test.run()
