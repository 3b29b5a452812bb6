import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { parseAddress, parsePrefix, type Prefix } from '../../../core/address.ts'
import type { Ban, CountedFailures, Match } from '../../../core/events.ts'
import { Judge, type JailRules } from '../../../core/judging/judge.ts'
import { suite } from '../../suite.ts'

const test = suite('judge')

const noon = Date.UTC(2026, 10, 22, 12)
const rules: JailRules = {
  name: 'sshd',
  maxretry: 3,
  findtimeMs: 600_000,
  bantime: { baseMs: 3_600_000, increment: true, factor: 2, maxMs: 10_000_000 },
  ports: { protocol: 'tcp', ports: [22] },
  ipv6prefix: 64,
  ignore: { prefixes: [parsePrefix('198.51.100.0/24')!], names: [], self: false },
}

function match(address: string, time: number | null, more: Partial<Match> = {}): Match {
  const base = {
    jail: 'sshd',
    filter: 'sshd',
    rule: 0,
    attempts: 1,
    groups: {},
    session: null,
    once: false,
    log: 'l',
    offset: 0,
  }
  return { ...base, address: parseAddress(address)!, time, line: `line of ${address}`, ...more }
}

async function judgeOf(jails: readonly JailRules[] = [rules], banned = new Set<Prefix>()): Promise<Judge> {
  const judge = new Judge({
    offences: [],
    isBanned: (prefix) => banned.has(prefix),
    vital: () => [],
    onNameFailure: () => {},
  })
  await judge.configure(jails)
  return judge
}

/** What the judge tells the store now. */
function told(judge: Judge): CountedFailures[] {
  const counted = judge.counted()
  assert.not.equal(counted, 'too-many')
  return counted === null || counted === 'too-many' ? [] : [counted]
}

const live = (arrivedAt: number) => ({ arrivedAt, live: true, undatedAt: arrivedAt })
const backlog = { arrivedAt: noon, live: false, undatedAt: null }

/** The ban that a failure of an address alone leads to. */
function count(judge: Judge, ...failure: Parameters<Judge['count']>): Ban | null {
  const bans = judge.count(...failure)
  assert.ok(bans.length <= 1)
  return bans[0] ?? null
}

test('the failure that reaches maxretry is a ban, with its lines', async () => {
  const judge = await judgeOf()
  assert.is(count(judge, match('192.0.2.1', noon), live(noon)), null)
  assert.is(count(judge, match('192.0.2.2', noon), live(noon)), null)
  assert.is(count(judge, match('192.0.2.1', noon + 1000), live(noon + 1000)), null)
  assert.equal(count(judge, match('192.0.2.1', noon + 2000), live(noon + 2500)), {
    prefix: '192.0.2.1',
    jail: 'sshd',
    ports: rules.ports,
    since: noon + 2500,
    until: noon + 2500 + 3_600_000,
    count: 1,
    failures: 3,
    lines: ['line of 192.0.2.1', 'line of 192.0.2.1', 'line of 192.0.2.1'],
  })
  assert.is(judge.counts('sshd')?.tracked, 1)
})

test('later bans last longer, up to the limit', async () => {
  const judge = await judgeOf([{ ...rules, maxretry: 1 }])
  const lengths = [1, 2, 3, 4].map(() => {
    const ban = count(judge, match('192.0.2.1', noon), live(noon))
    return (ban?.until ?? 0) - noon
  })
  assert.equal(lengths, [3_600_000, 7_200_000, 10_000_000, 10_000_000])
})

test('who is ignored is counted as ignored and never banned', async () => {
  const judge = await judgeOf()
  for (let i = 0; i < 10; i++) assert.is(count(judge, match('198.51.100.9', noon), live(noon)), null)
  assert.is(judge.counts('sshd')?.ignored, 10)
  assert.is(judge.sparing(parsePrefix('198.51.100.9')!, 'sshd'), 'the ignore list has 198.51.100.0/24')
})

