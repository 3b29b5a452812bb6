import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import type { JailReport, StatusReport } from '../../../core/control/api.ts'
import { suite } from '../../suite.ts'
import { AgentProcess, bailiff, endAgents, temporaryFolder, writeConfig } from './agent-process.ts'

const test = suite('the agent, without a firewall')

/** An agent whose action keeps a file for every ban, so that what is in force can be seen from outside. */
function bed(rest = '') {
  const folder = temporaryFolder()
  const log = join(folder, 'auth.log')
  writeFileSync(log, '')
  const action = join(folder, 'keep.mjs')
  writeFileSync(
    action,
    `import { rmSync, writeFileSync } from 'node:fs'
import { RetryLater } from 'bailiff/plugin'
const file = (ban) => ${JSON.stringify(folder)} + '/held-' + ban.prefix.replace('/', '_')
export default {
  restored: true,
  ban(ban, host) { if (RetryLater.name !== 'RetryLater') throw new Error('wrong module'); writeFileSync(file(ban), JSON.stringify(ban)) },
  unban(ban) { rmSync(file(ban), { force: true }) },
}
`,
  )
  const jails = rest || `jails:\n  sshd:\n    source: ${log}\n    actions: [./keep.mjs]\n`
  const config = writeConfig(
    folder,
    `ignoreself: false\ndefaults: { findtime: 10m, maxretry: 3, bantime: 10m }\nignoreip: [198.51.100.0/24]\n${jails}`,
  )
  const held = () =>
    readdirSync(folder)
      .filter((name) => name.startsWith('held-'))
      .map((name) => name.slice(5))
      .toSorted()
  const cli = async (...words: string[]) => bailiff([...words, '--config', config])
  return {
    folder,
    log,
    config,
    held,
    cli,
    start: (...words: string[]) => new AgentProcess(['run', '--config', config, ...words]),
  }
}

const failure = (address: string, user = 'root') => `Failed password for ${user} from ${address} port 4711 ssh2`
const line = (text: string) => `${new Date().toISOString()} host sshd[77]: ${text}\n`

async function until(fact: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (fact()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.unreachable(`did not happen: ${what}`)
}

test('bans at maxretry and not before, through rotation; status shows it; unban ends it', async () => {
  const { log, held, cli, start } = bed()
  const agent = start()
  await agent.shows('watching: sshd')
  appendFileSync(log, line(failure('192.0.2.7')) + line(failure('192.0.2.7')) + line(failure('203.0.113.9')))
  renameSync(log, `${log}.1`)
  writeFileSync(log, line('Accepted publickey for alice from 192.0.2.10 port 22 ssh2') + line(failure('192.0.2.7')))
  await until(() => held().length > 0, 'a ban')
  assert.equal(held(), ['192.0.2.7'])

  const status = JSON.parse((await cli('status', '--json')).stdout) as StatusReport
  assert.equal([status.bans, status.jails[0]?.failures, status.jails[0]?.tracked], [1, 4, 1])
  const jail = JSON.parse((await cli('status', 'sshd', '--json')).stdout) as JailReport
  assert.equal(
    jail.bans.map(({ prefix, enforced, failures }) => [prefix, enforced, failures]),
    [['192.0.2.7', true, 3]],
  )
  assert.match((await cli('status')).stdout, /sshd +enforce +4 +0 +1 +1 +1/)
  assert.match((await cli('unban', '192.0.2.7')).stdout, '192.0.2.7: unbanned (sshd)')
  await until(() => held().length === 0, 'the unban')
  assert.is(await agent.end(), 0)
})

test('who is behind a trusted proxy is banned by the fields of JSON lines, and the proxy never', async () => {
  const access = join(temporaryFolder(), 'access.json')
  writeFileSync(access, '')
  const filter =
    '{ format: json, match: { path: { prefix: /login }, status: [401, 403] }, address: [xff, ip], time: ts }'
  const { held, start, cli } = bed(
    `trusted_proxies: [10.0.0.0/8]\njails:\n  web: { source: ${access}, actions: [./keep.mjs], filter: ${filter} }\n`,
  )
  const agent = start()
  await agent.shows('watching: web')
  const failed = (fields: object) =>
    `${JSON.stringify({ ts: Date.now() / 1000, path: '/login?x', status: 401, ...fields })}\n`.repeat(3)
  // One without a client, one whose client says he speaks for another, one behind two proxies, one cut short.
  const lines = [
    failed({ ip: '10.0.0.1' }),
    failed({ ip: '192.0.2.7', xff: '203.0.113.9' }),
    failed({ ip: '10.0.0.1', xff: '203.0.113.9, 192.0.2.8, 10.0.0.2' }),
    failed({ ip: '192.0.2.9' }).replaceAll('}', ''),
    failed({ ip: '192.0.2.10' }),
  ]
  appendFileSync(access, lines.join(''))
  await until(() => held().length >= 3, 'three bans')
  assert.equal(held(), ['192.0.2.10', '192.0.2.7', '192.0.2.8'])
  const status = JSON.parse((await cli('status', '--json')).stdout) as StatusReport
  assert.equal([status.jails[0]?.ignored, status.logs[0]?.malformed], [3, 3])
  await agent.shows('failures of 10.0.0.1 are ignored: 10.0.0.0/8 is a trusted proxy')
  assert.match((await cli('ban', '10.0.0.1', '--jail', 'web')).stdout, /10\.0\.0\.0\/8 is a trusted proxy/)
  await agent.end()
})

test('a ban outlives the agent, a clean end and a kill alike, and is not decided twice', async () => {
  const { log, held, cli, start } = bed()
  let agent = start()
  await agent.shows('watching: sshd')
  appendFileSync(log, Array.from({ length: 5 }, () => line(failure('2001:db8::7'))).join(''))
  await until(() => held().length === 1, 'a ban')
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await agent.end(signal)
    assert.equal(held(), ['2001:db8::7'])
    agent = start()
    await agent.shows('watching: sshd')
    const jail = JSON.parse((await cli('status', 'sshd', '--json')).stdout) as JailReport
    assert.equal(
      jail.bans.map(({ prefix, count }) => [prefix, count]),
      [['2001:db8::7', 1]],
    )
  }
  await agent.end()
})

