import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { refuseCompressed } from '../../../core/cli/compressed-log.ts'
import { suite } from '../../suite.ts'
import { bailiff, temporaryFolder } from './agent-process.ts'

const test = suite('bailiff test')
const folder = temporaryFolder()
const log = join(folder, 'auth.log')
const lines = [
  '2026-11-22T13:41:02+00:00 h sshd[1]: Failed password for root from 192.0.2.7 port 1 ssh2',
  '2026-11-22T13:41:03+00:00 h sshd[1]: Accepted password for alice from 192.0.2.8 port 1 ssh2',
  '2026-11-22T13:41:04.5Z h sshd[1]: Failed password for invalid user a b from 2001:db8::7 port 1 ssh2',
  '2026-11-22T13:41:05Z h sshd[1]: Failed password for root from 192.0.2.9 port 1 ssh2',
]
writeFileSync(log, `${lines.join('\n')}\n`)

interface Printed {
  readonly file: string
  readonly line: number
  readonly matched: boolean
  readonly nofail: boolean
  readonly ignored: boolean
  readonly host: string | null
  readonly time: number | null
  readonly date: string | null
  readonly rule: number | null
  readonly user: string | null
  readonly groups: Readonly<Record<string, string>>
  readonly attempts: number
  readonly also?: readonly { readonly rule: number }[]
}

const recordsOf = async (words: readonly string[], input?: string): Promise<Printed[]> => {
  const { code, stdout, stderr } = await bailiff(['test', ...words, '--json'], input)
  assert.equal([code, stderr], [0, ''])
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Printed)
}

test('--json is one record a line', async () => {
  const { code, stdout } = await bailiff(['test', 'sshd', log, '--json'])
  assert.is(code, 0)
  const records = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Printed)
  assert.equal(records.map(({ matched, nofail, rule, attempts }) => [matched, nofail, rule, attempts])[1], [
    false,
    false,
    null,
    0,
  ])
  assert.equal(
    records.map(({ file, line, host, time, user }) => [file, line, host, time, user]),
    [
      [log, 1, '192.0.2.7', Date.UTC(2026, 10, 22, 13, 41, 2) / 1000, 'root'],
      [log, 2, null, Date.UTC(2026, 10, 22, 13, 41, 3) / 1000, null],
      [log, 3, '2001:db8::7', Date.UTC(2026, 10, 22, 13, 41, 4, 500) / 1000, 'a b'],
      [log, 4, '192.0.2.9', Date.UTC(2026, 10, 22, 13, 41, 5) / 1000, 'root'],
    ],
  )
})

test('the form of the date is told: of each match, and of how many lines', async () => {
  const mixed = join(folder, 'mixed.log')
  const access = '192.0.2.7 - - [22/Nov/2026:13:41:02 +0000] "GET / HTTP/1.1" 404 1'
  writeFileSync(mixed, [lines[0], access, access, '{"time":"2026-11-22T13:41:02Z"}', 'nothing', 'é'].join('\n'))
  const { stdout } = await bailiff(['test', 'sshd', mixed])
  for (const row of [
    /^\| {2}\[2\] DD\/Mon\/YYYY:hh:mm:ss$/m,
    /^\| {2}\[2\] none$/m,
    /^\| {2}\[1\] time field$/m,
    /^\| {2}\[1\] YYYY-MM-DD hh:mm:ss$/m,
  ])
    assert.match(stdout, row)
  assert.equal(
    (await recordsOf(['sshd', mixed])).map(({ date }) => date),
    ['YYYY-MM-DD hh:mm:ss', 'DD/Mon/YYYY:hh:mm:ss', 'DD/Mon/YYYY:hh:mm:ss', 'time field', null, null],
  )
  const own = join(folder, 'dated.yaml')
  writeFileSync(own, "datepattern: 'at %d.%m.%Y'\nfailregex: ['^bad <ADDR>$']\n")
  assert.match(
    (await bailiff(['test', own, '-', '--json'], 'at 22.11.2026 bad 192.0.2.1\n')).stdout,
    '"date":"at %d.%m.%Y"',
  )
})

test('a line without a date among others is none that the agent would count, however the file is tried', async () => {
  const forged = join(folder, 'forged.log')
  writeFileSync(forged, `${lines.join('\n')}\nFailed password for root from 192.0.2.66 port 1 ssh2\n`)
  const hosts = (await recordsOf(['sshd', forged])).flatMap(({ host }) => host ?? [])
  assert.equal(hosts, ['192.0.2.7', '2001:db8::7', '192.0.2.9'])
  assert.match((await bailiff(['test', 'sshd', forged, '--summary'])).stdout, 'lines 5, matches 3')
  assert.match((await bailiff(['test', 'sshd', forged])).stdout, '5 lines, 0 ignored, 3 matched, 2 missed')
})

