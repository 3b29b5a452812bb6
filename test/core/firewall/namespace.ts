/** Network namespaces of a test's own: the firewall of the machine is never touched. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Logger } from '../../../core/plugin.ts'
import { which } from '../../suite.ts'

/** A namespace with only its loopback. */
export interface Namespace {
  readonly name: string
  /** What stands before a command to run it inside. */
  readonly inside: readonly string[]
  /** Runs a program inside and gives what it printed. */
  run(...words: string[]): string
  remove(): void
}

let made = 0

export function makeNamespace(): Namespace {
  const ip = which('ip') ?? 'ip'
  const name = `bailiff-${process.pid}-${made++}`
  execFileSync(ip, ['netns', 'add', name])
  const inside = [ip, 'netns', 'exec', name]
  const run = (...words: string[]) =>
    execFileSync(ip, ['netns', 'exec', name, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      // A list of 100 000 elements has 6 MB.
      maxBuffer: 256 * 1024 * 1024,
    })
  run('ip', 'link', 'set', 'lo', 'up')
  return { name, inside, run, remove: () => void execFileSync(ip, ['netns', 'del', name]) }
}

/** The elements of a set as nft prints them, sorted. */
export function elementsOf(namespace: Namespace, set: string): string[] {
  const listed = namespace.run('nft', 'list', 'set', 'inet', 'bailiff', set)
  const elements = /elements = \{([^}]*)\}/.exec(listed)?.[1] ?? ''
  return elements
    .split(',')
    .map((element) => element.trim().split(/\s/)[0] ?? '')
    .filter((element) => element !== '')
    .toSorted()
}

/** Joins two namespaces by a pair of interfaces. Addresses are usable at once. */
export function join(
  one: Namespace,
  oneAddresses: readonly string[],
  other: Namespace,
  otherAddresses: readonly string[],
) {
  one.run('ip', 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1', 'netns', other.name)
  const setUp = (namespace: Namespace, link: string, addresses: readonly string[]) => {
    for (const address of addresses) {
      namespace.run('ip', 'address', 'add', address, 'dev', link, ...(address.includes(':') ? ['nodad'] : []))
    }
    namespace.run('ip', 'link', 'set', link, 'up')
  }
  setUp(one, 'v0', oneAddresses)
  setUp(other, 'v1', otherAddresses)
}

/** Listens on TCP ports, all addresses, until it is called. */
export async function listen(namespace: Namespace, ports: readonly number[]): Promise<() => Promise<void>> {
  const program = `
    const net = require('node:net')
    const ports = ${JSON.stringify(ports)}
    let open = 0
    for (const port of ports) net.createServer((s) => s.end()).listen(port, '::', () => ++open === ports.length && console.log('open'))`
  const child = spawn(namespace.inside[0] ?? '', [...namespace.inside.slice(1), process.execPath, '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return async () => {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
}

export interface Attempt {
  readonly from: string
  readonly to: string
  readonly port: number
}

/** Whether each connection came about. One that is dropped is given up after 700 ms. */
export function connect(namespace: Namespace, attempts: readonly Attempt[]): boolean[] {
  const program = `
    const net = require('node:net')
    Promise.all(${JSON.stringify(attempts)}.map(({ from, to, port }) => new Promise((resolve) => {
      const socket = net.connect({ host: to, port, localAddress: from })
      const end = (answer) => { socket.destroy(); resolve(answer) }
      socket.on('connect', () => end(true)).on('error', () => end(false))
      setTimeout(() => end(false), 700)
    }))).then((all) => console.log(JSON.stringify(all)))`
  return JSON.parse(namespace.run(process.execPath, '-e', program))
}

/** Asks again every 50 ms, 10 s at most, until the answer is yes; gives the last answer. */
export async function eventually(answer: () => boolean | Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    if (await answer()) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return answer()
}

/** The value, which must be there. */
export function must<Value>(value: Value | null | undefined): Value {
  if (value === null || value === undefined) throw new Error('something that must be there is missing')
  return value
}

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }
