import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { kill } from 'node:process'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { connectControl } from '../../../core/control/client.ts'
import { HelperProcess } from '../../../core/firewall/helper-process.ts'
import { isUserOfProcess, unusedUser } from '../../../core/rights/unused-user.ts'
import { suite, which } from '../../suite.ts'
import { elementsOf, eventually, makeNamespace, must, silent, type Namespace } from '../firewall/namespace.ts'
import { childrenOf, commandOf, descriptorsOf, isAlive, threadsOf } from './processes.ts'
import { makeUser, OpenDoors, type SystemUser } from './system-user.ts'

const test = suite('the agent as a user of its own', 'root', 'nft', 'ip')

const checkout = fileURLToPath(new URL('../../../../', import.meta.url))
const onlyNetAdmin = '0000000000001000'
const none = '0000000000000000'

let space: Namespace
let user: SystemUser
let folder: string
let doors: OpenDoors
let log: string
let config: string
const agents = new Set<Agent>()

test.before(() => {
  space = makeNamespace()
  user = makeUser('t')
})
test.before.each(() => {
  space.run('nft', 'flush', 'ruleset')
  folder = mkdtempSync(join(tmpdir(), 'bailiff-own-user-'))
  chmodSync(folder, 0o755)
  doors = new OpenDoors(folder)
  log = join(folder, 'auth.log')
  writeFileSync(log, '')
  chmodSync(log, 0o644)
  config = configure()
})
test.after.each(async () => {
  for (const agent of agents) await agent.end('SIGKILL')
  agents.clear()
  doors.close()
  rmSync(folder, { recursive: true, force: true })
})
test.after(() => {
  space?.remove()
  user?.remove()
})

function configure(more = `user: ${user.name}\n`): string {
  const file = join(folder, 'bailiff.yaml')
  const places = `state: ${folder}/state\ncontrol: ${folder}/run/control.sock\n`
  writeFileSync(file, `${places}${more}defaults: { maxretry: 2 }\njails:\n  sshd: { source: ${log} }\n`)
  chmodSync(file, 0o644)
  return file
}

/** An agent in the namespace. */
class Agent {
  readonly child: ChildProcess
  output = ''

  constructor(...before: string[]) {
    const node = join(doors.to(dirname(process.execPath)), 'node')
    const main = join(doors.to(checkout), 'dist/core/cli/main.js')
    const [program = '', ...words] = [...space.inside, ...before, node, main, 'run', '--config', config]
    this.child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child.stdout?.on('data', (data) => (this.output += data))
    this.child.stderr?.on('data', (data) => (this.output += data))
    agents.add(this)
  }

  get pid(): number {
    return must(this.child.pid)
  }

  get launcher(): number {
    return must(childrenOf(this.pid).find((pid) => commandOf(pid).includes('launcher.pl')))
  }

  get helper(): number {
    return must(childrenOf(this.launcher)[0])
  }

  async shows(text: string): Promise<void> {
    const found = await eventually(() => this.output.includes(text) || this.child.exitCode !== null)
    assert.ok(found && this.output.includes(text), `${text}\n${this.output}`)
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode
    const ended = once(this.child, 'exit')
    this.child.kill(signal)
    const [code] = (await ended) as [number | null]
    return code
  }
}

async function started(...before: string[]): Promise<Agent> {
  const agent = new Agent(...before)
  const socket = join(folder, 'run/control.sock')
  const answers = () =>
    connectControl([socket])
      .status()
      .then(({ logs }) => logs.some(({ state }) => state === 'reading'))
  const up = async () => existsSync(socket) && (await answers().catch(() => false))
  // The machine may be busy.
  assert.ok((await eventually(up)) || (await eventually(up)), agent.output)
  return agent
}

/** A command of root. */
function command(...words: string[]): Promise<{ code: number; output: string }> {
  const main = join(checkout, 'dist/core/cli/main.js')
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...words, '--config', config], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr })
    })
  })
}

const uidOf = (pid: number) => Number(must(threadsOf(pid)[0]?.get('Uid')).split('\t')[0])
const failures = (address: string) =>
  appendFileSync(log, `Nov 22 13:41:02 h sshd[7]: Failed password for root from ${address} port 4711 ssh2\n`.repeat(2))
