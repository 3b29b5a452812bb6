/** One process of a plugin host: its descriptors, its output, and the eye that is kept on it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { constants, getPriority, setPriority } from 'node:os'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { checkedMessage, checkedQuestion } from './checked-messages.ts'
import { FairShare } from './fair-share.ts'
import { NotAllowed } from './fields.ts'
import { FrameReader, frameOf, FrameWriter } from './frames.ts'
import { hostCommand, hostEnvironment, type HostRights } from './host-command.ts'
import { HostOutput } from './host-output.ts'
import { HostWatch } from './host-watch.ts'
import { processesAbove } from './namespaces.ts'
import { maxBytesOf, maxFromHostBytes, type FromHost, type Question, type Reply, type ToHost } from './messages.ts'

/** Messages that need nothing of the agent, in a second. The host itself keeps far below. */
const idleTalkASecond = 2000
/** What may wait for a host that does not read. */
const mostUnreadBytes = 32 * 1024 * 1024
const mostUnreadAnswers = 1024 * 1024
const closeMs = 2000
const lastWordsMs = 300
const idleTalk = new Set<FromHost['type']>(['log', 'pong', 'denied', 'stray', 'forget', 'ended'])
/** A little behind the agent, which has to ban meanwhile. */
const niceness = 5

export interface HostProcessOptions {
  readonly rights: HostRights
  /** Takes a message, checked for its shape. What it throws as `NotAllowed` ends the host. */
  readonly message: (message: FromHost, bytes: Uint8Array) => void
  readonly question: (question: Exclude<Question, { readonly ask: 'fault' }>) => Reply
  /** What the plugin printed, a line each. */
  readonly printed: (line: string) => void
  readonly printedMore: (lines: number) => void
  /** Called now and then while what it says is read more slowly than it comes. */
  readonly slowed: () => void
  /** Called twice a second. */
  readonly looked: () => void
  /** Called once when it is over: why, for people; null where it was closed. */
  readonly ended: (why: string | null) => void
}

/** A running host. It ends with this process, however that ends. */
export class HostProcess {
  readonly #options: HostProcessOptions
  readonly #child: ChildProcess
  readonly #channel: Socket | null
  readonly #writer: FrameWriter | null
  readonly #output: HostOutput
  readonly #share: FairShare
  readonly #watch: HostWatch | null
  #why: string | null = null
  #lastWords: string | null = null
  #closing = false
  #over = false
  #talked = { since: 0, count: 0 }

