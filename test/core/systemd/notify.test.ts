import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { Heartbeat, type Health } from '../../../core/systemd/heartbeat.ts'
import { openServiceNotifier } from '../../../core/systemd/service-notifier.ts'
import { suite } from '../../suite.ts'
import { temporaryFolder, writeConfig } from '../cli/agent-process.ts'
import { eventually, silent } from '../firewall/namespace.ts'

const test = suite('systemd is told', 'perl')

/** Prints each datagram as a line. */
const receiver = `use Socket; $| = 1; my $name = $ARGV[0]; $name =~ s/^@/\\0/;
  socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($name)) or die "bind: $!";
  print "bound\\n"; while (defined recv($s, my $text, 4096, 0)) { print "$text\\n" }`

let listening: ChildProcess | undefined
let agent: ChildProcess | undefined
let lines: string[]

test.after.each(() => {
  for (const child of [listening, agent]) child?.kill('SIGKILL')
})

async function listen(name: string): Promise<void> {
  lines = []
  listening = spawn('perl', ['-e', receiver, name], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  listening.stdout?.on('data', (data) => {
    text += data
    lines = text.split('\n').slice(1, -1)
  })
  await once(listening.stdout!, 'data')
}

const beats = () => lines.filter((line) => line === 'WATCHDOG=1').length

test('nothing is said, and nothing started, where nobody listens', () => {
  for (const env of [{}, { NOTIFY_SOCKET: '' }, { NOTIFY_SOCKET: 'relative' }, { WATCHDOG_USEC: '1000000' }])
    assert.is(openServiceNotifier({ log: silent, env }), null)
})

test('what systemd set is read and taken out; a watchdog of another process is not ours', () => {
  const cases: [env: NodeJS.ProcessEnv, watchdogMs: number | null][] = [
    [{ WATCHDOG_USEC: '30000000' }, 30_000],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: String(process.pid) }, 30_000],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '1' }, null],
    [{ WATCHDOG_USEC: 'soon' }, null],
    [{}, null],
  ]
  for (const [given, watchdogMs] of cases) {
    const env: NodeJS.ProcessEnv = { NOTIFY_SOCKET: '/nowhere', PATH: '/bin', ...given }
    assert.is(openServiceNotifier({ log: silent, env })?.watchdogMs, watchdogMs)
    assert.equal(env, { PATH: '/bin' })
  }
})

test('words arrive whole, by a path and by an abstract name, and after the child that passes them on was killed', async () => {
  for (const name of [join(temporaryFolder(), 'notify'), `@bailiff-test-${process.pid}`]) {
    await listen(name)
    const notifier = openServiceNotifier({ log: silent, env: { NOTIFY_SOCKET: name } })
    notifier?.tell('READY=1')
    notifier?.tell('STATUS=a\nMAINPID=1\x1b')
    assert.ok(await eventually(() => lines.length === 2))
    assert.equal(lines, ['READY=1', 'STATUS=a\\x0aMAINPID=1\\x1b'])
    await notifier?.close()
    notifier?.tell('STOPPING=1')
    assert.ok(await eventually(() => lines.at(-1) === 'STOPPING=1'))
    await notifier?.close()
    listening?.kill('SIGKILL')
  }
})

test('the watchdog is fed while the work is done, and not while it stands still', async () => {
  const said: string[] = []
  const stuck: string[] = []
  let health: Health = { stuck: null, status: 'fine' }
  const notifier = { watchdogMs: 60, tell: (line: string) => void said.push(line), close: async () => {} }
  const heartbeat = new Heartbeat({ notifier, look: () => health, stuck: (what) => stuck.push(what) })
  const fed = () => said.filter((line) => line === 'WATCHDOG=1').length
  assert.ok(await eventually(() => fed() >= 3))
  health = { stuck: 'the log', status: 'not so fine' }
  assert.ok(await eventually(() => stuck.length === 1 && said.includes('STATUS=not so fine')))
  const before = fed()
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.is(fed(), before)
  health = { stuck: null, status: 'fine' }
  assert.ok(await eventually(() => fed() > before))
  await heartbeat.stop()
  assert.equal(stuck, ['the log'])
  assert.is(said[0], 'READY=1')
  assert.is(said.at(-1), 'STOPPING=1')
})

test('an agent says that it is ready, feeds the watchdog, is silent when it hangs, and says when it stops', async () => {
  const folder = temporaryFolder()
  const name = join(folder, 'notify')
  const log = join(folder, 'auth.log')
  writeFileSync(log, '')
  const config = writeConfig(folder, `jails:\n  sshd: { source: ${log}, actions: [memory] }\n`)
  await listen(name)
  const main = fileURLToPath(new URL('../../../core/cli/main.js', import.meta.url))
  const env = { ...process.env, NOTIFY_SOCKET: name, WATCHDOG_USEC: '300000' }
  agent = spawn(process.execPath, [main, 'run', '--config', config], { stdio: 'ignore', env })
  assert.ok((await eventually(() => beats() >= 3)) || (await eventually(() => beats() >= 3)), lines.join())
  assert.is(lines[0], 'READY=1')
  assert.ok(await eventually(() => lines.includes('STATUS=1 jails, 1 of 1 logs read, 0 bans in force')), lines.join())
  agent.kill('SIGSTOP')
  await new Promise((resolve) => setTimeout(resolve, 300))
  const before = beats()
  await new Promise((resolve) => setTimeout(resolve, 500))
  assert.is(beats(), before)
  agent.kill('SIGCONT')
  assert.ok(await eventually(() => beats() > before))
  agent.kill('SIGTERM')
  assert.ok(await eventually(() => lines.at(-1) === 'STOPPING=1'))
})

test.run()
