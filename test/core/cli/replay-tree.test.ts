import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { writeTree } from '../fail2ban/running/written-tree.ts'
import { askFail2ban } from '../judging/fail2ban-reference.ts'
import { bailiff } from './agent-process.ts'

const test = suite('bailiff replay --fail2ban')
const start = Date.UTC(2026, 10, 22, 10, 0, 0) / 1000

interface Event {
  readonly type: 'ban' | 'prolonged' | 'unban' | 'summary'
  readonly prefix: string
  readonly jail: string
  readonly since: number
  readonly until: number | null
  readonly totals: readonly { readonly jail: string; readonly failures: number; readonly ignored: number }[]
}

const stamp = (seconds: number) => new Date((start + seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ')
const lineOf = (seconds: number, text: string) => `${stamp(seconds)} ${text}\n`
const wrongKey = (seconds: number, address: string) => lineOf(seconds, `door: wrong key of ${address}`)

async function replay(tree: string, ...words: string[]): Promise<readonly Event[]> {
  const { code, stdout, stderr } = await bailiff(['replay', '--fail2ban', tree, '--json', ...words], '', { TZ: 'UTC' })
  assert.is(code, 0, stderr)
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event)
}

const told = (events: readonly Event[]) =>
  events.flatMap(({ type, prefix, since, jail }) =>
    type === 'ban' ? [`${jail} ${prefix} ${since / 1000 - start}`] : [],
  )

test('bans by the jails that follow the log, with their dates, sessions and whom they ignore', async () => {
  const tree = writeTree({
    'jail.d/door.local':
      '[door]\nignoreip = 192.0.2.9 198.51.100.0/24\nignorecommand = /bin/false\nignoreregex = of 203\\.0\\.113\\.5$\n[gate]\nfilter = gate\n',
    'filter.d/gate.conf':
      '[Definition]\nfailregex = ^ gate\\[<F-MLFID>\\d+</F-MLFID>\\]: <F-NOFAIL>knock</F-NOFAIL> of <HOST>$\n ^ gate\\[<F-MLFID>\\d+</F-MLFID>\\]: turned away$\n',
  })
  const door = join(tree, 'door.log')
  const gate = join(tree, 'gate.log')
  const seconds = [0, 10, 20, 30]
  writeFileSync(
    door,
    seconds
      .flatMap((at) => ['192.0.2.7', '192.0.2.9', '198.51.100.3', '203.0.113.5'].map((ip) => wrongKey(at, ip)))
      .join(''),
  )
  writeFileSync(
    gate,
    [
      lineOf(5, 'gate[1]: knock of 192.0.2.8'),
      lineOf(6, 'gate[2]: knock of 192.0.2.77'),
      lineOf(7, 'gate[1]: turned away'),
      lineOf(25, 'gate[3]: turned away'),
      lineOf(26, 'gate[3]: knock of 192.0.2.8'),
    ].join(''),
  )
  const events = await replay(tree, door, gate)
  assert.equal(told(events), ['door 192.0.2.7 20', 'gate 192.0.2.8 26'])
  const [summary] = events.filter(({ type }) => type === 'summary')
  assert.equal(
    summary?.totals.map(({ jail, failures, ignored }) => [jail, failures, ignored]),
    [
      ['door', 4, 8],
      ['gate', 2, 0],
    ],
  )
  const text = await bailiff(['replay', '--fail2ban', tree, '--jail', 'door', door, gate, '--lines'], '', { TZ: 'UTC' })
  assert.match(text.stderr, 'door: its ignorecommand is not run')
  assert.match(
    text.stdout,
    /192\.0\.2\.7 {2}door: for 1 h, ban 1, 3 failures\n.*wrong key.*\n.*\n.*\n +found by .*filter\.d\/door\.conf:2/,
  )
})

test('a stored log of any age, in parts, and of a jail that reads the journal', async () => {
  const tree = writeTree({
    'jail.d/door.local': '[door]\nbackend = systemd\n',
    'filter.d/gate.conf': '[Definition]\nfailregex = ^ gate: (<HOST>\n',
  })
  const log = join(tree, 'old.log')
  writeFileSync(`${log}.1`, [0, 1].map((at) => wrongKey(at, '192.0.2.7')).join(''))
  writeFileSync(log, [2, 4000].map((at) => wrongKey(at, '192.0.2.7')).join(''))
  const events = await replay(tree, '--jail', 'door', log, `${log}.1`)
  assert.equal(told(events), ['door 192.0.2.7 2'])
  const { stderr, code } = await bailiff(['replay', '--fail2ban', tree, log], '', { TZ: 'UTC' })
  assert.is(code, 0)
  assert.match(stderr, /gate is left out: .*filter\.d\/gate\.conf:2: \[Definition\] failregex: the jail is set aside/)
})

test('errors name the tree and the next step', async () => {
  const tree = writeTree()
  const cases: [words: string[], code: number, said: string][] = [
    [['--fail2ban', join(tree, 'nothing'), 'x.log'], 66, 'nothing'],
    [['--fail2ban', tree, '--jail', 'dor', join(tree, 'door.log')], 66, 'there are door, gate'],
    [['--fail2ban', tree, join(tree, 'no.log')], 66, 'there is no such file'],
  ]
  for (const [words, code, said] of cases) {
    const ended = await bailiff(['replay', ...words])
    assert.match(ended.stderr, said)
    assert.is(ended.code, code, ended.stderr)
  }
})

const beside = suite('bailiff replay beside fail2ban', 'fail2ban-server')

beside('the same bans, with the same begins and ends, of failures of chance', async () => {
  const failure = fc.record({
    gap: fc.constantFrom(0, 0, 1, 7, 40, 200, 601, 4000),
    address: fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8::1'),
  })
  const increment: [string, string | boolean][] = [
    ['increment', true],
    ['factor', '2'],
  ]
  const logs = fc.sample(fc.array(failure, { minLength: 30, maxLength: 120 }), Number(process.env.LOGS ?? 4))
  for (const [index, failures] of logs.entries()) {
    const extra = index % 2 === 0 ? [] : increment
    const options = extra.map(([name, value]) => `bantime.${name} = ${value}\n`).join('')
    const tree = writeTree({
      'jail.d/door.local': `[door]\nfindtime = 600\nmaxretry = 3\nbantime = 900\nmaxmatches = 3\n${options}`,
    })
    const log = join(tree, 'door.log')
    let at = 0
    const times = failures.map(({ gap }) => (at += gap))
    writeFileSync(log, failures.map(({ address }, place) => wrongKey(times[place] ?? 0, address)).join(''))
    const events = await replay(tree, log)
    const ours = events
      .filter(({ type }) => type === 'ban' || type === 'prolonged')
      .map(({ prefix, since, until }) => `${prefix} ${since / 1000} ${(until ?? 0) / 1000}`)
    const [answers = []] = askFail2ban([
      {
        jails: [{ name: 'door', maxretry: 3, findtime: 600, bantime: 900, maxmatches: 3, extra }],
        purgeAge: 86_400,
        steps: failures.map(({ address }, place) => {
          const time = start + (times[place] ?? 0)
          return { now: time, failures: [{ jail: 'door', id: address, time }] }
        }),
      },
    ])
    const theirs = answers.flat().map(([, id, begin, end]) => `${id} ${begin} ${end ?? 0}`)
    assert.equal([...new Set(ours)].toSorted(), [...new Set(theirs)].toSorted())
  }
})

test.run()
beside.run()
