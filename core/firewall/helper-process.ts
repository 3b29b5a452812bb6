/** The process of the firewall helper, and the launcher that keeps it running. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { BailiffError, printable } from '../errors.ts'
import type { Logger } from '../plugin.ts'
import { helperCommand, type HelperCommandOptions, type UserIds } from './helper-command.ts'
import { makeListeningSocket } from './listening-socket.ts'

export interface HelperProcessOptions extends HelperCommandOptions {
  readonly log: Logger
  /** Where it listens. Default: in a private folder of its own, which is removed at the end. */
  readonly socket?: string
  /** Who may connect, where this process is root: the user the agent will be. */
  readonly owner?: UserIds
}

/** What V8 says of `--jitless` before Node 24, which does not know the flag that would keep it quiet. */
const harmless = /^Warning: disabling flag --expose_wasm due to conflicting flags$/gm

const endMs = 10_000
/** What of its own words is kept, to tell why it ended. */
const keptWords = 300

/** A helper that is started when somebody connects to its socket. It ends with this process, however that ends. */
export class HelperProcess {
  readonly socket: string
  /** Resolves when it has ended for good, with the reason for people. */
  readonly ended: Promise<string>
  readonly #child: ChildProcess
  readonly #kept: boolean
  readonly #ownFolder: boolean
  /** The user who started it: as another one it cannot be started again with the same rights. */
  readonly #starter = process.geteuid?.()
  #over = false
  #said = ''

  private constructor(options: HelperProcessOptions, socket: string, server: Server) {
    const { words, kept, warnings } = helperCommand(options)
    for (const warning of warnings) options.log.warn({}, warning)
    this.socket = socket
    this.#kept = kept
    this.#ownFolder = options.socket === undefined
    this.#child = launch(words, descriptorOf(server))
    this.#child.stdin?.on('error', () => {})
    this.#child.stderr?.on('data', (bytes: Buffer) => this.#hear(bytes, options.log))
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#over = true
        resolve(this.#said === '' ? how : `${how}: ${this.#said}`)
      }
      this.#child.on('error', ({ message }) =>
        end(`cannot be ${this.#child.pid === undefined ? 'started' : 'killed'}: ${message}`),
      )
      this.#child.on('close', (code, signal) =>
        end(`ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`),
      )
    })
  }

  /** Makes the socket and starts what serves it. Rejects with `BailiffError` where there can be no such socket. */
  static async start(options: HelperProcessOptions): Promise<HelperProcess> {
    const socket = options.socket ?? join(mkdtempSync(join(tmpdir(), 'bailiff-firewall-')), 'socket')
    const server = await makeListeningSocket(socket, options.owner)
    const helper = new HelperProcess(options, socket, server)
    server.close()
    return helper
  }

  get over(): boolean {
    return this.#over
  }

  /** Whether this process could start the same again: not after it has become another user. */
  get replaceable(): boolean {
    return this.#starter === process.geteuid?.()
  }

  /** Has a helper that hangs killed. Its launcher starts a new one; without launcher, that is a new `HelperProcess`. */
  kill(): void {
    if (this.#kept) this.#child.stdin?.write('k')
    else this.#child.kill('SIGKILL')
  }

  /** Ends it after what it is doing; kills it when that takes long. */
  async stop(): Promise<void> {
    this.#child.stdin?.end()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), endMs)
    await this.ended
    clearTimeout(timer)
    rmSync(this.#ownFolder ? dirname(this.socket) : this.socket, { recursive: true, force: true })
  }

  #hear(bytes: Buffer, log: Logger): void {
    const said = printable(bytes.toString('utf8').slice(0, 1000).replace(harmless, '').trim().replace(/\n\s*/g, '; '))
    if (said === '') return
    this.#said = said.slice(0, keptWords)
    log.warn({}, `firewall helper: ${said}`)
  }
}

function launch(words: readonly string[], listening: number): ChildProcess {
  const [program = '', ...rest] = words
  return spawn(program, rest, {
    stdio: ['pipe', 'ignore', 'pipe', listening],
    // NODE_OPTIONS, PERL5OPT and LD_PRELOAD of the agent are not for the part with the rights.
    env: environment,
    // Not in the folder of the agent, which its user may not enter.
    cwd: '/',
  })
}

/** Node (20 to 24) tells the number of a listening descriptor only there, and hands over no server but to another Node. */
function descriptorOf(server: Server): number {
  const { _handle: handle } = server as Server & { readonly _handle?: { readonly fd?: number } }
  if (handle?.fd !== undefined && handle.fd >= 0) return handle.fd
  throw new BailiffError('software', `this Node (${process.version}) does not tell the descriptor of a socket`)
}

/** Nothing of the agent's. glibc is to give back what was freed (mallopt(3)): else it keeps what the largest sync took. */
const environment = {
  LANG: 'C',
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
}
