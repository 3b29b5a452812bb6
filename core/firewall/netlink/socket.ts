/** A netlink socket of netfilter that somebody else opened (see launcher.pl): requests, dumps, transactions. */
import { readSync, writev, writevSync } from 'node:fs'
import { getSystemErrorName, promisify } from 'node:util'
import { attribute, control, errno, family, flag, message, subsystem } from './kernel-numbers.ts'
import { attributesOf, nftablesMessage, number, readMessages, verdictOf, type InMessage } from './messages-in.ts'
import { MessageWriter } from './messages-out.ts'

/** The kernel, or the socket, refused a request. */
export class NetlinkError extends Error {
  /** The positive number of the error; `again` where no answer came in time. */
  readonly errno: number

  constructor(errno: number, text = '') {
    super(`the kernel said ${nameOf(errno)}${text === '' ? '' : `: ${text}`}`)
    this.name = 'NetlinkError'
    this.errno = errno
  }
}

/** A request: what of which subsystem, and its attributes. */
export interface Query {
  readonly subsystem: number
  readonly message: number
  readonly family: number
  readonly attributes?: (out: MessageWriter) => void
}

/** A change in a transaction. */
export interface Change {
  readonly message: number
  readonly flags?: number
  readonly attributes: (out: MessageWriter) => void
}

/** The kernel makes no answer longer than 32 KiB, but an error may have a whole request of 64 KiB behind it. */
const answerBytes = 128 * 1024
/** What is sent at once without leaving the thread: some microseconds of the kernel's work for each element. */
const shortBytes = 64 * 1024
/** An answer is there as soon as the request is sent, so whatever takes longer is a kernel that is stuck. */
const answerMs = 10_000
/** Generations that are kept as our own. */
const ownKept = 64

/** Not for two calls at a time: see `exclusively`. */
export class NetlinkSocket {
  readonly #descriptor: number
  readonly #answer = Buffer.allocUnsafeSlow(answerBytes)
  readonly #out = new MessageWriter()
  /** For requests while a transaction is being put together. */
  readonly #query = new MessageWriter()
  /** The newest generations that are known to be our own, oldest first. */
  readonly #own: number[] = []
  #sequence = 0
  #port: number | undefined
  #tail: Promise<unknown> = Promise.resolve()
  /** The sequence of a dump whose end was not read: the kernel begins no other before. */
  #unread: number | null = null

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  /** The port of the socket, by which others see who made a change; undefined before the first answer. */
  get port(): number | undefined {
    return this.#port
  }

