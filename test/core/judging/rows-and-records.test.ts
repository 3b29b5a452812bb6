import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { parseAddress, parsePrefix, type Address } from '../../../core/address.ts'
import { readKey } from '../../../core/address-words.ts'
import { WantedSet } from '../../../core/enforcing/wanted-set.ts'
import type { Ban, LogChunk } from '../../../core/events.ts'
import { RowCursor } from '../../../core/failure-rows.ts'
import { readEntries } from '../../../core/judging/failure-log.ts'
import { Judge, type JailRules } from '../../../core/judging/judge.ts'
import { hasNetwork } from '../../../core/judging/networks.ts'
import { compileFilter, type FilterSource } from '../../../core/matching/filters.ts'
import type { JailFilter } from '../../../core/matching/messages.ts'
import type { MatcherPlugin } from '../../../core/plugin.ts'
import { createLogScanner, createRowScanner } from '../../../core/matching/scan.ts'
import { createSessions } from '../../../core/matching/sessions.ts'
import regexp from '../../../matchers/regexp/index.ts'
import { suite } from '../../suite.ts'

const test = suite('rows and records')

const filterOf = (source: Partial<FilterSource>) =>
  compileFilter({ name: 'f', programs: null, prefregex: null, failregex: [], ignoreregex: [], ...source })
const sshd = filterOf({
  name: 'sshd',
  programs: ['sshd'],
  failregex: [
    '^Failed .* from <HOST>(?: port <F-PORT>\\d+</F-PORT>)?$',
    '^<F-ONCE>Invalid</F-ONCE> user .* from <HOST>$',
  ],
})
const web = filterOf({ name: 'web', failregex: ['^<HOST> - GET .*$', '^<HOST> - POST .*$'] })
const behind = filterOf({ name: 'behind', failregex: ['^<HOST> for <F-FORWARDED>[^ ]*</F-FORWARDED>$'] })
const proxies = [parsePrefix('192.0.2.0/29')!]
const filters: readonly JailFilter[] = [
  { jail: 'ssh', filter: sshd },
  { jail: 'ssh-slow', filter: sshd },
  { jail: 'web', filter: web },
  { jail: 'web-late', filter: web },
  { jail: 'behind', filter: behind },
  { jail: 'behind-proxy', filter: behind, proxies },
]
const jailNames = filters.map(({ jail }) => jail)

const addresses = [
  '192.0.2.1',
  '192.0.2.2',
  '198.51.100.7',
  '203.0.113.9',
  '2001:db8::1',
  '2001:db8::2',
  '2001:db8::3',
  '2001:db8:0:1::1',
  '64:ff9b::1',
]
const text = fc.oneof(
  fc.constantFrom('root', 'é', '\u0001x', '\ufeff', '\u202e', '\\x01', '\ud83d\ude00'.repeat(300), 'n'.repeat(700)),
  fc.string({ maxLength: 4 }).map((one) => one.replaceAll('\n', '')),
)
const line = fc
  .record({
    who: fc.constantFrom(...addresses),
    other: fc.constantFrom(...addresses),
    second: fc.nat(5),
    pid: fc.nat(2),
    kind: fc.nat(9),
    text,
    cr: fc.nat(5),
  })
  .map(({ who, other, second, pid, kind, text: word, cr }) => {
    const date = `2026-11-22T13:41:0${second}Z`
    const body = [
      `${date} h sshd[${7 + pid}]: Failed ${word} from ${who}`,
      `${date} h sshd[${7 + pid}]: Invalid user ${word} from ${who}`,
      `${date} h sshd[${7 + pid}]: message repeated 3 times: [ Failed ${word} from ${who}]`,
      `${date} h sshd: Failed ${word} from ${who} port ${pid}`,
      `${date} ${who} - GET ${word}`,
      `${date} ${who} - GET /`,
      `${date} ${who} - POST ${word}`,
      `${who} - GET ${word}`,
      `${date} ${who} for ${other}`,
      `${date} nothing of ${word}`,
    ][kind]
    return `${body}${cr === 0 ? '\r' : ''}\n`
  })
