/** One conversation of the agent with the firewall helper. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { BailiffError, printable } from '../errors.ts'
import { FrameTooLong, readLines } from './frames.ts'
import {
  decodeReply,
  encode,
  MessageError,
  protocolVersion,
  type FailureCode,
  type Reply,
  type Request,
  type Told,
} from './messages.ts'

export interface HelperConnectionOptions {
  /** Called when the helper does not answer in time, before the connection ends. */
  readonly hung?: (why: string) => void
  /** Hears what the helper says without being asked. */
  readonly told?: (told: Told) => void
}

interface Pending {
  readonly id: number
  readonly replies: Reply[]
  readonly resolve: (replies: readonly Reply[]) => void
  readonly reject: (error: Error) => void
}

/** A machine that boots, or has far too much to do, takes its time to start a process. */
const helloMs = 30_000

/** A connection to a helper. It takes one request at a time. */
export class HelperConnection {
  readonly #connection: Socket
  readonly #options: HelperConnectionOptions
  #hello: (version: number) => void = () => {}
  #pid: number | undefined
  #pending: Pending | undefined
  #why: string | undefined
  #over = false
  /** Resolves when the connection has ended, with the reason for people. */
  readonly ended: Promise<string>

  private constructor(socket: string, options: HelperConnectionOptions) {
    this.#options = options
    this.#connection = connect(socket)
    this.ended = new Promise((resolve) => {
      this.#connection.on('error', (error) => (this.#why ??= `cannot be reached at ${socket}: ${error.message}`))
      this.#connection.on('close', () => resolve(this.#end('ended')))
    })
    void this.#read()
  }

  /**
   * Connects and resolves when the helper has said that it speaks the same version. Rejects with
   * `BailiffError`.
   */
  static async open(socket: string, options: HelperConnectionOptions = {}): Promise<HelperConnection> {
    const helper = new HelperConnection(socket, options)
    const hello = new Promise<number>((resolve) => (helper.#hello = resolve))
    const timer = setTimeout(() => helper.#giveUp(`did not answer within ${helloMs / 1000} s`), helloMs)
    const version = await Promise.race([hello, helper.ended])
    clearTimeout(timer)
    if (version === protocolVersion) return helper
    const what = typeof version === 'string' ? version : `speaks version ${version}, not ${protocolVersion}`
    helper.end(what)
    throw new BailiffError('unavailable', `the firewall helper ${what}`)
  }

  /** Whether it has ended. */
  get over(): boolean {
    return this.#over
  }

  /** The process of the helper, as it said itself. */
  get pid(): number | undefined {
    return this.#pid
  }

  /**
   * Sends a request, which may come in several messages of the same id, and resolves with all its
   * replies. Rejects with `BailiffError` when the helper says that it failed, ends, or takes longer
   * than the deadline; it then counts as hung.
   */
  async request(messages: Iterable<Request>, id: number, deadlineMs: number): Promise<readonly Reply[]> {
    if (this.#why !== undefined) throw gone(this.#why)
    const answer = new Promise<readonly Reply[]>((resolve, reject) => {
      this.#pending = { id, replies: [], resolve, reject }
    })
    // It may be rejected before all is written, and nobody awaits it then: the rest is not written.
    let refused = false
    answer.catch(() => (refused = true))
    const timer = setTimeout(() => this.#giveUp(`did not answer a request within ${deadlineMs / 1000} s`), deadlineMs)
    try {
      await this.#write(messages, () => refused)
      return await answer
    } finally {
      clearTimeout(timer)
      this.#pending = undefined
    }
  }

  /** Ends the connection; `why` is told to whoever waits. What the kernel holds stays. */
  end(why: string): void {
    this.#why ??= why
    this.#connection.destroy()
  }

  #giveUp(why: string): void {
    this.#options.hung?.(why)
    this.end(why)
  }

  async #write(messages: Iterable<Request>, refused: () => boolean): Promise<void> {
    for (const message of messages) {
      if (refused() || this.#why !== undefined || this.#connection.destroyed) return
      if (!this.#connection.write(encode(message))) await Promise.race([drained(this.#connection), this.ended])
    }
  }

  async #read(): Promise<void> {
    try {
      for await (const line of readLines(this.#connection)) {
        const reply = decodeReply(line)
        if (reply.type === 'hello') {
          this.#pid = reply.pid
          this.#hello(reply.version)
        } else if (reply.type === 'repaired' || reply.type === 'alarm') this.#options.told?.(reply)
        else this.#take(reply)
      }
    } catch (error) {
      // A connection that ended in the middle is told by `ended`.
      if (error instanceof MessageError || error instanceof FrameTooLong)
        this.end(`said something that is no answer: ${error.message}`)
    }
  }

  #take(reply: Exclude<Reply, Told | { type: 'hello' }>): void {
    const pending = this.#pending
    // Before its hello: it serves another agent.
    if (reply.type === 'failed' && this.#pid === undefined) return this.end(`refuses: ${printable(reply.message)}`)
    // An answer to a request that was given up is nobody's; one without an id belongs to the one request there is.
    if (pending === undefined || (reply.id !== null && reply.id !== pending.id)) return
    if (reply.type === 'failed') return pending.reject(failure(reply.code, reply.message))
    pending.replies.push(reply)
    if (!reply.more) pending.resolve(pending.replies)
  }

  #end(how: string): string {
    this.#why ??= how
    this.#over = true
    this.#pending?.reject(gone(this.#why))
    return this.#why
  }
}

/** When the connection ends, this may never resolve; nobody waits for it any more then. */
async function drained(connection: Duplex): Promise<void> {
  await once(connection, 'drain').catch(() => {})
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
      return new BailiffError('unavailable', `the firewall is full, so nothing of the batch is enforced: ${said}`, {
        hint: 'Shorten bantime, or ban networks instead of single addresses.',
      })
    case 'busy':
    case 'timeout':
      return new BailiffError('try-again', said)
    case 'bad-message':
      return new BailiffError('software', `the firewall helper did not understand the agent: ${said}`)
    case 'failed':
      return new BailiffError('os', `the firewall refused a change: ${said}`)
  }
}