const held = () => (space.run('nft', 'list', 'sets').includes('tcp_22_v4') ? elementsOf(space, 'tcp_22_v4') : [])
const bans = (address: string) => eventually(() => held().includes(address))

test('all threads are that user without a capability; the helper has CAP_NET_ADMIN and nothing else', async () => {
  const agent = await started()
  failures('198.51.100.1')
  assert.ok(await bans('198.51.100.1'), agent.output)
  const threads = threadsOf(agent.pid)
  assert.ok(threads.length > 6)
  for (const thread of threads) {
    assert.is(thread.get('Uid'), Array(4).fill(user.uid).join('\t'))
    assert.is(thread.get('Gid'), Array(4).fill(user.gid).join('\t'))
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) assert.is(thread.get(set), none, set)
    assert.not.ok(thread.get('Groups')?.split(' ').includes('0'))
  }
  for (const pid of [agent.launcher, agent.helper]) {
    const uid = uidOf(pid)
    assert.ok(uid >= 61_184 && uid <= 65_519, `${uid}`)
    for (const thread of threadsOf(pid)) {
      for (const ids of ['Uid', 'Gid']) assert.is(thread.get(ids), Array(4).fill(uid).join('\t'))
      assert.is(thread.get('Groups'), '')
      assert.is(thread.get('NoNewPrivs'), '1')
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        assert.is(thread.get(set), onlyNetAdmin, set)
    }
  }
})

test('the user of the agent may not signal the helper, and no signal has it or the agent open an inspector', async () => {
  const agent = await started()
  for (const pid of [agent.launcher, agent.helper]) {
    for (const signal of ['-0', '-USR1', '-KILL']) {
      const words = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', 'kill', signal, String(pid)]
      assert.match(spawnSync(must(which('setpriv')), words, { encoding: 'utf8' }).stderr, 'not permitted', signal)
    }
  }
  const { helper } = agent
  failures('198.51.100.9')
  assert.ok(await bans('198.51.100.9'), agent.output)
  for (const pid of [helper, agent.pid]) kill(pid, 'SIGUSR1')
  failures('198.51.100.10')
  assert.ok(await bans('198.51.100.10'), agent.output)
  assert.is(agent.helper, helper)
  // In the state 0A it would listen.
  assert.not.match(readFileSync(`/proc/${helper}/net/tcp`, 'utf8'), / 0A /)
  assert.not.match(agent.output, 'Debugger')
})

test('a helper is never to be the user of the agent, whatever the configuration says', async () => {
  config = configure(`user: ${user.name}\nfirewall: { user: ${user.name} }\n`)
  const agent = new Agent()
  await agent.shows(`firewall.user: "${user.name}" is the user of the agent`)
  assert.ok(await eventually(() => agent.child.exitCode === 78))
})

test('a user of the helper that others run as is told', async () => {
  const own = makeUser('o')
  const words = [`--reuid=${own.uid}`, `--regid=${own.gid}`, '--clear-groups', 'sleep', '60']
  const other = spawn(must(which('setpriv')), words)
  try {
    config = configure(`user: ${user.name}\nfirewall: { user: ${own.name} }\n`)
    const agent = new Agent()
    await agent.shows(`other processes run as ${own.name} too`)
    await agent.end()
  } finally {
    other.kill('SIGKILL')
    own.remove()
  }
})

test('an unused user is one that no account, group or process has, and another each time', async () => {
  const users = Array.from({ length: 50 }, () => unusedUser())
  const numbers = new Set(users.map(({ uid }) => uid))
  assert.ok(numbers.size > 30)
  for (const { uid, gid } of users) {
    assert.is(gid, uid)
    assert.not.ok(isUserOfProcess(uid))
    assert.is(spawnSync('getent', ['passwd', String(uid)]).status, 2)
  }
})

