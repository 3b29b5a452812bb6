/** One life of the firewall helper, as the agent sees it: a child process and the connection to it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { BailiffError, printable } from '../errors.ts'
import type { Logger } from '../plugin.ts'
import { readLines } from './frames.ts'
import { decodeReply, encode, protocolVersion, type FailureCode, type Reply, type Request } from './messages.ts'

export interface HelperProcessOptions {
  readonly log: Logger
  /** The Node that runs the helper. Default: the one that runs the agent. */
  readonly nodePath?: string
  /** What stands before it: a program that drops rights, or enters a network namespace, and then runs the rest. */
  readonly command?: readonly string[]
  /** The tool that the helper uses. Default: netlink where it can, else the program nft. */
  readonly backend?: 'auto' | 'netlink' | 'nft'
}

interface Pending {
  readonly id: number
  readonly replies: Reply[]
  readonly resolve: (replies: readonly Reply[]) => void
  readonly reject: (error: Error) => void
}

/** What V8 says of `--jitless` before Node 24, which does not know the flag that would keep it quiet. */
const harmless = /^Warning: disabling flag --expose_wasm due to conflicting flags$/m

const helloMs = 10_000
const endMs = 10_000

/** A running helper. It takes one request at a time. */
export class HelperProcess {
  readonly #child: ChildProcess
  readonly #connection: Duplex
  #pending: Pending | undefined
  #why: string | undefined
  #over = false
  /** Resolves when the process has ended, with the reason for people. */
  readonly ended: Promise<string>

