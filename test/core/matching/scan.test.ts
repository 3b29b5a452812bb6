import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import type { LogChunk, Match, ScanResult } from '../../../core/events.ts'
import type { GuardedResult } from '../../../core/matching/messages.ts'
import { compileDates } from '../../../core/matching/date-pattern.ts'
import { compileFilter, type FilterSource } from '../../../core/matching/filters.ts'
import { createLogScanner } from '../../../core/matching/scan.ts'
import { defineMatcher } from '../../../core/plugin.ts'
import regexp from '../../../matchers/regexp/index.ts'
import structured from '../../../matchers/structured/index.ts'
import { filterOf } from '../../matchers/structured/found-lines.ts'
import { suite } from '../../suite.ts'

const test = suite('scanning')

const sshd = filter({
  programs: ['sshd'],
  failregex: [
    '^Failed password for <F-USER>.*</F-USER> from <HOST> port \\d+$',
    '^<F-ONCE>Invalid user</F-ONCE> <F-USER>.*</F-USER> from <HOST>$',
  ],
  ignoreregex: ['for friend from'],
})
const web = filter({ name: 'web', failregex: ['^<HOST> - \\S+ "<F-REQUEST>[^"]*</F-REQUEST>" 40[34]$'] })
const jails = [
  { jail: 'sshd', filter: sshd },
  { jail: 'sshd-slow', filter: sshd },
  { jail: 'web', filter: web },
]
const head = 'Nov 22 13:41:02 host sshd[77]: '

test('jails of one log may read its dates each in its own way', () => {
  const plain = filter({ failregex: ['^bad <ADDR>$'] })
  const dotted = { ...plain, dates: compileDates(['%Y.%m.%d %H-%M'], '+01:00', 2026) }
  const none = { ...plain, dates: compileDates(['{NONE}'], null, 2026) }
  const jails = [
    { jail: 'plain', filter: plain },
    { jail: 'dotted', filter: dotted },
    { jail: 'dotted-too', filter: { ...dotted } },
    { jail: 'none', filter: none },
  ]
  const scanner = createLogScanner({ jails, engines: [regexp] })
  const data = Buffer.from('2026-11-22T13:41:02Z bad 192.0.2.1\n2026.11.22 13-41 bad 192.0.2.2\nbad 192.0.2.3\n')
  const all = jails.map(({ jail }) => jail)
  const chunk = { log: '/log', jails: all, data, arrivedAt: Date.now(), live: true, undatedAt: null, insideLine: false }
  const found = scanner.scan(chunk).matches.map(({ jail, address, time }) => `${jail} ${address} ${time}`)
  assert.equal(found, [
    `plain 192.0.2.1 ${Date.UTC(2026, 10, 22, 13, 41, 2)}`,
    `dotted 192.0.2.2 ${Date.UTC(2026, 10, 22, 12, 41)}`,
    `dotted-too 192.0.2.2 ${Date.UTC(2026, 10, 22, 12, 41)}`,
    'plain 192.0.2.3 null',
    'dotted 192.0.2.3 null',
    'dotted-too 192.0.2.3 null',
    'none 192.0.2.3 null',
  ])
})

test('a match says all that is known', () => {
  const log = `ordinary\n${head}Failed password for root from 192.0.2.1 port 5\n`
  const { ms, seen, ...found } = scan(log, ['sshd'])
  assert.ok(ms >= 0)
  const counts = { sampled: 2, dated: 1, own: 2, hits: 1, foreign: 0, foreignProgram: null }
  assert.equal(seen, { jails: [{ jail: 'sshd', ...counts }], ms })
  assert.equal(found, {
    matches: [
      {
        jail: 'sshd',
        filter: 'test',
        rule: 0,
        address: '192.0.2.1',
        time: new Date(2026, 10, 22, 13, 41, 2).getTime(),
        attempts: 1,
        groups: { user: 'root' },
        session: 'pid 77',
        once: false,
        log: '/log',
        offset: 9,
        line: `${head}Failed password for root from 192.0.2.1 port 5`,
      },
    ],
    consumed: log.length,
    insideLine: false,
    lines: 2,
    skipped: 0,
    malformed: 0,
    bare: false,
    slow: [],
  })
})

