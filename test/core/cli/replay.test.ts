import { appendFileSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { AgentProcess, bailiff, endAgents, temporaryFolder, writeConfig } from './agent-process.ts'

const test = suite('bailiff replay')

interface Line {
  readonly type: string
  readonly prefix: string
  readonly jail: string
  readonly since: number
  readonly until: number | null
  readonly count: number
  readonly failures: number
  readonly observed?: boolean
  readonly lines: readonly string[]
}

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 22, 10, 0, 0) + seconds * 1000).toISOString()
const failed = (seconds: number, address: string, pid = 77) =>
  `${at(seconds)} web sshd[${pid}]: Failed password for root from ${address} port 4711 ssh2\n`

function bed(rest = '', jails = 'jails:\n  sshd: { source: ./auth.log }\n') {
  const folder = temporaryFolder()
  const config = writeConfig(
    folder,
    `ignoreself: false\nignoreip: [198.51.100.7]\ndefaults: { findtime: 10m, maxretry: 3, bantime: { base: 10m, increment: true } }\n${rest}${jails}`,
  )
  const log = join(folder, 'auth.log')
  const replay = async (...words: string[]) => {
    const { stdout, stderr, code } = await bailiff(['replay', '--config', config, '--json', ...words])
    assert.is(code, 0, stderr)
    return stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as Line)
  }
  return { folder, config, log, replay }
}

const told = (lines: readonly Line[]) =>
  lines.flatMap(({ type, prefix, since }) =>
    type === 'summary' ? [] : [`${type} ${prefix} ${since === undefined ? '' : at0(since)}`.trim()],
  )
const at0 = (time: number) => (time - Date.UTC(2026, 10, 22, 10, 0, 0)) / 1000

test('behind a trusted proxy the client is meant', async () => {
  const filter = 'filter: { format: json, match: { status: 401 }, address: peer, forwarded: for, time: time }'
  const { folder, replay } = bed(
    'trusted_proxies: [203.0.113.80]\n',
    `jails:\n  web: { source: ./web.json, ${filter} }\n`,
  )
  const line = (second: number, peer: string) =>
    `${JSON.stringify({ time: at(second), peer, for: '203.0.113.9', status: 401 })}\n`
  const log = join(folder, 'web.json')
  const lines = [0, 1, 2].flatMap((second) => [line(second, '203.0.113.80'), line(second, '203.0.113.66')])
  writeFileSync(log, lines.join(''))
  assert.equal(told(await replay(log)), ['ban 203.0.113.9 2', 'ban 203.0.113.66 2'])
})

test('bans begin and end on the clock of the log, and last longer for who comes again', async () => {
  const { log, replay } = bed()
  const text = [
    ...[0, 10, 20].map((second) => failed(second, '192.0.2.7')),
    // Banned already, and ignored.
    failed(30, '192.0.2.7'),
    ...[31, 32, 33, 34].map((second) => failed(second, '198.51.100.7')),
    // Too slow for the window.
    ...[40, 400, 1000].map((second) => failed(second, '203.0.113.9')),
    ...[1001, 1002, 1003].map((second) => failed(second, '192.0.2.7')),
    failed(5000, '203.0.113.1'),
  ].join('')
  writeFileSync(log, text)
  const lines = await replay(log)
  assert.equal(told(lines), ['ban 192.0.2.7 20', 'unban 192.0.2.7', 'ban 192.0.2.7 1003', 'unban 192.0.2.7'])
  const bans = lines.filter(({ type }) => type === 'ban')
  assert.equal(
    bans.map(({ since, until, count, failures, lines: some }) => [(until ?? 0) - since, count, failures, some.length]),
    [
      [600_000, 1, 3, 3],
      [1_200_000, 2, 3, 3],
    ],
  )
  assert.equal(
    { ...lines.at(-1), totals: undefined },
    {
      type: 'summary',
      totals: undefined,
      lines: 15,
      skipped: 0,
      undated: 0,
      end: Date.UTC(2026, 10, 22, 10, 0, 0) + 5_000_000,
      inForce: 0,
      complete: true,
    },
  )
})

test('rotated and compressed files are one log, and logs of several jails are in the order of time', async () => {
  const { folder, log, replay } = bed(
    '',
    'jails:\n  sshd: { source: ./auth.log }\n  app:\n    source: ./app.log\n    mode: observe\n    filter: { failregex: ["^login of \\\\S+ from <ADDR> failed$"] }\n',
  )
  writeFileSync(`${log}.2.gz`, gzipSync(failed(0, '192.0.2.7')))
  writeFileSync(`${log}.1`, failed(10, '192.0.2.7') + failed(12, '192.0.2.8'))
  writeFileSync(log, failed(30, '192.0.2.7') + failed(32, '192.0.2.8').trimEnd())
  const app = join(folder, 'app.log')
  writeFileSync(app, [5, 15, 25].map((second) => `${at(second)} login of x from 192.0.2.9 failed\n`).join(''))
  const lines = await replay(log, app, `${log}.1`, `${log}.2.gz`)
  assert.equal(told(lines), ['ban 192.0.2.9 25', 'ban 192.0.2.7 30'])
  assert.equal(
    lines.filter(({ type }) => type === 'ban').map(({ jail, observed }) => [jail, observed]),
    [
      ['app', true],
      ['sshd', false],
    ],
  )
})

