/** A real agent with a real firewall, in a network namespace of its own, and an eye on what its kernel holds. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeNamespace, type Namespace } from '../../test/core/firewall/namespace.ts'

const main = fileURLToPath(new URL('../../core/cli/main.js', import.meta.url))
const eyeScript = fileURLToPath(new URL('../../../bench/agents/kernel-eye.pl', import.meta.url))

export interface WatchedAgent {
  readonly log: string
  readonly folder: string
  readonly namespace: Namespace
  /** When each address was seen to enter a set, in ms of `performance.now()`. */
  readonly entered: Map<string, number>
  /** Starts the agent (again); resolves when it watches. */
  start(): Promise<void>
  /** Ends it with the signal. */
  end(signal: NodeJS.Signals): Promise<void>
  pid(): number
  /** Kills the helper's processes, not the agent. */
  killHelper(): void
  /** Resident memory in MB of the agent and of its helper's processes. */
  memory(): { agent: number; helper: number }
  close(): Promise<void>
}

export interface WatchedAgentOptions {
  readonly maxretry?: number
  readonly bantime?: string
  /** What stands in the configuration beside its places and jails. */
  readonly more?: string
  /** Further jails, as YAML in braces, for an agent in this folder. */
  readonly jails?: (folder: string) => string
}

/** Makes one that bans at `maxretry` failures of sshd. */
export async function watchedAgent({
  maxretry = 3,
  bantime = '1h',
  more = '',
  jails = () => '',
}: WatchedAgentOptions = {}): Promise<WatchedAgent> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-bench-'))
  const namespace = makeNamespace()
  const log = join(folder, 'auth.log')
  const config = join(folder, 'bailiff.yaml')
  writeFileSync(log, '')
  writeFileSync(
    config,
    `state: ${folder}/state\ncontrol: ${folder}/control.sock\ndefaults: { findtime: 10m, maxretry: ${maxretry}, bantime: ${bantime} }\njails: { sshd: { source: ${log} }, ${jails(folder)} }\n${more}`,
    { mode: 0o600 },
  )
  const entered = new Map<string, number>()
  const eye = await watchKernel(namespace, entered)
  let agent: ChildProcess | undefined
  const end = async (signal: NodeJS.Signals) => {
    if (agent === undefined || agent.exitCode !== null || agent.signalCode !== null) return
    agent.kill(signal)
    await once(agent, 'exit')
  }
  return {
    log,
    folder,
    namespace,
    entered,
    start: async () => {
      const [program = '', ...words] = [...namespace.inside, process.execPath, main, 'run', '--config', config]
      agent = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] })
      let printed = ''
      await new Promise<void>((resolve, reject) => {
        const hear = (data: Buffer) => {
          printed = (printed + data.toString()).slice(-5000)
          appendFileSync(join(folder, 'agent.out'), data)
          if (printed.includes('watching:')) resolve()
        }
        agent?.stdout?.on('data', hear)
        agent?.stderr?.on('data', hear)
        agent?.once('exit', () => reject(new Error(`the agent ended:\n${printed}`)))
      })
    },
    end,
    pid: () => agent?.pid ?? 0,
    killHelper: () => {
      // The last one is the helper itself; a launcher before it is to start it again.
      const helper = descendants(agent?.pid ?? 0).at(-1)
      if (helper !== undefined) process.kill(helper, 'SIGKILL')
    },
    memory: () => {
      const own = agent?.pid ?? 0
      return { agent: residentMB(own), helper: descendants(own).reduce((sum, pid) => sum + residentMB(pid), 0) }
    },
    close: async () => {
      await end('SIGTERM')
      eye.kill('SIGKILL')
      await once(eye, 'exit')
      namespace.remove()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Hears of each element that enters a set as soon as the kernel holds it. */
async function watchKernel(namespace: Namespace, entered: Map<string, number>): Promise<ChildProcess> {
  const [program = '', ...words] = [...namespace.inside, 'perl', eyeScript]
  const eye = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let rest = ''
  const listening = once(eye.stdout, 'data')
  eye.stdout.on('data', (data: Buffer) => {
    const lines = (rest + data.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [seconds = '', address] = line.split(' ')
      if (address !== undefined && !entered.has(address)) {
        entered.set(address, Number(seconds) * 1000 - performance.timeOrigin)
      }
    }
  })
  await listening
  return eye
}

function descendants(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number)
    return children.flatMap((child) => [child, ...descendants(child)])
  } catch {
    return []
  }
}

function residentMB(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}
