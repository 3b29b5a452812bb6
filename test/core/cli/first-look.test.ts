import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { StatusReport } from '../../../core/control/api.ts'
import { suite } from '../../suite.ts'
import { bed, failure, until } from './agent-bed.ts'
import { endAgents, temporaryFolder } from './agent-process.ts'

const test = suite('the first look at a log')
const oldLines = 40_000

/** Nine days of failures of one address, then three of another, now. */
function bigLog(): string {
  const at = (secondsAgo: number, address: string) =>
    `${new Date(Date.now() - secondsAgo * 1000).toISOString()} host sshd[77]: ${failure(address)}\n`
  const old = Array.from({ length: oldLines }, (_, index) => at(3 * 3600 + (oldLines - index) * 20, '203.0.113.9'))
  return [...old, ...Array.from({ length: 3 }, () => at(5, '192.0.2.7'))].join('')
}

test('a large log is read from the window on', async () => {
  const { log, held, cli, start } = bed()
  writeFileSync(log, bigLog())
  const agent = start()
  await agent.shows('first look at a large log: what is older than findtime is not read')
  await until(() => held().includes('192.0.2.7'), 'a ban')
  assert.equal(held(), ['192.0.2.7'])
  const { logs } = JSON.parse((await cli('status', '--json')).stdout) as StatusReport
  assert.is(logs[0]?.bytesBehind, 0)
  assert.ok((logs[0]?.lines ?? oldLines) < 3000, `${logs[0]?.lines} lines were read`)
  assert.is(await agent.end(), 0)
})

test('so it is with a configuration of Fail2ban', async () => {
  const folder = temporaryFolder()
  const tree = join(folder, 'tree')
  mkdirSync(join(tree, 'filter.d'), { recursive: true })
  const log = join(folder, 'auth.log')
  writeFileSync(log, bigLog())
  writeFileSync(join(tree, 'fail2ban.conf'), '[Definition]\nlogtarget = SYSOUT\n')
  writeFileSync(
    join(tree, 'filter.d/own.conf'),
    '[Definition]\nfailregex = Failed password for \\S+ from <HOST> port\n',
  )
  writeFileSync(
    join(tree, 'jail.conf'),
    `[DEFAULT]\nbackend = polling\nfindtime = 10m\nmaxretry = 3\nbantime = 10m\n[own]\nenabled = true\nfilter = own\nlogpath = ${log}\nport = 22\n`,
  )
  const { cli, start } = bed('jails: {}\n')
  const agent = start('--fail2ban', tree, '--observe')
  await agent.shows('first look at a large log: what is older than findtime is not read')
  await agent.shows('192.0.2.7')
  const { logs, jails } = JSON.parse((await cli('status', '--json')).stdout) as StatusReport
  assert.is(logs[0]?.bytesBehind, 0)
  assert.ok((logs[0]?.lines ?? oldLines) < 3000, `${logs[0]?.lines} lines were read`)
  assert.is(jails[0]?.failures, 3)
  assert.is(await agent.end(), 0)
})

test.after.each(endAgents)
test.run()