test('the last change of a file decides the year of its dates, and --jail takes any file', async () => {
  const { folder, replay } = bed()
  const file = join(folder, 'copy.1')
  writeFileSync(
    file,
    [1, 2, 3]
      .map((second) => `Dec 30 10:00:0${second} web sshd[7]: Failed password for root from 192.0.2.7 port 1 ssh2\n`)
      .join(''),
  )
  const january = new Date(2024, 0, 2)
  utimesSync(file, january, january)
  const [ban] = await replay('--jail', 'sshd', file)
  assert.is(new Date(ban?.since ?? 0).getFullYear(), 2023)
})

test('--against tells what is gained, lost and changed, with the lines', async () => {
  const { folder, log, replay, config } = bed()
  const other = join(folder, 'other.yaml')
  writeFileSync(
    other,
    readFileSync(config, 'utf8').replace('maxretry: 3', 'maxretry: 2').replace('198.51.100.7', '192.0.2.8'),
  )
  writeFileSync(
    log,
    [
      ...[0, 1, 2].map((second) => failed(second, '192.0.2.7')),
      ...[3, 4, 5].map((second) => failed(second, '192.0.2.8')),
      ...[6, 7].map((second) => failed(second, '192.0.2.9')),
      failed(8, '192.0.2.10'),
    ].join(''),
  )
  const lines = await replay(log, '--against', other)
  assert.equal(
    lines.map(({ type, prefix }) => `${type} ${prefix ?? ''}`.trim()),
    ['gained 192.0.2.9', 'lost 192.0.2.8', 'changed', 'summary'],
  )
  const text = await bailiff(['replay', '--config', config, log, '--against', other, '--lines'])
  assert.match(text.stdout, '192.0.2.7  sshd: 2026-11-22T10:00:02Z for 10 min becomes 2026-11-22T10:00:01Z for 10 min')
  assert.match(text.stdout, failed(3, '192.0.2.8').trim())
  assert.match(text.stdout, '1 gained, 1 lost, 1 changed, 0 the same')
})

test('what cannot be read is told, by name', async () => {
  const { folder, config, log } = bed()
  writeFileSync(log, '')
  const cut = join(folder, 'auth.log.1.gz')
  writeFileSync(cut, gzipSync(failed(0, '192.0.2.7')).subarray(0, 40))
  const run = (...words: string[]) => bailiff(['replay', '--config', config, ...words])
  for (const [words, code, message] of [
    [[cut], 65, 'cannot be unpacked with gzip'],
    [[join(folder, 'none')], 66, 'there is no such file'],
    [[folder], 66, 'is a folder'],
    [['--jail', 'none', log], 66, 'the jail "none" is not on; there are sshd'],
    [['--against', config, '-'], 64, 'standard input cannot be'],
  ] as const) {
    const ended = await run(...words)
    assert.is(ended.code, code, ended.stderr)
    assert.match(ended.stderr, message)
    assert.not.match(ended.stderr, '    at ')
  }
  assert.match((await run(log)).stdout, '0 lines read')
})

/** Some minutes of a log, with sessions that tell twice, late lines, IPv6 networks and addresses that are spared. */
const event = fc.record({
  step: fc.integer({ min: 0, max: 40 }),
  address: fc.constantFrom(
    '192.0.2.7',
    '192.0.2.8',
    '198.51.100.7',
    '2001:db8::1',
    '2001:db8::2',
    '2001:db8::3',
    '::ffff:192.0.2.7',
  ),
  pid: fc.integer({ min: 1, max: 3 }),
  kind: fc.constantFrom('failed', 'invalid', 'accepted', 'repeated'),
})

test('bans exactly whom an agent bans that reads the same log', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 30, maxLength: 120 }), async (events) => {
      const { folder, config, log, replay } = bed(
        '',
        'jails:\n  sshd:\n    source: ./auth.log\n    actions: [memory]\n    bantime: { base: 1d, increment: true }\n',
      )
      const whole = events.reduce((sum, { step }) => sum + step, 0)
      let time = Date.now() - whole * 1000 - 2000
      const text = events.map(({ step, address, pid, kind }) => {
        time += step * 1000
        const from = `from ${address} port 4711`
        const message = {
          failed: `Failed password for root ${from} ssh2`,
          invalid: `Invalid user x ${from}`,
          accepted: `Accepted password for root ${from} ssh2`,
          repeated: `message repeated 2 times: [ Failed password for root ${from} ssh2]`,
        }[kind]
        return `${new Date(time).toISOString()} web sshd[${pid}]: ${message}\n`
      })
      writeFileSync(log, text.join(''))
      const agent = new AgentProcess(['run', '--config', config])
      try {
        await agent.shows('watching: sshd')
        // A line of its own address that is banned last tells that all before it is done with.
        const last = Array.from(
          { length: 3 },
          () => `${new Date().toISOString()} web sshd[9]: Failed password for root from 203.0.113.99 port 1 ssh2\n`,
        )
        appendFileSync(log, last.join(''))
        await agent.shows('203.0.113.99')
        const { stdout } = await bailiff(['status', 'sshd', '--json', '--config', config])
        const live = (JSON.parse(stdout) as { bans: Line[] }).bans
        const key = ({ prefix, since, until, count, failures }: Line) =>
          [prefix, since, until, count, failures].join(' ')
        const others = (bans: readonly Line[]) =>
          bans
            .filter(({ prefix }) => prefix !== '203.0.113.99')
            .map(key)
            .toSorted()
        const replayed = (await replay(log)).filter(({ type }) => type === 'ban')
        assert.equal(others(replayed), others(live), folder)
      } finally {
        await agent.end('SIGKILL')
      }
    }),
    { numRuns: 4 },
  )
})

test.after(endAgents)
test.run()