test('a helper with a user of its own works, and the agent may not signal it', async () => {
  const own = makeUser('h')
  try {
    config = configure(`user: ${user.name}\nfirewall: { user: ${own.name} }\n`)
    const agent = await started()
    failures('198.51.100.6')
    assert.ok(await bans('198.51.100.6'), agent.output)
    for (const pid of [agent.launcher, agent.helper]) {
      assert.is(must(threadsOf(pid)[0]).get('Uid'), Array(4).fill(own.uid).join('\t'))
      assert.is(must(threadsOf(pid)[0]).get('CapEff'), onlyNetAdmin)
      const words = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', 'kill', '-0', String(pid)]
      assert.match(spawnSync(must(which('setpriv')), words, { encoding: 'utf8' }).stderr, 'not permitted')
    }
    await agent.end()
  } finally {
    own.remove()
  }
})

test('launcher and helper inherit nothing but what is theirs', async () => {
  const agent = await started()
  const [launcher, helper] = [descriptorsOf(agent.launcher), descriptorsOf(agent.helper)]
  // 5 ends the helper when the launcher is gone.
  assert.equal(launcher, ['0 socket', '1 /dev/null', '2 socket', '3 socket', '5 pipe'])
  // 4, 5 and 6 are netlink.
  const given = ['0 pipe', '1 /dev/null', '2 socket', '3 socket', '4 socket', '5 socket', '6 socket']
  assert.equal(helper.slice(0, 7), given)
  // What it opened itself: the loop of libuv, and the agent.
  const own = helper.slice(7).map((each) => each.replace(/^\d+ /, ''))
  assert.equal(own.filter((what) => what !== 'anon_inode' && what !== 'pipe').toSorted(), ['/dev/null', 'socket'])
})

test('root steers it: status, ban, unban, reload, stop', async () => {
  const agent = await started()
  assert.is((await command('status')).code, 0)
  assert.is((await command('ban', '198.51.100.2', '--jail', 'sshd')).code, 0)
  assert.ok(held().includes('198.51.100.2'))
  assert.is((await command('unban', '198.51.100.2')).code, 0)
  assert.not.ok(held().includes('198.51.100.2'))
  assert.is((await command('reload')).code, 0)
  failures('198.51.100.3')
  assert.ok(await bans('198.51.100.3'))
  const { launcher, helper } = agent
  assert.is(statSync(join(folder, 'state')).uid, user.uid)
  assert.is(statSync(join(folder, 'state')).mode & 0o777, 0o700)
  assert.is(statSync(join(folder, 'run')).mode & 0o777, 0o700)
  assert.is(statSync(join(folder, 'run/control.sock')).mode & 0o777, 0o600)
  assert.is(await agent.end(), 0)
  assert.not.ok(isAlive(launcher) || isAlive(helper))
  assert.equal(held(), ['198.51.100.3'])
})

test('a helper that is killed comes back, and bans go on', async () => {
  const agent = await started()
  const { helper, launcher } = agent
  kill(helper, 'SIGKILL')
  failures('198.51.100.4')
  assert.ok(await bans('198.51.100.4'), agent.output)
  assert.is.not(agent.helper, helper)
  assert.is(agent.launcher, launcher)
  assert.is(must(threadsOf(agent.helper)[0]).get('CapEff'), onlyNetAdmin)
})

test('an agent that is killed takes launcher and helper with it; the bans stay, and the next agent knows them', async () => {
  const agent = await started()
  failures('198.51.100.5')
  assert.ok(await bans('198.51.100.5'))
  const { helper, launcher } = agent
  await agent.end('SIGKILL')
  assert.ok(await eventually(() => !isAlive(helper) && !isAlive(launcher)))
  assert.equal(held(), ['198.51.100.5'])
  await started()
  assert.match((await command('status', 'sshd')).output, '198.51.100.5')
})

