/** An agent without a firewall, what it reads and what it holds. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { AgentProcess, bailiff, temporaryFolder, writeConfig } from './agent-process.ts'

/** An agent whose action keeps a file for every ban, so that what is in force can be seen from outside. */
export function bed(rest = '') {
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

export const failure = (address: string, user = 'root') => `Failed password for ${user} from ${address} port 4711 ssh2`
export const line = (text: string) => `${new Date().toISOString()} host sshd[77]: ${text}\n`

export async function until(fact: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (fact()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.unreachable(`did not happen: ${what}`)
}
