/** Connections that stay open and bring data, to see when they stop. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Attempt, Namespace } from './namespace.ts'

/** Listens on TCP ports, all addresses, and sends something every 20 ms to whoever connects, until it is called. */
export async function listenAndSend(namespace: Namespace, ports: readonly number[]): Promise<() => Promise<void>> {
  const program = `
    const net = require('node:net')
    const ports = ${JSON.stringify(ports)}
    let open = 0
    for (const port of ports) net.createServer((socket) => {
      const timer = setInterval(() => socket.write('some data'), 20)
      socket.on('error', () => {}).on('close', () => clearInterval(timer))
    }).listen(port, '::', () => ++open === ports.length && console.log('open'))`
  const child = start(namespace, program)
  await once(child.stdout ?? child, 'data')
  return () => end(child)
}

export interface Streams {
  /** How many bytes each of them has brought so far. */
  readonly bytes: readonly number[]
  stop(): Promise<void>
}

/** Opens connections that stay open. Resolves when every one of them has brought something. */
export async function openStreams(namespace: Namespace, attempts: readonly Attempt[]): Promise<Streams> {
  const program = `
    const net = require('node:net')
    const attempts = ${JSON.stringify(attempts)}
    const bytes = attempts.map(() => 0)
    attempts.forEach(({ from, to, port }, place) => net.connect({ host: to, port, localAddress: from })
      .on('data', (data) => (bytes[place] += data.length)).on('error', () => {}))
    setInterval(() => console.log(JSON.stringify(bytes)), 50)`
  const child = start(namespace, program)
  const streams = { bytes: attempts.map(() => 0), stop: () => end(child) }
  const lines = createInterface({ input: child.stdout ?? process.stdin })
  lines.on('line', (line) => (streams.bytes = JSON.parse(line)))
  while (!streams.bytes.every((count) => count > 0)) await once(lines, 'line')
  return streams
}

function start(namespace: Namespace, program: string): ChildProcess {
  const [command = '', ...words] = [...namespace.inside, process.execPath, '-e', program]
  return spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'close')
}
