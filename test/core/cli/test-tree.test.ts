import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { comparedRegex, comparedTests, comparedTree } from '../../compared-fail2ban.ts'
import { suite } from '../../suite.ts'
import { bailiff, temporaryFolder } from './agent-process.ts'

const test = suite('bailiff test --fail2ban')
const folder = temporaryFolder()
const tree = join(folder, 'fail2ban')
mkdirSync(join(tree, 'filter.d'), { recursive: true })
writeFileSync(
  join(tree, 'jail.conf'),
  '[DEFAULT]\nbackend = auto\n[door]\nfilter = door[word=closed]\nlogpath = /var/log/door.log\nignoreregex = from 192\\.0\\.2\\.9$\n[broken]\nfilter = gone\n',
)
writeFileSync(
  join(tree, 'filter.d/door.conf'),
  `[Definition]
failregex = ^ door\\[<F-MLFID>\\d+</F-MLFID>\\]: <word> for <F-USER>\\S+</F-USER> from <HOST>$
            ^ door\\[<F-MLFID>\\d+</F-MLFID>\\]: <F-NOFAIL>knock</F-NOFAIL> of <F-USER>\\S+</F-USER>$
            ^ door\\[\\d+\\]: closed for \\S+ from <HOST>
datepattern = ^%%Y-%%m-%%d %%H:%%M:%%S
[Init]
word = shut
`,
)
const log = join(folder, 'door.log')
const lines = [
  '# a comment',
  '2026-11-22 13:41:01 door[7]: knock of joe',
  '',
  '2026-11-22 13:41:02 door[7]: closed for joe from 192.0.2.7',
  '2026-11-22 13:41:03 door[8]: closed for root from 192.0.2.9',
  '2026-11-22 13:41:04 door[8]: open',
  '2026-11-22 13:41:05 door[9]: closed for ann from home.example',
]
writeFileSync(log, `${lines.join('\n')}\n`)
const seconds = (second: number) => new Date(2026, 10, 22, 13, 41, second).getTime() / 1000

interface Printed {
  readonly line: number
  readonly matched: boolean
  readonly nofail: boolean
  readonly ignored: boolean
  readonly host: string | null
  readonly time: number | null
  readonly rule: number | null
  readonly user: string | null
  readonly attempts: number
  readonly also?: readonly { readonly rule: number }[]
}

const tried = (...words: string[]) => bailiff(['test', '--fail2ban', tree, ...words])
const records = async (...words: string[]): Promise<Printed[]> => {
  const { code, stdout, stderr } = await tried(...words, '--json')
  assert.equal([code, stderr], [0, ''])
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Printed)
}
const short = ({ line, matched, nofail, ignored, host, time, rule, user, attempts }: Printed) => [
  line,
  matched,
  nofail,
  ignored,
  host,
  time,
  rule,
  user,
  attempts,
]

test('--json: a record for every line that is no comment and not empty', async () => {
  assert.equal((await records('door', log)).map(short), [
    [2, false, true, false, null, seconds(1), 1, 'joe', 0],
    [4, true, false, false, '192.0.2.7', seconds(2), 0, 'joe', 2],
    [5, false, false, true, null, seconds(3), null, null, 0],
    [6, false, false, false, null, seconds(4), null, null, 0],
    [7, true, false, false, 'home.example', seconds(5), 0, 'ann', 1],
  ])
})

test('a filter has its own options; --all tries every failregex', async () => {
  const plain = await records('filter.d/door', log)
  assert.equal(plain.map(({ matched, rule }) => [matched, rule])[1], [true, 2])
  const [, both] = await records('door[word=closed]', log, '--all')
  assert.equal([both?.rule, both?.also?.map(({ rule }) => rule)], [0, [2]])
})

test('options in brackets go to the filter of a jail, which keeps what it says itself', async () => {
  const [, closed, ignored] = await records('door[word=gone]', log)
  assert.equal([closed?.matched, closed?.rule, ignored?.ignored], [true, 2, true])
  assert.equal((await records('door.conf[word=gone]', log)).map(({ ignored: is }) => is)[2], false)
})

test('a failregex, lines instead of a file, a time, and lines without a date', async () => {
  const [dated] = await records(
    'bad <HOST>$',
    'Dec 31 23:59:59 bad 192.0.2.1',
    '--now',
    '1767225600',
    '--timezone',
    'UTC',
  )
  assert.equal([dated?.host, dated?.time], ['192.0.2.1', 1_767_225_599])
  const [bare] = await records('^bad <HOST>$', 'bad 192.0.2.1', '--no-date', '--now', '1767225600')
  assert.equal([bare?.host, bare?.time], ['192.0.2.1', 1_767_225_600])
  const [ignored] = await records('bad <HOST>$', 'bad 192.0.2.1', '--ignoreregex', '2\\.1$')
  assert.is(ignored?.ignored, true)
})

