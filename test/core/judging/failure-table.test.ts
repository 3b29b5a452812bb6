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

test('times lie as far apart as they may, exact to the millisecond', () => {
  const day = 86_400_000
  const now = 1_790_000_000_123
  for (const findtimeMs of [10 * day, 24 * day, 25 * day, 400 * day]) {
    const table = new FailureTable({ maxretry: 4, findtimeMs, maxAddresses: 100 })
    assert.is(table.add(address(1), now, 1, same), 1)
    assert.is(table.add(address(1), now - findtimeMs, 1, same), 2, 'older, and just inside')
    assert.is(table.add(address(1), now + 1, 1, same), 2, 'the older one has left')
    assert.equal(table.timesOf(address(1)), [now - findtimeMs, now, now + 1])
    assert.is(table.add(address(1), now + findtimeMs, 2, same), 4)
    assert.is(table.add(address(1), now + 3000 * day, 1, same), 1)
    assert.equal(table.timesOf(address(1)).at(-1), now + 3000 * day)
    table.shift(-now)
    assert.is(table.add(address(1), 3000 * day - findtimeMs, 1, same), 2)
    assert.equal(table.timesOf(address(1)).slice(-2), [3000 * day - findtimeMs, 3000 * day])
    assert.is(table.look(address(1))?.failures, 2)
  }
})

test('agrees with a model while it grows, shrinks and is full', () => {
  const step = fc.record({ from: fc.nat(3000), many: fc.nat(1500), forget: fc.boolean(), excerpt: fc.nat(2 ** 40) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.integer({ min: 1, max: 7 }), (steps, maxretry) => {
      const table = new FailureTable({ maxretry, findtimeMs: 1e9, maxAddresses: 10_000 })
      const model = new Map<number, number>()
      for (const { from, many, forget, excerpt } of steps) {
        for (let who = from; who < from + many; who++) {
          if (forget) {
            table.forget(address(who))
            model.delete(who)
            continue
          }
          model.set(who, Math.min(maxretry, (model.get(who) ?? 0) + 1))
          assert.is(
            table.add(address(who), 1000 + who, 1, () => excerpt + who),
            model.get(who),
          )
          assert.is(table.look(address(who))?.excerpt, excerpt + who)
        }
        assert.is(table.size, model.size)
      }
      for (let who = 0; who < 4600; who += 7) assert.is(table.timesOf(address(who)).length, model.get(who) ?? 0)
      const told = new Map<string, number>()
      table.each(0, table.size, (words, at) => {
        const key = words.slice(at, at + 4).join()
        told.set(key, (told.get(key) ?? 0) + 1)
      })
      assert.equal([...told.values()].toSorted(), [...model.values()].toSorted())
    }),
  )
})

test('memory comes by the address, and goes with what expires', () => {
  const table = new FailureTable({ maxretry: 5, findtimeMs: 1000, maxAddresses: 1_000_000 })
  const key = new Uint32Array([0x2001_0db8, 0, 0, 0])
  for (let i = 0; i < 300_000; i++) {
    key[3] = i
    table.addKey(key, 0, 500, 1)
    if (i % 10_000 === 9999) assert.ok(table.bytes / table.size < 100, `${table.bytes} bytes for ${table.size}`)
  }
  for (let i = 0; i < 300_000; i++) table.addKey(key, 0, 2000, 1)
  assert.is(table.size, 1)
  assert.ok(table.bytes < 300_000, `${table.bytes}`)
})

test('an address takes as much as its failures need, whatever maxretry is', () => {
  const day = 86_400_000
  const each = [
    { maxretry: 300, findtimeMs: 1000, failures: 1, most: 85 },
    { maxretry: 100_000, findtimeMs: 1000, failures: 3, most: 85 },
    { maxretry: 100_000, findtimeMs: 30 * day, failures: 1, most: 120 },
    { maxretry: 100_000, findtimeMs: 1000, failures: 300, most: 2 * 300 * 4 + 150 },
    { maxretry: 300, findtimeMs: 1000, failures: 299, most: 300 * 4 + 150 },
  ]
  for (const { maxretry, findtimeMs, failures, most } of each) {
    const table = new FailureTable({ maxretry, findtimeMs, maxAddresses: 100_000 })
    const key = new Uint32Array([0x2001_0db8, 0, 0, 0])
    for (key[3] = 0; (key[3] ?? 0) < 20_000; key[3]++)
      for (let time = 0; time < failures; time++) table.addKey(key, 0, time, 1)
    assert.is(table.size, 20_000)
    assert.ok(table.bytes / table.size < most, `${maxretry}, ${failures}: ${table.bytes / table.size}`)
    for (let i = 0; i < 20_000; i++) table.addKey(key, 0, findtimeMs * 3, 1)
    assert.is(table.size, 1)
    assert.ok(table.bytes < 1e6, `${table.bytes} at the end`)
  }
})

