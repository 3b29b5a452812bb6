/**
 * The program `bailiff-firewall`, the only part of Bailiff with rights over the firewall. Descriptor 3 is
 * a listening Unix socket (`main.js listen`), on which it serves one agent after the other, or one
 * connected to its only agent. What it put into the kernel stays when it ends: with its standard input,
 * where that is a pipe, at SIGTERM elsewhere, or with its only agent. Run it as `node --jitless main.js`:
 * it then needs no writable code. `launcher.pl` starts it with netlink sockets beside.
 */
import { fstatSync } from 'node:fs'
import { createServer, Socket } from 'node:net'
import { Admission } from './admission.ts'
import { AgentsInTurn } from './agents-in-turn.ts'
import type { Backend } from './backend.ts'
import { chooseBackend } from './choose-backend.ts'
import { ConnectionCutter, cutting } from './connection-cutter.ts'
import { conntrackProgram } from './conntrack-program.ts'
import { backendNames, readFirewallConf, type BackendName } from './firewall-conf.ts'
import { collectGarbage } from './garbage.ts'
import { Guard } from './guard.ts'
import { openTrackedConnections } from './netlink/tracked-connections.ts'
import { NeverBanned } from './never-banned.ts'
import { serve } from './serve.ts'

const descriptor = 3
const asked = backendNames.find((name) => process.argv.includes(`--backend=${name}`))

// Unless somebody listens to it, Node opens an inspector at this signal, by which others steer the process.
process.on('SIGUSR1', () => {})
collectGarbage()

if (!is(descriptor, 'isSocket')) {
  console.error(`bailiff-firewall is started by bailiff, with a socket as descriptor ${descriptor}`)
  process.exitCode = 64
} else if (process.argv.includes('listen')) serveAll()
else await serveOne()

/** Serves until it is told to end; then what was asked for last is still done. */
function serveAll(): void {
  const server = createServer()
  const { guard, admission } = makeParts()
  const agents = new AgentsInTurn(server, (connection) => serve(connection, guard, admission))
  server.listen({ fd: descriptor })
  const end = async () => {
    await agents.stop()
    await guard.stop()
    process.exit(0)
  }
  if (!is(0, 'isFIFO') && !is(0, 'isSocket')) {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end())
    return
  }
  heedNoSignals()
  // Whoever holds the other end is gone, and there is nobody left who would end this process.
  const ended = () => void end()
  process.stdin.on('end', ended).on('error', ended).resume()
}

async function serveOne(): Promise<void> {
  heedNoSignals()
  const connection = new Socket({ fd: descriptor, readable: true, writable: true })
  // The agent died while it was being answered: what it asked for is done, and nobody listens.
  connection.on('error', () => connection.destroy())
  const { guard, admission } = makeParts()
  await serve(connection, guard, admission).catch((error: unknown) => {
    if (!connection.destroyed) throw error
  })
  await guard.stop()
}

/** What serves the agents, the same for all of them: whoever connects anew finds the same limits. */
function makeParts(): { readonly guard: Guard; readonly admission: Admission } {
  const warn = (message: string) => console.error(message)
  const backend = openBackend(asked ?? readFirewallConf().conf?.backend ?? 'auto')
  const cutter = new ConnectionCutter(openTrackedConnections() ?? conntrackProgram, warn)
  const guard = new Guard(cutting(backend, cutter))
  const admission = new Admission(new NeverBanned({}, warn))
  // What the machine has come to depend on is banned no longer, whether there is an agent or not.
  const expel = () => guard.expel((entry) => admission.refuses(entry) !== null)
  admission.onChange(() => void expel().catch((error: unknown) => warn(`a ban is not taken back: ${String(error)}`)))
  return { guard, admission }
}

/** Ends the process where what was asked for is not to be had ("unavailable" of sysexits.h). */
function openBackend(name: BackendName): Backend {
  try {
    return chooseBackend(name)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return process.exit(69)
  }
}

/** The agent decides when it ends, also when a terminal signals the whole group. */
function heedNoSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
}

function is(open: number, what: 'isSocket' | 'isFIFO'): boolean {
  try {
    return fstatSync(open)[what]()
  } catch {
    return false
  }
}
