/** An agent as users run it, with a log to write to and its memory to read. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectControl } from '../../core/control/client.ts'
import type { JailReport, StatusReport } from '../../core/control/api.ts'

const main = fileURLToPath(new URL('../../core/cli/main.js', import.meta.url))
const linesAtOnce = 5000

export interface MeasuredAgentOptions {
  /** The Node that runs it. */
  readonly node?: string
  /** What stands in the configuration beside places and the jail `sshd`. */
  readonly defaults?: string
  /** The rest of the jail `sshd`. */
  readonly jail?: string
  readonly more?: string
  /** Called with the folder of the state before the agent starts. */
  readonly prepare?: (state: string) => Promise<void>
}

/** Resident memory in MiB: of the agent (with its threads), and of its firewall helper with who launches it. */
export interface Resident {
  readonly agent: number
  readonly helper: number
}

/**
 * `bailiff run` in a folder and, as root, in a network namespace of its own, so that the firewall helper
 * runs as well. `end` removes both.
 */
export class MeasuredAgent {
  readonly folder = mkdtempSync(join(tmpdir(), 'bailiff-memory-'))
  readonly log = join(this.folder, 'auth.log')
  readonly #namespace = `bailiff-memory-${process.pid}`
  readonly #root = process.getuid?.() === 0
  #child: ChildProcess | null = null
  written = 0
  printed = 0
  tail = ''

  async start({ node = process.execPath, ...options }: MeasuredAgentOptions): Promise<void> {
    writeFileSync(this.log, '')
    await options.prepare?.(join(this.folder, 'state'))
    const config = join(this.folder, 'bailiff.yaml')
    const action = this.#root ? 'firewall' : 'memory'
    writeFileSync(
      config,
      `state: ${this.folder}/state\ncontrol: ${this.folder}/control.sock\n${options.more ?? ''}
defaults: { findtime: 1h, maxretry: 5, bantime: 1h, actions: [${action}], ${options.defaults ?? ''} }
jails: { sshd: { source: ${this.log}, ports: [22], ${options.jail ?? ''} } }\n`,
      { mode: 0o600 },
    )
    if (this.#root) execFileSync('ip', ['netns', 'add', this.#namespace])
    const words = [...(this.#root ? ['ip', 'netns', 'exec', this.#namespace] : []), node, main, 'run', '-c', config]
    this.#child = spawn(words[0] ?? '', words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.printed += data.length
        this.tail = (this.tail + data.toString()).slice(-4000)
      })
    }
    process.on('exit', () => this.#remove())
    await this.#until('it reads', async () => {
      const report = await this.status().catch(() => null)
      return report?.logs.some(({ state }) => state === 'reading') ?? false
    })
  }

  async status(): Promise<StatusReport> {
    return (await connectControl([join(this.folder, 'control.sock')])).status()
  }

  async jail(): Promise<JailReport> {
    return (await connectControl([join(this.folder, 'control.sock')])).jail('sshd')
  }

  /** Appends lines as fast as the agent reads them: never more than some MiB ahead. Resolves when all are read. */
  async write(lines: Iterable<string>): Promise<void> {
    let some: string[] = []
    for (const line of lines) {
      if (some.push(line) < linesAtOnce) continue
      await this.#append(some)
      some = []
    }
    await this.#append(some)
    await this.caughtUp(0)
  }

  /** Resolves when the agent is at most so many lines behind. */
  async caughtUp(lines: number): Promise<void> {
    await this.#until('it has read', async () => {
      const { logs } = await this.status()
      return this.written - (logs[0]?.lines ?? 0) <= lines
    })
  }

  resident(): Resident {
    return this.#both('VmRSS')
  }

  /** The most since `resetPeak`. */
  peak(): Resident {
    return this.#both('VmHWM')
  }

  /** Lets the kernel count the peak from now on (proc(5), clear_refs). */
  resetPeak(): void {
    for (const pid of [this.#pid, ...descendants(this.#pid)]) writeFileSync(`/proc/${pid}/clear_refs`, '5')
  }

  /** CPU seconds of the agent so far, user and system (proc_pid_stat(5)). */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.#pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  }

  async end(): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child !== null && child.exitCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await Promise.race([gone, sleep(20_000)])
      child.kill('SIGKILL')
      await gone
    }
    this.#remove()
  }

  get #pid(): number {
    return this.#child?.pid ?? 0
  }

  #both(field: string): Resident {
    const sum = descendants(this.#pid).reduce((total, pid) => total + memoryOf(pid, field), 0)
    return { agent: memoryOf(this.#pid, field), helper: sum }
  }

  async #append(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return
    appendFileSync(this.log, `${lines.join('\n')}\n`)
    this.written += lines.length
    await this.caughtUp(4 * linesAtOnce)
  }

  async #until(what: string, done: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 6000; tries++) {
      if (this.#child?.exitCode !== null) throw new Error(`the agent ended:\n${this.tail}`)
      if (await done()) return
      await sleep(20)
    }
    throw new Error(`waited in vain until ${what}:\n${this.tail}`)
  }

  #remove(): void {
    this.#child?.kill('SIGKILL')
    if (this.#root && existsSync(`/run/netns/${this.#namespace}`)) {
      execFileSync('ip', ['netns', 'del', this.#namespace])
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The processes that a process has started, and those that these have. */
function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').map(Number)
  return children.filter((child) => child > 0).flatMap((child) => [child, ...descendants(child)])
}

/** A figure of /proc/PID/status, in MiB. */
function memoryOf(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024
}
