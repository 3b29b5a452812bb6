import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import type { JailReport } from '../../../core/control/api.ts'
import { suite } from '../../suite.ts'
import { bailiff, endAgents, writeConfig } from './agent-process.ts'

import { bed, failure, line, until } from './agent-bed.ts'

const test = suite('the agent in trouble, without a firewall')

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

test('an error that a plugin lets slip is told with its place; its host starts again, and bans go on', async () => {
  const { log, held, start, folder } = bed()
  const keep = readFileSync(join(folder, 'keep.mjs'), 'utf8')
  const slips = `ban(ban, host) {
    Promise.reject(new Error('floating'))
    const once = host.stateDir + '/once'
    if (!existsSync(once)) { writeFileSync(once, ''); setTimeout(() => { throw new Error('late') }, 10) }
  `
  writeFileSync(
    join(folder, 'keep.mjs'),
    keep.replace('rmSync, ', 'existsSync, rmSync, ').replace('ban(ban, host) { ', slips),
  )
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
