import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { bailiff, temporaryFolder } from './agent-process.ts'

const test = suite('bailiff test with filters of our own')
const folder = temporaryFolder()
const log = join(folder, 'door.log')
const filter = join(folder, 'door.yaml')
writeFileSync(
  filter,
  `prefregex: '^door: <F-CONTENT>.+</F-CONTENT>$'
failregex:
  - '^closed for <F-USER>\\S+</F-USER> from <ADDR>$'
  - '^closed for .* from <ADDR>$'
  - '^slammed on <ADDR>$'
ignoreregex: ['from 192\\.0\\.2\\.9$', 'for guest']
`,
)
const lines = [
  '2026-11-22T13:41:01Z door: open',
  '2026-11-22T13:41:02Z door: closed for joe from 192.0.2.7',
  '',
  '2026-11-22T13:41:03Z door: closed for guest from 192.0.2.9',
  '# 192.0.2.1',
  '2026-11-22T13:41:04Z door: closed for a b from 2001:db8::7',
]
writeFileSync(log, `${lines.join('\n')}\n`)
const second = (number: number) => Date.UTC(2026, 10, 22, 13, 41, number) / 1000

interface Printed {
  readonly line: number
  readonly matched: boolean
  readonly ignored: boolean
  readonly host: string | null
  readonly time: number | null
  readonly rule: number | null
  readonly groups: Readonly<Record<string, string>>
  readonly also?: readonly { readonly rule: number }[]
}

async function records(...words: string[]): Promise<Printed[]> {
  const { code, stdout, stderr } = await bailiff(['test', ...words, '--json'])
  assert.equal([code, stderr], [0, ''])
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Printed)
}

const out = async (...words: string[]) => {
  const { stdout, stderr } = await bailiff(['test', ...words])
  assert.is(stderr, '')
  return stdout
}

test('a record for every line, and which of them an ignoreregex took out', async () => {
  assert.equal(
    (await records(filter, log)).map(({ line, matched, ignored, host, time, rule }) => [
      line,
      matched,
      ignored,
      host,
      time,
      rule,
    ]),
    [
      [1, false, false, null, second(1), null],
      [2, true, false, '192.0.2.7', second(2), 0],
      [3, false, false, null, null, null],
      [4, false, true, null, second(3), null],
      [5, false, false, null, null, null],
      [6, true, false, '2001:db8::7', second(4), 1],
    ],
  )
  const all = await records(filter, log, '--all')
  assert.equal(
    all.map(({ rule, also = [] }) => [rule, ...also.map((one) => one.rule)]),
    [[null], [0, 1], [null], [null], [null], [1]],
  )
  assert.equal(all[1]?.groups, { user: 'joe', ip4: '192.0.2.7' })
})

test('the report: hits of each pattern and of each form of date, lists of lines, addresses', async () => {
  const report = await out(filter, log, '--print-all-matched')
  for (const part of [
    '\nPrefregex: 4 total\n',
    '\nFailregex: 3 total\n|-  #) [# of hits] regular expression\n|   1) [1] ^closed for <F-USER>',
    '\n|   2) [2] ^closed for .* from <ADDR>$\n',
    '\nIgnoreregex: 2 total\n',
    '\n|   1) [1] from 192',
    '\n|   2) [1] for guest\n',
    '\n|  [4] YYYY-MM-DD hh:mm:ss\n|  [2] none\n',
    '\nLines: 6 lines, 1 ignored, 2 matched, 3 missed\n',
    `|- Ignored line(s):\n|  ${lines[3]}\n`,
    `|- Missed line(s):\n|  ${lines[0]}\n|  \n|  ${lines[4]}\n`,
    `|- Matched line(s):\n|  ${lines[1]}\n|  ${lines[5]}\n`,
    /\n2001:db8::7 +1 +2026-11-22T13:41:04\.000Z\n/,
    '\nlines 6, matches 2, skipped 0, bytes',
  ])
    assert.match(report, part)
  const less = await out(filter, log, '--no-check-all', '--print-no-missed', '--print-no-ignored')
  assert.match(less, '\nFailregex: 2 total\n')
  assert.not.match(less, 'line(s):')
  assert.match(await out(filter, log, '-v'), /\n\| {3}3\) \[0\] \^slammed.*\n/)
})