test('what was written while the agent was down is read when it comes back', async () => {
  const { log, held, start } = bed()
  const first = start()
  await first.shows('watching: sshd')
  await first.end()
  appendFileSync(log, Array.from({ length: 3 }, () => line(failure('192.0.2.8'))).join(''))
  const second = start()
  await until(() => held().length === 1, 'a ban')
  await second.end()
})

test('failures of before a restart count after it, once', async () => {
  const { log, held, start } = bed()
  const first = start()
  await first.shows('watching: sshd')
  appendFileSync(log, line(failure('192.0.2.8')) + line(failure('192.0.2.8')) + line(failure('203.0.113.8')))
  await first.end()
  const second = start()
  await second.shows('watching: sshd')
  appendFileSync(log, line(failure('203.0.113.8')) + line(failure('192.0.2.8')))
  await until(() => held().length > 0, 'a ban')
  assert.equal(held(), ['192.0.2.8'])
  await second.end()
})

test('ignored addresses and look-alikes are not banned', async () => {
  const { log, held, start } = bed()
  const agent = start()
  await agent.shows('watching: sshd')
  const smuggled = failure('203.0.113.50', 'x from 192.0.2.66 port 22 ssh2')
  for (let i = 0; i < 4; i++)
    appendFileSync(log, line(failure('198.51.100.4')) + line(smuggled) + line(failure('not.an.address')))
  appendFileSync(log, `${new Date().toISOString()} host app[1]: ${failure('192.0.2.99')}\n`.repeat(5))
  await until(() => held().length === 1, 'a ban')
  assert.equal(held(), ['203.0.113.50'])
  await agent.end()
})

test('observing shows what would be banned and bans nobody', async () => {
  const { log, held, cli, start } = bed()
  const agent = start('--observe')
  await agent.shows('watching: sshd')
  for (let i = 0; i < 9; i++) appendFileSync(log, line(failure('192.0.2.7')))
  await agent.shows('would ban 192.0.2.7')
  assert.is(agent.output.match(/would ban/g)?.length, 1)
  const refused = await cli('ban', '192.0.2.1')
  assert.is(refused.code, 69)
  assert.match(refused.stderr, 'only observes')
  assert.equal(held(), [])
  await agent.end()
})

