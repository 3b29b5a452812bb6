import { spawn } from 'node:child_process'
import { printable } from '../../errors.ts'
import type { ShellCommand } from './command-tags.ts'

/** Commands at once, of all jails together; more wait. */
const atOnce = 4
/** As in Fail2ban: then it is told to end, and killed a moment later. */
const deadlineMs = 60_000
const graceMs = 200
/** Of what it prints so much is kept, for the word to people. */
const keptOutput = 400

/** How a command ended: its exit code, or why there is none. */
export type CommandEnd = { readonly code: number; readonly output: string } | { readonly failed: string }

/** Variables of the agent's own that no command sees. */
const own = /^(?:BAILIFF_|NOTIFY_|LISTEN_|WATCHDOG_|NODE_)/

/** Runs commands of the configuration by `sh`, few at once. The configuration demands a shell; log text is only ever an argument. */
export class CommandRunner {
  readonly #waiting: (() => void)[] = []
  readonly #deadlineMs: number
  #running = 0

  constructor(deadline = deadlineMs) {
    this.#deadlineMs = deadline
  }

  /** Runs the command when it is its turn. Never rejects. */
  async run(command: ShellCommand): Promise<CommandEnd> {
    if (this.#running < atOnce) this.#running++
    else await new Promise<void>((turn) => this.#waiting.push(turn))
    try {
      return await runNow(command, this.#deadlineMs)
    } finally {
      // Who waits longest takes the place over.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}

function runNow({ script, values }: ShellCommand, deadline: number): Promise<CommandEnd> {
  return new Promise((end) => {
    // No argument holds a zero byte; no address, name or line that is worth asking about has one.
    const given = [script, ...values].map((value) => value.replaceAll('\0', ''))
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)))
    // A group of its own, so that all that it starts ends with it.
    const child = spawn('/bin/sh', ['-c', ...given], { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env })
    let output = ''
    const keep = (bytes: Buffer) => {
      if (output.length < keptOutput) output += bytes.toString('utf8', 0, keptOutput)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    let late = false
    const timers = [
      setTimeout(() => {
        late = true
        signal(child.pid, 'SIGTERM')
        timers.push(setTimeout(() => signal(child.pid, 'SIGKILL'), graceMs))
      }, deadline),
    ]
    const finish = (how: CommandEnd) => {
      for (const timer of timers) clearTimeout(timer)
      // What it left running may hold the pipes.
      child.stdout.destroy()
      child.stderr.destroy()
      end(how)
    }
    child.on('error', (error) => finish({ failed: `it cannot be run: ${error.message}` }))
    child.on('exit', (code, killer) => {
      if (late) {
        // Others of its group may have outlived it.
        signal(child.pid, 'SIGKILL')
        finish({ failed: `it took longer than ${deadline / 1000} s` })
      } else if (code === null) finish({ failed: `it was killed by ${killer}` })
      else finish({ code, output: printable(output.trim().slice(0, keptOutput)) })
    })
  })
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, name)
  } catch {
    // It has ended.
  }
}