test('a failregex alone, lines in the place of a log, dates as the command says', async () => {
  const one = async (...words: string[]) => (await records(...words))[0]
  assert.is((await one('^bad <ADDR>$', '2026-11-22T13:41:02Z bad 192.0.2.1'))?.host, '192.0.2.1')
  assert.equal(
    (await records('bad <HOST>$', 'x bad 192.0.2.1\nbad home.example')).map(({ host }) => host),
    ['192.0.2.1', null],
  )
  const asked = ['^bad <ADDR>$', '31 Dec, 23:59:59 bad 192.0.2.1', '-d', '^%d %b, %H:%M:%S', '--now', '1767225600']
  assert.is((await one(...asked, '--timezone', 'UTC'))?.time, 1_767_225_599)
  assert.is((await one(...asked, '--TZ', '+01:00'))?.time, 1_767_225_599 - 3600)
  assert.is((await one('^bad <ADDR>$', 'bad 192.0.2.1', '--no-date', '--now', '1767225600'))?.time, 1_767_225_600)
  const sshd = 'h sshd[7]: Failed password for x from 192.0.2.1 port 1 ssh2'
  assert.equal(
    (await records('sshd', `${sshd}\n${sshd.replace('sshd', 'other')}`, '--no-date', '--now', '7000')).map(
      ({ host, time }) => [host, time],
    ),
    [
      ['192.0.2.1', 7000],
      [null, 7000],
    ],
  )
  assert.is((await one('^bad <ADDR>$', 'bad 192.0.2.1', '--ignoreregex', '2\\.1$'))?.ignored, true)
})

test('-o, and what is left with --invert', async () => {
  assert.is(await out(filter, log, '-o', 'id'), '192.0.2.7\n2001:db8::7\n')
  assert.is(
    await out(filter, log, '-o', '<F-USER>@<ip> <family> <time>'),
    `joe@192.0.2.7 inet4 ${second(2)}.0\n@2001:db8::7 inet6 ${second(4)}.0\n`,
  )
  assert.is(await out(filter, log, '--invert'), `${[lines[0], '', lines[3], lines[4]].join('\n')}\n`)
  const evil = await bailiff([
    'test',
    '^bad <F-USER>.*</F-USER> <ADDR>$',
    'bad <ip>\x1b[2J 192.0.2.1',
    '-o',
    '<F-USER>',
  ])
  assert.is(evil.stdout, '<ip>\\x1b[2J\n')
})

test('--yes-no counts the same lines as the summary, over many chunks', async () => {
  const big = join(folder, 'big.log')
  const part = `${lines.join('\n')}\nx${'y'.repeat(70_000)}\n`
  writeFileSync(big, `${part.repeat(9)}${lines[1]}\n`.repeat(3))
  for (const name of [filter, 'sshd', '<ADDR>']) {
    const counts = (text: string) => text.replace(/(?:, addresses \d+)?, CPU .*/s, '')
    const summary = counts(await out(name, big, '--summary'))
    const all = await records(name, big)
    assert.match(summary, `lines 192, matches ${all.filter(({ matched }) => matched).length}, `)
    assert.is(counts(await out(name, big, '--yes-no', '--summary')), summary)
  }
})

test('options that mean nothing here are refused with the reason', async () => {
  const cases: [words: string[], code: number, said: string][] = [
    [['sshd', log, '--usedns', 'yes'], 64, '<HOST> is an address and never a name'],
    [['sshd', log, '--maxlines', '5'], 64, 'sees one line'],
    [['sshd', log, '--encoding', 'latin1'], 64, 'read UTF-8'],
    [['sshd', log, '--verbose-date'], 64, 'no weights'],
    [['sshd', log, '--full-traceback'], 64, 'has no trace'],
    [['sshd', log, '-D'], 64, 'a web site'],
    [['sshd', log, '-l', 'debug'], 64, '--log-level means nothing here'],
    [['sshd', log, '--journalmatch', '_COMM=x'], 64, 'name systemd-journal as log'],
    [['sshd', log, '--json', '--invert'], 64, 'exclude each other'],
    [['sshd', log, '--timezone', 'Mars/Olympus'], 78, 'Mars/Olympus'],
    [['sshd', log, '--now', '0'], 64, 'unix seconds'],
    [['bad (<ADDR>', log], 78, 'command line'],
    [['bad <F-ID>x</F-ID>', log], 78, 'Fail2ban'],
    [['sshd', log, '--ignoreregex', '('], 78, '--ignoreregex'],
    [['sshd', log, '-d', '%Q'], 78, '--datepattern'],
    [['--fail2ban', folder, 'sshd', log, '--config', filter], 64, 'leave it out'],
  ]
  for (const [words, code, said] of cases) {
    const ended = await bailiff(['test', ...words])
    assert.match(ended.stderr, said)
    assert.equal([ended.code, ended.stdout], [code, ''], words.join(' '))
  }
  assert.match(await out('sshd', log, '--usedns', 'no', '--maxlines', '1', '--raw', '-e', 'UTF-8'), 'Results')
})

test.run()
