import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { AgentProcess, endAgents, temporaryFolder, writeConfig } from './agent-process.ts'

const test = suite('plugins that take long to load')
test.after.each(endAgents)

const attack = (address: string) =>
  `Nov 22 13:41:02 h sshd[7]: Failed password for root from ${address} port 4711 ssh2\n`

test('they keep nobody waiting, and are told what holds when they have loaded', async () => {
  const folder = temporaryFolder()
  const [log, ready, told] = ['auth.log', 'ready', 'told'].map((name) => join(folder, name)) as [string, string, string]
  writeFileSync(log, '')
  writeFileSync(join(folder, 'never.mjs'), 'await new Promise(() => setInterval(() => {}, 1000))\nexport default {}\n')
  writeFileSync(
    join(folder, 'late.mjs'),
    `import { appendFileSync, existsSync } from 'node:fs'
while (!existsSync('${ready}')) await new Promise((resolve) => setTimeout(resolve, 50))
export default { restored: true, ban: ({ prefix }) => appendFileSync('${told}', prefix + ' '), unban() {} }
`,
  )
  const jail = (actions: string) => `{ source: ${log}, filter: sshd, actions: [${actions}] }`
  const config = writeConfig(
    folder,
    `${process.getuid?.() === 0 ? 'user: root' : ''}
ignoreself: false
defaults: { maxretry: 1 }
jails:
  plain: ${jail('memory')}
  stuck: ${jail('./never.mjs')}
  later: ${jail('memory, ./late.mjs')}
`,
  )
  const agent = new AgentProcess(['run', '--config', config])
  await agent.shows('watching: plain, later')
  assert.match(agent.output, /never\.mjs" takes long to load/)
  appendFileSync(log, attack('192.0.2.7'))
  await agent.shows('[plain] ban 192.0.2.7')
  assert.not(existsSync(told))
  writeFileSync(ready, '')
  await agent.shows('the configuration was read again')
  // A file that was only just made is still empty.
  const said = () => (existsSync(told) ? readFileSync(told, 'utf8') : '')
  for (let turn = 0; turn < 1000 && said() === ''; turn++) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.is(said(), '192.0.2.7 ')
  await agent.end()
})

test.run()
