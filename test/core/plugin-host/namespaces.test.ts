import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { once } from 'node:events'
import { getPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import type { Capabilities } from '../../../core/packages/manifest.ts'
import { possibleNamespaces } from '../../../core/plugin-host/host-command.ts'
import { findNamespaces, namespacesMissing, refusedAll, type Namespaces } from '../../../core/plugin-host/namespaces.ts'
import { suite } from '../../suite.ts'
import { ban, folder, PluginBed, refusal, stopAll } from './plugin-bed.ts'

const test = suite('what plugins are kept apart from')
chmodSync(folder, 0o755)

const given = possibleNamespaces(undefined)
/** Of a machine that gives namespaces, and of one that refuses them. */
const machines: readonly [string, Namespaces][] = [
  ...(given.processes === null ? [] : [['with namespaces', given] as [string, Namespaces]]),
  ['without namespaces', refusedAll('this is a test')],
]
const bystander = spawn('sleep', ['1000'], { stdio: 'ignore' })
bystander.unref()
process.on('exit', () => bystander.kill())
const agent = process.pid
const threads = readdirSync('/proc/self/task')

const modules = `import { execFileSync, spawn } from 'node:child_process'
  import dns from 'node:dns'
  import { once } from 'node:events'
  import { readdirSync } from 'node:fs'
  import { createServer } from 'node:http'
  import { connect } from 'node:net'
  import os from 'node:os'
  import { Worker } from 'node:worker_threads'
  void [execFileSync, spawn, dns, once, readdirSync, createServer, connect, os, Worker]`

/** A plugin that does that when it is to ban 192.0.2.1, and bans others well. Tells what it says of that. */
async function attack(bed: PluginBed, code: string, capabilities?: Capabilities): Promise<string> {
  const plugin = await bed.action(
    `${modules}
    export default { async ban(ban) { if (ban.prefix === '192.0.2.1') { ${code} } }, unban() {} }`,
    capabilities,
  )
  const { host } = bed.instance()
  const said = await refusal(plugin.ban(ban('192.0.2.1'), host))
  assert.is(await refusal(plugin.ban(ban('192.0.2.2'), host)), '')
  return said
}

const others = `[${[agent, ...threads, bystander.pid].join(', ')}, process.ppid]`
const signal = /it may not send a signal to process -?\d+/
const refused: readonly [what: string, code: string, said: RegExp][] = [
  ['signals its parent', 'process.kill(process.ppid, 9)', signal],
  ['signals by what Node keeps to itself', 'process._kill(process.ppid, 9)', signal],
  [
    'signals all threads of the agent, and another process',
    `let error; for (const pid of ${others}) try { process.kill(pid, 9) } catch (thrown) { error = thrown }; throw error`,
    signal,
  ],
  ['signals the group', 'process.kill(0, 9)', signal],
  ['signals everybody', 'process.kill(-1, 9)', signal],
  [
    'names another process the second time',
    `let calls = 0; process.kill({ valueOf: () => calls++ < 2 ? process.pid : ${bystander.pid} }, 9)`,
    signal,
  ],
  ['opens a debugger', `process._debugProcess(${agent})`, /it may not open the debugger/],
  ['opens a debugger by a signal', `process.kill(${agent}, 'SIGUSR1')`, signal],
  ['slows down the agent', `os.setPriority(${agent}, 19)`, /it may not change the priority of process \d+/],
  [
    'slows down one by an object',
    `os.setPriority({ valueOf: () => ${bystander.pid} }, 19)`,
    /it may not change the priority of process \d+/,
  ],
]
const unreachable: typeof refused = [
  [
    'changes what arrays and texts do',
    `Array.prototype.some = Array.prototype.includes = String.prototype.includes = Set.prototype.has = () => true
    String.prototype.toLowerCase = () => 'api.example.net'; Reflect.apply = () => {}
    await once(connect(25, '127.0.0.1'), 'connect')`,
    /it may not connect to 127\.0\.0\.1:25/,
  ],
  [
    'names another host the second time',
    "let calls = 0; await once(connect({ port: 25, get host() { return calls++ ? '127.0.0.1' : '192.0.2.80' } }), 'connect')",
    /it may not connect to (192\.0\.2\.80|127\.0\.0\.1):25/,
  ],
  ['waits for connections', "createServer().listen(0, '0.0.0.0')", /it may not wait for connections/],
  ['asks a name server of its own', "new dns.Resolver().setServers(['127.0.0.1:5399'])", /it may not choose name serv/],
  [
    'asks one by what that is made of',
    "Object.getPrototypeOf(dns.Resolver.prototype).setServers.call(new dns.Resolver(), ['127.0.0.1'])",
    /it may not choose name servers/,
  ],
  ['asks for a name', "await dns.promises.resolve4('secret.example')", /it may not ask for names/],
]

for (const [machine, namespaces] of machines)
  test(`${machine} what reaches for other processes and the network is refused, and told`, async () => {
    const bed = new PluginBed({ namespaces })
    const before = getPriority(agent)
    for (const [what, code, said] of [...refused, ...unreachable]) {
      assert.match(await attack(bed, code, {}), said, what)
      const [state] = bed.hosts.states().slice(-1)
      assert.equal([state?.plugin, state?.restarts], ['bad', 0], what)
      assert.match(state?.lastFault?.what ?? '', said, what)
    }
    for (const [what, code, said] of refused) assert.match(await attack(bed, code), said, `${what}, as a file`)
    assert.equal([bystander.exitCode, bystander.signalCode, getPriority(agent)], [null, null, before])
    await bed.hosts.stop()
  })

test('what a machine refuses is found out, and told once', async () => {
  const refuse = ['/bin/sh', '-c', 'echo not allowed here >&2; exit 1', 'sh']
  assert.equal(
    findNamespaces(() => refuse, false),
    refusedAll('not allowed here'),
  )
  const half = findNamespaces(({ network }) => (network ? refuse : []).concat(network ? [] : ['/usr/bin/env']), false)
  assert.equal([half.processes?.includes('--pid'), half.network, half.refused], [true, false, 'not allowed here'])
  assert.match(namespacesMissing(half) ?? '', /without a network namespace \(not allowed here\)/)
  assert.is(namespacesMissing({ ...half, network: true, refused: null }), null)
  const bed = new PluginBed({ namespaces: refusedAll('not allowed here') })
  for (let i = 0; i < 2; i++) await attack(bed, '')
  const told = bed.said.filter((line) =>
    line.includes('plugins run without namespaces of their own (not allowed here)'),
  )
  assert.is(told.length, 1)
  await bed.hosts.stop()
})

test('it may signal and slow down itself and what it started', async () => {
  for (const [machine, namespaces] of machines) {
    const bed = new PluginBed({ namespaces })
    const code = `const child = spawn('sleep', ['1000'], { detached: true })
      await once(child, 'spawn'); os.setPriority(child.pid, 19); os.setPriority(19); process.kill(process.pid, 0)
      process.kill(-child.pid, 'SIGTERM'); throw new Error((await once(child, 'exit'))[1])`
    assert.is(await attack(bed, code), 'SIGTERM', machine)
    await bed.hosts.stop()
  }
})

const apart = suite('namespaces of plugins', ...(given.processes === null ? (['root'] as const) : []))

apart('programs that it starts name no process of the machine', async () => {
  const bed = new PluginBed()
  const code = `let error
    for (const pid of ${others}.slice(0, -1)) try { execFileSync('kill', ['-9', String(pid)]) } catch (thrown) { error = thrown }
    throw error`
  assert.match(await attack(bed, code), /Command failed/)
  const inThread = `const thread = new Worker('process.kill(${bystander.pid}, 9)', { eval: true })
    throw (await once(thread, 'error'))[0]`
  assert.match(await attack(bed, inThread), /ESRCH|a signal/)
  assert.equal([bystander.exitCode, bystander.signalCode], [null, null])
  await bed.hosts.stop()
})

apart('one whose manifest names no hosts has no network, and the others that of the machine', async () => {
  const bed = new PluginBed()
  const programs = ['/usr/bin/readlink']
  const code = `throw new Error(execFileSync('/usr/bin/readlink', ['/proc/self/ns/pid', '/proc/self/ns/net'], { encoding: 'utf8' }).replaceAll('\\n', ' '))`
  const names = async (capabilities?: Capabilities) => (await attack(bed, code, capabilities)).split(' ')
  const [pid, net] = ['pid', 'net'].map((name) => readlinkSync(`/proc/self/ns/${name}`))
  const [without, withHosts, local] = [
    await names({ programs }),
    await names({ programs, hosts: ['api.example.net'] }),
    await names(),
  ]
  for (const [own] of [without, withHosts, local]) assert.match(own ?? '', /^pid:/)
  assert.is(new Set([pid, without[0], withHosts[0], local[0]]).size, 4)
  assert.is.not(without[1], net)
  assert.equal([withHosts[1], local[1]], [net, net])
  await bed.hosts.stop()
})

/** Processes of this machine with that word in their command line. */
function running(word: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(word)
    } catch {
      return false
    }
  })
}