test('--summary counts lines, matches, bytes and CPU seconds', async () => {
  const { stdout } = await bailiff(['test', 'sshd', log, '--summary'])
  assert.match(
    stdout,
    new RegExp(
      `^lines 4, matches 3, skipped 0, bytes ${lines.join('\n').length + 1}, addresses 3, CPU \\d+\\.\\d+ s\n$`,
    ),
  )
})

test('lines of fields, and the client behind the proxies of the jail', async () => {
  const access = join(folder, 'access.json')
  const line = (fields: object) => JSON.stringify({ ts: 1_700_000_000.5, status: 401, ...fields })
  const xff = '203.0.113.9, 192.0.2.7'
  writeFileSync(
    access,
    `${[line({ ip: '10.0.0.1', xff }), line({ ip: '192.0.2.8', xff }), line({ ip: '192.0.2.9', status: 200 }), '{"status":401'].join('\n')}\n`,
  )
  const config = join(folder, 'bailiff.yaml')
  writeFileSync(
    config,
    `trusted_proxies: 10.0.0.0/8\njails:\n  web:\n    source: ${access}\n    filter: { format: json, match: { status: 401 }, address: [xff, ip], time: ts }\n`,
  )
  const { code, stdout, stderr } = await bailiff(['test', 'web', access, '--config', config, '--json'])
  assert.equal([code, stderr], [0, ''])
  const records = stdout
    .trim()
    .split('\n')
    .map((one) => JSON.parse(one) as Printed)
    .filter(({ matched }) => matched)
  assert.equal(
    records.map(({ host, time }) => [host, time]),
    [
      ['192.0.2.7', 1_700_000_000.5],
      ['192.0.2.8', 1_700_000_000.5],
    ],
  )
  const { stdout: table } = await bailiff(['test', 'web', access, '--config', config])
  assert.match(table, /\nMatch: 2 total\n.*\n\| +1\) \[2\] \{"status":401\}\n/)
  assert.match(table, /lines 4, matches 2, skipped 0, malformed 1, /)
})

test('line numbers are right over many chunks, and a last line without newline counts', async () => {
  const big = join(folder, 'big.log')
  const filler = `${lines[1]}\n`.repeat(30_000)
  writeFileSync(big, `${filler}${lines[0]}\n${filler}${lines[0]}`)
  const { stdout } = await bailiff(['test', 'sshd', big, '--json'])
  assert.equal(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Printed)
      .filter(({ matched }) => matched)
      .map(({ line }) => line),
    [30_001, 60_002],
  )
})

test('standard input, a filter file, and errors', async () => {
  assert.match((await bailiff(['test', 'sshd', '-', '--summary'], `${lines[0]}\n`)).stdout, 'lines 1, matches 1')
  const own = join(folder, 'own.yaml')
  writeFileSync(own, "failregex: ['^bad <ADDR>$']\n")
  assert.match((await bailiff(['test', own, '-', '--json'], 'bad 192.0.2.1\n')).stdout, '"host":"192.0.2.1"')
  writeFileSync(own, "failregex:\n  - '^bad (<ADDR>$'\n")
  const cases: [words: string[], code: number, said: string][] = [
    [['test', own, log], 78, 'own.yaml:2'],
    [['test', 'ssdh', log], 78, 'did you mean sshd?'],
    [['test', 'sshd', join(folder, 'none.log')], 66, 'there is no such file\n  name a log'],
    [['test', './none.yaml', log], 66, 'there is no filter file "./none.yaml"\n  name a file that is there, or'],
    [['test', 'sshd', folder], 66, 'is a folder'],
    [['test', 'sshd', log, '--mode', 'agressive'], 78, 'did you mean aggressive?'],
    [['test', 'sshd'], 64, "missing required argument 'log'"],
    [['tset'], 64, 'Did you mean test?'],
  ]
  for (const [words, code, said] of cases) {
    const ended = await bailiff(words)
    assert.match(ended.stderr, said)
    assert.is(ended.code, code, ended.stderr)
  }
})

test('a compressed log is refused, with what unpacks it', async () => {
  const cases: [bytes: Buffer, said: RegExp | null][] = [
    [gzipSync('a line'), /"a\.log" is compressed with gzip/],
    [Buffer.from('fd377a585a000004', 'hex'), /compressed with xz/],
    [Buffer.from('28b52ffd0458', 'hex'), /compressed with zstd/],
    [Buffer.from('425a6839314159265359', 'hex'), /compressed with bzip2/],
    // Lines that begin like one are lines.
    [Buffer.from('BZh9 is a word\n'), null],
    [Buffer.from('\x1f\n'), null],
    [Buffer.alloc(0), null],
  ]
  for (const [bytes, said] of cases) {
    if (said === null) refuseCompressed('a.log', bytes)
    else assert.throws(() => refuseCompressed('a.log', bytes), said)
  }
  const packed = await bailiff(['test', 'sshd', '-'], gzipSync(lines[0] ?? ''))
  assert.equal([packed.code, packed.stdout], [65, ''])
  assert.match(packed.stderr, 'standard input is compressed with gzip')
  assert.match(packed.stderr, 'zcat FILE | bailiff test FILTER -')
})

test.run()
