import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { parsePrefix } from '../../../core/address.ts'
import type { Ban, CountedFailures, Failure } from '../../../core/events.ts'
import type { CountingNews } from '../../../core/judging/fail2ban-counting.ts'
import { Judge, type JailRules } from '../../../core/judging/judge.ts'
import { KnownOffenders } from '../../../core/judging/known-offenders.ts'
import { RateTable } from '../../../core/judging/rate-table.ts'
import { suite } from '../../suite.ts'

const test = suite('counting as Fail2ban')

const noon = Date.UTC(2026, 10, 22, 12)
const rules: JailRules = {
  name: 'sshd',
  maxretry: 3,
  findtimeMs: 600_000,
  bantime: { baseMs: 60_000, increment: false, factor: 1, maxMs: null },
  ports: { protocol: 'tcp', ports: [22] },
  ipv6prefix: 128,
  ignore: { prefixes: [], names: [], self: false },
  counting: { maxmatches: 5, lengthen: null, overalljails: false, purgeAgeSeconds: 86_400 },
}

function failure(id: string, time: number, more: Partial<Failure> = {}): Failure {
  const rest = { filter: 'sshd', rule: 0, attempts: 1, groups: {}, log: 'l', offset: 0, line: 'x', lines: ['x'] }
  return { jail: 'sshd', id, ip: null, isName: false, time, ...rest, ...more }
}

const arriving = (at: number) => ({ arrivedAt: at, live: false, undatedAt: null })

/** A judge whose bans are in force for ever, and what it told. */
async function judgeOf(jails: readonly JailRules[] = [rules]) {
  const held = new Map<string, Ban>()
  const news: CountingNews[] = []
  const judge = new Judge({
    offences: [],
    isBanned: (prefix, jail) => held.has(`${jail} ${prefix}`),
    banOf: (prefix, jail) => held.get(`${jail} ${prefix}`),
    onCounting: (each) => news.push(each),
    vital: () => [],
    onNameFailure: () => {},
    maxAddresses: 1000,
  })
  await judge.configure(jails)
  const fail = (id: string, time: number, more: Partial<Failure> = {}): Ban[] => {
    const bans = judge.countFailure(failure(id, time, more), arriving(time))
    for (const ban of bans) held.set(`${ban.jail} ${ban.prefix}`, ban)
    return [...bans]
  }
  return { judge, fail, news, held }
}

test('a failure later than findtime has those before it estimated by their rate', async () => {
  const { fail } = await judgeOf([{ ...rules, maxretry: 10 }])
  const seconds = (count: number) => noon + count * 1000
  for (let i = 0; i < 8; i++) assert.equal(fail('192.0.2.1', seconds(i)), [])
  // 8 in 620 s are 8 in 600 s (7.74); this is the ninth, and 20 s later there is still one to come.
  assert.equal(fail('192.0.2.1', seconds(620)), [])
  assert.is(fail('192.0.2.1', seconds(621)).length, 1)
})

test('an id that is no address is counted, its ban is told once, prolonged, and ends', async () => {
  const { fail, news, judge } = await judgeOf()
  const told = () => news.splice(0).filter(({ type }) => type !== 'found')
  const joe = { jail: 'sshd', id: 'joe' }
  for (let i = 0; i < 3; i++) assert.equal(fail('joe', noon + i), [])
  assert.equal(told(), [{ ...joe, type: 'id-banned', prefix: null, since: noon + 2, until: noon + 60_002, count: 1 }])
  for (let i = 3; i < 6; i++) assert.equal(fail('joe', noon + i), [])
  assert.equal(told(), [
    { ...joe, type: 'already-banned', afterMs: 3 },
    { ...joe, type: 'id-prolonged', prefix: null, since: noon + 2, until: noon + 60_005, count: 1 },
  ])
  assert.is(judge.counts('sshd')?.failures, 6)
  judge.sweep(noon + 60_005)
  assert.equal(told(), [])
  judge.sweep(noon + 60_006)
  judge.sweep(noon + 70_000)
  assert.equal(told(), [{ ...joe, type: 'id-unbanned', prefix: null }], 'once')
  assert.is(judge.counts('sshd')?.tracked, 0)
})