test('what the machine depends on is spared, and told of once, unless ignoreself is off', async () => {
  const [gateway, office] = ['192.0.2.1', '203.0.113.0/24'].map((text) => parsePrefix(text)!)
  const told: string[] = []
  const vital = [
    { prefix: gateway!, why: 'it holds a gateway' },
    { prefix: office!, why: 'root says so' },
    { prefix: gateway!, why: 'it holds a name server' },
  ]
  const judge = new Judge({
    offences: [],
    isBanned: () => false,
    vital: () => vital,
    onSpared: (...words) => told.push(words.join(' ')),
    onNameFailure: () => {},
  })
  const self = { ...rules, ignore: { prefixes: [], names: [], self: true } }
  await judge.configure([self, { ...rules, name: 'strict' }])
  try {
    for (let i = 0; i < 5; i++) {
      for (const address of ['192.0.2.1', '203.0.113.9', '203.0.113.8'])
        assert.is(count(judge, match(address, noon), live(noon)), null)
    }
    assert.equal(told, ['sshd 192.0.2.1 it holds a gateway', 'sshd 203.0.113.9 root says so'])
    assert.is(judge.counts('sshd')?.ignored, 15)
    assert.is(judge.sparing(parsePrefix('192.0.0.0/16')!, 'sshd'), 'it holds a gateway')
    assert.is(judge.sparing(gateway!, 'strict'), undefined)
    for (let i = 0; i < 3; i++) count(judge, match('192.0.2.2', noon), live(noon))
    assert.is(judge.counts('sshd')?.bans, 1)
    const strict = { jail: 'strict' }
    for (let i = 0; i < 2; i++) assert.is(count(judge, match('192.0.2.1', noon, strict), live(noon)), null)
    assert.is(count(judge, match('192.0.2.1', noon, strict), live(noon))?.prefix, gateway)
    vital.length = 0
    judge.refresh()
    assert.is(judge.sparing(gateway!, 'sshd'), undefined)
  } finally {
    judge.stop()
  }
})

test('a trusted proxy is never banned, and told of once', async () => {
  const told: string[] = []
  const judge = new Judge({
    offences: [],
    isBanned: () => false,
    vital: () => [],
    onSpared: (...words) => told.push(words.join(' ')),
    onNameFailure: () => {},
  })
  const proxies = ['10.0.0.0/8', '2001:db8:1::5'].map((text) => parsePrefix(text)!)
  await judge.configure([{ ...rules, ignore: { prefixes: [], names: [], self: false, proxies } }])
  for (let i = 0; i < 5; i++) {
    for (const address of ['10.1.2.3', '10.9.9.9', '2001:db8:1::5']) {
      assert.is(count(judge, match(address, noon), live(noon)), null)
    }
  }
  assert.equal(told, [
    'sshd 10.1.2.3 10.0.0.0/8 is a trusted proxy',
    'sshd 2001:db8:1::5 2001:db8:1::5 is a trusted proxy',
  ])
  assert.is(judge.counts('sshd')?.ignored, 15)
  // Nor is the network of one, whoever else in it fails.
  for (let i = 6; i < 40; i++) count(judge, match(`2001:db8:1::${i}`, noon), live(noon))
  assert.is(judge.counts('sshd')?.bans, 0)
  assert.is(judge.sparing(parsePrefix('10.0.0.0/7')!, 'sshd'), '10.0.0.0/8 is a trusted proxy')
})

test('who is banned already is not decided on again', async () => {
  const judge = await judgeOf([rules], new Set([parsePrefix('192.0.2.1')!]))
  for (let i = 0; i < 10; i++) assert.is(count(judge, match('192.0.2.1', noon), live(noon)), null)
  assert.is(judge.counts('sshd')?.failures, 0)
})