test('the date of a field is read as the filter says, and as usual', () => {
  const noon = Date.UTC(2026, 10, 22, 12)
  const cases: [more: string, t: unknown, time: number | null][] = [
    ['', '2026-11-22T12:00:00.25Z', noon + 250],
    ['', '22/Nov/2026:13:00:00 +0100', noon],
    ['', noon / 1000, noon],
    ['', `${noon / 1000}.5`, noon + 500],
    ['', noon, noon],
    ['', `${noon}000`, noon],
    ['', `${noon}000000`, noon],
    ['', 'yesterday', null],
    ['', '2026-11-22T12:00:00Z and more', null],
    ['', 'x'.repeat(60_000), null],
    ["datepattern: '%d-%m-%Y %H.%M.%S %z'", '22-11-2026 12.00.00 +0000', noon],
    ["datepattern: '%d-%m-%Y %H.%M.%S %z'", '2026-11-22T12:00:00Z', noon],
  ]
  for (const [more, t, time] of cases) {
    const filter = filterOf(`format: json\nmatch: { bad: true }\naddress: ip\ntime: t\n${more}\n`)
    const scanner = createLogScanner({ jails: [{ jail: 'a', filter }], engines: [structured, regexp] })
    const data = Buffer.from(`${JSON.stringify({ bad: true, ip: '192.0.2.1', t })}\n`)
    const chunk = { log: 'x', jails: ['a'], data, arrivedAt: noon, live: false, undatedAt: null, insideLine: false }
    assert.equal(
      scanner.scan(chunk).matches.map((match) => match.time),
      [time],
      String(t).slice(0, 80),
    )
  }
})

test('what a field says is printable, though its line had only escapes', () => {
  const filter = filterOf('format: json\nmatch: { bad: true }\naddress: ip\nuser: user\ntime: t\n')
  const scanner = createLogScanner({ jails: [{ jail: 'a', filter }], engines: [structured, regexp] })
  const line = '{"bad":true,"ip":"192.0.2.1:80","user":"a\\u001b[2J\\n\\u202e","t":1700000000.25}'
  const data = Buffer.from(`${line}\n{"bad":true,\n`)
  const chunk = { log: 'x', jails: ['a'], data, arrivedAt: 0, live: false, undatedAt: null, insideLine: false }
  const { matches, malformed, bare } = scanner.scan(chunk)
  assert.equal(
    matches.map(({ address, groups, time, line: excerpt }) => [address, groups, time, excerpt]),
    [['192.0.2.1', { user: 'a\\x1b[2J\\x0a\\u202e' }, 1_700_000_000_250, line]],
  )
  assert.equal([malformed, bare], [1, false])
})

test('which lines match, and what they say', () => {
  type Part = Partial<Match>
  const failed = 'Failed password for root from 192.0.2.1 port 5'
  const cases: [line: string, jail: string, expected: Part | null][] = [
    [`${head}${failed}`, 'sshd', { rule: 0 }],
    [`${head}Invalid user x from 2001:db8::1`, 'sshd', { rule: 1, once: true, groups: { user: 'x' } }],
    [`${head}message repeated 5 times: [ ${failed}]`, 'sshd', { attempts: 5 }],
    [failed, 'sshd', { time: null, session: null }],
    [`${head}${failed}\r`, 'sshd', { line: `${head}${failed}` }],
    [`${head}Failed password for a\0b from 192.0.2.1 port 5`, 'sshd', { groups: { user: 'a\\x00b' } }],
    [`${head}Failed password for é from 192.0.2.1 port 5`, 'sshd', { groups: { user: 'é' } }],
    [`${head}Failed password for \x1b[2J from 192.0.2.1 port 5`, 'sshd', { groups: { user: '\\x1b[2J' } }],
    [`${head}Failed password for  from 192.0.2.1 port 5`, 'sshd', { groups: { user: '' } }],
    [
      `${head}Failed password for x from 192.0.2.9 port 1 from 192.0.2.1 port 5`,
      'sshd',
      { address: '192.0.2.1' as Match['address'] },
    ],
    [`${head}Failed password for friend from 192.0.2.1 port 5`, 'sshd', null],
    [`${head}Failed password for root from 999.0.2.1 port 5`, 'sshd', null],
    [`${head}Failed password for root from example.net port 5`, 'sshd', null],
    [`${head.replace('sshd', 'logger')}${failed}`, 'sshd', null],
    [`Nov 22 13:41:02 ${failed}`, 'sshd', null],
    [`${head}x ${failed}`, 'sshd', null],
    ['192.0.2.1 - - "GET /" 404', 'web', { filter: 'web', groups: { request: 'GET /' } }],
    ['2026-11-22T13:41:02Z 192.0.2.1 - - "GET /" 404', 'web', { time: Date.UTC(2026, 10, 22, 13, 41, 2) }],
    ['192.0.2.1 - - "GET /" 200', 'web', null],
  ]
  for (const [line, jail, expected] of cases) {
    const { matches } = scan(`${line}\n`, [jail])
    assert.is(matches.length, expected ? 1 : 0, line)
    for (const [key, value] of Object.entries(expected ?? {}))
      assert.equal(matches[0]?.[key as keyof Match], value, `${line}: ${key}`)
  }
})

