import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { printable } from '../../errors.ts'
import { BoundedStream } from './bounded-stream.ts'
import type { LogEntry } from './log-line.ts'

const program = fileURLToPath(new URL('../../../../core/fail2ban/own-log/send-datagrams.pl', import.meta.url))
/** A child that ended is started again after so long, and a failure is told of again. */
const startAgainMs = 10_000
const tellAgainMs = 10 * 60_000
const closeMs = 1000

/** Priorities of syslog(3), which the journal has as well. */
const priorities = { CRITICAL: 2, ERROR: 3, WARNING: 4, NOTICE: 5, INFO: 6 } as const

/** What a syslog daemon takes as one datagram, as RFC 3164 has it but without date and host. `line` ends in its newline. */
export function syslogFrame({ level }: LogEntry, line: string, facility: number): string {
  return `<${facility * 8 + priorities[level]}>${line}`
}

/**
 * What the journal takes as one datagram (https://systemd.io/JOURNAL_NATIVE_PROTOCOL), as Python's handler for it writes
 * it: the message alone, the rest as fields. A NUL stands for a newline, one newline ends it.
 */
export function journalFrame({ logger, level, message }: LogEntry): string {
  const fields = [
    `MESSAGE=${printable(message)}`,
    `PRIORITY=${priorities[level]}`,
    `LOGGER=${logger}`,
    'SYSLOG_IDENTIFIER=fail2ban',
  ]
  return `${fields.join('\0')}\0\n`
}

/** A Unix socket that takes datagrams, through a child in perl. Nobody waits for it. */
export class SocketLog {
  readonly #path: string
  readonly #alarm: (message: string) => void
  #child: { readonly process: ChildProcess; readonly input: BoundedStream } | null = null
  #startedAt = -Infinity
  #toldAt = -Infinity

  /** `alarm` is told what keeps lines from being sent: at once, then every ten minutes. */
  constructor(path: string, alarm: (message: string) => void) {
    this.#path = path
    this.#alarm = alarm
  }

  write(frame: string): void {
    this.#child ??= this.#start()
    this.#child?.input.write(frame)
  }

  /** Resolves when all that was written is sent, or a second later. */
  async close(): Promise<void> {
    const child = this.#child?.process
    this.#child = null
    if (child === undefined || child.exitCode !== null) return
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
    child.stdin?.end()
    const late = setTimeout(() => child.kill('SIGKILL'), closeMs)
    await ended
    clearTimeout(late)
  }

  #start(): { process: ChildProcess; input: BoundedStream } | null {
    if (performance.now() - this.#startedAt < startAgainMs) return null
    this.#startedAt = performance.now()
    const child = spawn('/usr/bin/perl', [program, this.#path], { stdio: ['pipe', 'ignore', 'pipe'], env: {} })
    const failed = (why: string) => this.#tell(why)
    child.once('error', (error) => {
      failed(error.message)
      this.#forget(child)
    })
    child.once('exit', () => this.#forget(child))
    child.stdin.on('error', () => {})
    child.stderr.setEncoding('utf8').on('data', (said: string) => failed(said.trim().split('\n')[0] ?? ''))
    return { process: child, input: new BoundedStream(child.stdin, failed) }
  }

  #forget(child: ChildProcess): void {
    if (this.#child?.process === child) this.#child = null
  }

  #tell(why: string): void {
    if (performance.now() - this.#toldAt < tellAgainMs) return
    this.#toldAt = performance.now()
    this.#alarm(`${this.#path} does not take all lines: ${printable(why).slice(0, 200)}`)
  }
}
