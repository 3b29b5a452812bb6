/** A Fail2ban configuration as people have it, run as it is: a real sshd, a real journald, a real attacker. */
import { spawn, type ChildProcess } from 'node:child_process'
import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import type { Ban } from '../../core/events.ts'
import { connectControl } from '../../core/control/client.ts'
import { endJournals, Journald } from '../plugins/sources/journald.ts'
import { suite } from '../suite.ts'
import { makeBed, needs, type Bed } from './bed.ts'
import { outside } from './network.ts'
import { stop, waitFor } from './processes.ts'
import { inKernel } from './running-agent.ts'
import { sshPort } from './ssh-server.ts'

const test = suite('end to end: a tree of fail2ban', ...needs, 'systemd-journald', 'fail2ban-server')
const main = fileURLToPath(new URL('../../core/cli/main.js', import.meta.url))

let journald: Journald
let bed: Bed
let agent: ChildProcess
let printed = ''

test.before(async () => {
  journald = await Journald.start()
  bed = await makeBed('tree', { form: { socket: journald.socket } })
})
test.after(async () => {
  if (agent !== undefined) await stop(agent)
  await bed?.close()
  await endJournals()
})

/** The configuration of the machine, with what an administrator wrote beside it. */
function makeTree(): string {
  const tree = join(bed.folder, 'fail2ban')
  cpSync('/etc/fail2ban', tree, { recursive: true })
  for (const file of readdirSync(join(tree, 'jail.d'))) rmSync(join(tree, 'jail.d', file))
  writeFileSync(join(tree, 'jail.local'), '[DEFAULT]\nbantime = 1d\n')
  const sshd = {
    enabled: 'true',
    backend: 'systemd',
    banaction: 'iptables',
    port: sshPort,
    maxretry: 5,
    findtime: '1d',
    bantime: '2w',
    ignoreip: `127.0.0.1/8 ${outside.v4(9)}`,
  }
  const lines = Object.entries(sshd).map(([name, value]) => `${name} = ${value}\n`)
  writeFileSync(join(tree, 'jail.d/sshd.local'), `[sshd]\n${lines.join('')}`)
  writeFileSync(join(tree, 'fail2ban.local'), `[Definition]\nlogtarget = ${join(bed.folder, 'fail2ban.log')}\n`)
  return tree
}

/** In the namespaces of the victim's network and of the journal, whose /run is its own. */
function startAgent(tree: string): ChildProcess {
  const config = join(bed.folder, 'bailiff.yaml')
  writeFileSync(config, `state: ${bed.folder}/state\ncontrol: ${bed.folder}/control.sock\n`, { mode: 0o600 })
  const namespace = `/var/run/netns/${bed.inVictim[3]}`
  const inBoth = [`--net=${namespace}`, `--mount=/proc/${journald.child.pid}/ns/mnt`]
  const run = [process.execPath, main, 'run', '--fail2ban', tree, '--config', config]
  const child = spawn('nsenter', [...inBoth, ...run], { stdio: ['ignore', 'pipe', 'pipe'] })
  const keep = (data: Buffer) => (printed = (printed + data.toString()).slice(-20_000))
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  return child
}

test('who fails five times is banned from the port for two weeks; who is ignored and who fails less is not', async () => {
  agent = startAgent(makeTree())
  await waitFor('the agent', () => printed.includes('watching: sshd'), { withinMs: 30_000 })
  const [attacker, neighbour, ignored] = [outside.v4(3), outside.v4(4), outside.v4(9)]
  await bed.failLogin(ignored, { tries: 6 })
  await bed.failLogin(neighbour, { tries: 2 })
  // No more than six: five further ones before the kernel holds the ban would prolong it.
  for (const tries of [3, 3]) await bed.failLogin(attacker, { tries })
  await waitFor(`the ban: ${printed}`, () => inKernel(bed).includes(attacker), { withinMs: 20_000 })
  assert.is(await bed.canConnect(attacker, 500), false)
  assert.is(await bed.canConnect(neighbour, 10_000), true)
  assert.is(await bed.canConnect(ignored, 10_000), true)
  assert.equal(inKernel(bed), [attacker])
  const { bans } = await connectControl([join(bed.folder, 'control.sock')]).jail('sshd')
  const told = bans.map(({ prefix, since, until, ports }: Ban) => [prefix, Number(until) - since, ports])
  assert.equal(told, [[attacker, 14 * 86_400_000, { protocol: 'tcp', ports: [sshPort] }]])
  assert.ok(existsSync(join(bed.folder, 'fail2ban.log')))
})

test.run()
