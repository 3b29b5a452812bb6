import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { Cause, LineExplanation } from '../../../core/explaining/line-explanation.ts'
import { suite } from '../../suite.ts'
import { writeTree } from '../fail2ban/running/written-tree.ts'
import { bailiff } from './agent-process.ts'

const test = suite('bailiff explain --fail2ban')
const tree = writeTree({
  'jail.d/door.local':
    '[door]\nfilter = door\nignoreip = 192.0.2.9\nignoreregex = from 203\\.0\\.113\\.5$\n[gate]\nusedns = no\n',
  'filter.d/door.conf': `[Definition]
prefregex = ^ door\\[<F-MLFID>\\d+</F-MLFID>\\]: <F-CONTENT>.+</F-CONTENT>$
failregex = ^wrong key of <F-USER>\\S+</F-USER> from <HOST>$
            ^<F-NOFAIL>knock</F-NOFAIL> of <F-USER>\\S+</F-USER>$
            ^broken$
`,
})
const config = join(tree, 'bailiff.yaml')
writeFileSync(config, `state: ${tree}/state\ncontrol: ${tree}/c.sock\n`)
const now = Date.UTC(2026, 10, 22, 14, 0, 0)
const stamp = (agoSeconds: number) => new Date(now - agoSeconds * 1000).toISOString().slice(0, 19).replace('T', ' ')

async function explain(lines: readonly string[], ...words: string[]): Promise<readonly LineExplanation[]> {
  const asked = ['explain', '--fail2ban', tree, '--config', config, '--json', '--now', `${now / 1000}`, ...words]
  const { code, stdout, stderr } = await bailiff([...asked, '-'], `${lines.join('\n')}\n`, { TZ: 'UTC' })
  assert.is(code, 0, stderr)
  const texts = lines.length === 1 ? [stdout] : stdout.trim().split('\n')
  return texts.map((text) => JSON.parse(text) as LineExplanation)
}

const stepsOf = ({ jails: [first] }: LineExplanation) =>
  (first?.steps ?? []).map(({ step, ok }) => `${step} ${ok === null ? '·' : ok ? '+' : '-'}`)

test('of each line the cause, and how far it came', async () => {
  const at = stamp(5)
  const cases: [line: string, cause: Cause, jail: string | null, said: RegExp, lastStep: string][] = [
    [
      `${at} door[1]: wrong key of joe from 192.0.2.7`,
      'counts',
      'door',
      /1 failure of 192\.0\.2\.7 in door; a ban comes at 3/,
      'ban +',
    ],
    [`${at} door[2]: wrong key of joe from 192.0.2.9`, 'ignored', 'door', /ignored \(ip\)/, 'ignore -'],
    [
      `${at} door[3]: wrong key of joe from 203.0.113.5`,
      'ignoreregex',
      'door',
      /Ignoreregex 0 of door/,
      'ignoreregex -',
    ],
    [`${at} door[4]: knock of joe`, 'no-failure', 'door', /no failure by itself \(failregex 1/, 'session ·'],
    [`${at} door[5]: broken`, 'waiting', 'door', /another line of its session/, 'session ·'],
    [
      `${at} door[6]: wrong key of joe`,
      'failregex',
      'door',
      /None of the 3 failregexes of door matches/,
      'failregex -',
    ],
    [`${stamp(7200)} door[7]: wrong key of joe from 192.0.2.7`, 'too-old', 'door', /2 h old/, 'window -'],
    [' door[8]: wrong key of joe from 192.0.2.7', 'no-date', 'door', /only if it is read at the moment/, 'window -'],
    [`${at} nothing at all`, 'no-jail', null, /No jail has to do with this line/, 'prefilter -'],
  ]
  const found = await explain(cases.map(([line]) => line))
  for (const [index, [line, cause, jail, said, lastStep]] of cases.entries()) {
    const one = found[index]
    assert.equal([one?.cause, one?.jail], [cause, jail], `${line}: ${one?.verdict}`)
    assert.match(one?.verdict ?? '', said)
    const steps = one === undefined ? [] : stepsOf(one)
    assert.ok(steps.includes(lastStep), `${line}: ${steps.join(', ')}`)
  }
  const [first] = found[0]?.jails ?? []
  const details = first?.steps.map(({ step, detail }) => `${step}: ${detail}`).join('\n') ?? ''
  assert.match(details, /date: .*\{\^LN-BEG\}ExYear.* is 2026-11-22T13:59:55\.000Z/)
  assert.match(details, 'prefregex: leaves "wrong key of joe from 192.0.2.7"')
  assert.match(details, /failregex: failregex 0 matches \(.*door\.conf:3\): \^wrong key/)
  assert.match(details, 'session: "1"; users: joe')
})

test('lines before tell: sessions, counts, the log', async () => {
  const at = stamp(5)
  const [, second, third] = await explain([
    `${at} door[1]: broken`,
    `${at} door[1]: wrong key of joe from 192.0.2.7`,
    `${at} door[2]: wrong key of joe from 192.0.2.7`,
  ])
  assert.match(
    second?.jails[0]?.steps.map(({ detail }) => detail).join('\n') ?? '',
    '"1", with 1 lines before it; users: joe',
  )
  assert.match(third?.verdict ?? '', 'with the lines before it that is 2 of 3')
  const [elsewhere] = await explain([`${at} door[9]: wrong key of joe from 192.0.2.7`], '--log', '/var/log/other.log')
  assert.is(elsewhere?.cause, 'log-not-read')
  const [other] = await explain([`${at} gate: home.example was turned away`], '--jail', 'gate')
  assert.equal([other?.jail, other?.cause], ['gate', 'failregex'])
})

test('an address, a jail that is not there, and no such folder', async () => {
  const { stdout } = await bailiff(['explain', '--fail2ban', tree, '--config', config, '192.0.2.7'])
  assert.match(stdout, /door +enforce +0 of 3 +10 min/)
  const cases: [words: string[], said: string][] = [
    [
      ['explain', '--fail2ban', tree, '--config', config, '--jail', 'dor', 'a line'],
      'there is no jail dor; there are door, gate',
    ],
    [['explain', '--fail2ban', join(tree, 'none'), '--config', config, 'a line'], 'none'],
  ]
  for (const [words, said] of cases) {
    const ended = await bailiff(words)
    assert.match(ended.stderr, said)
    assert.is.not(ended.code, 0)
  }
})

test.run()
