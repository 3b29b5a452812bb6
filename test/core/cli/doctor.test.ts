import { chmodSync, mkdirSync, mkdtempSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { parseAddress, parsePrefix, type Address } from '../../../core/address.ts'
import { dateFindings } from '../../../core/cli/log-dates.ts'
import { nativeTimes, sampleLog } from '../../../core/cli/log-sample.ts'
import { proxyFindings } from '../../../core/cli/proxy-findings.ts'
import { suite } from '../../suite.ts'
import { writeTree } from '../fail2ban/running/written-tree.ts'
import { must } from '../firewall/namespace.ts'
import { bailiff, endAgents, temporaryFolder } from './agent-process.ts'

const test = suite('doctor')
const folder = temporaryFolder()
test.after.each(endAgents)

interface Answer {
  readonly findings: readonly { grade: string; subject: string; text: string; mend: string | null }[]
  readonly problems: number
  readonly notes: number
}

/** Runs doctor on a configuration with one jail that reads `log`. */
async function doctor(yaml: (at: string) => string, env: NodeJS.ProcessEnv = {}) {
  const at = mkdtempSync(join(folder, 'd-'))
  const config = join(at, 'bailiff.yaml')
  writeFileSync(join(at, 'auth.log'), `${new Date().toISOString()} host sshd[1]: Server listening on :: port 22.\n`)
  writeFileSync(config, `state: ${at}/state\ncontrol: ${at}/control.sock\n${yaml(at)}`, { mode: 0o600 })
  const root = join(at, 'root')
  mkdirSync(root)
  const words = ['doctor', '--json', '--no-proof', '--root', root, '--config', config]
  const { code, stdout, stderr } = await bailiff(words, '', env)
  assert.is(stderr, '')
  return { code, at, ...(JSON.parse(stdout) as Answer) }
}

const jail = (at: string, more = '') => `jails:\n  sshd: { source: ${at}/auth.log, actions: [memory]${more} }\n`

test('where all is well there is no problem, and the exit code is 0', async () => {
  const { code, findings, problems, at } = await doctor((here) => jail(here))
  assert.equal(
    findings.filter(({ grade }) => grade === 'problem'),
    [],
  )
  assert.equal([code, problems], [0, 0])
  const text = findings.map((each) => `${each.subject}: ${each.text}`).join('\n')
  assert.match(text, `logs: ${at}/auth.log is read for sshd`)
  assert.match(text, 'dates: found in 1 of the last 1 line')
  assert.match(text, 'agent: no agent answers')
})

test('a log that is not there is a problem, and the exit code says so', async () => {
  const { code, findings } = await doctor((at) => jail(at).replace('auth.log', 'gone.log'))
  assert.is(code, 69)
  assert.match(must(findings.find(({ grade }) => grade === 'problem')).text, 'gone.log yet, so sshd sees nothing')
})

test('the jails of a Fail2ban tree: their logs, dates as they read them, whom they ignore', async () => {
  const stamp = (ago: number) => new Date(Date.now() - ago).toISOString().slice(0, 19).replace('T', ' ')
  const tree = writeTree({
    'jail.d/door.local':
      '[DEFAULT]\nignoreip = 0.0.0.0/1\n[gate]\nlogpath = FOLDER/none.log\n[old]\nenabled = true\nlogpath = FOLDER/old.log\n',
    'filter.d/door.conf':
      '[Definition]\nfailregex = ^ door: wrong key of <HOST>$\ndatepattern = ^at %%Y-%%m-%%d %%H:%%M:%%S\n',
    'filter.d/old.conf': '[Definition]\nfailregex = ^ old: <HOST>$\n',
  })
  writeFileSync(join(tree, 'door.log'), `at ${stamp(0)} door: nothing\n`.repeat(3))
  writeFileSync(join(tree, 'old.log'), `${stamp(3_600_000)} old: nothing\n`)
  const config = join(tree, 'bailiff.yaml')
  writeFileSync(config, `state: ${tree}/state\ncontrol: ${tree}/c.sock\ndefaults: { actions: [memory] }\n`, {
    mode: 0o600,
  })
  mkdirSync(join(tree, 'root'))
  const words = ['doctor', '--json', '--no-proof', '--root', join(tree, 'root'), '--config', config, '--fail2ban', tree]
  const { code, stdout, stderr } = await bailiff(words, '', { TZ: 'UTC', SSH_CONNECTION: '192.0.2.7 1 192.0.2.8 22' })
  assert.is(stderr, '')
  const { findings } = JSON.parse(stdout) as Answer
  const told = findings
    .map(({ grade, subject, text, mend }) => `${grade} ${subject}: ${text} → ${mend ?? ''}`)
    .join('\n')
  assert.is(code, 69, told)
  assert.match(told, `ok logs: ${tree}/door.log is read for door`)
  assert.match(told, `ok dates: found in 3 of the last 3 lines of ${tree}/door.log`)
  assert.match(
    told,
    `problem logs: there is no ${tree}/none.log yet, so gate sees nothing → if it is elsewhere: [gate] logpath = … in ${tree}/jail.local`,
  )
  assert.match(told, /problem dates: .*old\.log is 1 h.* behind .*\[old\] logtimezone = /)
  assert.match(told, 'problem lock-out: ignoreip has 0.0.0.0/1')
})

test('no configuration, and a broken one', async () => {
  const { code, stdout } = await bailiff(['doctor', '--no-proof', '--config', join(folder, 'none/bailiff.yaml')])
  assert.is(code, 69)
  assert.match(stdout, /problem {2}configuration: .*\n.*bailiff setup/)
  const broken = await doctor(() => 'jails: { sshdd: on }\n')
  assert.is(broken.code, 69)
  assert.match(must(broken.findings.find(({ subject }) => subject === 'configuration')).text, 'sshdd')
})

test('an ignoreip that spares everybody, and an own session that is not spared', async () => {
  const env = { SSH_CONNECTION: '203.0.113.77 1 192.0.2.1 22' }
  const wide = await doctor((at) => `ignoreip:\n  - 0.0.0.0/0\n${jail(at)}`, env)
  assert.match(must(wide.findings.find(({ grade }) => grade === 'problem')).text, 'ignoreip has 0.0.0.0/0')
  const bare = await doctor((at) => jail(at), env)
  const found = must(bare.findings.find(({ text }) => text.includes('203.0.113.77')))
  assert.equal([found.grade, found.mend?.includes('bailiff allow 203.0.113.77')], ['note', true])
  const spared = await doctor((at) => `ignoreip:\n  - 203.0.113.0/24\n${jail(at)}`, env)
  assert.is(must(spared.findings.find(({ text }) => text.includes('203.0.113.77'))).grade, 'ok')
})

test('what the dates of a log tell', () => {
  const now = Date.UTC(2026, 10, 22, 12)
  const hour = 3_600_000
  const cases: [lines: number, dated: number, skewMs: number | null, grade: string, text: string][] = [
    [10, 10, 400, 'ok', 'found in 10 of the last 10 lines'],
    [10, 10, -5 * hour, 'problem', 'another time zone'],
    [10, 10, 5.5 * hour + 20_000, 'problem', 'another time zone'],
    [10, 10, -400_000, 'note', 'behind the time it was written'],
    [10, 10, 400_000, 'problem', 'in the future'],
    [10, 10, -30 * hour, 'note', '1 d 6 h behind'],
    [10, 2, 0, 'problem', 'no date is found in 8 of the last 10 lines'],
    [10, 0, null, 'note', 'lines count when they come'],
  ]
  for (const [lines, dated, skew, grade, text] of cases) {
    const lastDate = skew === null ? null : now + skew
    const sample = { size: 1, writtenAt: now, lines, dated, lastDate, clients: new Map<Address, number>() }
    const found = dateFindings('x.log', sample, {
      test: 'bailiff test f',
      zone: 'write jails: { j: { timezone: … } }',
      now,
    })
    assert.is(found.length, 1)
    assert.is(found[0]?.grade, grade, text)
    assert.match(found[0]?.text ?? '', text)
  }
})

test('the end of a log is sampled, and its first half line is not', () => {
  const file = join(folder, 'long.log')
  const line = '192.0.2.7 - - [22/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "x"\n'
  writeFileSync(file, line.repeat(5000) + 'unfinished')
  utimesSync(file, 1000, 1000)
  const { lines, dated, lastDate, clients, writtenAt } = sampleLog(file, nativeTimes(null))
  assert.equal([lines, dated, lastDate, writtenAt], [400, 400, Date.UTC(2026, 10, 22, 12), 1_000_000])
  assert.equal([...clients], [['192.0.2.7', 400]])
})

test('a proxy in front is seen by the addresses of the log', () => {
  const cases: [addresses: Record<string, number>, trusted: string[], found: boolean][] = [
    [{ '172.17.0.1': 100 }, [], true],
    [{ '172.17.0.1': 95, '192.0.2.7': 5 }, [], true],
    [{ '127.0.0.1': 30 }, [], true],
    [{ '127.0.0.1': 30 }, ['127.0.0.1'], false],
    [{ '127.0.0.1': 5 }, [], false],
    [{ '172.17.0.1': 50, '192.0.2.7': 50 }, [], false],
    [{ '10.0.0.1': 20, '10.0.0.2': 20, '10.0.0.3': 20, '10.0.0.4': 20 }, [], false],
    [{ '162.158.1.1': 20, '172.68.1.1': 20, '2606:4700::5': 20 }, [], true],
    [{ '192.0.2.7': 1000 }, [], false],
  ]
  for (const [addresses, trusted, found] of cases) {
    const clients = new Map(Object.entries(addresses).map(([text, count]) => [must(parseAddress(text)), count]))
    const proxies = trusted.map((text) => must(parsePrefix(text)))
    const ignore = { prefixes: [], names: [], self: true, proxies, places: {} }
    const findings = proxyFindings('access.log', { clients }, { name: 'web', ignore })
    assert.is(findings.length > 0, found, JSON.stringify(addresses))
    if (found) assert.match(findings[0]?.mend ?? '', 'trusted_proxies')
  }
})

test('names of files with control bytes reach no output', async () => {
  const at = mkdtempSync(join(folder, 'c-'))
  writeFileSync(join(at, 'bad\u001b[31m.log'), 'x\n')
  chmodSync(at, 0o755)
  const config = join(at, 'bailiff.yaml')
  writeFileSync(config, `control: ${at}/c.sock\njails: { sshd: { source: ${at}/*.log, actions: [memory] } }\n`, {
    mode: 0o600,
  })
  const { stdout } = await bailiff(['doctor', '--no-proof', '--config', config])
  assert.match(stdout, 'bad\\x1b[31m.log')
  assert.is(stdout.includes('\u001b'), false)
})

test.run()
