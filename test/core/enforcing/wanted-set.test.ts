import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { parsePrefix } from '../../../core/address.ts'
import { WantedSet, type WantedChange } from '../../../core/enforcing/wanted-set.ts'
import type { Ban } from '../../../core/events.ts'
import { suite } from '../../suite.ts'

const test = suite('wanted set')

export function ban(prefix: string, until: number | null, jail = 'sshd'): Ban {
  return {
    prefix: parsePrefix(prefix)!,
    jail,
    ports: { protocol: 'all', ports: [] },
    since: 0,
    until,
    count: 1,
    failures: 1,
    lines: [],
  }
}

function recorded(): { wanted: WantedSet; told: string[] } {
  const wanted = new WantedSet()
  const told: string[] = []
  wanted.onChange(({ before, after, reason }: WantedChange) =>
    told.push(`${reason} ${(after ?? before)?.prefix} ${before?.until ?? '-'}>${after?.until ?? '-'}`),
  )
  return { wanted, told }
}

test('a ban comes, is extended, and ends on time', () => {
  const { wanted, told } = recorded()
  wanted.add(ban('192.0.2.1', 5000), 'new')
  wanted.add(ban('192.0.2.1', 4000), 'new')
  wanted.add(ban('192.0.2.1', 8000), 'new')
  wanted.expire(7999)
  assert.is(wanted.size, 1)
  wanted.expire(8000)
  assert.equal(told, ['new 192.0.2.1 ->5000', 'extended 192.0.2.1 5000>8000', 'expired 192.0.2.1 8000>-'])
  assert.is(wanted.size, 0)
})

test('a ban for ever stays, and one of another jail is its own', () => {
  const { wanted } = recorded()
  wanted.add(ban('192.0.2.1', null), 'new')
  wanted.add(ban('192.0.2.1', 1000, 'web'), 'new')
  wanted.expire(1e12)
  assert.equal(
    [...wanted].map(({ jail }) => jail),
    ['sshd'],
  )
})

test('unban ends what lies inside the prefix, of one jail or of all', () => {
  const { wanted } = recorded()
  for (const text of ['192.0.2.1', '192.0.2.2', '192.0.2.0/25', '192.0.3.1', '2001:db8::1'])
    wanted.add(ban(text, 9000), 'new')
  wanted.add(ban('192.0.2.1', 9000, 'web'), 'new')
  assert.is(wanted.remove(parsePrefix('192.0.2.1')!, 'web').length, 1)
  assert.equal(
    wanted
      .remove(parsePrefix('192.0.2.0/24')!, null)
      .map(({ prefix }) => prefix)
      .toSorted(),
    ['192.0.2.0/25', '192.0.2.1', '192.0.2.2'],
  )
  assert.equal(wanted.remove(parsePrefix('198.51.100.1')!, null), [])
  assert.is(wanted.size, 2)
})

test('clock jumps, forward by years or back, end bans neither twice nor never', () => {
  const { wanted, told } = recorded()
  wanted.add(ban('192.0.2.1', 1_005_000), 'new')
  wanted.expire(400_000)
  wanted.expire(1e12)
  wanted.add(ban('192.0.2.2', 1e12 + 500), 'new')
  wanted.expire(1e12 + 1000)
  assert.equal(told.filter((line) => line.startsWith('expired')).length, 2)
})

test('a ban that ends in the past when it is added ends at the next look', () => {
  const { wanted } = recorded()
  wanted.add(ban('192.0.2.1', 50_000), 'restored')
  wanted.expire(101_000)
  assert.is(wanted.size, 0)
})

test('a clock that is set moves ends, and tells nobody; bans that were made by the right clock stay', () => {
  const wanted = new WantedSet()
  wanted.add(ban('192.0.2.1', 200_000), 'new')
  wanted.add(ban('192.0.2.2', 9_000_000), 'new')
  wanted.onChange(() => assert.unreachable('nothing is to be done'))
  const moved = wanted.shift(3_600_000, ({ prefix }) => prefix === '192.0.2.2')
  assert.equal(
    moved.map(({ prefix, until }) => [prefix, until]),
    [['192.0.2.1', 3_800_000]],
  )
  wanted.expire(3_799_000)
  assert.is(wanted.size, 2)
})

test('agrees with a plain list after any sequence', () => {
  const step = fc.record({
    who: fc.nat(5),
    jail: fc.constantFrom('a', 'b'),
    length: fc.nat(9000),
    pass: fc.nat(3000),
    unban: fc.boolean(),
    set: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: -9000, max: 9000 })),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let now = 50_000
      const wanted = new WantedSet()
      const model = new Map<string, number>()
      for (const { who, jail, length, pass, unban, set } of steps) {
        now += pass
        if (set !== 0) {
          now += set
          wanted.shift(set, () => false)
          for (const [key, until] of model) model.set(key, until + set)
        }
        wanted.expire(now)
        for (const [key, until] of model) if (until <= now) model.delete(key)
        const key = `192.0.2.${who} ${jail}`
        if (unban) {
          wanted.remove(parsePrefix(`192.0.2.${who}`)!, jail)
          model.delete(key)
        } else {
          wanted.add(ban(`192.0.2.${who}`, now + length + 1, jail), 'new')
          model.set(key, Math.max(model.get(key) ?? 0, now + length + 1))
        }
        assert.equal(
          [...wanted].map((b) => `${b.prefix} ${b.jail} ${b.until}`).toSorted(),
          [...model].map(([k, until]) => `${k} ${until}`).toSorted(),
        )
        assert.is(wanted.size, model.size)
      }
    }),
  )
})

test('too many bans: the one that ends first gives way, a longer one is never pushed out by a shorter', () => {
  const wanted = new WantedSet(3)
  for (const [who, until] of [
    [1, 5000],
    [2, 9000],
    [3, null],
  ] as const)
    wanted.add(ban(`192.0.2.${who}`, until), 'new')
  wanted.add(ban('192.0.2.4', 4000), 'new')
  wanted.add(ban('192.0.2.5', 7000), 'new')
  assert.equal([...wanted].map(({ prefix }) => prefix).toSorted(), ['192.0.2.2', '192.0.2.3', '192.0.2.5'])
  assert.is(wanted.crowdedOut, 2)
})

test('many bans of many lengths leave in the order of their ends, and the records are what they were', () => {
  const wanted = new WantedSet()
  const bans = Array.from({ length: 3000 }, (_, i) => ({
    ...ban(
      i % 3 === 0 ? `2001:db8:${i.toString(16)}::/64` : `10.0.${i >> 8}.${i & 255}`,
      i % 50 === 0 ? null : 1000 + ((i * 7919) % 3000),
    ),
    ports: i % 2 === 0 ? { protocol: 'all' as const, ports: [] } : { protocol: 'tcp' as const, ports: [22, i % 7] },
    count: i,
    lines: [`line ${i}`],
  }))
  for (const each of bans) wanted.add(each, 'new')
  // Of the older ones the lines are in the history only.
  for (const each of bans) assert.equal({ ...wanted.get(each.prefix, 'sshd'), lines: each.lines }, each)
  assert.equal(wanted.get(bans[2999]!.prefix, 'sshd')?.lines, ['line 2999'])
  for (let now = 0; now <= 4000; now += 100) {
    wanted.expire(now)
    assert.is(wanted.size, bans.filter(({ until }) => (until ?? Infinity) > now).length)
  }
  assert.equal(wanted.perJail.get('sshd'), 60)
})

test.run()