  /** Runs the work when all work before is done, so that no two mix their answers. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#tail.then(work)
    this.#tail = result.catch(() => {})
    return result
  }

  /** The generation of the ruleset: it grows by one with each transaction of anybody in this network namespace. */
  generation(): number {
    const sequence = this.#send(
      { subsystem: subsystem.nftables, message: message.getGeneration, family: family.any },
      0,
    )
    for (const answer of this.#answers((each) => each.sequence === sequence)) {
      const verdict = verdictOf(answer)
      if (verdict !== null) throw new NetlinkError(verdict.errno, verdict.text)
      const id = number(attributesOf(answer), attribute.generation.id)
      if (nftablesMessage(answer) === message.newGeneration && id !== undefined) return id
    }
    throw new NetlinkError(errno.again)
  }

  /**
   * Sends several requests at once, together with at most as many answers as the socket has room for.
   * `take` is given each answer with the place of its request, and says whether no more follow on that
   * request. Throws `NetlinkError`, and what `take` throws.
   */
  ask(queries: readonly Query[], take: (place: number, answer: InMessage) => boolean): void {
    if (queries.length === 0) return
    const out = this.#query
    const first = (this.#sequence + 1) >>> 0
    for (const query of queries) this.#request(query, 0)
    try {
      attempt(() => writevSync(this.#descriptor, out.pieces()))
    } finally {
      out.clear()
    }
    const placeOf = ({ sequence }: InMessage) => (sequence - first) >>> 0
    let open = queries.length
    for (const answer of this.#answers((each) => placeOf(each) < queries.length)) {
      if (take(placeOf(answer), answer) && --open === 0) return
    }
  }

  /**
   * The messages that list something. Each is good until the next is asked for. Throws `NetlinkError`:
   * `missing` where what was asked about is not there, `restart` where others changed it meanwhile.
   */
  *dump(query: Query): Generator<InMessage, void> {
    this.#drain()
    const sequence = this.#send(query, flag.dump)
    this.#unread = sequence
    let interrupted = false
    for (const answer of this.#answers((each) => each.sequence === sequence)) {
      const verdict = verdictOf(answer)
      if (verdict === null) {
        interrupted ||= (answer.flags & flag.dumpInterrupted) !== 0
        yield answer
      } else {
        this.#unread = null
        interrupted ||= (answer.flags & flag.dumpInterrupted) !== 0
        if (verdict.errno !== 0) throw new NetlinkError(verdict.errno, verdict.text)
        if (interrupted) throw new NetlinkError(errno.restart)
        return
      }
    }
  }

  /**
   * Sends a transaction: all of it, or nothing and a `NetlinkError`. `write` is given a function that
   * adds a change, and may wait in between. With a generation the kernel refuses it (`restart`) where
   * the ruleset has another one by now. After `again` the kernel may have done it or not.
   */
  async transact(write: (add: (change: Change) => void) => void | Promise<void>, generation?: number): Promise<void> {
    const out = this.#out
    out.clear()
    try {
      const first = this.#next()
      const batch = { flags: flag.request, family: family.any, resource: subsystem.nftables }
      out.begin({ ...batch, type: control.batchBegin, sequence: first })
      if (generation !== undefined) out.number(attribute.batch.generation, generation)
      out.end()
      await write((change) => this.#add(change))
      const last = this.#sequence
      if (last === first) return
      // The kernel confirms only what asks for it; asked by the last change, that is once for all.
      out.alsoFlag(flag.ack)
      out.begin({ ...batch, type: control.batchEnd, sequence: this.#next() })
      out.end()
      await this.#commit(out.pieces(), first, last)
    } finally {
      out.clear()
    }
  }

  #add({ message: kind, flags = 0, attributes }: Change): void {
    const type = (subsystem.nftables << 8) | kind
    this.#out.begin({ type, flags: flag.request | flags, sequence: this.#next(), family: family.inet })
    attributes(this.#out)
    this.#out.end()
  }

  /** Whether all generations after the first, up to the second, are known to be our own: those of long transactions. */
  madeAll(after: number, upTo: number): boolean {
    const count = (upTo - after) >>> 0
    const made = this.#own.filter((id) => (id - after - 1) >>> 0 < count)
    return made.length === count
  }

  async #commit(pieces: readonly Buffer[], first: number, last: number): Promise<void> {
    const [piece] = pieces
    if (pieces.length === 1 && piece !== undefined && piece.length <= shortBytes) {
      attempt(() => writevSync(this.#descriptor, pieces))
      return this.#confirm(first, last)
    }
    const before = this.generation()
    // It keeps the kernel busy for seconds, and leaves the event loop alone meanwhile.
    await writeLater(this.#descriptor, pieces).catch(refuse)
    this.#confirm(first, last)
    const after = this.generation()
    if (after !== (before + 1) >>> 0) return
    this.#own.push(after)
    if (this.#own.length > ownKept) this.#own.shift()
  }

  /** Reads the answers to the transaction whose messages have these sequences. */
  #confirm(first: number, last: number): void {
    let refused: NetlinkError | undefined
    const inside = ({ sequence }: InMessage) => (sequence - first) >>> 0 <= (last - first) >>> 0
    for (const answer of this.#answers(inside)) {
      const verdict = verdictOf(answer)
      if (verdict === null) continue
      if (verdict.errno !== 0) refused ??= new NetlinkError(verdict.errno, verdict.text)
      // What concerns the whole is said of its begin, and nothing needs to follow then.
      if (answer.sequence === last || answer.sequence === first) break
    }
    if (refused !== undefined) throw refused
  }

  #send(query: Query, flags: number): number {
    const out = this.#query
    const sequence = this.#request(query, flags)
    attempt(() => writevSync(this.#descriptor, out.pieces()))
    out.clear()
    return sequence
  }

  /** Writes a request without sending it, and answers its sequence. */
  #request({ subsystem: part, message: kind, family: of, attributes }: Query, flags: number): number {
    const out = this.#query
    const sequence = this.#next()
    out.begin({ type: (part << 8) | kind, flags: flag.request | flags, sequence, family: of })
    attributes?.(out)
    out.end()
    return sequence
  }

  /** The answers that are meant; those to requests that were given up are passed over. */
  *#answers(meant: (answer: InMessage) => boolean): Generator<InMessage, void> {
    for (let until = performance.now() + answerMs; performance.now() < until;) {
      for (const answer of readMessages(this.#read())) {
        if (!meant(answer)) continue
        this.#port = answer.port
        yield answer
        until = performance.now() + answerMs
      }
    }
    throw new NetlinkError(errno.again)
  }

  #read(): Buffer {
    const length = attempt(() => readSync(this.#descriptor, this.#answer))
    return this.#answer.subarray(0, length)
  }

  /** Reads a dump to its end that nobody did. */
  #drain(): void {
    const sequence = this.#unread
    if (sequence === null) return
    for (const answer of this.#answers((each) => each.sequence === sequence)) {
      if (verdictOf(answer) !== null) break
    }
    this.#unread = null
  }

  #next(): number {
    return (this.#sequence = (this.#sequence + 1) >>> 0)
  }
}

const writeLater = promisify(writev)

function attempt<Result>(call: () => Result): Result {
  try {
    return call()
  } catch (error) {
    return refuse(error)
  }
}

/** Turns the error of a system call into ours. */
function refuse(error: unknown): never {
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') {
    throw new NetlinkError(-error.errno, 'on the socket')
  }
  throw error
}

function nameOf(number: number): string {
  return number > 0 && number < 4096 ? getSystemErrorName(-number) : `error ${number}`
}