test('the report counts and lists as fail2ban-regex does', async () => {
  const { stdout } = await tried('door', log, '--raw')
  for (const part of [
    '\nFailregex: 5 total\n|-  #) [# of hits] regular expression\n',
    '\nIgnoreregex: 2 total\n',
    '\nLines: 5 lines, 2 ignored, 2 matched, 1 missed\n',
    '|- Missed line(s):\n|  2026-11-22 13:41:04 door[8]: open\n`-\n',
    '[5] ^Year-Month-Day 24hour:Minute:Second',
  ])
    assert.ok(stdout.includes(part), `${part} in ${stdout}`)
  assert.not.match((await tried('door', log, '--raw', '--print-no-missed')).stdout, 'Missed line')
})

test('-o prints of each failure what is asked for, and nothing of a peer is a tag or moves the cursor', async () => {
  const out = async (format: string) => (await tried('door', log, '--raw', '-o', format)).stdout.trim().split('\n')
  assert.equal(await out('id'), ['192.0.2.7', 'home.example'])
  assert.equal(await out('user'), ['joe', 'ann'])
  assert.equal(await out('<F-USER>@<ip> <nothing>'), ['joe@192.0.2.7 <nothing>', 'ann@home.example <nothing>'])
  assert.equal(await out('msg'), [lines[1], lines[3], lines[6]])
  const evil = await tried('^bad <F-USER>.*</F-USER> <HOST>$', 'bad <ip>\x1b[2J 192.0.2.1', '-o', '<F-USER>')
  assert.is(evil.stdout, '<ip>\\x1b[2J\n')
})

test('errors name what was given and the next step', async () => {
  const cases: [words: string[], code: number, said: string][] = [
    [['dor', log], 66, 'did you mean door?'],
    [['broken', log], 78, 'gone'],
    [['bad (<HOST>', log], 78, 'failregex 1'],
    [['bad', join(folder, 'none.log')], 66, 'no jail and no filter "bad"'],
    [['door', join(folder, 'none.log')], 66, 'no such file'],
    [['door', log, '--usedns', 'maybe'], 64, 'it is yes, warn, no or raw'],
    [['door', log, '--maxlines', '0'], 64, 'from 1 on'],
    [['door', log, '--encoding', 'klingon'], 78, 'is not known'],
    [['door', log, '--now', 'soon'], 64, 'unix seconds'],
    [['door', log, '--json', '--summary'], 64, 'exclude each other'],
  ]
  for (const [words, code, said] of cases) {
    const ended = await tried(...words)
    assert.match(ended.stderr, said)
    assert.is(ended.code, code, ended.stderr)
  }
})

const installed = suite('bailiff test beside fail2ban-regex', 'fail2ban-regex')

installed('counts of a stock filter on its samples are the same', async () => {
  for (const name of ['sshd', 'mongodb-auth', 'apache-auth']) {
    const samples = `${comparedTests}/files/logs/${name}`
    const theirs = comparedRegex(samples, `${name}.conf`, '--raw')
    const ours = (await bailiff(['test', '--fail2ban', comparedTree, `filter.d/${name}`, samples, '--raw'])).stdout
    const counts = (text: string) => text.slice(text.indexOf('\nResults'), text.indexOf('[processed'))
    // Before 1.1 it found a little less as an IPv6 address.
    assert.is(counts(ours), counts(theirs).replaceAll('::?|::){1,7}', '::?|:){1,7}'))
  }
})

installed('reports with further options, and what -o prints, are the same', async () => {
  const cases: [filter: string, words: string[]][] = [
    ['froxlor-auth', ['-v']],
    ['gitlab', ['-v', '--VD', '--print-all-matched']],
    ['asterisk', ['-L', '3', '--no-check-all']],
    ['postfix', ['--TZ', 'UTC', '--print-no-missed']],
    ['grafana', ['-o', 'row']],
    ['apache-auth', ['-o', '<ip> <time> <F-USER> <msg>']],
  ]
  for (const [name, words] of cases) {
    const samples = `${comparedTests}/files/logs/${name}`
    const theirs = comparedRegex(samples, `${name}.conf`, '--raw', ...words)
    const asked = ['--fail2ban', comparedTree, `filter.d/${name}`, samples, '--raw', ...words]
    const ours = (await bailiff(['test', ...asked])).stdout
    const told = (text: string) =>
      text
        .slice(Math.max(0, text.indexOf('\nResults')))
        .replace(/\[processed in .*/, '')
        .replaceAll('\\x09', '\t')
    // Before 1.1 it found a little less as an IPv6 address.
    const newest = told(theirs).replaceAll('::?|::){1,7}', '::?|:){1,7}')
    assert.is(told(ours), newest, `${name} ${words.join(' ')}`)
  }
})

test.run()
installed.run()
