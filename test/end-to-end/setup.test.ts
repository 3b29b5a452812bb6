import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chmodSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { suite } from '../suite.ts'
import { makeBed, needs, type Bed } from './bed.ts'
import { outside } from './network.ts'
import { stop, waitFor } from './processes.ts'
import { inKernel } from './running-agent.ts'
import { sshPort } from './ssh-server.ts'

const test = suite('setup, end to end', ...needs)
const main = fileURLToPath(new URL('../../core/cli/main.js', import.meta.url))

let bed: Bed
let agent: ChildProcess | undefined

test.before(async () => {
  bed = await makeBed('setup')
  chmodSync(bed.folder, 0o755)
})
test.after(async () => {
  if (agent !== undefined) await stop(agent)
  await bed.close()
})

/** As on a fresh machine: the log of sshd in its usual place, and nothing that another agent left. */
const freshMachine = `
mount -t tmpfs tmpfs /var/log
touch /var/log/auth.log
mount --bind "$1" /var/log/auth.log
mount -t tmpfs tmpfs /var/lib
mount -t tmpfs tmpfs /run
touch /run/rsyslogd.pid
shift
exec "$@"
`

const onFreshMachine = (...words: string[]) => {
  const script = [...bed.inVictim, 'sh', '-ec', freshMachine, 'sh', bed.server.log, process.execPath, main, ...words]
  return [script[0] ?? '', script.slice(1)] as const
}

test('what setup writes for a machine with sshd bans who attacks it', async () => {
  const config = join(bed.folder, 'etc/bailiff.yaml')
  const [program, words] = onFreshMachine('setup', '--yes', '--no-users', '--config', config)
  const done = spawnSync(program, words, { encoding: 'utf8', timeout: 120_000 })
  assert.is(done.status, 0, done.stdout + done.stderr)
  const yaml = readFileSync(config, 'utf8')
  assert.match(yaml, `  sshd: { ports: [22, ${sshPort}] }`)
  assert.match(yaml, '/var/log/auth.log is written to')
  assert.is(statSync(config).mode & 0o777 & ~0o640, 0)

  const [runner, runWords] = onFreshMachine('run', '--config', config)
  agent = spawn(runner, runWords, { stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  agent.stdout?.on('data', (data: Buffer) => (printed = (printed + data.toString()).slice(-20_000)))
  agent.stderr?.on('data', (data: Buffer) => (printed = (printed + data.toString()).slice(-20_000)))
  const attacker = outside.v4(3)
  // The log may only be followed from where it ends, so it has to be open before.
  await waitFor('the agent', () => /watching|reading|where sshd is read|started/.test(printed), { withinMs: 30_000 })
  for (let attempt = 0; attempt < 12 && !inKernel(bed).includes(attacker); attempt++)
    await bed.failLogin(attacker, { tries: 3 })
  await waitFor(`the ban of ${attacker}: ${printed}`, () => inKernel(bed).includes(attacker), { withinMs: 20_000 })
  assert.is(await bed.canConnect(attacker), false)
  assert.is(await bed.canConnect(outside.v4(4), 10_000), true)
})

test('doctor proves in there that bans bite', () => {
  const [program, words] = onFreshMachine('doctor', '--json', '--config', join(bed.folder, 'etc/bailiff.yaml'))
  const done = spawnSync(program, words, { encoding: 'utf8', timeout: 120_000 })
  const { findings } = JSON.parse(done.stdout) as { findings: { subject: string; grade: string; text: string }[] }
  const proof = findings.find(({ subject }) => subject === 'proof')
  assert.is(proof?.grade, 'ok', JSON.stringify(proof))
  // Other services may run on the machine, whose logs are not there.
  const isOfSshd = (text: string) => text.includes('sshd') || text.includes('auth.log')
  const log = findings.filter(({ subject, grade }) => ['logs', 'dates'].includes(subject) && grade === 'problem')
  assert.equal(
    log.filter(({ text }) => isOfSshd(text)),
    [],
  )
})

test.run()