test('time is the log’s in a backlog, and the arrival’s where the log is silent or live and far off', async () => {
  const cases: [what: string, time: number | null, chunk: Parameters<Judge['count']>[1], since: number | null][] = [
    ['backlog, dated', noon - 3_000_000, backlog, noon - 3_000_000],
    ['backlog, dated after its arrival', noon + 7_200_000, backlog, noon],
    ['first look at an undated backlog', null, backlog, null],
    ['undated backlog after a restart', null, { ...backlog, undatedAt: noon - 5000 }, noon - 5000],
    ['live, dated', noon - 1000, live(noon), noon],
    ['live, an hour off', noon - 3_600_000, live(noon), noon],
    ['live, undated', null, live(noon), noon],
  ]
  for (const [what, time, chunk, since] of cases) {
    const judge = await judgeOf([{ ...rules, maxretry: 1 }])
    assert.is(count(judge, match('192.0.2.1', time), chunk)?.since ?? null, since, what)
  }
})

test('a ban that would be over already is none, and makes the next one no longer', async () => {
  const judge = await judgeOf([{ ...rules, maxretry: 1 }])
  assert.is(count(judge, match('192.0.2.1', noon - 7_200_000), backlog), null)
  assert.is(count(judge, match('192.0.2.1', noon), backlog)?.count, 1)
})

test('a length beyond ten years is for ever', async () => {
  const years = 11 * 365 * 86_400_000
  const judge = await judgeOf([
    { ...rules, maxretry: 1, bantime: { baseMs: years, increment: false, factor: 2, maxMs: null } },
  ])
  assert.is(count(judge, match('192.0.2.1', noon), live(noon))?.until, null)
  assert.is(judge.decree(parsePrefix('192.0.2.2')!, 'manual', noon, years, rules.bantime).until, null)
})

test('old lines of a backlog do not add up with new ones beyond findtime', async () => {
  const judge = await judgeOf()
  const old = noon - 700_000
  count(judge, match('192.0.2.1', old), backlog)
  count(judge, match('192.0.2.1', old), backlog)
  assert.is(count(judge, match('192.0.2.1', noon), backlog), null)
  count(judge, match('192.0.2.1', noon), backlog)
  assert.ok(count(judge, match('192.0.2.1', noon), backlog))
})

test('a live line with a wrong clock counts like any other', async () => {
  const judge = await judgeOf()
  for (const off of [-86_400_000, 0]) count(judge, match('192.0.2.1', noon + off), live(noon))
  assert.ok(count(judge, match('192.0.2.1', noon + 86_400_000), live(noon)))
})

test('counts survive a reload that leaves window and threshold alone, and only that', async () => {
  const judge = await judgeOf()
  count(judge, match('192.0.2.1', noon), live(noon))
  await judge.configure([{ ...rules, bantime: { ...rules.bantime, baseMs: 1000 } }])
  assert.is(judge.counts('sshd')?.tracked, 1)
  await judge.configure([{ ...rules, findtimeMs: 1 }])
  assert.is(judge.counts('sshd')?.tracked, 0)
  await judge.configure([])
  assert.is(count(judge, match('192.0.2.1', noon), live(noon)), null)
})

test('what was counted goes on after a restart, and what was forgotten does not', async () => {
  for (const whole of [false, true]) {
    const before = await judgeOf()
    for (const address of ['192.0.2.1', '2001:db8::1', '192.0.2.3'])
      for (const at of [5, 6]) before.count(match(address, noon + at), live(noon + at))
    assert.is(before.count(match('192.0.2.3', noon + 6), live(noon + 6)).length, 1)
    const after = await judgeOf()
    after.resume(whole ? before.everything() : told(before))
    assert.is(after.counts('sshd')?.tracked, 2)
    assert.is(after.count(match('2001:db8::1', noon + 7), live(noon + 7)).length, 1)
    assert.is(after.count(match('192.0.2.1', noon + 7), live(noon + 7)).length, 1)
    for (let i = 0; i < 2; i++) assert.equal(after.count(match('192.0.2.3', noon + 7), live(noon + 7)), [])
    assert.is(before.counted(), null)
  }
})

