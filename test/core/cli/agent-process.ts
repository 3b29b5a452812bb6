import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../../core/cli/main.js', import.meta.url))

/** What a command left behind. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const agents = new Set<AgentProcess>()
const folders = new Set<string>()
process.on('exit', () => {
  for (const { child } of agents) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A folder of its own, removed when the test process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-test-'))
  folders.add(folder)
  return folder
}

/** Ends what a failed test left running. To be called after each test. */
export async function endAgents(): Promise<void> {
  await Promise.all([...agents].map((agent) => agent.end('SIGKILL')))
}

/** Runs `bailiff` to its end, for at most 30 s. */
export function bailiff(
  words: readonly string[],
  stdin: string | Buffer = '',
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...words], {
      stdio: 'pipe',
      timeout: 30_000,
      env: { ...process.env, ...env },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (data) => (stdout += data))
    child.stderr.on('data', (data) => (stderr += data))
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** An agent as a process: `bailiff run` (or another command) with what it has printed so far. */
export class AgentProcess {
  readonly child: ChildProcess
  output = ''

  constructor(words: readonly string[], env: NodeJS.ProcessEnv = {}, cwd?: string) {
    this.child = spawn(process.execPath, [main, ...words], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    this.child.stdout?.on('data', (data) => (this.output += data))
    this.child.stderr?.on('data', (data) => (this.output += data))
    agents.add(this)
  }

  /** Waits until the output shows `text`, from `from` on; throws with all of it after 20 s. */
  async shows(text: string | RegExp, from = 0): Promise<void> {
    const found = () =>
      typeof text === 'string' ? this.output.slice(from).includes(text) : text.test(this.output.slice(from))
    for (let i = 0; i < 1000 && this.child.exitCode === null; i++) {
      if (found()) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    if (!found())
      throw new Error(`the agent did not say ${String(text)} (exit code ${this.child.exitCode}):\n${this.output}`)
  }

  /** Nobody reads any more what it prints. */
  closeOutput(): void {
    this.child.stdout?.destroy()
    this.child.stderr?.destroy()
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode
    const ended = new Promise<number | null>((resolve) => this.child.once('exit', resolve))
    this.child.kill(signal)
    return ended
  }
}

/** Writes a configuration with its state and socket in `folder`, and answers its path. */
export function writeConfig(folder: string, rest: string): string {
  const file = join(folder, 'bailiff.yaml')
  writeFileSync(file, `state: ${folder}/state\ncontrol: ${folder}/run/control.sock\n${rest}`)
  return file
}