test('who fails all the time and never often enough takes no more with time', () => {
  const table = new FailureTable({ maxretry: 300, findtimeMs: 100, maxAddresses: 100 })
  for (let time = 0; time < 100_000; time += 20) table.add(address(1), time, 1, same)
  assert.is(table.look(address(1))?.failures, 6)
  assert.ok(table.timesOf(address(1)).length <= 8)
})

test('some reach a maxretry of 300, each by its 300th failure within findtime, while others fail a few times', () => {
  const findtimeMs = 400_000
  const table = new FailureTable({ maxretry: 300, findtimeMs, maxAddresses: 100_000 })
  const times = Array.from({ length: 300 }, (_, index) => 1000 * index)
  for (const [index, time] of times.entries()) {
    for (let who = 0; who < 20; who++)
      assert.is(
        table.add(address(who), time + who, 1, () => who),
        index + 1,
      )
    for (let who = 100; who < 110; who++) table.add(address(who + 10 * index), time, 1, same)
  }
  assert.is(table.size, 20 + 3000)
  assert.equal(
    table.timesOf(address(7)),
    times.map((time) => time + 7),
  )
  table.forget(address(7))
  assert.is(table.add(address(7), 300_000, 1, same), 1, 'and is counted from one on again')
  assert.is(table.add(address(8), times.at(-1)! + 8 + findtimeMs, 1, same), 2, 'the last but one is just inside')
  assert.equal(table.look(address(9)), { failures: 300, excerpt: 9 })
})

test('however far apart and in whatever order one address fails, those within findtime count', () => {
  const step = fc.record({
    time: fc.oneof(fc.nat(300), fc.nat(5000)),
    attempts: fc.oneof(
      fc.constant(1),
      fc.nat(400).map((more) => 1 + more),
    ),
    shift: fc.constantFrom(0, 0, 0, 0, 700, -600),
    copy: fc.boolean(),
  })
  const limits = fc.record({
    maxretry: fc.integer({ min: 1, max: 600 }),
    findtimeMs: fc.constantFrom(100, 1000, 3e9),
    maxAddresses: fc.constant(100),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), limits, (steps, { maxretry, findtimeMs, maxAddresses }) => {
      let table = new FailureTable({ maxretry, findtimeMs, maxAddresses })
      let [times, shifted]: [number[], number] = [[], 0]
      for (const { time, attempts, shift, copy } of steps) {
        if (copy) table = table.copy()
        table.shift(shift)
        shifted += shift
        const all = [...times, ...Array.from({ length: attempts }, () => time)].toSorted((a, b) => a - b)
        times = all.slice(-maxretry).filter((at) => at >= all.at(-1)! - findtimeMs)
        assert.is(table.add(address(1), time + shifted, attempts, same), times.length)
        assert.equal(
          table.timesOf(address(1)).slice(-times.length),
          times.map((at) => at + shifted),
        )
      }
    }),
  )
})

test('while memory is scarce, rows for many failures take 4 KiB for each address that may be tracked', () => {
  const table = new FailureTable({ maxretry: 100_000, findtimeMs: 1e9, maxAddresses: 10_000 })
  for (let who = 0; who < 20; who++) table.add(address(who), who, 40_000, same)
  for (let who = 100; who < 150; who++) table.add(address(who), who, 20, same)
  for (let who = 200; who < 500; who++) table.add(address(who), who, 1, same)
  table.add(address(20), 1000, 60_000, same)
  assert.ok(table.bytes > 20 * 40_000 * 4)
  table.limit(250)
  assert.ok(table.bytes < 1.5e6, `${table.bytes}`)
  assert.is(table.look(address(20))?.failures, 60_000, 'the one with the most is kept')
  assert.is(table.look(address(149))?.failures, 20)
  assert.is(table.add(address(21), 2000, 60_000, same), 60_000)
  table.add(address(149), 3000, 1, same)
  assert.ok(table.bytes < 1.5e6, `and it stays so: ${table.bytes}`)
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
