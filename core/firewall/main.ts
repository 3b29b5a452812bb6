/**
 * The program `bailiff-firewall`, the only part of Bailiff with rights over the firewall. Descriptor 3 is
 * a listening Unix socket (`main.js listen`), on which it serves one agent after the other, or one
 * connected to its only agent. What it put into the kernel stays when it ends: with its standard input,
 * where that is a pipe, at SIGTERM elsewhere, or with its only agent. Run it as `node --jitless main.js`:
 * it then needs no writable code. `launcher.pl` starts it with netlink sockets beside.
 */
import { fstatSync } from 'node:fs'
import { createServer, Socket } from 'node:net'
import { AgentsInTurn } from './agents-in-turn.ts'
import type { Backend } from './backend.ts'
import { backendNames, chooseBackend } from './choose-backend.ts'
import { Guard } from './guard.ts'
import { serve } from './serve.ts'

const descriptor = 3
const asked = backendNames.find((name) => process.argv.includes(`--backend=${name}`)) ?? 'auto'
const makeGuard = () => new Guard(backend())

if (!is(descriptor, 'isSocket')) {
  console.error(`bailiff-firewall is started by bailiff, with a socket as descriptor ${descriptor}`)
  process.exitCode = 64
} else if (process.argv.includes('listen')) serveAll()
else await serveOne()

/** Serves until it is told to end; then what was asked for last is still done. */
function serveAll(): void {
  const server = createServer()
  const guard = makeGuard()
  const agents = new AgentsInTurn(server, guard)
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
  const guard = makeGuard()
  await serve(connection, guard).catch((error: unknown) => {
    if (!connection.destroyed) throw error
  })
  await guard.stop()
}

function backend(): Backend {
  try {
    return chooseBackend(asked)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    // "Unavailable" of sysexits.h.
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
