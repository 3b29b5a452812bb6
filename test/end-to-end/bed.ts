/**
 * The test bed of the end-to-end tests: a victim with a real sshd whose log a real rsyslogd writes,
 * and attackers with a real ssh, each from an address of its own. `close` leaves nothing behind.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { which } from '../suite.ts'
import { createNetwork, victim } from './network.ts'
import { sshPort, startSshServer, type LogForm, type SshServer } from './ssh-server.ts'

export interface LoginAttempt {
  /** Default `root`. */
  readonly user?: string
  /** Default `password`. With `publickey` a key that the server does not know. */
  readonly method?: 'password' | 'keyboard-interactive' | 'publickey'
  /** Wrong passwords in the one connection; default 1. */
  readonly tries?: number
}

export interface Bed {
  /** A private folder for whatever the test needs; removed with the bed. */
  readonly folder: string
  readonly server: SshServer
  readonly inVictim: readonly string[]
  /** All of the log. */
  log(): string
  /** Connects from that address of the outside and fails to log in. Resolves when ssh is gone, after 15 s at the latest. */
  failLogin(from: string, attempt?: LoginAttempt): Promise<void>
  /** Whether a login with the right key succeeds from that address. */
  logIn(from: string): Promise<boolean>
  /** Whether sshd greets a connection from that address in time; false is a time-out and nothing else. */
  canConnect(from: string, timeoutMs?: number): Promise<boolean>
  close(): Promise<void>
}

/** What the tests of the bed need from the machine. */
export const needs = ['root', 'ip', 'nft', 'sshd', 'ssh', 'rsyslogd'] as const

/** Makes a bed. `label` tells the beds of one test file apart. `options` are further lines of sshd_config. */
export async function makeBed(
  label: string,
  { form = 'traditional', options = [] }: { form?: LogForm; options?: readonly string[] } = {},
): Promise<Bed> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-bed-'))
  const network = createNetwork(label)
  const removeAll = () => {
    network.close()
    rmSync(folder, { recursive: true, force: true })
  }
  const server = await startSshServer(folder, network.inVictim, form, options).catch((error: unknown) => {
    removeAll()
    throw error
  })
  const askpass = join(folder, 'askpass')
  writeFileSync(askpass, '#!/bin/sh\necho wrong\n', { mode: 0o755 })
  const outside = (words: readonly string[]) => run([...network.inOutside, ...words], askpass)
  return {
    folder,
    server,
    inVictim: network.inVictim,
    log: () => readFileSync(server.log, 'latin1'),
    async failLogin(from, attempt = {}) {
      const { code, output } = await outside(sshWords(folder, from, attempt))
      if (code === 0) throw new Error(`a login from ${from} that should fail succeeded: ${output}`)
      if (output.includes('invalid characters')) throw new Error(`ssh itself refuses the user: ${output}`)
    },
    async logIn(from) {
      const { code } = await outside(sshWords(folder, from, { method: 'publickey' }, 'user-key'))
      return code === 0
    },
    async canConnect(from, timeoutMs = 1000) {
      const program = fileURLToPath(new URL('./connect.js', import.meta.url))
      const words = [process.execPath, program, from, addressed(from), String(sshPort), String(timeoutMs)]
      const { output } = await outside(words)
      if (output.startsWith('open') || output.startsWith('timeout')) return output.startsWith('open')
      throw new Error(`a connection from ${from} ended unexpectedly: ${output}`)
    },
    async close() {
      await server.close()
      removeAll()
    },
  }
}

/** The address of the victim that a host reaches from an address of its own. */
function addressed(from: string): string {
  return from.includes(':') ? victim.v6 : victim.v4
}

function sshWords(folder: string, from: string, attempt: LoginAttempt, key = 'other-key'): string[] {
  const { user = 'root', method = 'password', tries = 1 } = attempt
  const options = [
    `User=${quoted(user)}`,
    `PreferredAuthentications=${method}`,
    `PubkeyAuthentication=${method === 'publickey' ? 'yes' : 'no'}`,
    `NumberOfPasswordPrompts=${tries}`,
    `IdentityFile=${join(folder, key)}`,
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'ConnectTimeout=5',
    'LogLevel=ERROR',
  ]
  const words = ['-F', '/dev/null', '-n', '-T', '-b', from, '-p', String(sshPort)]
  return [which('ssh') ?? 'ssh', ...words, ...options.flatMap((option) => ['-o', option]), addressed(from), 'true']
}

/** A value of ssh_config in quotes, so that names with blanks stay whole. */
function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`
}

function run(words: readonly string[], askpass: string): Promise<{ code: number; output: string }> {
  const env = { ...process.env, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' }
  const [program = '', ...rest] = words
  return new Promise((resolve) => {
    execFile(program, rest, { env, timeout: 15_000, maxBuffer: 1 << 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, output: (stdout + stderr).trim() })
    })
  })
}