test('the address beside an id is banned for it, once', async () => {
  const { fail } = await judgeOf()
  const ip = '192.0.2.1'
  const bans = [1, 2, 3, 4, 5, 6].flatMap((at) => fail('joe', noon + at, { ip }))
  assert.equal(
    bans.map(({ prefix, since, until }) => [prefix, since, until]),
    [
      ['192.0.2.1', noon + 3, noon + 60_003],
      ['192.0.2.1', noon + 3, noon + 60_006],
    ],
    'the second is the first, prolonged',
  )
  const other = await judgeOf()
  const [ban] = [1, 2, 3].flatMap((at) => other.fail('198.51.100.1', noon + at, { ip }))
  assert.is(ban?.prefix, ip, 'also where the id is another address')
})

test('ids do not touch each other, nor an address its network', async () => {
  const { fail } = await judgeOf()
  const ids = ['192.0.2.0', '192.0.2.0/24', '2001:db8::', '2001:db8::/64', 'joe', 'Joe', '']
  for (let i = 0; i < 2; i++) for (const id of ids) assert.equal(fail(id, noon + i), [], id)
  assert.is(fail('192.0.2.0/24', noon + 2)[0]?.prefix, '192.0.2.0/24')
  assert.is(fail('2001:DB8:0::', noon + 2)[0]?.prefix, '2001:db8::', 'one address has one id')
})

test('the last lines of all failures are kept, as many as maxmatches says', async () => {
  const lines = (count: number) => ({ lines: [`a${count}`, `b${count}`] })
  for (const [maxmatches, expected] of [
    [5, ['b1', 'a2', 'b2', 'a3', 'b3']],
    [0, []],
    [1, ['b3']],
    [100, ['a1', 'b1', 'a2', 'b2', 'a3', 'b3']],
  ] as const) {
    const { fail } = await judgeOf([{ ...rules, counting: { ...rules.counting!, maxmatches } }])
    const [ban] = [1, 2, 3].flatMap((at) => fail('192.0.2.1', noon + at, lines(at)))
    assert.equal(ban?.lines, expected)
    assert.is(ban?.failures, 3)
  }
})

test('a ban that would be over is none', async () => {
  const { judge, news } = await judgeOf()
  const bans = [0, 1, 2].flatMap((at) => judge.countFailure(failure('192.0.2.1', noon + at), arriving(noon + 120_000)))
  assert.equal(bans, [])
  assert.is(news.at(-1)?.type, 'expired')
})

test('a failure without a time does not count, nor one of a jail that is gone', async () => {
  const { judge } = await judgeOf()
  assert.equal(judge.countFailure(failure('192.0.2.1', noon, { time: null }), arriving(noon)), [])
  assert.equal(judge.countFailure(failure('192.0.2.1', noon, { jail: 'gone' }), arriving(noon)), [])
  assert.is(judge.counts('sshd')?.failures, 0)
})

test('counts go on over a reload that changes other things', async () => {
  const { judge, fail } = await judgeOf()
  fail('192.0.2.1', noon)
  fail('192.0.2.1', noon + 1)
  await judge.configure([{ ...rules, counting: { ...rules.counting!, maxmatches: 1 } }])
  assert.equal(fail('192.0.2.1', noon + 2, { lines: ['last'] })[0]?.lines, ['last'])
  fail('192.0.2.2', noon)
  fail('192.0.2.2', noon + 1)
  await judge.configure([{ ...rules, counting: null }])
  assert.is(judge.failuresOf(parsePrefix('192.0.2.2')!, 'sshd'), 0, 'another rule counts anew')
})

test('who is let in by hand is not counted', async () => {
  const judge = new Judge({
    offences: [],
    isBanned: () => false,
    allowed: (prefix) => (prefix === '192.0.2.1' ? 'somebody says so' : undefined),
    vital: () => [],
    onNameFailure: () => {},
  })
  await judge.configure([rules])
  for (let i = 0; i < 5; i++) assert.equal(judge.countFailure(failure('192.0.2.1', noon + i), arriving(noon + i)), [])
  assert.is(judge.counts('sshd')?.ignored, 5)
})

test('bans of before the start are known', async () => {
  const offences = [
    { jail: 'sshd', prefix: parsePrefix('192.0.2.1')!, count: 3, last: noon - 90_000, until: noon - 30_000 },
  ]
  const judge = new Judge({ offences, isBanned: () => false, vital: () => [], onNameFailure: () => {} })
  const lengthen = (seconds: number, count: number) => seconds * 2 ** count
  await judge.configure([{ ...rules, maxretry: 5, counting: { ...rules.counting!, lengthen } }])
  const [ban] = judge.countFailure(failure('192.0.2.1', noon), arriving(noon))
  // One failure counts 2^2 + 1 attempts.
  assert.equal([ban?.count, ban?.until], [4, noon + 480_000])
})