test('what is told to the store, in pieces or whole, counts again as it counted', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          host: fc.nat(3),
          family: fc.constantFrom('192.0.2.', '2001:db8::', '2001:db8:0:1::'),
          time: fc.nat(700_000),
          attempts: fc.integer({ min: 1, max: 2 }),
          tell: fc.constantFrom('not', 'not', 'piece', 'whole'),
        }),
        { maxLength: 60 },
      ),
      async (steps) => {
        const judge = await judgeOf()
        let stored: CountedFailures[] = []
        let telling: Iterator<CountedFailures> | null = null
        for (const { host, family, time, attempts, tell } of steps) {
          judge.count(match(`${family}${host}`, noon + time, { attempts }), live(noon + time))
          if (tell === 'piece' && telling === null) stored.push(...told(judge))
          if (tell === 'whole' && telling === null) {
            telling = judge.everything()
            stored = []
          }
          // Lines are counted between the pieces.
          const next: IteratorResult<CountedFailures> | undefined = telling?.next()
          if (next?.done) telling = null
          else if (next !== undefined) stored.push(next.value)
        }
        for (let next = telling?.next(); next && !next.done; next = telling?.next()) stored.push(next.value)
        stored.push(...told(judge))
        const again = await judgeOf()
        again.resume(stored)
        const last = noon + 700_000
        for (const family of ['192.0.2.', '2001:db8::', '2001:db8:0:1::']) {
          for (let host = 0; host <= 3; host++) {
            const failure = match(`${family}${host}`, last)
            const withoutLines = (bans: readonly Ban[]) =>
              bans.map((each) => ({ ...each, until: 0, count: 0, lines: [] }))
            assert.equal(withoutLines(again.count(failure, live(last))), withoutLines(judge.count(failure, live(last))))
          }
        }
      },
    ),
    { numRuns: 100 },
  ))

test('where more was counted than is kept for the store, it is told everything', async () => {
  const judge = new Judge({
    offences: [],
    isBanned: () => false,
    vital: () => [],
    onNameFailure: () => {},
    maxAddresses: 100,
  })
  await judge.configure([{ ...rules, maxretry: 5000 }])
  for (let i = 0; i < 263_000; i++) judge.count(match(`192.0.2.${i % 100}`, noon), live(noon))
  assert.is(judge.counted(), 'too-many')
  const entries = [...judge.everything()]
  assert.is(
    entries.reduce((sum, each) => sum + each.entries.length, 0),
    32 * 263_000,
  )
  assert.is(judge.counted(), null)
})

test('counters that a reload gives up do not come back from the store', async () => {
  const judge = await judgeOf()
  judge.count(match('192.0.2.1', noon), live(noon))
  assert.is(told(judge).length, 1)
  await judge.configure([{ ...rules, findtimeMs: 1 }])
  assert.is(judge.counted(), 'too-many')
  assert.equal([...judge.everything()], [])
})

test('bytes that are no entries, and jails that are gone, are left out', () =>
  fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.string(), { maxLength: 3 }),
      async (bytes, names) => {
        const judge = await judgeOf()
        judge.resume([{ jails: [names, ...names.map((name) => [name]), ['sshd', 'gone'], ['gone']], entries: bytes }])
        judge.count(match('192.0.2.1', noon), live(noon))
      },
    ),
  ))

test('a ban by a person takes the ports and the time of the jail it names', async () => {
  const judge = await judgeOf()
  const fallback = { baseMs: 60_000, increment: false, factor: 2, maxMs: null }
  const prefix = parsePrefix('203.0.113.0/24')!
  assert.is(judge.decree(prefix, 'sshd', noon, undefined, fallback).until, noon + 3_600_000)
  const free = judge.decree(prefix, 'manual', noon, undefined, fallback)
  assert.is(free.until, noon + 60_000)
  assert.equal(free.ports, { protocol: 'all', ports: [] })
  assert.is(judge.decree(prefix, 'manual', noon, null, fallback).until, null)
})