const rules = fc.record({
  maxretry: fc.tuple(...jailNames.map(() => fc.integer({ min: 1, max: 6 }))),
  ipv6prefix: fc.constantFrom<64 | 128>(64, 128),
  baseMs: fc.constantFrom(2000, 3_600_000),
  /** Longer than all lines are apart: of what is too old the table forgets some with every call, whoever makes it. */
  findtimeMs: fc.constantFrom(9000, 600_000),
  ignored: fc.constantFrom(...addresses, '2001:db8::/63'),
  /** How long after the last second the lines arrive, and whether live. */
  lateMs: fc.constantFrom(0, 1500, 7_200_000),
  live: fc.boolean(),
  lineMs: fc.constantFrom(null, 2000),
})
type Setup = typeof rules extends fc.Arbitrary<infer Value> ? Value : never

test('whether failures come as rows or as records, the same bans, counts and entries come of them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(line, { maxLength: 30 }), { maxLength: 5 }), rules, async (chunks, setup) => {
      const pieces = chunks.map((lines) => Buffer.from(lines.join('')))
      const asRecords = await judged(setup, pieces, 'records')
      const asRows = await judged(setup, pieces, 'rows')
      assert.equal(asRows, asRecords)
    }),
    { numRuns: Number(process.env.BAILIFF_TEST_RUNS ?? 150) },
  )
})

test('it is so where every line that is found stops the block and is tried for each filter alone', async () => {
  const setup: Setup = {
    maxretry: [2, 3, 3, 4, 2, 2],
    ipv6prefix: 64,
    baseMs: 3_600_000,
    findtimeMs: 600_000,
    ignored: '203.0.113.9',
    lateMs: 0,
    live: true,
    lineMs: 2000,
  }
  const lines = [4, 1, 2, 3].flatMap((second) =>
    ['192.0.2.1', '2001:db8::1'].flatMap((who) => [
      `2026-11-22T13:41:0${second}Z h sshd[7]: Invalid user x from ${who}\n`,
      `2026-11-22T13:41:0${second}Z h sshd[7]: Failed password from ${who}\n`,
      `2026-11-22T13:41:0${second}Z ${who} - GET /\n`,
      `2026-11-22T13:41:0${second}Z ${who} for 198.51.100.7\n`,
    ]),
  )
  const pieces = [Buffer.from(lines.join(''))]
  const plain = await judged({ ...setup, lineMs: null }, pieces, 'records')
  assert.ok(plain.bans.length > 2)
  for (const way of ['records', 'rows'] as const) assert.equal(await judged(setup, pieces, way, [spinning]), plain, way)
})

/** Its first find in several lines never ends. */
const spinning: MatcherPlugin = {
  ...regexp,
  compile(filters) {
    const scanner = regexp.compile(filters)
    return {
      ...scanner,
      took: scanner.took,
      scan: (block, found) =>
        scanner.scan(block, (one) => {
          found(one)
          const isLast = block.bytes.indexOf(0x0a) === block.bytes.length - 1
          while (!isLast) performance.now()
        }),
    }
  },
}

test('lines of one second from one address are one row, and each keeps its text', () => {
  const scanner = createRowScanner({ jails: filters, engines: [regexp] }, 1)
  const lines = Array.from({ length: 100 }, (_, i) => `2026-11-22T13:41:02Z 192.0.2.${1 + (i % 2)} - GET /${i}\n`)
  const { rows } = scanner.scan(chunkOf(Buffer.from(lines.join('')), { lateMs: 0, live: false }))
  const found: string[][] = []
  for (const row = new RowCursor(rows); row.next();) {
    const texts: string[] = []
    for (let left = row.lines; left > 0; left--, row.nextLine()) texts.push(row.line)
    assert.equal(row.jails, ['web', 'web-late'])
    found.push(texts)
  }
  assert.equal(
    found.map((texts) => texts.length),
    [50, 50],
  )
  assert.equal(found.flat().toSorted(), lines.map((one) => one.trimEnd()).toSorted())
})