test('invalid UTF-8 is shown, not lost', () => {
  const { matches } = scan(Buffer.from(`${head}Failed password for \xff from 192.0.2.1 port 5\n`, 'latin1'), ['sshd'])
  assert.equal(matches[0]?.groups, { user: '\ufffd' })
})

test('excerpts and groups are bounded and printable', () => {
  const { matches } = scan(`${head}Failed password for ${'\x01'.repeat(3000)} from 192.0.2.1 port 5\n`, ['sshd'])
  assert.is(matches[0]?.line.length, 512)
  assert.is(matches[0]?.groups.user?.length, 128)
  assert.match(matches[0]?.line ?? '', /^[ -~]*$/)
})

test('a session is named by its tag or its process, and the two cannot be confused', () => {
  const tagged = filter({ programs: ['x'], failregex: ['^<F-MLFID>\\S+</F-MLFID> bad <HOST>$'] })
  const scanner = createLogScanner({ jails: [{ jail: 'x', filter: tagged }], engines: [regexp] })
  const sessions = (line: string) =>
    scanner.scan(chunk(Buffer.from(line), ['x'])).matches.map(({ session, groups }) => ({ session, groups }))
  assert.equal(sessions('Nov 22 13:41:02 h x[7]: 8 bad 192.0.2.1\n'), [{ session: 'id 8', groups: {} }])
  assert.equal(sessions(`Nov 22 13:41:02 h x[7]: ${'8'.repeat(300)} bad 192.0.2.1\n`), [{ session: null, groups: {} }])
})

test('groups of prefregex are inherited, and its content is what failregexes see', () => {
  const pre = filter({
    prefregex: '^\\[<F-USER>\\w*</F-USER>\\] client <HOST>: <F-CONTENT>.+</F-CONTENT>$',
    failregex: ['^bad$', '^worse <F-USER>\\w*</F-USER>$'],
    ignoreregex: ['^\\[friend\\]'],
  })
  const scanner = createLogScanner({ jails: [{ jail: 'x', filter: pre }], engines: [regexp] })
  const cases: [line: string, expected: [number, Record<string, string>] | null][] = [
    ['[a] client 192.0.2.1: bad', [0, { user: 'a' }]],
    ['[a] client 192.0.2.1: worse b', [1, { user: 'b' }]],
    ['[a] client 192.0.2.1: worse ', [1, { user: 'a' }]],
    ['[friend] client 192.0.2.1: bad', null],
    ['[a] client 192.0.2.1: good', null],
    ['bad', null],
  ]
  for (const [line, expected] of cases) {
    const [match] = scanner.scan(chunk(Buffer.from(`${line}\n`), ['x'])).matches
    assert.equal(match ? [match.rule, match.groups] : null, expected, line)
  }
})

test('a filter under several jails is matched once and reported for each', () => {
  const { matches } = scan(`${head}Invalid user x from 192.0.2.1\n192.0.2.2 - - "GET /" 404\n`, [
    'web',
    'sshd-slow',
    'sshd',
  ])
  assert.equal(
    matches.map(({ jail, offset }) => [jail, offset > 0]),
    [
      ['sshd-slow', false],
      ['sshd', false],
      ['web', true],
    ],
  )
})

