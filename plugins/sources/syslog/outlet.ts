import { type Address, describeError, type Emit, type Host, parseAddress, PrefixSet } from '../../../core/plugin.ts'
import { lineOf } from './message.ts'
import { Tally } from './tally.ts'

/** Datagrams that wait for the agent, together: who sends them does not wait. */
const maxWaitingBytes = 8 * 1024 * 1024
/** Senders with a log of their own; those of all others go into one. */
const maxSenders = 200
const others = 'others'

/** Who may send, and the way of messages into the log of their sender. */
export class Outlet {
  readonly tally: Tally
  readonly #emit: Emit
  readonly #host: Host
  readonly #from: PrefixSet
  readonly #senders = new Set<string>()
  #waiting = new Map<string, Buffer[]>()
  #waitingBytes = 0
  #delivering = false

  constructor(emit: Emit, host: Host, from: PrefixSet) {
    this.#emit = emit
    this.#host = host
    this.#from = from
    this.tally = new Tally(host)
  }

  /** The address behind a socket, where it may send; null, and counted, where it may not. */
  admit(remote: string | undefined): Address | null {
    const address = parseAddress((remote ?? '').replace(/%.*$/, ''))
    if (address !== null && this.#from.covering(address) !== undefined) return address
    this.tally.add('came from who may not send, and were dropped; "from" says who may', address ?? 'nobody')
    return null
  }

  /** Takes messages of a stream; resolves when the agent has taken them, so that the stream is slowed down with it. */
  async put(sender: Address, messages: readonly Buffer[]): Promise<void> {
    const lines = messages.flatMap((message) => this.#line(sender, message) ?? [])
    if (lines.length > 0) await this.#emit(Buffer.concat(lines), { log: this.#logOf(sender) })
  }

  /** Takes a datagram. What the agent cannot take in time is dropped and counted. */
  take(sender: Address, message: Buffer): void {
    const line = this.#line(sender, message)
    if (line === null) return
    if (this.#waitingBytes + line.length > maxWaitingBytes)
      return this.tally.add('came faster than they could be matched, and were dropped', sender)
    this.#waitingBytes += line.length
    const log = this.#logOf(sender)
    const waiting = this.#waiting.get(log)
    if (waiting === undefined) this.#waiting.set(log, [line])
    else waiting.push(line)
    if (!this.#delivering) void this.#deliver()
  }

  async #deliver(): Promise<void> {
    this.#delivering = true
    // One turn later: datagrams come in crowds.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.size > 0 && !this.#host.signal.aborted) {
      const batch = this.#waiting
      this.#waiting = new Map()
      await Promise.all(Array.from(batch, ([log, lines]) => this.#hand(log, Buffer.concat(lines))))
    }
    this.#delivering = false
  }

  async #hand(log: string, bytes: Buffer): Promise<void> {
    try {
      await this.#emit(bytes, { log })
    } catch (error) {
      if (!this.#host.signal.aborted) this.tally.add(`could not be handed on: ${describeError(error)}`, log)
    }
    this.#waitingBytes -= bytes.length
  }

  #line(sender: Address, message: Buffer): Buffer | null {
    const line = lineOf(message, sender, this.#host.now())
    if (line === null && message.length > 1024) this.tally.add('were longer than 64 KiB, and were passed over', sender)
    return line
  }

  #logOf(sender: Address): string {
    if (this.#senders.has(sender)) return sender
    if (this.#senders.size >= maxSenders) return others
    this.#senders.add(sender)
    if (this.#senders.size === maxSenders)
      this.#host.log.warn(
        {},
        `more than ${maxSenders} hosts send: the messages of further ones share the log "${others}"`,
      )
    return sender
  }
}
