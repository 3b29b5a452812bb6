import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { mkdirSync, writeFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { journalFile } from '../../plugins/sources/journald.ts'
import { bailiff, temporaryFolder } from './agent-process.ts'

const test = suite('bailiff test on a journal', 'systemd-journal-remote')
const folder = temporaryFolder()
const tree = join(folder, 'fail2ban')
mkdirSync(join(tree, 'filter.d'), { recursive: true })
writeFileSync(join(tree, 'jail.conf'), '[DEFAULT]\nbackend = systemd\n[door]\nfilter = door\n')
writeFileSync(
  join(tree, 'filter.d/door.conf'),
  '[Definition]\nfailregex = ^\\S+ door\\[\\d+\\]: closed for <F-USER>.*</F-USER> from <HOST>$\njournalmatch = _SYSTEMD_UNIT=door.service\n',
)
const entry = (identifier: string, message: string, unit: string, micros = '1763817600500000') => ({
  _HOSTNAME: 'web',
  _PID: '77',
  _UID: '0',
  _SYSTEMD_UNIT: unit,
  SYSLOG_IDENTIFIER: identifier,
  _SOURCE_REALTIME_TIMESTAMP: micros,
  MESSAGE: message,
})
const entries = [
  entry('sshd', 'Failed password for root from 192.0.2.7 port 1 ssh2', 'ssh.service'),
  entry('sshd', 'Accepted password for ann from 192.0.2.8 port 1 ssh2', 'ssh.service'),
  entry('sshd', 'Failed password for root from 192.0.2.9 port 1 ssh2', 'evil.service'),
  entry('door', 'closed for joe from 192.0.2.7', 'door.service'),
  entry('door', 'closed for x\nh door[1]: closed for y from 192.0.2.1', 'door.service'),
  entry('door', `closed for a${Buffer.from('\u2028').toString('latin1')}b from 192.0.2.3`, 'door.service'),
  entry('door', 'closed for z from 192.0.2.2', 'evil.service'),
]

interface Printed {
  readonly line: number
  readonly matched: boolean
  readonly host: string | null
  readonly time: number | null
  readonly user: string | null
}

async function records(...words: string[]): Promise<Printed[]> {
  const { code, stdout, stderr } = await bailiff(['test', ...words, '--json'])
  assert.equal([code, stderr], [0, ''])
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Printed)
}

const short = ({ line, matched, host }: Printed) => [line, matched, host]

test('of our own filters: the entries that its source would read, or those that are named', async () => {
  const journal = `systemd-journal[journalfiles="${journalFile(entries)}"]`
  const usual = await records('sshd', journal)
  assert.equal(usual.map(short), [
    [1, true, '192.0.2.7'],
    [2, false, null],
  ])
  assert.is(Math.abs((usual[0]?.time ?? 0) - Date.now() / 1000) < 600, true)
  assert.equal((await records('sshd', journal, '-m', '_SYSTEMD_UNIT=evil.service')).map(short), [
    [1, true, '192.0.2.9'],
    [2, false, null],
  ])
  assert.is((await records('closed for \\S+ from <ADDR>$', journal)).filter(({ matched }) => matched).length, 3)
  const { stdout } = await bailiff(['test', 'sshd', journal])
  assert.match(stdout, 'Use         systemd journal\n')
  assert.match(stdout, '\nLines: 2 lines, 0 ignored, 1 matched, 1 missed\n')
})

test('of a tree: the journalmatch of the filter, times of the senders, and no line out of a line', async () => {
  const journal = `systemd-journal[journalfiles=${journalFile(entries)}]`
  const found = await records('--fail2ban', tree, 'door', journal)
  assert.equal(found.map(short), [
    [1, true, '192.0.2.7'],
    [2, true, '192.0.2.1'],
    [3, true, '192.0.2.3'],
  ])
  assert.equal(
    found.map(({ time }) => time),
    [1_763_817_600.5, 1_763_817_600.5, 1_763_817_600.5],
  )
  assert.equal(found[1]?.user, 'x\\nh door[1]: closed for y')
  assert.equal(
    (await records('--fail2ban', tree, 'door', journal, '-m', '_SYSTEMD_UNIT=evil.service + _PID=1')).map(short),
    [
      [1, false, null],
      [2, true, '192.0.2.2'],
    ],
  )
})

test('a journal that cannot be read, and words that mean nothing', async () => {
  const cases: [words: string[], code: number, said: string][] = [
    [['sshd', 'systemd-journal[journalfiles=/nowhere.journal]'], 69, 'the journal cannot be read'],
    [['sshd', 'systemd-journal[colour=red]'], 64, 'journalpath, journalfiles and namespace'],
    [['--fail2ban', tree, 'door', 'systemd-journal[journalpath=/nowhere]'], 69, 'the journal cannot be read'],
    [['--fail2ban', tree, 'door', 'systemd-journal', '-m', '"open'], 78, 'quote'],
  ]
  for (const [words, code, said] of cases) {
    const { stdout, stderr, code: ended } = await bailiff(['test', ...words])
    assert.match(stderr, said)
    assert.equal([ended, stdout], [code, ''], words.join(' '))
  }
})

const beside = suite('bailiff test on a journal beside fail2ban-regex', 'systemd-journal-remote', 'fail2ban-regex')

beside('the same counts of the stock sshd filter, and the same failures', async () => {
  if (spawnSync('/usr/bin/python3', ['-c', 'import systemd.journal']).status !== 0) return
  const journal = `systemd-journal[journalfiles="${journalFile(entries)}"]`
  const words = [journal, 'sshd', '-m', '_PID=77']
  const theirs = (...more: string[]) => execFileSync('fail2ban-regex', [...words, ...more], { encoding: 'utf8' })
  const ours = async (...more: string[]) =>
    (await bailiff(['test', '--fail2ban', '/etc/fail2ban', 'filter.d/sshd', journal, '-m', '_PID=77', ...more])).stdout
  const counts = (text: string) => /\nLines: .*/.exec(text)?.[0]
  assert.is(counts(await ours()), counts(theirs()))
  assert.is(await ours('-o', '<ip> <time> <F-USER>'), theirs('-o', '<ip> <time> <F-USER>'))
})

test.run()
beside.run()
