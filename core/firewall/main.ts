/**
 * The program `bailiff-firewall`, the only part of Bailiff with rights over the firewall. The agent
 * starts it with one end of a socketpair as descriptor 3. It lives as long as that connection; what it
 * put into the kernel stays. Run it as `node --jitless main.js`: it then needs no writable code.
 */
import { fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import { serve } from './serve.ts'
import { backendNames, chooseBackend } from './choose-backend.ts'

const descriptor = 3

if (isSocket()) {
  // The agent decides when it ends, also when a terminal or systemd signals the whole group.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  const connection = new Socket({ fd: descriptor, readable: true, writable: true })
  // The agent died while it was being answered: what it asked for is done, and nobody listens.
  connection.on('error', () => connection.destroy())
  const asked = backendNames.find((name) => process.argv.includes(`--backend=${name}`)) ?? 'auto'
  await serve(connection, chooseBackend(asked)).catch((error: unknown) => {
    if (!connection.destroyed) throw error
  })
} else {
  console.error(`bailiff-firewall is started by bailiff, with a socket as descriptor ${descriptor}`)
  process.exitCode = 64
}

function isSocket(): boolean {
  try {
    return fstatSync(descriptor).isSocket()
  } catch {
    return false
  }
}
