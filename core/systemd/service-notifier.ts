/** The word to systemd about this service: sd_notify(3), without its library. */
import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { printable } from '../errors.ts'
import type { Logger } from '../plugin.ts'

/** Tells systemd; nothing waits for it. */
export interface ServiceNotifier {
  /** How often it must hear of this process, in ms; null: it does not watch. */
  readonly watchdogMs: number | null
  /** Assignments as sd_notify(3) has them; what is no plain text is escaped. */
  tell(assignment: 'READY=1' | 'RELOADING=1' | 'STOPPING=1' | 'WATCHDOG=1' | `STATUS=${string}`): void
  /** Ends the child that passes the word on, when all is said. */
  close(): Promise<void>
}

export interface NotifierOptions {
  readonly log: Logger
  /** Read, and taken out, so that no program that a plugin starts speaks for the service. */
  readonly env?: NodeJS.ProcessEnv
  readonly perl?: string
}

const program = fileURLToPath(new URL('../../../core/systemd/notify.pl', import.meta.url))
const longestLine = 1000

/** Null where nobody listens: NOTIFY_SOCKET is not set. */
export function openServiceNotifier({ log, env = process.env, perl = '/usr/bin/perl' }: NotifierOptions) {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: microseconds, WATCHDOG_PID: watched } = env
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name]
  if (socket === undefined || !/^[/@]/.test(socket)) return null
  if (!isExecutable(perl)) {
    log.warn({}, `systemd waits to hear of this service at ${printable(socket)}, and there is no ${perl} to tell it`)
    return null
  }
  const mine = watched === undefined || Number(watched) === process.pid
  const watchdogMs = mine && Number(microseconds) > 0 ? Number(microseconds) / 1000 : null
  return new PerlNotifier({ perl, socket, log, watchdogMs })
}

interface PerlNotifierOptions {
  readonly perl: string
  readonly socket: string
  readonly log: Logger
  readonly watchdogMs: number | null
}

/** One child for all words: to start a program for each costs a hundred times more. */
class PerlNotifier implements ServiceNotifier {
  readonly watchdogMs: number | null
  readonly #options: PerlNotifierOptions
  #child: ChildProcess | undefined

  constructor(options: PerlNotifierOptions) {
    this.#options = options
    this.watchdogMs = options.watchdogMs
  }

  tell(assignment: string): void {
    this.#child ??= this.#start()
    this.#child.stdin?.write(`${printable(assignment).slice(0, longestLine)}\n`)
  }

  async close(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    await new Promise<void>((resolve) => {
      child.once('close', () => resolve())
      child.stdin?.end()
    })
  }

  /** One that ended is started again with the next word. */
  #start(): ChildProcess {
    const { perl, socket, log } = this.#options
    const child = spawn(perl, [program], {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { NOTIFY_SOCKET: socket },
      cwd: '/',
    })
    const over = () => {
      if (this.#child === child) this.#child = undefined
    }
    child.on('error', over).on('close', over)
    child.stdin?.on('error', over)
    child.stderr?.on('data', (said: Buffer) => {
      log.warn({}, `systemd was not told: ${printable(said.toString('utf8').trim().slice(0, 200))}`)
    })
    return child
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