const step = fc.record({
  pause: fc.constantFrom(0, 1000, 7000, 60_000, 599_000, 650_000),
  id: fc.constantFrom('192.0.2.1', '2001:db8::1', 'joe', '203.0.113.0/24'),
})

test('after a restart the same failures lead to the same bans', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 2, maxLength: 60 }),
      fc.nat(60),
      fc.boolean(),
      async (steps, restart, anew) => {
        const jails = [{ ...rules, maxretry: 6 }]
        const through = await judgeOf(jails)
        let now = noon
        let later: Awaited<ReturnType<typeof judgeOf>> | null = null
        const told: CountedFailures[] = []
        for (const [index, { pause, id }] of steps.entries()) {
          now += pause
          if (index === restart) {
            later = await judgeOf(jails)
            for (const [key, ban] of through.held) later.held.set(key, ban)
            later.judge.resume(anew ? [...through.judge.everything()] : told)
          }
          through.judge.sweep(now)
          later?.judge.sweep(now)
          const bans = through.fail(id, now)
          // Lines of before a restart are not kept.
          const bare = (some: typeof bans) => some.map((ban) => ({ ...ban, lines: [] }))
          if (later !== null) assert.equal(bare(later.fail(id, now)), bare(bans))
          const counted = through.judge.counted()
          if (counted !== null && counted !== 'too-many') told.push(counted)
        }
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 300) },
  )
})

test('a full table gives up who has the fewest attempts', () => {
  const table = new RateTable({ findtimeSeconds: 600, maxIds: 1000 })
  const key = (number: number) => Uint32Array.of(0, 0, 0xffff, number)
  for (let i = 0; i < 4; i++) table.add(key(7), i, 1)
  for (let number = 100; number < 50_000; number++) table.add(key(number), 10, 1)
  assert.is(table.size, 1000)
  assert.is(table.evicted, 49_901 - 1000)
  assert.is(table.add(key(7), 11, 1), 5)
})

test('the table shrinks and moves with the clock', () => {
  const table = new RateTable({ findtimeSeconds: 600, maxIds: 100_000 })
  const key = (number: number) => Uint32Array.of(0, 0, 0xffff, number)
  for (let number = 0; number < 20_000; number++) table.add(key(number), 1000 + number, 1)
  table.shift(3600)
  assert.is(table.look(key(5))?.last, 4605)
  table.limit(4096)
  assert.is(table.size, 4096)
  table.sweep(4600 + 20_000 + 600, () => {})
  assert.is(table.size, 0)
  table.limit(Infinity)
  assert.is(table.add(key(1), 1, 1), 1)
})

test('known offenders agree with a map, through notes, pardons and purges', () => {
  const happening = fc.record({
    id: fc.nat(30).map((number) => `192.0.2.${number}`),
    jail: fc.constantFrom('a', 'b'),
    what: fc.constantFrom('note', 'note', 'note', 'forget', 'purge'),
    count: fc.integer({ min: 1, max: 9 }),
    length: fc.constantFrom(-1, 60, 3600, 86_400),
  })
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 200 }), (happenings) => {
      const offenders = new KnownOffenders()
      const model = new Map<string, { count: number; time: number; length: number }>()
      let now = noon / 1000
      let purgeAt = now + 3600
      offenders.purge(now, 3600)
      for (const { id, jail, what, count, length } of happenings) {
        now += 100
        const key = `${id} ${jail}`
        if (what === 'note') model.set(key, { count, time: now, length })
        if (what === 'note') offenders.note(id, jail, { count, time: now, length })
        if (what === 'forget') model.delete(key)
        if (what === 'forget') offenders.forget(id, jail)
        if (what === 'purge') {
          offenders.purge(now, 3600)
          if (now < purgeAt) continue
          purgeAt = now + 3600
          for (const [each, { time, length: seconds }] of model)
            if (time < now - 3600 && seconds !== -1 && time + 3 * seconds < now - 3600) model.delete(each)
        }
      }
      for (let number = 0; number <= 30; number++) {
        const id = `192.0.2.${number}`
        const both = ['a', 'b'].map((jail) => model.get(`${id} ${jail}`))
        assert.equal(offenders.last(id, 'a'), both[0])
        const counts = both.reduce((sum, each) => sum + (each?.count ?? 0), 0)
        assert.is(offenders.overall(id)?.count ?? 0, counts)
      }
    }),
    { numRuns: 300 },
  )
})

test.run()
