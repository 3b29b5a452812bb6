/** The log in Fail2ban's form that `fail2ban_log:` asks for. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { AgentProcess, bailiff, endAgents, temporaryFolder, writeConfig } from './agent-process.ts'

const test = suite('log of fail2ban for our own jails')
test.after.each(endAgents)

test('failures, ignored ones, bans and their ends, in lines of fail2ban', async () => {
  const folder = temporaryFolder()
  const auth = join(folder, 'auth.log')
  const own = join(folder, 'fail2ban.log')
  writeFileSync(auth, '')
  const defaults = 'defaults: { maxretry: 2, bantime: { base: 1h, factor: 3 }, actions: [memory] }'
  const config = writeConfig(
    folder,
    `fail2ban_log: ${own}\nignoreip: 198.51.100.9\n${defaults}\njails: { sshd: { source: ${auth} } }\n`,
  )
  const agent = new AgentProcess(['run', '--config', config])
  await agent.shows('watching')
  const fail = (address: string) =>
    appendFileSync(
      auth,
      `${new Date().toISOString()} host sshd[${process.hrtime()[1]}]: Failed password for root from ${address} port 4711 ssh2\n`,
    )
  fail('198.51.100.9')
  fail('198.51.100.7')
  fail('198.51.100.7')
  await agent.shows('[sshd] ban 198.51.100.7 ')
  await bailiff(['unban', '198.51.100.7', '--config', config])
  await agent.shows('[sshd] unban 198.51.100.7 ')
  fail('198.51.100.7')
  fail('198.51.100.7')
  await agent.shows('[sshd] ban 198.51.100.7 ', agent.output.lastIndexOf('unban'))
  await agent.end()
  const said = readFileSync(own, 'utf8')
    .replaceAll(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (\S+) +\[\d+\]: (\w+) +/gm, '$1 $2 ')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME')
    .trimEnd()
    .split('\n')
  assert.equal(said, [
    "fail2ban.jail INFO Jail 'sshd' started",
    'fail2ban.filter INFO [sshd] Ignore 198.51.100.9 by ip',
    'fail2ban.filter INFO [sshd] Found 198.51.100.7 - TIME',
    'fail2ban.filter INFO [sshd] Found 198.51.100.7 - TIME',
    'fail2ban.actions NOTICE [sshd] Ban 198.51.100.7',
    'fail2ban.actions NOTICE [sshd] Unban 198.51.100.7',
    'fail2ban.filter INFO [sshd] Found 198.51.100.7 - TIME',
    'fail2ban.filter INFO [sshd] Found 198.51.100.7 - TIME',
    'fail2ban.actions NOTICE [sshd] Ban 198.51.100.7',
    'fail2ban.observer NOTICE [sshd] Increase Ban 198.51.100.7 (2 # 3h -> TIME)',
    'fail2ban.server INFO Exiting Fail2ban',
  ])
})

test('none is written unless it is asked for', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'auth.log'), '')
  const config = writeConfig(folder, `jails: { sshd: { source: ${folder}/auth.log, mode: observe } }\n`)
  const agent = new AgentProcess(['run', '--config', config])
  await agent.shows('watching')
  await agent.end()
  assert.not(existsSync(join(folder, 'fail2ban.log')))
})

test.run()