  constructor(options: HostProcessOptions) {
    this.#options = options
    const [program = '', ...words] = hostCommand(options.rights)
    this.#child = spawn(program, words, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      env: hostEnvironment(),
      cwd: '/',
      // A group of its own, so that what it started ends with it, also where it has no namespace.
      detached: true,
    })
    const [, stdout, stderr, channel, questions] = this.#child.stdio as unknown as (Socket | null)[]
    this.#channel = channel ?? null
    this.#writer = channel ? new FrameWriter(channel) : null
    this.#share = new FairShare({ exceeded: options.slowed })
    this.#output = new HostOutput({
      share: this.#share,
      streams: [stdout, stderr].map((stream) => (stream ?? null) as Readable | null),
      tell: options.printed,
      left: options.printedMore,
    })
    this.#child.once('error', (error) => this.#end(`it cannot be started: ${error.message}`))
    // What it started may hold its output open; but what it said last is to be heard.
    this.#child.once('exit', (code, signal) => setTimeout(() => this.#closed(code, signal), lastWordsMs))
    this.#child.once('close', (code, signal) => this.#closed(code, signal))
    if (channel) this.#read(channel, (frame) => this.#take(frame.message, frame.bytes))
    if (questions) this.#read(questions, ({ message }) => this.#answer(questions, message))
    this.#watch = this.#child.pid === undefined ? null : this.#watchOver(this.#child.pid)
    // Nothing of it keeps this process from its end; `hold` does while something is asked.
    this.#child.unref()
    for (const stream of [stdout, stderr, channel, questions]) stream?.unref()
  }

  get pid(): number | undefined {
    return this.#watch?.hostPid ?? this.#child.pid
  }

  /** What it holds in memory, with all that it started. */
  get memoryBytes(): number {
    return this.#watch?.memoryBytes ?? 0
  }

  get over(): boolean {
    return this.#over
  }

  /** Sends a message. False: `drained` is to be awaited before much more is sent. */
  send(message: ToHost): boolean {
    if (this.#why !== null || this.#writer === null) return true
    if (this.#writer.unreadBytes > mostUnreadBytes) this.kill('it does not read what it is told')
    return this.#writer.send(message)
  }

  async drained(): Promise<void> {
    await this.#writer?.drained()
  }

  /** Whether this process is to go on while the host runs: while an answer is awaited. */
  hold(held: boolean): void {
    for (const each of [this.#channel, this.#child]) {
      if (held) each?.ref()
      else each?.unref()
    }
  }

  /** Kills it. Who asks why is told that. */
  kill(why: string): void {
    this.#why ??= why
    this.#killGroup()
  }

  /** Lets it end; it is killed when that takes long. Resolves when it has ended. */
  async close(): Promise<void> {
    if (this.#over) return
    this.#closing = true
    this.#channel?.ref()
    this.#writer?.end()
    this.#child.ref()
    const timer = setTimeout(() => this.#killGroup(), closeMs)
    await new Promise<void>((resolve) => {
      this.#child.once('exit', () => resolve())
      if (this.#over || this.#child.exitCode !== null || this.#child.signalCode !== null) resolve()
    })
    clearTimeout(timer)
  }

  /** The process, and what it started, also when it has ended itself. */
  #killGroup(): void {
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // Nothing of it is left, or all of it is somebody else's.
    }
  }

  #watchOver(pid: number): HostWatch {
    try {
      setPriority(pid, Math.min(19, getPriority() + niceness))
    } catch {
      // It has ended already, or that is forbidden here.
    }
    const { memoryBytes, namespaces } = this.#options.rights
    return new HostWatch({
      pid,
      above: namespaces.processes === null ? 0 : processesAbove,
      memoryBytes,
      ping: (ping) => this.send({ type: 'ping', ping }),
      bad: (what) => this.kill(what),
      looked: () => {
        this.#output.tellLeft()
        this.#options.looked()
      },
    })
  }

  #read(socket: Socket, take: (frame: { message: unknown; bytes: Uint8Array }) => void): void {
    const reader = new FrameReader(maxFromHostBytes, maxBytesOf)
    socket.on('error', () => {})
    this.#share.read(socket, (data) => {
      if (this.#over || this.#why !== null) return
      try {
        for (const frame of reader.take(data)) take(frame)
      } catch (error) {
        // A fault of the agent's own must not end it either: what came from the host led to it.
        const what = error instanceof Error ? error.message : String(error)
        this.kill(`it said what no host says: ${what}`)
      }
    })
    // Who closes these is no host any more, and might never end.
    socket.on('end', () => this.#closing || setTimeout(() => this.kill('it closed its descriptor'), 500).unref())
  }

  #take(given: unknown, bytes: Uint8Array): void {
    const message = checkedMessage(given)
    if (idleTalk.has(message.type)) this.#countTalk()
    if (message.type === 'pong') return this.#watch?.pong(message.ping)
    this.#options.message(message, bytes)
  }

  #answer(socket: Socket, given: unknown): void {
    this.#countTalk()
    const question = checkedQuestion(given)
    // Who asks stands still until it is answered.
    if (socket.writableLength > mostUnreadAnswers) throw new NotAllowed('questions whose answers it does not read')
    if (question.ask === 'fault') this.#lastWords ??= question.message
    socket.write(frameOf(question.ask === 'fault' ? { value: null } : this.#options.question(question)))
  }

  #countTalk(): void {
    const now = performance.now()
    if (now - this.#talked.since >= 1000) this.#talked = { since: now, count: 0 }
    if (++this.#talked.count > idleTalkASecond)
      throw new NotAllowed(`more than ${idleTalkASecond} messages in a second that ask for nothing`)
  }

  #closed(code: number | null, killedBy: NodeJS.Signals | null): void {
    const signal = killedBy ?? this.#signalOf(code)
    const how = signal === null ? `it ended with exit code ${code}${meaningOf(code)}` : `it was ended by ${signal}`
    this.#end(this.#why ?? this.#lastWords ?? `${how}${this.#memoryNote(signal)}`)
  }

  /** In a namespace it is the init that ends, and tells a signal by a code. */
  #signalOf(code: number | null): NodeJS.Signals | null {
    if (code === null || this.#options.rights.namespaces.processes === null) return null
    const found = Object.entries(constants.signals).find(([, number]) => number + 128 === code)
    return (found?.[0] ?? null) as NodeJS.Signals | null
  }

  #memoryNote(signal: NodeJS.Signals | null): string {
    if (signal === null || !this.#output.ranOutOfMemory) return ''
    return `: it ran out of memory, ${Math.round(this.#options.rights.memoryBytes / 1024 / 1024)} MiB are allowed`
  }

  #end(why: string): void {
    if (this.#over) return
    this.#over = true
    this.#killGroup()
    this.#watch?.stop()
    this.#output.tellLeft()
    this.#channel?.destroy()
    this.#options.ended(this.#closing && this.#why === null ? null : why)
  }
}

/** What exit codes of Node itself mean, where a number says nothing to people. */
function meaningOf(code: number | null): string {
  if (code === 0) return ', as if its work were done: it left its host by itself, or closed what it hears the agent by'
  if (code === 7) return ': it failed in a way that nothing could be told of'
  return ''
}
