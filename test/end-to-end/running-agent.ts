/** The agent as users run it: `bailiff run --config FILE`, here in the victim's namespace. */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JailReport, StatusReport } from '../../core/control/api.ts'
import { connectControl } from '../../core/control/client.ts'
import { which } from '../suite.ts'
import type { Bed } from './bed.ts'
import { sshPort } from './ssh-server.ts'
import { stop, waitFor } from './processes.ts'

export interface RunningAgent {
  status(): Promise<StatusReport>
  jail(name?: string): Promise<JailReport>
  /** Runs another command of the command line against this agent. */
  command(...words: string[]): Promise<{ code: number; output: string }>
  /** The last 20 000 characters that it wrote to stdout and stderr. */
  printed(): string
  /** Ends it and resolves with its exit code; null when a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Where an agent runs, and keeps what it has. */
export type Place = Pick<Bed, 'folder' | 'inVictim'>

/** The jail of the tests: sshd's log of the bed, three failures, and what `more` says beside. */
export function configuration(bed: Bed, { bantime = '20s', more = '' } = {}): string {
  return `state: ${join(bed.folder, 'state')}
control: ${join(bed.folder, 'control.sock')}
defaults: { findtime: 10m, maxretry: 3, bantime: ${bantime} }
jails:
  sshd: { source: ${bed.server.log}, ports: [${sshPort}] }
${more}`
}

/** Starts an agent and resolves when it answers and reads its log; throws with what it printed when it ends before. */
export async function startAgent(bed: Place, yaml: string, ...words: string[]): Promise<RunningAgent> {
  const config = join(bed.folder, 'bailiff.yaml')
  const socket = join(bed.folder, 'control.sock')
  writeFileSync(config, yaml, { mode: 0o600 })
  const main = fileURLToPath(new URL('../../core/cli/main.js', import.meta.url))
  const [program = '', ...inVictim] = bed.inVictim
  const child = spawn(program, [...inVictim, process.execPath, main, 'run', '--config', config, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  const keep = (data: Buffer) => (printed = (printed + data.toString()).slice(-20_000))
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const agent: RunningAgent = {
    status: async () => (await connectControl([socket])).status(),
    jail: async (name = 'sshd') => (await connectControl([socket])).jail(name),
    command: (...command) => runCommand([main, ...command, '--config', config]),
    printed: () => printed,
    stop: (signal) => stop(child, signal),
  }
  const reads = async () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the agent ended:\n${printed}`)
    if (!existsSync(socket)) return false
    const status = await agent.status().catch(() => undefined)
    return status !== undefined && status.pid > 0 && status.logs.some(({ state }) => state === 'reading')
  }
  await waitFor('the agent', reads, { withinMs: 20_000 }).catch(async (error: unknown) => {
    await stop(child)
    throw new Error(`${String(error)}\n${printed}`)
  })
  return agent
}

/** Runs a test against an agent and ends the agent. When the test fails, what the agent printed is told with it. */
export async function withAgent(
  bed: Place,
  yaml: string,
  run: (agent: RunningAgent) => Promise<void>,
  ...words: string[]
): Promise<void> {
  const agent = await startAgent(bed, yaml, ...words)
  try {
    await run(agent)
  } catch (error) {
    if (error instanceof Error) error.message += `\n${agent.printed()}`
    throw error
  } finally {
    await agent.stop()
  }
}

/** The addresses and prefixes in the sets of the agent's table, as the kernel has them now. */
export function inKernel(bed: Pick<Bed, 'inVictim'>): string[] {
  const [program = '', ...words] = [...bed.inVictim, which('nft') ?? 'nft', '-j', 'list', 'table', 'inet', 'bailiff']
  const listed = spawnSync(program, words, { encoding: 'utf8', timeout: 10_000 })
  if (listed.status !== 0) return []
  const { nftables } = JSON.parse(listed.stdout) as { nftables: { set?: { elem?: unknown[] } }[] }
  return nftables.flatMap(({ set }) => set?.elem ?? []).map(elementText)
}

/** An element of `nft -j`: `"192.0.2.1"`, or that as `elem.val` beside its time, or a prefix. */
function elementText(element: unknown): string {
  if (typeof element === 'string') return element
  const { elem, prefix } = element as { elem?: { val: unknown }; prefix?: { addr: string; len: number } }
  if (elem !== undefined) return elementText(elem.val)
  return prefix === undefined ? JSON.stringify(element) : `${prefix.addr}/${prefix.len}`
}

function runCommand(words: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, words, { timeout: 20_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, output: stdout + stderr })
    })
  })
}