test('one broken jail does not stop the others; reload mends it, and a bad reload changes nothing', async () => {
  const { folder, log, held, cli, start, config } = bed()
  const jails = (regex: string) => `ignoreself: false
defaults: { maxretry: 3, actions: [./keep.mjs] }
jails:
  sshd: { source: ${log} }
  app:
    source: ${folder}/app.log
    filter: { failregex: ['${regex}'] }
`
  writeConfig(folder, jails('^bad (<ADDR>$'))
  const agent = start()
  await agent.shows('watching: sshd')
  assert.match(agent.output, `${config}:`)
  const status = await cli('status', 'app')
  assert.is(status.code, 66)
  assert.match(status.stderr, 'set aside')
  await cli('ban', '192.0.2.200', '--jail', 'sshd')
  assert.equal(held(), ['192.0.2.200'])

  writeConfig(folder, 'jails: {{{')
  const bad = await cli('reload', '--socket', `${folder}/run/control.sock`)
  assert.is(bad.code, 78, bad.stderr)
  writeConfig(folder, jails('^bad <ADDR>$'))
  assert.match((await cli('reload')).stdout, 'reloaded: sshd, app')
  writeFileSync(join(folder, 'app.log'), 'bad 192.0.2.7\n')
  for (let i = 0; i < 3; i++) appendFileSync(join(folder, 'app.log'), `${new Date().toISOString()} bad 192.0.2.8\n`)
  await until(() => held().length === 2, 'a ban by the mended jail')
  assert.equal(held(), ['192.0.2.200', '192.0.2.8'])
  await agent.end()
})

test('bans by hand: prefixes, jails, times, refusals', async () => {
  const { held, cli, start } = bed()
  const agent = start()
  await agent.shows('watching: sshd')
  const cases: [words: string[], code: number, said: RegExp][] = [
    [['ban', '192.0.2.1', '2001:DB8::1', '--for', '1h'], 0, /192\.0\.2\.1: banned, until/],
    [['ban', '203.0.113.0/25', '--jail', 'sshd', '--for', 'permanent'], 0, /203\.0\.113\.0\/25: banned, for ever/],
    [['ban', '198.51.100.7'], 65, /ignore list has 198\.51\.100\.0\/24/],
    [['ban', '198.0.0.0/8'], 65, /refused/],
    [['ban', '192.0.2'], 64, /"192\.0\.2" is not an IP address/],
    [['ban', '192.0.2.1', '--jail', 'nginx'], 66, /there is no jail "nginx"; there is sshd/],
    [['ban', '192.0.2.1', '--for', 'soon'], 64, /"soon" is not a length of time/],
    [['unban', '203.0.113.7'], 0, /was not banned; it lies in 203\.0\.113\.0\/25/],
    [['unban'], 64, /name the addresses/],
    [['unban', '192.0.2.0/24'], 0, /192\.0\.2\.1: unbanned \(manual\)/],
    [['unban', '--all'], 0, /203\.0\.113\.0\/25: unbanned \(sshd\)/],
  ]
  for (const [words, code, said] of cases) {
    const ended = await cli(...words)
    assert.is(ended.code, code, `${words.join(' ')}: ${ended.stdout}${ended.stderr}`)
    assert.match(ended.stdout + ended.stderr, said)
  }
  await until(() => held().length === 0, 'all unbanned')
  await agent.end()
})

test('a second agent beside a running one is refused; without one, commands say what to do', async () => {
  const { cli, start } = bed()
  const agent = start()
  await agent.shows('watching: sshd')
  const second = start()
  await new Promise((resolve) => second.child.once('exit', resolve))
  assert.is(second.child.exitCode, 69)
  assert.match(second.output, 'running already')
  assert.is((await cli('status')).code, 0)
  await agent.end()
  const alone = await cli('status')
  assert.is(alone.code, 69)
  assert.match(alone.stderr, 'bailiff run')
})

test('an error that a plugin lets slip is told with its place, and the agent goes on', async () => {
  const { log, held, start, folder } = bed()
  const keep = readFileSync(join(folder, 'keep.mjs'), 'utf8')
  const slips =
    "ban(ban, host) { Promise.reject(new Error('floating')); setTimeout(() => { throw new Error('late') }, 10); "
  writeFileSync(join(folder, 'keep.mjs'), keep.replace('ban(ban, host) { ', slips))
  const agent = start()
  await agent.shows('watching: sshd')
  for (let i = 0; i < 3; i++) appendFileSync(log, line(failure('192.0.2.7')))
  await agent.shows(/floating \(at .*keep\.mjs:\d+\)/)
  await agent.shows(/late \(at .*keep\.mjs:\d+\)/)
  for (let i = 0; i < 3; i++) appendFileSync(log, line(failure('192.0.2.8')))
  await until(() => held().length === 2, 'a ban after the errors')
  assert.is(await agent.end(), 0)
})

test('a log without dates and headers works, with a word on what it is worth', async () => {
  const { log, held, start } = bed()
  appendFileSync(log, 'Server listening on 0.0.0.0 port 22.\r\n')
  const agent = start()
  await agent.shows('watching: sshd')
  for (let i = 0; i < 3; i++) appendFileSync(log, `${failure('192.0.2.7')}\r\n`)
  await until(() => held().length === 1, 'a ban')
  await agent.shows('a peer can forge lines')
  await agent.end()
})