test('as under systemd: never root, a helper that others run and that outlives the agent', async () => {
  for (const name of ['state', 'run', 'firewall']) {
    mkdirSync(join(folder, name), { mode: 0o700 })
    chownSync(join(folder, name), user.uid, user.gid)
  }
  writeFileSync(config, `defaults: { maxretry: 2 }\njails:\n  sshd: { source: ${log} }\n`)
  const socket = join(folder, 'firewall/socket')
  const own = unusedUser()
  const helper = await HelperProcess.start({ log: silent, command: space.inside, socket, owner: user, user: own })
  const rights = ['--bounding-set=-all', '--inh-caps=-all', '--no-new-privs', '--clear-groups']
  const folders = [`STATE_DIRECTORY=${folder}/state`, `RUNTIME_DIRECTORY=${folder}/run`]
  const become = [`--reuid=${user.uid}`, `--regid=${user.gid}`]
  const before = [must(which('setpriv')), ...become, ...rights, 'env', `BAILIFF_FIREWALL=${socket}`, ...folders]
  try {
    const first = await started(...before)
    failures('198.51.100.7')
    assert.ok(await bans('198.51.100.7'), first.output)
    assert.equal(childrenOf(first.pid), [])
    assert.is(must(threadsOf(first.pid)[0]).get('CapBnd'), none)
    await first.end('SIGKILL')
    assert.not.ok(helper.over)
    const second = await started(...before)
    failures('198.51.100.8')
    assert.ok(await bans('198.51.100.8'), second.output)
    assert.equal(held(), ['198.51.100.7', '198.51.100.8'])
    await second.end()
  } finally {
    await helper.stop()
  }
})

test('without its launcher the agent ends, and says why', async () => {
  const agent = await started()
  const { helper, launcher } = agent
  kill(launcher, 'SIGKILL')
  await agent.shows('without rights of root the agent cannot start another')
  assert.ok(await eventually(() => agent.child.exitCode === 69))
  assert.ok(await eventually(() => !isAlive(helper)))
})

test('what an earlier agent left as root is handed over, and nothing that only lies there', async () => {
  const precious = join(folder, 'precious')
  writeFileSync(precious, '')
  const state = join(folder, 'state')
  mkdirSync(join(state, 'plugins/webhook'), { recursive: true, mode: 0o700 })
  writeFileSync(join(state, 'plugins/webhook/memory'), '')
  writeFileSync(join(state, 'bailiff.sqlite'), '')
  symlinkSync(precious, join(state, 'plugins/link'))
  const agent = await started()
  assert.is(statSync(join(state, 'plugins/webhook/memory')).uid, user.uid)
  assert.is(lstatSync(join(state, 'plugins/link')).uid, 0)
  assert.is(statSync(precious).uid, 0)
  await agent.end()
})

test('a folder of root that holds other things is not given away', async () => {
  mkdirSync(join(folder, 'state'), { mode: 0o700 })
  writeFileSync(join(folder, 'state/shadow'), '')
  const agent = new Agent()
  await agent.shows(`the user ${user.name} may not write in ${folder}/state`)
  assert.ok(await eventually(() => agent.child.exitCode === 77))
  assert.is(statSync(join(folder, 'state')).uid, 0)
  assert.is(statSync(join(folder, 'state/shadow')).uid, 0)
})

test('an empty folder of root is not given away, and the command that would is told', async () => {
  for (const name of ['state', 'run']) {
    mkdirSync(join(folder, name), { mode: 0o755 })
    const agent = new Agent()
    await agent.shows(`chown -R ${user.name}: ${folder}/${name}`)
    assert.ok(await eventually(() => agent.child.exitCode === 77))
    assert.is(statSync(join(folder, name)).uid, 0)
    for (const made of ['state', 'run']) rmSync(join(folder, made), { recursive: true, force: true })
  }
})

test('in a folder of the user the agent makes its own, and a link there leads root nowhere', async () => {
  const own = join(folder, 'own')
  mkdirSync(own)
  mkdirSync(join(folder, 'precious'), { mode: 0o700 })
  symlinkSync(join(folder, 'precious'), join(own, 'x'))
  chownSync(own, user.uid, user.gid)
  writeFileSync(config, readFileSync(config, 'utf8').replaceAll(`${folder}/state`, `${own}/x/state`))
  const led = new Agent()
  await led.shows(`others than root may say what it is: ${own}, which belongs to the user ${user.uid}`)
  assert.ok(await eventually(() => led.child.exitCode === 77))
  assert.equal(readdirSync(join(folder, 'precious')), [])
  writeFileSync(
    config,
    readFileSync(config, 'utf8').replaceAll('own/x/state', 'own/state').replace('/run/', '/own/run/'),
  )
  const agent = new Agent()
  await agent.shows('watching: sshd')
  for (const name of ['state', 'run']) assert.is(statSync(join(own, name)).uid, user.uid)
  await agent.end()
})