test('an IPv6 network is banned when three of its addresses together fail twice maxretry', async () => {
  const at = (host: number) => `2001:db8:0:1::${host}`
  const network = '2001:db8:0:1::/64'
  const cases: [string, Partial<JailRules>, string[], string[]][] = [
    ['one address each', {}, [1, 2, 3, 4, 5, 6].map(at), [network]],
    ['two addresses are not enough', {}, [1, 2, 1, 2, 1, 2].map(at), [at(1), at(2)]],
    ['the addresses that reach maxretry are banned as well', {}, [1, 1, 1, 2, 2, 3].map(at), [at(1), network]],
    ['the address and its network at once', {}, [2, 3, 3, 1, 1, 1].map(at), [at(1), network]],
    ['fewer failures than twice maxretry', {}, [1, 2, 3, 4, 5].map(at), []],
    ['other networks', {}, [1, 2, 3, 4, 5, 6, 7].map((net) => `2001:db8:0:${net}::1`), []],
    ['IPv4 has no networks', {}, [1, 2, 3, 4, 5, 6, 7].map((host) => `192.0.2.${host}`), []],
    ['a jail that only bans addresses', { ipv6prefix: 128 }, [1, 2, 3, 4, 5, 6].map(at), []],
    [
      'a network that holds an ignored address',
      { ignore: { prefixes: [parsePrefix(at(99))!], names: [], self: false } },
      [1, 2, 3, 4, 5, 6, 3, 3].map(at),
      [at(3)],
    ],
  ]
  for (const [what, more, failures, banned] of cases) {
    const judge = await judgeOf([{ ...rules, ...more }])
    const bans = failures.flatMap((address, i) => judge.count(match(address, noon + i), live(noon + i)))
    assert.equal(
      bans.map(({ prefix }) => prefix),
      banned,
      what,
    )
  }
})

test('the ban of a network has lines of all its addresses', async () => {
  const at = (host: number) => `2001:db8:0:1::${host}`
  for (const [hosts, shown] of [
    [
      [1, 2, 3, 1, 2, 3],
      [1, 1, 2, 2, 3, 3],
    ],
    [
      [1, 2, 3, 4, 5, 6],
      [1, 2, 3, 4, 5, 6],
    ],
    [
      [1, 1, 2, 2, 3, 3],
      [1, 1, 2, 2, 3, 3],
    ],
  ] as const) {
    const judge = await judgeOf()
    const bans = hosts.flatMap((host, i) =>
      judge.count({ ...match(at(host), noon + i), line: `failed ${host}` }, live(noon + i)),
    )
    assert.equal(
      bans.map(({ prefix, lines }) => [prefix, lines.toSorted()]),
      [['2001:db8:0:1::/64', shown.map((host) => `failed ${host}`)]],
    )
  }
})

test('failures of a network outside findtime do not count, and one that is banned is not decided on again', async () => {
  const judge = await judgeOf()
  const fail = (host: number, time: number) => judge.count(match(`2001:db8::${host}`, time), live(time))
  for (let host = 1; host <= 5; host++) assert.equal(fail(host, noon), [])
  assert.equal(fail(6, noon + rules.findtimeMs + 1), [])
  const banned = await judgeOf([rules], new Set([parsePrefix('2001:db8::/64')!]))
  for (let host = 1; host <= 9; host++) assert.equal(banned.count(match(`2001:db8::${host}`, noon), live(noon)), [])
})

test('failures of a network are remembered over a restart', async () => {
  const [before, after] = [await judgeOf(), await judgeOf()]
  for (let host = 1; host <= 5; host++) before.count(match(`2001:db8::${host}`, noon), live(noon))
  after.resume(told(before))
  assert.is(after.count(match('2001:db8::6', noon), live(noon))[0]?.prefix, '2001:db8::/64')
})

test.run()
