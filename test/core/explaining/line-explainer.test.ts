import { openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import regexp from '../../../matchers/regexp/index.ts'
import structured from '../../../matchers/structured/index.ts'
import { parseAddress } from '../../../core/address.ts'
import { inOtherMode, jailCandidate } from '../../../core/explaining/candidate.ts'
import type { Cause, LineExplanation } from '../../../core/explaining/line-explanation.ts'
import { LineExplainer } from '../../../core/explaining/line-explainer.ts'
import { OfflineReports } from '../../../core/explaining/offline-report.ts'
import { Trials } from '../../../core/explaining/trials.ts'
import { printable } from '../../../core/errors.ts'
import { loadSettings } from '../../../core/settings/load-settings.ts'
import { suite } from '../../suite.ts'
import { temporaryFolder } from '../cli/agent-process.ts'
import { must } from '../firewall/namespace.ts'

const test = suite('explain a line')
const folder = temporaryFolder()
const now = Date.UTC(2026, 10, 22, 14, 0, 0)
const file = join(folder, 'bailiff.yaml')
const log = join(folder, 'auth.log')
writeFileSync(log, '2026-11-22T13:41:02Z web sshd[1]: Server listening on 0.0.0.0 port 22.\n'.repeat(3))
writeFileSync(
  file,
  `state: ./state
control: ./control.sock
ignoreip:
  - 198.51.100.0/24
trusted_proxies: [203.0.113.80]
jails:
  sshd: { source: ./auth.log }
  app:
    sources: [./app.log, './apps/*/app.log']
    filter:
      failregex: ['^login of <F-USER>\\S+</F-USER> from <ADDR> failed$', '^refused (\\S+) from <ADDR>$']
      ignoreregex: ['^login of monitor ']
  shadow:
    mode: observe
    source: ./shadow.log
    filter: { programs: [shadowd], failregex: ['^no (?:entry|way) for <ADDR>(?: \\(\\d+\\))?$'] }
  sleeping:
    enabled: off
    source: ./popd.log
    filter: { programs: [popd], failregex: ['^bad login from <ADDR>$'] }
  dated:
    source: ./dated.log
    datepattern: '^%Y%m%d-%H%M%S'
    filter: { failregex: ['^entry of (\\S+) from <ADDR> denied$'] }
  web:
    source: ./access.json
    filter:
      format: json
      match:
        - { method: POST, path: { prefix: /login }, status: { min: 400 } }
        - { event.kind: denied }
      ignore: { agent: monitor }
      address: client
      forwarded: for
`,
)
const settings = await loadSettings({ file, alsoOff: true })
assert.equal(settings.problems, [])
const reports = await OfflineReports.open(settings, now)
const explainer = new LineExplainer({
  candidates: [
    ...settings.jails.map((jail) => jailCandidate(jail, 'on')),
    ...settings.off.map((jail) => jailCandidate(jail, 'off')),
  ],
  unused: async () => [],
  engines: [structured, regexp],
  report: (address) => reports.report(address),
})
test.after(() => reports.close())

interface Asked {
  readonly ended?: boolean
  readonly log?: string
  readonly fd?: number
  readonly jail?: string
}

function explain(line: string | Buffer, { ended = true, log: of, fd, jail }: Asked = {}): Promise<LineExplanation> {
  const place = { ended, log: of ?? null, fd: fd ?? null, jail: jail ?? null }
  return explainer.explain({ bytes: Buffer.from(line as string), ...place, now, sequence: null })
}

const unenforced = {
  observed: false,
  actions: [],
  sets: null,
  missingSince: null,
  ports: { protocol: 'all', ports: [] },
  count: 1,
  failures: 5,
  lines: [],
} as const
const failed = 'Failed password for root from 192.0.2.7 port 4711 ssh2'
const live = '2026-11-22T13:59:30Z web sshd[77]:'

/** A line of an access log that web counts, but for what is given. */
function web(fields: Readonly<Record<string, unknown>>): string {
  const usual = { time: '2026-11-22T13:59:30Z', client: '192.0.2.7', method: 'POST', path: '/login', status: 401 }
  return JSON.stringify({ ...usual, ...fields })
}

/** What is asked, which cause is right, what the first sentence says, and the jail it is about. */
const cases: readonly (readonly [
  line: string,
  cause: Cause,
  says: string | RegExp,
  jail: string | null,
  asked?: Asked,
])[] = [
  [`${live} ${failed}`, 'counts', 'It counts as 1 failure of 192.0.2.7 in sshd; a ban comes at 5.', 'sshd'],
  [`${live} message repeated 3 times: [ ${failed}]`, 'counts', 'It counts as 3 failures of 192.0.2.7', 'sshd'],
  ['2026-11-22T13:59:30Z login of x from 192.0.2.7 failed', 'counts', '1 failure of 192.0.2.7 in app', 'app'],
  // Whom a rule spares.
  [
    `${live} ${failed.replace('192.0.2.7', '198.51.100.9')}`,
    'ignored',
    /ignoreip has 198\.51\.100\.0\/24 \(.*bailiff\.yaml:4\)/,
    'sshd',
  ],
  [`${live} ${failed.replace('192.0.2.7', '127.0.0.1')}`, 'ignored', 'an address of this machine', 'sshd'],
  // Time.
  [
    `2026-11-22T12:20:00Z web sshd[7]: ${failed}`,
    'too-old',
    'it is 1 h 40 min old, 1 h 30 min too old for the window of 10 min',
    'sshd',
  ],
  [
    `Dec 30 10:00:00 web sshd[7]: ${failed}`,
    'wrong-year',
    'has no year, and is read as one of 2025, for in 2026 it would be still to come',
    'sshd',
  ],
  [`2025-11-22T13:59:30Z web sshd[7]: ${failed}`, 'wrong-year', 'The year of its date is wrong', 'sshd'],
  [
    `2026-11-22T15:59:30Z web sshd[7]: ${failed}`,
    'clock-skew',
    'It is dated 1 h 59 min in the future (its time zone',
    'sshd',
  ],
  [`2026-11-22T14:07:30Z web sshd[7]: ${failed}`, 'clock-skew', 'the clock of who wrote it is wrong', 'sshd'],
  // Dates that are none.
  [`22-11-26/13.59.30 web sshd[7]: ${failed}`, 'no-date', '"22-11-26/13.59.30" is none that Bailiff reads', 'sshd'],
  [`22.11.2026 13:59:30 web sshd[7]: ${failed}`, 'no-header', 'a form behind which no program is looked for', 'sshd'],
  [`2026-13-22T13:59:30Z web sshd[7]: ${failed}`, 'no-date', '2026-13-22T13:59:30Z', 'sshd'],
  ['login of x from 192.0.2.7 failed', 'no-date', 'No date is found in the line', 'app'],
  [` web sshd[7]: ${failed}`, 'no-date', 'No date is found in the line. With one it would match in sshd.', 'sshd'],
  [
    '22.11.2026-13:59:30 entry of x from 192.0.2.7 denied',
    'no-date',
    '"22.11.2026-13:59:30" is none that the datepattern of dated finds. With one it would match in dated.',
    'dated',
  ],
  // The line itself.
  [`${live} ${failed}`, 'unfinished', 'The line is not finished', 'sshd', { ended: false }],
  [
    `${live} ${failed}${'x'.repeat(70_000)}`,
    'too-long',
    'lines of more than 65536 are passed over',
    'sshd',
    { jail: 'sshd' },
  ],
  // Whose it is.
  [
    `2026-11-22T13:59:30Z web dropbear[7]: ${failed}`,
    'other-program',
    'of the program "dropbear", and sshd reads only lines of sshd',
    'sshd',
  ],
  [`2026-11-22T13:59:30Z ${failed}`, 'no-header', 'it would match otherwise', 'sshd'],
  [failed, 'no-header', 'somebody may have written a line break', 'sshd', { log, fd: openSync(log, 'r') }],
  [
    `${live} ${failed}`,
    'other-jail',
    'Not app but sshd has to do with this line. It counts as 1 failure of 192.0.2.7 in sshd',
    'app',
    { jail: 'app' },
  ],
  [
    `${live} ${failed}`,
    'log-not-read',
    '/var/log/other.log is not read by sshd, which reads',
    'sshd',
    { log: '/var/log/other.log' },
  ],
  [`${live} ${failed}`, 'counts', 'It counts', 'sshd', { log }],
  [
    '2026-11-22T13:59:30Z login of x from 192.0.2.7 failed',
    'counts',
    'in app',
    'app',
    { log: join(folder, 'apps/one/app.log') },
  ],
  [
    '2026-11-22T13:59:30Z login of x from 192.0.2.7 failed',
    'log-not-read',
    'is not read by app',
    'app',
    { log: join(folder, 'apps/one/two/app.log') },
  ],
  [
    '2026-11-22T13:59:30Z web popd[3]: bad login from 192.0.2.7',
    'jail-off',
    /The jail sleeping is off \(.*bailiff\.yaml:\d+\)/,
    'sleeping',
  ],
  [
    '2026-11-22T13:59:30Z web shadowd[3]: no way for 192.0.2.7',
    'observed',
    'nobody is banned: shadow only observes',
    'shadow',
  ],
  // Patterns.
  [
    `${live} ${failed.replace('port', 'prt')}`,
    'failregex',
    'The line has "Failed password for ", as lines that sshd looks for have, but none of the',
    'sshd',
  ],
  [
    `${live} Unable to negotiate with 192.0.2.7 port 4711: no matching key exchange method found. Their offer: x [preauth]`,
    'wrong-mode',
    /mode normal, which lacks the pattern; its mode \w+ has it/,
    'sshd',
  ],
  [
    '2026-11-22T13:59:30Z login of monitor from 192.0.2.7 failed',
    'ignoreregex',
    'Failregex 0 of app matches, and ignoreregex 0 takes the line away',
    'app',
  ],
  ['2026-11-22T13:59:30Z login of x from 192.0.2.777 failed', 'no-address', '"192.0.2.777" is no IP address', 'app'],
  // Fields: the condition that fails is named.
  ...(
    [
      [{ status: 200 }, 'condition', 'status is "200", and web asks for a number of at least 400; its other 2'],
      [{ status: undefined }, 'condition', 'the line has no status, and web asks for'],
      [{ method: 'GET' }, 'condition', '(rule 1 of 2, which comes nearest): method is "GET", and web asks for "POST"'],
      [{ method: 'GET', path: '/' }, 'conditions', 'a text that begins with "/login"; 1 of its 3'],
      [{ client: 'unix:' }, 'no-address', 'where it is looked for: client is "unix:"'],
      [{ client: undefined }, 'no-address', 'the line has no client'],
      [{ agent: 'monitor' }, 'ignoreregex', 'rule 1 of its "ignore" takes the line away'],
      [{}, 'counts', 'It counts as 1 failure of 192.0.2.7 in web'],
      // The client behind a trusted proxy is meant, and nobody is believed who is none.
      [{ client: '203.0.113.80', for: '192.0.2.9' }, 'counts', 'It counts as 1 failure of 192.0.2.9 in web'],
      [{ client: '203.0.113.81', for: '192.0.2.9' }, 'counts', 'It counts as 1 failure of 203.0.113.81 in web'],
      [{ client: '203.0.113.80' }, 'ignored', 'trusted proxy'],
    ] as const
  ).map(([fields, cause, says]) => [web(fields), cause, says, 'web'] as const),
  [web({}).slice(0, -9), 'malformed', 'begins as JSON and is none to its end', 'web'],
  // The log says whose line it is.
  ['hello', 'no-jail', 'The line is no JSON, and web reads nothing else', 'web', { log: join(folder, 'access.json') }],
  ['hello', 'no-jail', 'No jail has to do with this line', null],
]

for (const [line, cause, says, jail, asked] of cases) {
  test(`${cause}: ${line.slice(0, 80)} ${asked === undefined ? '' : JSON.stringify(asked).slice(0, 40)}`, async () => {
    const found = await explain(line, asked)
    assert.equal([found.cause, found.jail], [cause, jail], found.verdict)
    assert.match(found.verdict, says)
  })
}

test('of two jails with one filter that one is meant which reads the log', async () => {
  const other = must(settings.jails.find(({ name }) => name === 'sshd'))
  const source = { ...must(other.sources[0]), options: { path: ['/var/log/other.log'] } }
  const modes = other.filterDefinition.modes
  assert.ok('extra' in modes)
  const elsewhere = inOtherMode(jailCandidate({ ...other, name: 'elsewhere', sources: [source] }, 'on'), 'extra')
  const both = new LineExplainer({
    candidates: [elsewhere, jailCandidate(other, 'on')],
    unused: async () => [],
    engines: [structured, regexp],
    report: (address) => reports.report(address),
  })
  const bytes = Buffer.from(
    `${live} Unable to negotiate with 192.0.2.7 port 4711: no matching cipher found. Their offer: x [preauth]`,
  )
  const question = { bytes, ended: true, fd: null, jail: null, now, sequence: null }
  const found = await both.explain({ ...question, log })
  assert.equal([found.cause, found.jail], ['wrong-mode', 'sshd'], found.verdict)
  const there = await both.explain({ ...question, log: '/var/log/other.log' })
  assert.equal([there.cause, there.jail], ['counts', 'elsewhere'], there.verdict)
})

test('what the agent knows of the address decides: allowed, refused by the firewall, banned, live lines with a wrong clock', async () => {
  const never = 'it holds an address that /etc/bailiff/firewall.conf says is never banned'
  const spared = { entry: '192.0.2.7', place: null, failures: 0 }
  const old = `2026-11-22T12:00:00Z web sshd[77]: ${failed}`
  const ban = {
    ...unenforced,
    prefix: must(parseAddress('192.0.2.7')),
    jail: 'sshd',
    since: now - 1000,
    until: now + 1000,
  }
  for (const [more, jail, line, cause, says] of [
    [
      {},
      { spared: { ...spared, kind: 'allow', why: 'allowed until soon' } },
      null,
      'allowed',
      '192.0.2.7 is allowed until soon',
    ],
    [
      { refusedByFirewall: never },
      {},
      null,
      'never-banned',
      `but the firewall helper refuses to ban 192.0.2.7: ${never}`,
    ],
    [{ refusedByFirewall: never }, { spared: { ...spared, kind: 'vital', why: never } }, null, 'never-banned', never],
    [{}, { refusal: 'no room' }, null, 'never-banned', 'no room'],
    [{ bans: [ban] }, {}, null, 'already-banned', 'is banned by sshd already'],
    [{}, { skewMs: -7_200_000 }, old, 'clock-skew', 'as live lines of sshd are'],
    [{ observe: true }, {}, null, 'observed', 'the whole agent only observes'],
  ] as const) {
    const told = new LineExplainer({
      candidates: settings.jails.map((each) => jailCandidate(each, 'on')),
      unused: async () => [],
      engines: [structured, regexp],
      report: async (address) => {
        const report = await reports.report(address)
        return { ...report, ...more, jails: report.jails.map((each) => ({ ...each, ...jail })) }
      },
    })
    const bytes = Buffer.from(line ?? `${live} ${failed}`)
    const found = await told.explain({ bytes, ended: true, log: null, fd: null, jail: null, now, sequence: null })
    assert.is(found.cause, cause, found.verdict)
    assert.match(found.verdict, says)
  }
})

test('of the failregex that came nearest it shows where they part', async () => {
  for (const [line, missing, from] of [
    ['no wey for 192.0.2.7', 'ay', 'ey for 192.0.2.7'],
    ['no way for 192.0.2.7 (x)', '$', ' (x)'],
    ['no way for nobody', '<ADDR>', 'nobody'],
  ] as const) {
    const { jails } = await explain(`2026-11-22T13:59:30Z web shadowd[3]: ${line}`, { jail: 'shadow' })
    const nearest = jails.find(({ jail }) => jail === 'shadow')?.nearest
    assert.ok(nearest, line)
    const { pattern, patternSpan, text, textAt } = nearest
    assert.equal([pattern.slice(patternSpan.start, patternSpan.end), text.slice(textAt)], [missing, from], line)
  }
})

test('no control byte of a line reaches the answer, and bytes that are no text are told', async () => {
  const bytes = Buffer.concat([
    Buffer.from(`${live} Failed \u001b[31m for `),
    Buffer.from([0xff, 0xc3, 0x00, 0x07]),
    Buffer.from('\u202e x'),
  ])
  const found = await explain(bytes)
  const texts: string[] = []
  JSON.stringify(found, (_, value: unknown) => (typeof value === 'string' ? (texts.push(value), value) : value))
  for (const text of texts) assert.is(text, printable(text))
  assert.match(JSON.stringify(found), 'not all of it UTF-8')
})

test('the walk never disagrees with the scanner', async () => {
  const trials = new Trials([structured, regexp])
  const place = { log: 'line', fd: null, now, proxies: [must(parseAddress('203.0.113.80'))] }
  const jails = settings.jails.map((jail) => ({ jail: jail.name, filter: jailCandidate(jail, 'on').filter }))
  const samples = settings.jails.flatMap(({ filter: { samples: some } }) => [
    ...some.match.map(({ line }) => line),
    ...some.pass.map(({ line }) => line),
    ...some.hostile.map(({ line }) => line),
  ])
  const lines = [...cases.map(([line]) => line), ...samples].filter((line) => line.length < 2000)
  const cut = fc.record({
    line: fc.constantFrom(...lines),
    at: fc.nat(120),
    drop: fc.nat(3),
    put: fc.string({ unit: 'binary', maxLength: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(cut, async ({ line, at, drop, put }) => {
      const bytes = Buffer.from((line.slice(0, at) + put + line.slice(at + drop)).replaceAll('\n', ' '))
      const { jails: traces } = await explain(bytes)
      for (const jail of jails) {
        const scanned = trials.scan(jail.filter, bytes, place).matches[0]
        const trace = traces.find((each) => each.jail === jail.jail)
        assert.is(trace?.address ?? undefined, scanned?.address)
      }
    }),
    { numRuns: 60 },
  )
})

test('a jail that is not there is named', async () => {
  try {
    await explain('x', { jail: 'none' })
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, 'there is no jail none; there are sshd, app, shadow, dated, web, sleeping')
  }
})

test.run()
