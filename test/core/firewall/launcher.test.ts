import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kill } from 'node:process'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { makeListeningSocket } from '../../../core/firewall/listening-socket.ts'
import { suite } from '../../suite.ts'
import { isAlive } from '../rights/processes.ts'
import { eventually, must } from './namespace.ts'

const test = suite('firewall launcher', 'perl')

const launcher = fileURLToPath(new URL('../../../../core/firewall/launcher.pl', import.meta.url))
/** Tells whoever connects its process, and ends with its standard input. */
const obedient = `
  require('net').createServer((agent) => agent.on('error', () => {}).end(String(process.pid))).listen({ fd: 3 })
  process.stdin.on('end', () => process.exit()).resume()`
const deaf = obedient.replace('process.exit()', '0')

let folder: string
let socket: string
let child: ChildProcess
let said: string

test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-launcher-'))
  socket = join(folder, 'socket')
  said = ''
})
test.after.each(() => {
  child?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

async function start(...words: string[]): Promise<void> {
  const server = await makeListeningSocket(socket)
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  child = spawn('perl', [launcher, ...words], { stdio: ['pipe', 'ignore', 'pipe', fd], env: {} })
  child.stdin?.on('error', () => {})
  child.stderr?.on('data', (data) => (said += data))
  server.close()
}

const node = (program: string) => [process.execPath, '-e', program]

/** The process that answers. */
async function ask(): Promise<number> {
  const connection = connect(socket)
  let answer = ''
  for await (const data of connection.setEncoding('utf8')) answer += String(data)
  return Number(answer)
}

/** The process that answers, asked again while nobody does; not `old`. */
async function other(old: number): Promise<number> {
  let found = 0
  const changed = await eventually(async () => {
    found = await ask().catch(() => 0)
    return found !== 0 && found !== old
  })
  assert.ok(changed, said)
  return found
}

test('the program runs when somebody connects, again after it died, and ends with standard input', async () => {
  await start('keep', ...node(obedient))
  const first = await ask()
  assert.is(await ask(), first)
  kill(first, 'SIGKILL')
  const second = await other(first)
  child.stdin?.end()
  const [code] = (await once(child, 'close')) as [number]
  assert.is(code, 0)
  assert.not.ok(isAlive(second))
})

test('one letter has it killed; all others, and 10 000 bytes of anything, do nothing worse', async () => {
  await start('keep', ...node(obedient))
  const first = await ask()
  child.stdin?.write('no other lett\0r\xff\n')
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.ok(isAlive(first))
  child.stdin?.write('k')
  let latest = await other(first)
  const bytes = fc.uint8Array({ minLength: 10_000, maxLength: 10_000 })
  for (const noise of fc.sample(bytes, 3)) {
    child.stdin?.write(noise)
    if (noise.includes(107)) latest = await other(latest)
  }
  assert.is(child.exitCode, null)
})

test('a program that does not heed the end is killed', async () => {
  await start('keep', ...node(deaf))
  const pid = await ask()
  child.stdin?.end()
  await once(child, 'close')
  assert.not.ok(isAlive(pid))
})

test('a program that outlives its launcher is told by the end of its standard input', async () => {
  await start('keep', ...node(obedient))
  const pid = await ask()
  child.kill('SIGKILL')
  assert.ok(await eventually(() => !isAlive(pid)))
})

test('the program has two sockets of netlink for nftables, of which one hears of changes', async () => {
  for (const mode of ['keep', 'exec']) {
    await start(mode, ...node(obedient))
    const pid = await ask()
    // The columns are: address, protocol, port, groups, …, inode.
    const rows = readFileSync(`/proc/${pid}/net/netlink`, 'utf8')
      .split('\n')
      .map((row) => row.trim().split(/\s+/))
    const groups = [4, 5].map((number) => {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${number}`)) ?? []
      const row = rows.find((each) => each.at(-1) === inode)
      return `${row?.[1]} ${row?.[3]}`
    })
    assert.equal(groups, ['12 00000000', '12 00000040'], mode)
    kill(mode === 'exec' ? must(child.pid) : pid, 'SIGKILL')
    child.kill('SIGKILL')
  }
})

test('what cannot be started, or fails at once, ends the launcher', async () => {
  const cases: [words: string[], code: number, words: string][] = [
    [['keep', '/nowhere/node'], 126, '/nowhere/node cannot be started: No such file or directory'],
    [['exec', '/nowhere/node'], 126, '/nowhere/node cannot be started: No such file or directory'],
    [['keep', ...node('process.exit(7)')], 7, ''],
    [['keep'], 2, 'it is told exec or keep, and a program'],
    [['other', '/bin/true'], 2, 'it is told exec or keep, and a program'],
  ]
  for (const [words, code, message] of cases) {
    await start(...words)
    const asked = ask().catch(() => 0)
    const [ended] = (await once(child, 'close')) as [number]
    assert.is(ended, code, words.join(' '))
    assert.match(said, message)
    await asked
  }
})

test.run()