test('bans go on when nobody reads the log of the agent any more', async () => {
  const { log, held, cli, start } = bed()
  const agent = start()
  await agent.shows('watching: sshd')
  agent.closeOutput()
  for (let host = 1; host <= 20; host++)
    for (let i = 0; i < 3; i++) appendFileSync(log, line(failure(`192.0.2.${host}`)))
  await until(() => held().length === 20, '20 bans')
  assert.is((await cli('status')).code, 0)
  assert.is(await agent.end(), 0)
})

test('a FIFO in the place of a pause holds up no start: it is told, and counts as one', async () => {
  const { folder, cli, start } = bed()
  mkdirSync(join(folder, 'state'), { mode: 0o700 })
  execFileSync('mkfifo', [join(folder, 'state/paused')])
  const agent = start()
  await agent.shows(`taken for paused, for ${folder}/state/paused cannot be read: it is no regular file`)
  await agent.shows('watching: sshd')
  assert.is((await cli('resume')).code, 0)
  assert.not.ok(existsSync(join(folder, 'state/paused')))
  assert.is(await agent.end(), 0)
})

test('whoever reads the output may leave at any time during the start', async () => {
  const { log, held, cli, start } = bed()
  for (const ms of [0, 100, 250, 400]) {
    const agent = start()
    await new Promise((resolve) => setTimeout(resolve, ms))
    agent.child.stdout?.destroy()
    const up = async () => (await cli('status')).stdout.includes('sshd')
    for (let tries = 0; tries < 20 && !(await up()); tries++) assert.is(agent.child.exitCode, null, agent.output)
    assert.ok(await up())
    // What is left is standard error.
    assert.not.match(agent.output, /node:|EPIPE/)
    assert.is(await agent.end(), 0)
  }
  assert.equal([held(), readFileSync(log, 'utf8')], [[], ''])
})

if (existsSync('/dev/full'))
  test('a full disk below the output of a command is told in a sentence, and its exit code too', async () => {
    const { config } = bed()
    const full = openSync('/dev/full', 'w')
    for (const [stdio, words] of [
      [
        ['ignore', full, 'pipe'],
        ['check', '--config', config],
      ],
      [
        ['ignore', 'pipe', full],
        ['check', '--config', '/nowhere'],
      ],
    ] as const) {
      const main = fileURLToPath(new URL('../../../core/cli/main.js', import.meta.url))
      const { status, stderr } = spawnSync(process.execPath, [main, ...words], { stdio: [...stdio], encoding: 'utf8' })
      assert.is(status, stderr === null ? 66 : 74)
      if (stderr !== null) assert.match(stderr, /^bailiff: standard output cannot be written: ENOSPC[^\n]*\n$/)
    }
    closeSync(full)
  })

test('a ban that does not bite is an alarm with a likely cause', async () => {
  const { log, held, cli, start } = bed()
  const agent = start()
  await agent.shows('watching: sshd')
  for (let i = 0; i < 3; i++) appendFileSync(log, line(failure('192.0.2.7')))
  await until(() => held().length === 1, 'a ban')
  await new Promise((resolve) => setTimeout(resolve, 10_500))
  for (let i = 0; i < 3; i++) appendFileSync(log, line(failure('192.0.2.7')))
  await agent.shows('lines of 192.0.2.7 still arrive although it is banned: the line was written on the host')
  assert.is(agent.output.match(/still arrive/g)?.length, 1)
  assert.match((await cli('status')).stdout, 'Its bans do not bite')
  await agent.end()
})

test('no stack trace and no control byte reaches a user', async () => {
  const { log, start, folder, cli } = bed()
  const agent = start()
  await agent.shows('watching: sshd')
  for (let i = 0; i < 3; i++) appendFileSync(log, line(failure('192.0.2.7', 'e\x1b[31mvil\x07\u009b')))
  await agent.shows('ban 192.0.2.7')
  const report = await cli('status', 'sshd', '--json')
  const lines = (JSON.parse(report.stdout) as JailReport).bans[0]?.lines ?? []
  assert.is(lines.length, 3)
  assert.match(lines[0] ?? '', 'e\\x1b[31mvil')
  assert.not.match((agent.output + report.stdout).replaceAll('\n', ''), /\p{Cc}/u)
  await agent.end()
  const missing = await bailiff(['run', '--config', join(folder, 'nothing.yaml')])
  assert.is(missing.code, 66)
  assert.not.match(missing.stderr, / at .*\(/)
  assert.not.ok(existsSync(join(folder, 'nothing.yaml')))
})

test.after.each(endAgents)
test.run()