test('filters that an engine leaves go to the next, and one that nobody takes is an error', () => {
  const picky = defineMatcher({
    compile: (filters) => {
      const took = filters.flatMap((one, index) => (one.name === 'web' ? [index] : []))
      const inner = regexp.compile(filters)
      return {
        ...inner,
        took,
        left: [{ filter: 0, reason: 'too hard' }],
        scan: (block, found) => inner.scan(block, (line) => took.includes(line.filter) && found(line)),
      }
    },
  })
  const log = Buffer.from(`192.0.2.2 - - "GET /" 404\n${head}Invalid user x from 192.0.2.1\n`)
  const both = createLogScanner({ jails, engines: [picky, regexp] }).scan(chunk(log, ['sshd', 'web']))
  assert.equal(
    both.matches.map(({ jail }) => jail),
    ['web', 'sshd'],
  )
  assert.throws(
    () => createLogScanner({ jails, engines: [picky] }).scan(chunk(log, ['sshd', 'web'])),
    /no matcher takes.*"test".*too hard/,
  )
  assert.throws(() => scan('x\n', ['nobody']), /knows no jail "nobody"/)
})

test('a line that makes a matcher fail is passed over for its jail, and no other line is lost', () => {
  const fragile = defineMatcher({
    compile: (filters) => {
      const inner = regexp.compile(filters)
      const fails = filters.some((one) => one.name === 'web')
      return {
        ...inner,
        scan: (block, found) =>
          inner.scan(block, (line) => {
            if (fails && line.head.line.includes('/poison')) throw new TypeError('no such thing')
            found(line)
          }),
      }
    },
  })
  const page = (path: string, host: number) => `192.0.2.${host} - - "GET ${path}" 404\n`
  const login = `${head}Invalid user x from 192.0.2.9\n`
  const lines = [page('/a', 1), page('/poison', 2), login, page('/poison', 3), page('/b', 4)]
  for (const lineMs of [null, 50]) {
    const scanner = createLogScanner({ jails, engines: [fragile] })
    const { matches, slow, skipped } = scanner.scan(
      chunk(Buffer.from(lines.join('')), ['sshd', 'web']),
      undefined,
      lineMs,
    )
    assert.equal(
      matches.map(({ jail, address }) => [jail, address]),
      [
        ['web', '192.0.2.1'],
        ['sshd', '192.0.2.9'],
        ['web', '192.0.2.4'],
      ],
    )
    const at = (index: number) => lines.slice(0, index).join('').length
    assert.equal(
      slow.map(({ jail, start, failure }) => [jail, start, failure]),
      [
        ['web', at(1), 'no such thing'],
        ['web', at(3), 'no such thing'],
      ],
    )
    assert.is(skipped, 2)
  }
})

test('bytes in memory and ranges of a file are the same, and nothing is read beyond the range', () => {
  const lines = `${head}Invalid user x from 192.0.2.1\n`
  const bytes = Buffer.from(`skip\n${lines}${lines}rest`)
  withFile(bytes, (fd) => {
    const scanner = createLogScanner({ jails, engines: [regexp] })
    const range = { fd, start: 5, end: 5 + lines.length + 3 }
    const found = scanner.scan({ ...chunk(bytes, ['sshd']), data: range })
    assert.equal(
      found.matches.map(({ offset }) => offset),
      [5],
    )
    assert.is(found.consumed, lines.length)
    const short = scanner.scan({ ...chunk(bytes, ['sshd']), data: { fd, start: 5, end: 10_000 } })
    assert.equal([short.lines, short.consumed], [2, 2 * lines.length])
  })
})

test('however a log is cut into chunks, the matches and sums are the same', () => {
  const long = `${head}Failed password for ${'x'.repeat(70_000)} from 192.0.2.1 port 5`
  const line = fc.constantFrom(
    `${head}Failed password for root from 192.0.2.1 port 5`,
    `${head}Invalid user é from 2001:db8::1\r`,
    '192.0.2.3 - - "GET /" 404',
    'ordinary',
    '',
    '\0\xff',
    long,
  )
  const scanner = createLogScanner({ jails, engines: [regexp] })
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 100_000 })), {
    minLength: 1,
    maxLength: 12,
  })
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), sizes, (lines, cuts) => {
      const bytes = Buffer.from(lines.map((one) => `${one}\n`).join(''))
      assert.equal(inPieces(scanner, bytes, cuts), withoutRest(scanner.scan(chunk(bytes, ['sshd', 'web']))))
    }),
    { seed: 3, numRuns: 150 },
  )
})

