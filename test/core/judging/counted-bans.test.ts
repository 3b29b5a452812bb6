import * as assert from 'uvu/assert'
import { parseAddress, type Prefix } from '../../../core/address.ts'
import type { Ban, CountedFailures, Match } from '../../../core/events.ts'
import { Judge, type JailRules } from '../../../core/judging/judge.ts'
import { suite } from '../../suite.ts'

const test = suite('jails that count bans')
const noon = Date.UTC(2026, 10, 22, 12)

function lines(name: string, more: Partial<JailRules> = {}): JailRules {
  return {
    name,
    maxretry: 1,
    findtimeMs: 600_000,
    bantime: { baseMs: 60_000, increment: false, factor: 2, maxMs: null },
    ports: { protocol: 'tcp', ports: [22] },
    ipv6prefix: 64,
    ignore: { prefixes: [], names: [], self: false },
    ...more,
  }
}

const recidive = (more: Partial<JailRules> = {}): JailRules =>
  lines('recidive', {
    maxretry: 3,
    findtimeMs: 86_400_000,
    ports: { protocol: 'all', ports: [] },
    bansOf: { jails: null },
    ...more,
  })

/** A judge whose bans are in force, until `lift` ends those of a jail. */
async function judgeOf(...jails: JailRules[]) {
  const banned = new Set<string>()
  const judge = new Judge({
    offences: [],
    isBanned: (prefix, jail) => banned.has(`${jail} ${prefix}`),
    vital: () => [],
    onNameFailure: () => {},
  })
  await judge.configure(jails)
  const fail = (address: string, jail: string, at = noon): Ban[] => {
    const bans = judge.count(failure(address, jail, at), { arrivedAt: at, live: true, undatedAt: at })
    for (const { prefix, jail: by } of bans) banned.add(`${by} ${prefix}`)
    return [...bans]
  }
  const lift = (jail: string) => {
    for (const one of banned) if (one.startsWith(`${jail} `)) banned.delete(one)
  }
  return { judge, fail, lift }
}

function failure(address: string, jail: string, time: number): Match {
  const rest = { filter: jail, rule: 0, attempts: 1, groups: {}, session: null, once: false, log: 'l', offset: 0 }
  return { jail, address: parseAddress(address)!, time, line: 'a line', ...rest }
}

const byRecidive = (bans: readonly Ban[]) => bans.filter(({ jail }) => jail === 'recidive').map(({ prefix }) => prefix)

test('the ban of some jail that reaches maxretry is a ban of all ports, with the bans it rests on', async () => {
  const { fail } = await judgeOf(lines('a'), lines('b'), lines('c'), recidive())
  assert.equal(byRecidive(fail('192.0.2.1', 'a')), [])
  assert.equal(byRecidive(fail('192.0.2.1', 'b')), [])
  const [, ban] = fail('192.0.2.1', 'c', noon + 1000)
  assert.is(ban?.prefix, '192.0.2.1')
  assert.equal(ban?.ports, { protocol: 'all', ports: [] })
  assert.equal(ban?.failures, 3)
  assert.equal(ban?.lines, [
    '2026-11-22T12:00:00.000Z a banned 192.0.2.1 after a failure',
    '2026-11-22T12:00:00.000Z b banned 192.0.2.1 after a failure',
    '2026-11-22T12:00:01.000Z c banned 192.0.2.1 after a failure',
  ])
})

test('several bans by one jail count as often', async () => {
  const { fail, lift } = await judgeOf(lines('a'), recidive())
  for (const expected of [0, 0, 1]) {
    assert.is(byRecidive(fail('192.0.2.1', 'a')).length, expected)
    lift('a')
  }
})

test('failures that are no ban do not count, nor does what is banned already', async () => {
  const { fail, judge } = await judgeOf(lines('a', { maxretry: 5 }), lines('b'), recidive({ maxretry: 1 }))
  for (let i = 0; i < 4; i++) assert.equal(fail('192.0.2.1', 'a'), [])
  assert.is(judge.counts('recidive')?.failures, 0)
  assert.equal(byRecidive(fail('192.0.2.1', 'b')), ['192.0.2.1'])
  assert.equal(byRecidive(fail('192.0.2.1', 'a')), [])
  assert.is(judge.counts('recidive')?.failures, 1)
})

test('bans older than findtime do not count', async () => {
  const { fail, lift } = await judgeOf(lines('a'), recidive())
  const day = 86_400_000
  for (const at of [0, day / 2, day + 1000, 2 * day]) {
    assert.equal(byRecidive(fail('192.0.2.1', 'a', noon + at)), [])
    lift('a')
  }
})

test('only the jails that are named count, never its own bans or those of one like it', async () => {
  const again = recidive({ name: 'again', maxretry: 1, bansOf: { jails: ['recidive'] } })
  const { fail, judge } = await judgeOf(
    lines('a'),
    lines('b'),
    recidive({ maxretry: 1, bansOf: { jails: ['b'] } }),
    again,
  )
  assert.is(fail('192.0.2.1', 'a').length, 1)
  assert.equal(
    fail('192.0.2.2', 'b').map(({ jail }) => jail),
    ['b', 'recidive'],
  )
  assert.is(judge.counts('again')?.failures, 0)
})

test('a jail that observes bans nobody, which counts only for one that observes as well', async () => {
  const rules = { maxretry: 1, bansOf: { jails: null } }
  const { fail } = await judgeOf(
    lines('a', { mode: 'observe' }),
    recidive(rules),
    recidive({ ...rules, name: 'would', mode: 'observe' }),
  )
  assert.equal(
    fail('192.0.2.1', 'a').map(({ jail }) => jail),
    ['a', 'would'],
  )
})

test('whom it ignores it never bans', async () => {
  const ignore = { prefixes: ['192.0.2.0/24' as Prefix], names: [], self: false }
  const { fail, judge } = await judgeOf(lines('a'), recidive({ maxretry: 1, ignore }))
  assert.equal(byRecidive(fail('192.0.2.1', 'a')), [])
  assert.is(judge.counts('recidive')?.ignored, 1)
})

test("a ban by hand is nobody's offence", async () => {
  const { judge } = await judgeOf(lines('a'), recidive({ maxretry: 1 }))
  judge.decree('192.0.2.1' as Prefix, 'a', noon, undefined, lines('a').bantime)
  assert.is(judge.counts('recidive')?.failures, 0)
})

test('networks that are banned again and again are banned as networks', async () => {
  const { fail, lift } = await judgeOf(lines('a', { maxretry: 2 }), recidive({ maxretry: 2 }))
  const round = () => ['1', '2', '3', '4'].flatMap((host) => fail(`2001:db8:1:2::${host}`, 'a'))
  assert.equal(
    round().map(({ prefix }) => prefix),
    ['2001:db8:1:2::/64'],
  )
  lift('a')
  assert.equal(byRecidive(round()), ['2001:db8:1:2::/64'])
})

test('what was counted goes on after a restart, once', async () => {
  const first = await judgeOf(lines('a'), lines('b'), recidive())
  first.fail('192.0.2.1', 'a')
  first.fail('192.0.2.1', 'b')
  const counted = first.judge.counted() as CountedFailures
  const second = await judgeOf(lines('a'), lines('b'), recidive())
  second.judge.resume([counted])
  assert.equal(byRecidive(second.fail('192.0.2.1', 'a')), ['192.0.2.1'])
})

test.run()