const leaving: readonly [what: string, stdio: string, number: string][] = [
  ['in groups of their own', "'ignore'", '71001'],
  ['that hold its descriptors', "['ignore', 1, 2, 3, 4]", '71002'],
]
for (const [what, stdio, number] of leaving)
  apart(`programs ${what} end with it`, async () => {
    const bed = new PluginBed()
    const word = `${number}${agent}`
    const plugin = await bed.action(`${modules}
      export default { async ban(ban) {
        if (ban.prefix === '192.0.2.1') process.exit(3)
        for (let i = 0; i < 5; i++) await once(spawn('sleep', ['${word}'], { detached: true, stdio: ${stdio} }), 'spawn')
      }, unban() {} }`)
    const { host } = bed.instance()
    assert.is(await refusal(plugin.ban(ban('192.0.2.2'), host)), '')
    assert.is(running(word).length, 5)
    assert.match(await refusal(plugin.ban(ban('192.0.2.1'), host)), /it ended with exit code 3/)
    await bed.until(() => running(word).length === 0, 'the end of its programs')
    await bed.hosts.stop()
  })

apart('what programs take counts', async () => {
  const bed = new PluginBed({ memoryBytes: 120 << 20 })
  const code = `for (let i = 0; i < 3; i++) spawn(process.execPath, ['-e', 'globalThis.kept = Buffer.alloc(5e7, 1); setInterval(() => {}, 1000)'])
    await new Promise(() => {})`
  const said = /it took \d+ MiB of memory, with the programs that it started, 120 are allowed/
  const plugin = await bed.action(`${modules}\nexport default { async ban() { ${code} }, unban() {} }`)
  assert.match(await refusal(plugin.ban(ban('192.0.2.1'), bed.instance().host)), said)
  assert.match(bed.hosts.states()[0]?.lastFault?.what ?? '', said)
  await bed.hosts.stop()
})

