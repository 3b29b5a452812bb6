import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { Ban } from '../../../core/events.ts'
import { suite } from '../../suite.ts'
import { AgentProcess, bailiff, endAgents, temporaryFolder, writeConfig } from './agent-process.ts'

const test = suite('recidive')

/** An agent with five jails, each with a log of its own and sshd's filter, and recidive. */
function bed(recidive = 'on') {
  const folder = temporaryFolder()
  const names = ['a', 'b', 'c', 'd', 'e']
  const log = (name: string) => join(folder, `${name}.log`)
  for (const name of names) writeFileSync(log(name), '')
  const jails = names.map((name) => `  ${name}: { filter: sshd, source: ${log(name)} }\n`).join('')
  const config = writeConfig(
    folder,
    `ignoreself: false\ndefaults: { findtime: 1h, maxretry: 1, bantime: 1h, actions: [memory] }\njails:\n${jails}  recidive: ${recidive}\n`,
  )
  const words = ['--config', config]
  return {
    start: () => new AgentProcess(['run', ...words]),
    fail: (name: string, address: string) =>
      appendFileSync(
        log(name),
        `${new Date().toISOString()} host sshd[77]: Failed password for root from ${address} port 4711 ssh2\n`,
      ),
    status: async (jail: string) => {
      const { stdout, stderr } = await bailiff(['status', jail, ...words, '--json'])
      return JSON.parse(stdout || stderr) as Status
    },
    check: async () => (await bailiff(['check', ...words])).stdout,
  }
}

interface Status {
  readonly bans: readonly Ban[]
  readonly findings: readonly unknown[]
}

test.after.each(endAgents)

test('five bans by other jails, through kill -9 and a clean end, are a ban of all ports for a week', async () => {
  const at = bed()
  const bannedBy = (jail: string) => `[${jail}] ban 192.0.2.1 `
  let agent = at.start()
  await agent.shows('watching')
  for (const name of ['a', 'b', 'c']) {
    at.fail(name, '192.0.2.1')
    await agent.shows(bannedBy(name))
  }
  await agent.end('SIGKILL')
  agent = at.start()
  await agent.shows('watching')
  // Bans that are restored count no second time: three and one are four.
  at.fail('d', '192.0.2.1')
  await agent.shows(bannedBy('d'))
  await agent.end('SIGTERM')
  agent = at.start()
  await agent.shows('watching')
  assert.equal((await at.status('recidive')).bans, [])
  at.fail('e', '192.0.2.1')
  await agent.shows(bannedBy('recidive'))
  const { bans } = await at.status('recidive')
  assert.equal(
    bans.map(({ prefix, since, until, ports, failures }) => [prefix, Number(until) - since, ports, failures]),
    [['192.0.2.1', 7 * 86_400_000, { protocol: 'all', ports: [] }, 5]],
  )
})

test('it stands beside the rest in the status, and is not called blind', async () => {
  const at = bed('{ mode: observe, maxretry: 1, jails: [a] }')
  const agent = at.start()
  await agent.shows('watching')
  at.fail('b', '192.0.2.1')
  await agent.shows('[b] ban 192.0.2.1 ')
  at.fail('a', '192.0.2.2')
  await agent.shows('[recidive] would ban 192.0.2.2')
  assert.not.match(agent.output, /would ban 192\.0\.2\.1/)
  const { findings } = await at.status('recidive')
  assert.equal(findings, [])
})

test('what does not fit is refused with its place', async () => {
  const cases: [recidive: string, message: RegExp][] = [
    [
      '{ source: /var/log/x.log }',
      /jails\.recidive\.source: the jail counts bans and reads no lines: leave source out/,
    ],
    ['{ jails: [a, g] }', /jails\.recidive\.jails\[1\]: there is no jail "g"; did you mean a\?/],
    ['{ jails: recidive }', /jails\.recidive\.jails: a jail cannot count its own bans/],
    ['{ filter: sshd, source: /dev/null, jails: [a] }', /the filter "sshd" reads lines and counts no bans/],
    [
      '{ filter: { counts: bans, failregex: "x <ADDR>" } }',
      /the filter "recidive" counts bans and reads no lines: leave failregex out/,
    ],
  ]
  for (const [recidive, message] of cases) assert.match(await bed(recidive).check(), message)
  assert.match(await bed().check(), /recidive +enforce +recidive +bans of all jails +all/)
  assert.match(await bed('{ jails: [a, b] }').check(), /recidive +enforce +recidive +bans of a b +all/)
})

test.run()
