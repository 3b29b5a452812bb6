/**
 * The proof that a ban keeps packets away: two network namespaces without names, joined by a cable, a server in one, a
 * client in the other, and between them the real firewall helper with a ban. Nothing of the host's network is touched,
 * and since the namespaces live only as long as their processes, nothing is left behind, however this process ends.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { parseAddress, type Address } from '../address.ts'
import { BailiffError } from '../errors.ts'
import type { Ports } from '../events.ts'
import { startFirewall } from '../firewall/client.ts'
import { connectOnce, listenerProgram } from './trial-programs.ts'

const run = promisify(execFile)
const limits = { timeout: 20_000, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C' } }
const port = 40_022
const ports: Ports = { protocol: 'tcp', ports: [port] }
const networks = [
  { family: 'IPv4', server: '198.18.0.1', client: '198.18.0.2', length: 30 },
  { family: 'IPv6', server: '2001:db8:ba11::1', client: '2001:db8:ba11::2', length: 64 },
] as const

/** What came of it, in one sentence. `unknown`: it cannot be tried here. */
export interface Bite {
  readonly outcome: 'bites' | 'does not bite' | 'unknown'
  readonly text: string
}

/** Bans a test address for real and tries to get past. Needs root. Throws a BailiffError where the helper fails. */
export async function proveBite(): Promise<Bite> {
  const children: ChildProcess[] = []
  try {
    const spaces = await makeSpaces(children).catch((error: unknown) =>
      String(error instanceof Error ? error.message : error),
    )
    if (typeof spaces === 'string')
      return {
        outcome: 'unknown',
        text: `it cannot be tried here, for network namespaces cannot be made: ${spaces.split('\n')[0]}`,
      }
    return await tryBan(spaces, children)
  } finally {
    for (const child of children) child.kill('SIGKILL')
  }
}

interface Spaces {
  /** What stands before a command to run it inside. */
  readonly server: readonly string[]
  readonly client: readonly string[]
  readonly families: readonly (typeof networks)[number][]
}

async function makeSpaces(children: ChildProcess[]): Promise<Spaces> {
  const [one, other] = [await holdSpace(children), await holdSpace(children)]
  const [server, client] = [enter(one), enter(other)]
  await inside(server, 'ip', 'link', 'add', 'trial0', 'type', 'veth', 'peer', 'name', 'trial1', 'netns', String(other))
  const families = networks.filter(({ family }) => family === 'IPv4' || existsSync('/proc/self/net/if_inet6'))
  for (const { server: near, client: far, length, family } of families) {
    const now = family === 'IPv6' ? ['nodad'] : []
    await inside(server, 'ip', 'address', 'add', `${near}/${length}`, 'dev', 'trial0', ...now)
    await inside(client, 'ip', 'address', 'add', `${far}/${length}`, 'dev', 'trial1', ...now)
  }
  await inside(server, 'ip', 'link', 'set', 'trial0', 'up')
  await inside(client, 'ip', 'link', 'set', 'trial1', 'up')
  return { server, client, families }
}

/** A namespace of its own lives in `cat`, which ends when this process does. Answers the process. */
async function holdSpace(children: ChildProcess[]): Promise<number> {
  const child = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'ignore', 'pipe'], ...limits, timeout: 120_000 })
  children.push(child)
  let said = ''
  child.stderr?.on('data', (data: Buffer) => (said = (said + data.toString()).slice(0, 300)))
  child.stdin?.on('error', () => {})
  child.on('error', ({ message }) => (said = message))
  const own = readlinkSync('/proc/self/ns/net')
  for (let tries = 0; tries < 400; tries++) {
    if (child.pid === undefined || child.exitCode !== null) break
    if (spaceOf(child.pid) !== own && spaceOf(child.pid) !== null) return child.pid
    await sleep(10)
  }
  await sleep(10)
  throw new Error(said.trim() || 'unshare does not answer')
}

function spaceOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return null
  }
}

const enter = (pid: number) => ['nsenter', `--net=/proc/${pid}/ns/net`]

function inside([program = '', ...rest]: readonly string[], ...words: string[]) {
  return run(program, [...rest, ...words], limits)
}

async function tryBan({ server, client, families }: Spaces, children: ChildProcess[]): Promise<Bite> {
  const [program = '', ...rest] = server
  const listener = spawn(program, [...rest, process.execPath, '-e', listenerProgram(port)], {
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 120_000,
  })
  children.push(listener)
  await Promise.race([once(listener.stdout, 'data'), once(listener, 'close'), sleep(20_000, null, { ref: false })])
  const reach = async () => {
    const targets = families.map((each) => ({ from: each.client, to: each.server, port }))
    const { stdout } = await inside(client, process.execPath, '-e', connectOnce(targets))
    return JSON.parse(stdout) as boolean[]
  }
  if ((await reach()).includes(false))
    return { outcome: 'unknown', text: 'it cannot be tried here: two network namespaces do not reach each other' }
  const firewall = await startFirewall({ log: quiet, command: server, deadlineMs: 20_000 })
  try {
    const until = Date.now() + 60_000
    const entries = families.map(({ client: prefix }) => ({ prefix: known(prefix), ports, until }))
    await firewall.declare([ports])
    const refused = await firewall.add(entries)
    if (refused.length > 0) return { outcome: 'does not bite', text: `the helper refuses a ban: ${refused[0]?.reason}` }
    const banned = await reach()
    await firewall.del(entries)
    const after = await reach()
    return verdict(
      families.map(({ family }) => family),
      banned,
      after,
    )
  } finally {
    await firewall.stop()
  }
}

function verdict(families: readonly string[], banned: readonly boolean[], after: readonly boolean[]): Bite {
  const through = families.filter((_, index) => banned[index])
  const stuck = families.filter((_, index) => !after[index])
  if (through.length > 0)
    return { outcome: 'does not bite', text: `packets of a banned ${through.join(' and ')} test address came through` }
  if (stuck.length > 0)
    return {
      outcome: 'does not bite',
      text: `an ${stuck.join(' and ')} test address was kept out after its ban had ended`,
    }
  const what = `a banned test address (${families.join(' and ')}) was kept out by the kernel, and let in again after its ban`
  return { outcome: 'bites', text: `bans bite: ${what}` }
}

function known(text: string): Address {
  const address = parseAddress(text)
  if (address === null) throw new BailiffError('software', `${text} is no address`)
  return address
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
