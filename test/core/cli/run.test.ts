import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { JailReport, StatusReport } from '../../../core/control/api.ts'
import { suite } from '../../suite.ts'
import { endAgents, temporaryFolder } from './agent-process.ts'

import { bed, failure, line, until } from './agent-bed.ts'

const test = suite('the agent, without a firewall')

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

test.after.each(endAgents)
test.run()