  private constructor(options: HelperProcessOptions, onHello: (version: number) => void) {
    this.#child = launch(options)
    this.#connection = this.#child.stdio[3] as Duplex
    this.#connection.on('error', () => this.#connection.destroy())
    this.#child.stderr?.on('data', (bytes: Buffer) => {
      const said = bytes.toString('utf8').slice(0, 1000).replace(harmless, '').trim()
      if (said !== '') options.log.warn({}, `firewall helper: ${printable(said)}`)
    })
    this.ended = new Promise((resolve) => {
      this.#child.on('error', (error) => resolve(this.#end(`cannot be started: ${error.message}`)))
      this.#child.on('close', (code, signal) => {
        resolve(this.#end(`ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`))
      })
    })
    void this.#read(onHello)
  }

  /** Starts a helper and resolves when it has said that it speaks the same version. Rejects with `BailiffError`. */
  static async start(options: HelperProcessOptions): Promise<HelperProcess> {
    let onHello: (version: number) => void = () => {}
    const hello = new Promise<number>((resolve) => (onHello = resolve))
    const helper = new HelperProcess(options, onHello)
    const timer = setTimeout(() => helper.kill(`did not answer within ${helloMs / 1000} s`), helloMs)
    const version = await Promise.race([hello, helper.ended])
    clearTimeout(timer)
    if (version === protocolVersion) return helper
    const what = typeof version === 'string' ? version : `speaks version ${version}, not ${protocolVersion}`
    helper.kill(what)
    throw new BailiffError('unavailable', `the firewall helper ${what}`)
  }

  /** Whether it has ended. */
  get over(): boolean {
    return this.#over
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /**
   * Sends a request, which may come in several messages of the same id, and resolves with all its
   * replies. Rejects with `BailiffError` when the helper says that it failed, ends, or takes longer
   * than the deadline; it is then killed.
   */
  async request(messages: Iterable<Request>, id: number, deadlineMs: number): Promise<readonly Reply[]> {
    if (this.#why !== undefined) throw gone(this.#why)
    const answer = new Promise<readonly Reply[]>((resolve, reject) => {
      this.#pending = { id, replies: [], resolve, reject }
    })
    // It may be rejected before all is written, and nobody awaits it then. The rest is written all the
    // same, so that the next request begins where the helper expects one.
    answer.catch(() => {})
    const timer = setTimeout(() => this.kill(`did not answer a request within ${deadlineMs / 1000} s`), deadlineMs)
    try {
      await this.#write(messages)
      return await answer
    } finally {
      clearTimeout(timer)
      this.#pending = undefined
    }
  }

  /** Lets the helper end after what it is doing; kills it when that takes long. */
  async stop(): Promise<void> {
    this.#connection.end()
    const timer = setTimeout(() => this.kill('did not end'), endMs)
    await this.ended
    clearTimeout(timer)
  }

  /** Ends it at once; `why` is told to whoever waits. What the kernel holds stays. */
  kill(why: string): void {
    this.#why ??= why
    this.#child.kill('SIGKILL')
  }

  async #write(messages: Iterable<Request>): Promise<void> {
    for (const message of messages) {
      if (this.#why !== undefined || this.#connection.destroyed) return
      if (!this.#connection.write(encode(message))) await Promise.race([drained(this.#connection), this.ended])
    }
  }

  async #read(onHello: (version: number) => void): Promise<void> {
    try {
      for await (const line of readLines(this.#connection)) {
        const reply = decodeReply(line)
        if (reply.type === 'hello') onHello(reply.version)
        else this.#take(reply)
      }
    } catch (error) {
      this.kill(`said something that is no answer: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  #take(reply: Exclude<Reply, { type: 'hello' }>): void {
    const pending = this.#pending
    // An answer to a request that was given up is nobody's; one without an id belongs to the one request there is.
    if (pending === undefined || (reply.id !== null && reply.id !== pending.id)) return
    if (reply.type === 'failed') return pending.reject(failure(reply.code, reply.message))
    pending.replies.push(reply)
    if (!reply.more) pending.resolve(pending.replies)
  }

  #end(how: string): string {
    this.#why ??= how
    this.#over = true
    this.#connection.destroy()
    this.#pending?.reject(gone(this.#why))
    return this.#why
  }
}

/** `connection` is destroyed at the latest when the process ends, and then nobody waits for it any more. */
async function drained(connection: Duplex): Promise<void> {
  await once(connection, 'drain').catch(() => {})
}

function launch({ nodePath = process.execPath, command = [], backend = 'auto' }: HelperProcessOptions): ChildProcess {
  // The helper compiles nothing at run time, so it can run where memory may not be written and executed.
  // A small young generation keeps it at 77 MB instead of 148 after syncs of 20 000 entries, no slower.
  const words = [
    ...command,
    ...launcher(),
    nodePath,
    '--jitless',
    '--max-semi-space-size=1',
    fileURLToPath(new URL('./main.js', import.meta.url)),
    `--backend=${backend}`,
  ]
  return spawn(words[0] ?? nodePath, words.slice(1), {
    // On Linux a `pipe` beyond the first three is one end of a socketpair.
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    // NODE_OPTIONS and LD_PRELOAD of the agent are not for the part with the rights.
    env: { LANG: 'C', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    // What `ps` shows.
    ...(command.length === 0 ? { argv0: 'bailiff-firewall' } : {}),
  })
}

/** What opens the netlink sockets for the helper; nothing where there is no perl, and the helper then uses nft. */
function launcher(): readonly string[] {
  const perl = ['/usr/bin/perl', '/bin/perl', '/run/current-system/sw/bin/perl'].find((path) => existsSync(path))
  // Perl reads it as it is: it is not built, and lies in the package beside `dist`.
  return perl === undefined
    ? []
    : [perl, fileURLToPath(new URL('../../../core/firewall/launcher.pl', import.meta.url)), 'exec']
}

const gone = (why: string) =>
  new BailiffError('try-again', `the firewall helper ${why}`, {
    hint: 'It is started again by itself. Bans that the kernel holds stay in force.',
  })

function failure(code: FailureCode, message: string): BailiffError {
  const said = printable(message.slice(0, 600))
  switch (code) {
    case 'no-nft':
      return new BailiffError('unavailable', said, {
        hint: 'Install nftables (Debian, Ubuntu, Fedora, Arch, Alpine: the package nftables).',
      })
    case 'no-permission':
      return new BailiffError('no-permission', `the firewall helper may not change the firewall: ${said}`, {
        hint: 'It needs root or the capability CAP_NET_ADMIN.',
      })
    case 'set-full':
      return new BailiffError('unavailable', `a firewall set is full, so nothing of the batch is enforced: ${said}`, {
        hint: 'Shorten bantime, or ban networks instead of single addresses.',
      })
    case 'timeout':
      return new BailiffError('try-again', said)
    case 'bad-message':
      return new BailiffError('software', `the firewall helper did not understand the agent: ${said}`)
    case 'failed':
      return new BailiffError('os', `the firewall refused a change: ${said}`)
  }
}