apart('all of it ends with the agent, however that ends', async () => {
  const word = `71003${agent}`
  const bed = new PluginBed()
  const file = bed.write(`${modules}
    export default { async ban() { await once(spawn('sleep', ['${word}'], { detached: true, stdio: 'ignore' }), 'spawn'); for (;;); }, unban() {} }`)
  const hosts = new URL('../../../core/plugin-host/plugin-hosts.js', import.meta.url).href
  const made = new URL('../../../core/host.js', import.meta.url).href
  const script = `import { PluginHosts } from '${hosts}'; import { createHost } from '${made}'
    const hosts = new PluginHosts(), file = '${file}', silent = () => {}
    const plugin = await hosts.load({ name: 'bad', file, manifest: null }, 'action', { kind: 'action', plugin: file, options: {}, where: { file }, optionsAt: {} })
    const log = { debug: silent, info: silent, warn: silent, error: silent }
    await plugin.ban({ prefix: '192.0.2.1' }, createHost({ name: 'bad', options: {}, folder: '/nonexistent', log, firewall: null }).host)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
  await bed.until(() => running(word).length > 0, 'a program')
  child.kill('SIGKILL')
  await once(child, 'exit')
  await bed.until(() => running(word).length === 0 && running(file).length === 0, 'the end of all')
})

apart('it has the number by which the machine knows it, and is started again when it is killed by that', async () => {
  const bed = new PluginBed()
  assert.is(await attack(bed, ''), '')
  const [state] = bed.hosts.states()
  assert.match(readFileSync(`/proc/${state?.pid}/cmdline`, 'utf8'), /^[^\0]*node\0.*inside\/main\.js\0$/)
  assert.ok((state?.memoryBytes ?? 0) > 10 << 20)
  process.kill(state?.pid ?? 0, 'SIGKILL')
  await bed.until(() => bed.restarted.length > 0, 'a restart')
  assert.match(bed.hosts.states()[0]?.lastFault?.what ?? '', /it was ended by SIGKILL/)
  await bed.hosts.stop()
})

/** All of the above, of an agent that is no root. */
const self = fileURLToPath(import.meta.url)
const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all', '--bounding-set=-all', '--']
const unprivileged = suite('plugins of an agent without rights', 'root', 'setpriv')

unprivileged('all of this holds for a user without rights', () => {
  const reads = spawnSync('setpriv', [...asNobody, process.execPath, '--check', self])
  if (reads.status !== 0) return console.log('the tests lie where nobody may not read them')
  const env = { PATH: process.env.PATH, TMPDIR: '/tmp' }
  const { status, stdout, stderr } = spawnSync('setpriv', [...asNobody, process.execPath, self], {
    encoding: 'utf8',
    env,
  })
  assert.is(status, 0, stdout + stderr)
})

for (const each of [test, apart, unprivileged]) {
  each.after(stopAll)
  each.run()
}