/** What comes of the chunks, but for the order in which addresses that have nothing to do with each other are judged. */
async function judged(setup: Setup, pieces: readonly Buffer[], way: 'rows' | 'records', engines = [regexp]) {
  const wanted = new WantedSet()
  const banned: string[] = []
  const judge = new Judge({
    offences: [],
    isBanned: (prefix, jail) => wanted.has(prefix, jail),
    ...(way === 'rows' ? { isBannedKey: (words, bits, jail) => wanted.hasKey(words, bits, jail) } : {}),
    ...(way === 'rows' ? { allowsAny: () => false } : {}),
    onBanned: (seen, prefix) =>
      banned.push(...seen.jails.map((jail) => `${jail} ${prefix()} ${seen.written} ${seen.line}`)),
    vital: () => [],
    onNameFailure: () => {},
  })
  await judge.configure(jailsOf(setup))
  const bans: Ban[] = []
  const decide = (ban: Ban) => {
    bans.push(ban)
    wanted.add(ban, 'new')
  }
  const sessions = createSessions({ now: () => 0 })
  const [records, rows] = [createLogScanner, createRowScanner].map((make) => make({ jails: filters, engines }, 5))
  // Some chunks have more rows than that, and these are in memory of their own.
  ;(rows as ReturnType<typeof createRowScanner>).lend(new SharedArrayBuffer(1024))
  for (const piece of pieces) {
    const chunk = chunkOf(piece, setup)
    if (way === 'records') {
      const { matches } = (records as ReturnType<typeof createLogScanner>).scan(chunk, undefined, setup.lineMs)
      for (const match of sessions.merge(matches)) for (const ban of judge.count(match, chunk)) decide(ban)
      continue
    }
    const found = (rows as ReturnType<typeof createRowScanner>).scan(chunk, undefined, setup.lineMs)
    const row = new RowCursor(found.rows)
    const attempts = () => sessions.attempts(row, chunk.log)
    while (row.next()) judge.countRow(row, attempts, chunk, decide)
  }
  judge.stop()
  return {
    bans: bans.map((ban) => JSON.stringify(ban)).toSorted(),
    banned: banned.toSorted(),
    entries: entriesOf(judge),
    counts: jailNames.map((jail) => judge.counts(jail)),
    standing: addresses.map((address) =>
      // How far off the last line was is that of the last row, whose lines need not be the last.
      jailNames.map((jail) => ({ ...judge.standing(parseAddress(address)!, jail), skewMs: null })),
    ),
  }
}

function jailsOf({ maxretry, ipv6prefix, baseMs, findtimeMs, ignored }: Setup): JailRules[] {
  const bantime = { baseMs, increment: false, factor: 2, maxMs: null }
  const ports = { protocol: 'tcp' as const, ports: [22] }
  const ignore = { prefixes: [parsePrefix(ignored)!], names: [], self: false }
  const jails = jailNames.map((name, index): JailRules => {
    const ruleNames = [`${name}:1`, `${name}:2`]
    return { name, maxretry: maxretry[index] ?? 1, findtimeMs, bantime, ports, ipv6prefix, ignore, ruleNames }
  })
  const recidive = { ...jails[0], name: 'recidive', maxretry: 2, bansOf: { jails: null } } as JailRules
  return [...jails, recidive]
}

function chunkOf(data: Buffer, { lateMs, live }: Pick<Setup, 'lateMs' | 'live'>): LogChunk {
  const arrivedAt = Date.UTC(2026, 10, 22, 13, 41, 5) + lateMs
  return { log: '/log', jails: jailNames, data, arrivedAt, live, undatedAt: live ? arrivedAt : null, insideLine: false }
}

/** In order for each jail and address, or network. */
function entriesOf(judge: Judge): Record<string, string[]> {
  const told: Record<string, string[]> = {}
  const counted = judge.counted()
  if (counted === null || counted === 'too-many') return told
  readEntries(counted, ({ kind, jails, words, at, time, attempts }) => {
    const address: Address = readKey(words, at)
    const whose = hasNetwork(words, at) ? `${words[at]} ${words[at + 1]}` : address
    for (const jail of jails) (told[`${jail} ${whose}`] ??= []).push(`${kind} ${address} ${time} ${attempts}`)
  })
  return Object.fromEntries(Object.entries(told).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

test.run()