test('a configuration that others may change does not keep the agent root, nor choose its rights', async () => {
  const added = join(folder, 'conf.d/a.yaml')
  mkdirSync(dirname(added))
  const mine = () => chownSync(added, user.uid, user.gid)
  const cases: [main: string, added: string, spoil: () => void, word: string][] = [
    ['user: root\n', '', mine, 'the agent does not stay root for a configuration that others may change'],
    ['', 'user: root\n', mine, `${added}, which belongs to the user ${user.uid} with the mode 0644`],
    ['', `user: ${user.name}\n`, mine, '"user", "groups" and "firewall.user" are not taken'],
    ['', 'groups: [disk]\n', mine, `chown root: ${added} && chmod go-w ${added}`],
    ['', `firewall: { user: ${user.name} }\n`, mine, 'are not taken from a configuration'],
    ['user: root\n', '', () => chmodSync(added, 0o646), `${added}, which belongs to the user 0 with the mode 0646`],
    ['user: root\n', '', () => chmodSync(folder, 0o757), `chown root: ${folder} && chmod go-w ${folder}`],
  ]
  for (const [main, text, spoil, word] of cases) {
    config = configure(main)
    writeFileSync(added, text, { mode: 0o644 })
    spoil()
    const agent = new Agent()
    await agent.shows(word)
    assert.ok(await eventually(() => agent.child.exitCode === 78), agent.output)
    assert.not.ok(existsSync(join(folder, 'state')))
    chmodSync(folder, 0o755)
    rmSync(added)
  }
})

test('an agent that stays root takes no configuration at a reload that others may change', async () => {
  config = configure('user: root\n')
  const agent = await started()
  assert.is((await command('reload')).code, 0)
  chownSync(config, user.uid, user.gid)
  const refused = await command('reload')
  assert.is(refused.code, 78)
  assert.match(refused.output, 'the agent does not stay root for a configuration that others may change')
  assert.is(await agent.end(), 0)
})

test('a log that the user may not read is told, with the command that mends it', async () => {
  chmodSync(log, 0o640)
  const hints: [gid: number, command: string][] = [
    [user.gid + 1, `usermod --append --groups "$(stat -c %G ${log})" ${user.name}`],
    [0, `chgrp adm ${log} && chmod g+r ${log}`],
  ]
  for (const [gid, hint] of hints) {
    chownSync(log, 0, gid)
    const agent = new Agent()
    await agent.shows(hint)
    await agent.end()
  }
})

test('a user that is missing, or cannot be become, ends the start', async () => {
  config = configure('user: nobody-has-this-name\n')
  const missing = new Agent()
  await missing.shows('useradd --system --user-group --no-create-home --shell /usr/sbin/nologin nobody-has-this-name')
  assert.ok(await eventually(() => missing.child.exitCode === 78))
  config = configure(`user: ${user.name}\nfirewall: { user: nobody-has-this-name }\n`)
  const helperless = new Agent()
  await helperless.shows('firewall.user: there is no user "nobody-has-this-name"')
  assert.ok(await eventually(() => helperless.child.exitCode === 78))
  config = configure(`user: ${user.name}\ngroups: [nobody-has-this-group]\n`)
  const groupless = new Agent()
  await groupless.shows('there is no group "nobody-has-this-group"')
  assert.ok(await eventually(() => groupless.child.exitCode === 78))
  config = configure(`observe: true\nuser: ${user.name}\n`)
  for (const capability of ['setuid', 'setgid']) {
    const powerless = new Agent(must(which('setpriv')), `--bounding-set=-${capability}`, '--')
    await powerless.shows(`the agent cannot become the user ${user.name}`)
    assert.ok(await eventually(() => powerless.child.exitCode === 77), powerless.output)
  }
})

test('a configuration that the user may not read is told at the start', async () => {
  chmodSync(config, 0o600)
  const agent = new Agent()
  await agent.shows(`chgrp ${user.name} ${config} && chmod g+r ${config}`)
  assert.ok(await eventually(() => agent.child.exitCode === 77))
})

test.run()