test('a line without date and header counts in a file of such lines, and in no other', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-scan-'))
  const sshd = compileFilter({
    name: 'sshd',
    programs: ['sshd'],
    prefregex: null,
    failregex: ['^Failed for <HOST>$'],
    ignoreregex: [],
  })
  const scanner = createLogScanner({ jails: [{ jail: 'sshd', filter: sshd }], engines: [regexp] })
  const bareLine = (host: number) => `Failed for 192.0.2.${host}`
  const headed = (host: number, form = 'Nov 22 13:41:02 h') => `${form} sshd[7]: ${bareLine(host)}`
  const listening = 'Server listening on 0.0.0.0 port 22.'
  const cases: [what: string, lines: string[], found: number[], bare: boolean][] = [
    ['sshd -E', [listening, bareLine(1), bareLine(2)], [1, 2], true],
    ['a syslog line in it', [listening, listening, headed(1), bareLine(2)], [1, 2], true],
    [
      'a forged repetition in it',
      [listening, bareLine(1), `Nov 22 13:41:02 h sshd[7]: message repeated 9 times: [ ${bareLine(2)}]`],
      [1, 2],
      true,
    ],
    ['syslog', [headed(1), headed(2, '2026-11-22T13:41:02Z h')], [1, 2], false],
    ['a forged bare line in it', [headed(1), headed(2), bareLine(3), headed(4)], [1, 2, 4], false],
    ['syslog that begins with a line cut in two', ['ed for 192.0.2.9', headed(1), headed(2)], [1, 2], false],
  ]
  for (const [what, lines, found, bare] of cases) {
    const path = join(folder, 'a.log')
    const text = `${lines.join('\n')}\n`
    writeFileSync(path, text)
    const fd = openSync(path, 'r')
    const data = { fd, start: 0, end: text.length }
    const result = scanner.scan({ ...chunk(Buffer.alloc(0), ['sshd']), data })
    closeSync(fd)
    assert.equal(
      result.matches.map(({ address }) => Number(address.split('.')[3])),
      found,
      what,
    )
    assert.is(result.bare, bare, what)
    assert.ok(
      result.matches.every(({ attempts }) => attempts === 1),
      what,
    )
  }
  rmSync(folder, { recursive: true })
})

test.run()

function filter(source: Partial<FilterSource>) {
  return compileFilter({ name: 'test', programs: null, prefregex: null, failregex: [], ignoreregex: [], ...source })
}

function chunk(data: LogChunk['data'], of: readonly string[]): LogChunk {
  return {
    log: '/log',
    jails: of,
    data,
    arrivedAt: Date.UTC(2026, 10, 23),
    live: false,
    undatedAt: null,
    insideLine: false,
  }
}

function scan(log: string | Buffer, of: readonly string[]): GuardedResult {
  return createLogScanner({ jails, engines: [regexp] }).scan(chunk(Buffer.from(log), of))
}

function withoutRest({ matches, lines, skipped }: ScanResult) {
  return { matches, lines, skipped }
}

/** Hands the bytes over as they would come: what was not consumed comes again with what follows. */
function inPieces(scanner: ReturnType<typeof createLogScanner>, bytes: Buffer, cuts: readonly number[]) {
  const sum = { matches: [] as Match[], lines: 0, skipped: 0 }
  let [done, available, insideLine, turn] = [0, 0, false, 0]
  while (available < bytes.length) {
    available = Math.min(bytes.length, available + (cuts[turn++ % cuts.length] ?? 1))
    const found = scanner.scan({ ...chunk(bytes.subarray(done, available), ['sshd', 'web']), insideLine })
    sum.matches.push(...found.matches.map((match) => ({ ...match, offset: match.offset + done })))
    sum.lines += found.lines
    sum.skipped += found.skipped
    done += found.consumed
    insideLine = found.insideLine
  }
  return sum
}

function withFile(bytes: Buffer, use: (fd: number) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-scan-'))
  writeFileSync(join(folder, 'log'), bytes)
  const fd = openSync(join(folder, 'log'), 'r')
  try {
    use(fd)
  } finally {
    closeSync(fd)
    rmSync(folder, { recursive: true })
  }
}
