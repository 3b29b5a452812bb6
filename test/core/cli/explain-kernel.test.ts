import { spawn } from 'node:child_process'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import type { AddressExplanation } from '../../../core/control/api.ts'
import { suite } from '../../suite.ts'
import { elementsOf, eventually, makeNamespace, type Namespace } from '../firewall/namespace.ts'
import { temporaryFolder, writeConfig } from './agent-process.ts'

type Answer = AddressExplanation & { cause: string; verdict: string }

const test = suite('bailiff explain, with a kernel', 'root', 'ip', 'nft', 'perl')
const failed = (address: string) =>
  `${new Date().toISOString()} web sshd[77]: Failed password for root from ${address} port 4711 ssh2\n`

function bed() {
  const folder = temporaryFolder()
  const log = join(folder, 'auth.log')
  writeFileSync(log, '')
  const config = writeConfig(
    folder,
    'ignoreself: false\ndefaults: { maxretry: 3 }\njails:\n  sshd: { source: ./auth.log }\n',
  )
  return { folder, log, config }
}

test('a ban that is in the kernel, one that was flushed behind the back of the agent, and the kernel without an agent', async () => {
  const { log, config } = bed()
  const namespace = makeNamespace()
  const main = fileURLToPath(new URL('../../../core/cli/main.js', import.meta.url))
  const [program = '', ...words] = namespace.inside
  const agent = spawn(program, [...words, process.execPath, main, 'run', '--config', config], { stdio: 'ignore' })
  const explain = () =>
    JSON.parse(namespace.run(process.execPath, main, 'explain', '--config', config, '192.0.2.7', '--json')) as Answer
  const helpers = () =>
    namespace
      .run('sh', '-c', `ip netns pids ${namespace.name}`)
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0 && pid !== agent.pid)
  try {
    await eventually(() => {
      try {
        return explain().running
      } catch {
        return false
      }
    })
    appendFileSync(log, failed('192.0.2.7').repeat(3))
    assert.ok(await eventually(() => held(namespace)), 'the ban')
    const banned = explain()
    assert.equal([banned.cause, banned.bans[0]?.sets], ['banned', ['tcp_22_v4']], banned.verdict)
    assert.match(banned.verdict, 'and the kernel holds it (tcp_22_v4)')
    // The helper would put it back at once: it is held up, so that it neither mends nor answers.
    const stopped = helpers().filter((pid) => isHelper(namespace, pid))
    assert.ok(stopped.length > 0)
    for (const pid of stopped) process.kill(pid, 'SIGSTOP')
    namespace.run('nft', 'flush', 'set', 'inet', 'bailiff', 'tcp_22_v4')
    const flushed = explain()
    assert.is(flushed.cause, 'not-in-kernel', flushed.verdict)
    assert.match(flushed.verdict, 'but the kernel does not hold it')
    for (const pid of stopped) process.kill(pid, 'SIGCONT')
    assert.ok(await eventually(() => explain().cause === 'banned'))
    agent.kill('SIGTERM')
    await new Promise((resolve) => agent.once('close', resolve))
    const offline = explain()
    assert.equal(
      [offline.running, offline.cause, offline.bans[0]?.sets],
      [false, 'banned', ['tcp_22_v4']],
      offline.verdict,
    )
  } finally {
    agent.kill('SIGKILL')
    namespace.remove()
  }
})

test.run()

function held(namespace: Namespace): boolean {
  try {
    return elementsOf(namespace, 'tcp_22_v4').includes('192.0.2.7')
  } catch {
    // The set is made with the first ban.
    return false
  }
}

function isHelper(namespace: Namespace, pid: number): boolean {
  return /core\/firewall\/main\.js/.test(namespace.run('sh', '-c', `tr '\\0' ' ' < /proc/${pid}/cmdline || true`))
}
