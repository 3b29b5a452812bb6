/**
 * Connections that the kernel tracks, over a netlink socket of their own (ctnetlink). A host may have
 * half a million of them, so everything that takes long is done by threads of the pool, in pieces, and
 * what is read is read word by word: messages and attributes begin at multiples of four bytes.
 */
import { fstatSync, read, writev } from 'node:fs'
import { endianness } from 'node:os'
import { promisify } from 'node:util'
import type { BannedSources, Connection } from '../banned-sources.ts'
import type { ConnectionTable } from '../connection-cutter.ts'
import { control, errno, family, flag, subsystem, tracking, trackingMessage } from './kernel-numbers.ts'
import { MalformedError, readMessages, verdictOf } from './messages-in.ts'
import { MessageWriter } from './messages-out.ts'
import { NetlinkError } from './socket.ts'

/** The descriptor as launcher.pl leaves it: not that of the bans, which a list of connections is not to hold up. */
const inherited = 6

/** The kernel makes no answer longer than 32 KiB. */
const answerBytes = 64 * 1024
/** Connections forgotten in one look, and by one write. */
const mostForgotten = 50_000
const forgottenAtOnce = 100
/** Of netlink and of netfilter: what stands before the attributes. */
const headerBytes = 20

const little = endianness() === 'LE'
const writeLater = promisify(writev)
const readLater = promisify(read)

/** The table over the socket that launcher.pl opened, which opens all three or none; null where there is none. */
export function openTrackedConnections(): ConnectionTable | null {
  try {
    const open = [inherited - 2, inherited - 1, inherited].every((descriptor) => fstatSync(descriptor).isSocket())
    return open ? new TrackedConnections(inherited) : null
  } catch {
    return null
  }
}

/** A connection to forget, by the attributes that the kernel told. */
interface Doomed {
  readonly family: number
  readonly tuple: Buffer
  readonly zone: Buffer | null
}

class TrackedConnections implements ConnectionTable {
  readonly #descriptor: number
  readonly #answer = new Answer(Buffer.allocUnsafeSlow(answerBytes))
  readonly #out = new MessageWriter()
  #sequence = 0

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  async forget(banned: BannedSources): Promise<number> {
    const doomed: Doomed[] = []
    // A list for each of a few costs the kernel less than telling everything.
    for (const source of banned.few() ?? [null]) await this.#list(source, banned, doomed)
    for (let at = 0; at < doomed.length; at += forgottenAtOnce) {
      await this.#forget(doomed.slice(at, at + forgottenAtOnce))
    }
    if (doomed.length === mostForgotten) throw new Error(`at most ${mostForgotten} connections are ended at a time`)
    return doomed.length
  }

  async #list(source: string | null, banned: BannedSources, doomed: Doomed[]): Promise<void> {
    const sequence = this.#begin(trackingMessage.get, flag.dump, familyOf(source))
    if (source !== null) askForSource(this.#out, source)
    this.#out.end()
    await this.#send()
    for (let more = true; more;) {
      await this.#read()
      more = this.#answer.each(sequence, () => {
        const connection = this.#answer.connection()
        if (connection !== null && doomed.length < mostForgotten && banned.has(connection)) {
          doomed.push(this.#answer.attributes())
        }
      })
    }
  }

  async #forget(doomed: readonly Doomed[]): Promise<void> {
    let last = 0
    for (const { family: of, tuple, zone } of doomed) {
      last = this.#begin(trackingMessage.delete, 0, of)
      this.#out.bytes(tracking.tuple, tuple)
      if (zone !== null) this.#out.bytes(tracking.zone, zone)
      this.#out.end()
    }
    // Of the others the kernel says only what went wrong, and that is that they ended by themselves.
    this.#out.alsoFlag(flag.ack)
    await this.#send()
    for (let more = true; more;) {
      await this.#read()
      more = this.#answer.each(last, () => {})
    }
  }

  #begin(message: number, flags: number, of: number): number {
    const sequence = (this.#sequence = (this.#sequence + 1) >>> 0)
    this.#out.begin({ type: (subsystem.conntrack << 8) | message, flags: flag.request | flags, sequence, family: of })
    return sequence
  }

  async #send(): Promise<void> {
    try {
      await writeLater(this.#descriptor, this.#out.pieces())
    } finally {
      this.#out.clear()
    }
  }

  async #read(): Promise<void> {
    const { bytes } = this.#answer
    const { bytesRead } = await readLater(this.#descriptor, bytes, 0, bytes.length, null)
    this.#answer.length = bytesRead
  }
}

/**
 * Of kernels from 5.8 on asks for the connections of one source; older ones list all. Of IPv6 for all:
 * there the kernel lists those of every source but that one (`ctnetlink_filter_match_tuple` takes the
 * answer of `ipv6_addr_cmp` the wrong way round; seen on 6.18).
 */
function askForSource(out: MessageWriter, source: string): void {
  if (familyOf(source) !== family.ip) return
  const bySource = Uint8Array.from(new Uint8Array(Uint32Array.of(tracking.bySource).buffer))
  const address = () => out.bytes(tracking.source4, Buffer.from(source, 'hex'))
  out.nest(tracking.tuple, () => out.nest(tracking.tupleAddresses, address))
  out.nest(tracking.filter, () => out.bytes(tracking.filterOriginal, bySource))
}

function familyOf(source: string | null): number {
  if (source === null) return family.any
  return source.length === 8 ? family.ip : family.ip6
}

/** A datagram of the kernel. Whatever its bytes are, reading it ends, and throws `MalformedError` or `NetlinkError` alone. */
export class Answer {
  readonly bytes: Buffer
  readonly #words: Uint32Array
  /** How many of its bytes were read. */
  length = 0
  /** Where the message that is looked at begins and ends. */
  #at = 0
  #end = 0
  /** Where the value of the attribute ends that was found last. */
  #valueEnd = 0

  /** The buffer must not be a part of a larger one. */
  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.#words = new Uint32Array(bytes.buffer, 0, bytes.length >> 2)
  }

  /**
   * Calls back for each connection that answers the request of this sequence. Answers whether more is to
   * come: not after the end of a list or what the kernel said to the request.
   */
  each(sequence: number, take: () => void): boolean {
    for (let at = 0; at < this.length;) {
      const length = this.#word(at)
      if (length < headerBytes || length > this.length - at) throw new MalformedError('a length is wrong')
      this.#at = at
      this.#end = at + length
      if (this.#word(at + 8) === sequence) {
        const type = lower(this.#word(at + 4))
        if (type === control.done || type === control.error) return this.#verdict()
        take()
      }
      at += align(length)
    }
    return true
  }

  /** The connection as the one who opened it began it; null for what is no connection of IPv4 or IPv6. */
  connection(): Connection | null {
    const tuple = this.#find(this.#at + headerBytes, this.#end, tracking.tuple)
    const tupleEnd = this.#valueEnd
    const addresses = tuple < 0 ? -1 : this.#find(tuple, tupleEnd, tracking.tupleAddresses)
    if (addresses < 0) return null
    const addressesEnd = this.#valueEnd
    let source = this.#find(addresses, addressesEnd, tracking.source4)
    if (source < 0) source = this.#find(addresses, addressesEnd, tracking.source6)
    const sourceEnd = this.#valueEnd
    if (source < 0 || (sourceEnd - source !== 4 && sourceEnd - source !== 16)) return null
    const ports = this.#find(tuple, tupleEnd, tracking.tuplePorts)
    const portsEnd = this.#valueEnd
    const protocol = ports < 0 ? -1 : this.#find(ports, portsEnd, tracking.protocol)
    const port = ports < 0 ? -1 : this.#find(ports, portsEnd, tracking.destinationPort)
    return {
      source: this.bytes.toString('hex', source, sourceEnd),
      protocol: protocol < 0 ? 0 : (this.bytes[protocol] ?? 0),
      port: port < 0 ? null : (this.bytes[port] ?? 0) * 256 + (this.bytes[port + 1] ?? 0),
    }
  }

  /** A copy of what names the connection to the kernel: the message is overwritten by the next one. */
  attributes(): Doomed {
    const value = (type: number) => {
      const at = this.#find(this.#at + headerBytes, this.#end, type)
      return at < 0 ? null : Buffer.from(this.bytes.subarray(at, this.#valueEnd))
    }
    const of = this.bytes[this.#at + 16] ?? 0
    return { family: of, tuple: value(tracking.tuple) ?? Buffer.alloc(0), zone: value(tracking.zone) }
  }

  #verdict(): false {
    const [message] = readMessages(this.bytes.subarray(this.#at, this.#end))
    const verdict = message === undefined ? null : verdictOf(message)
    if (verdict !== null && verdict.errno !== 0 && verdict.errno !== errno.missing) {
      throw new NetlinkError(verdict.errno, verdict.text)
    }
    return false
  }

  /** Where the value of an attribute of that type begins, between two places; -1 where there is none. */
  #find(from: number, to: number, type: number): number {
    for (let at = from; to - at >= 4;) {
      const head = this.#word(at)
      const length = lower(head)
      if (length < 4 || length > to - at) throw new MalformedError('the length of an attribute is wrong')
      if ((upper(head) & typeMask) === type) {
        this.#valueEnd = at + length
        return at + 4
      }
      at += align(length)
    }
    return -1
  }

  #word(at: number): number {
    return this.#words[at >> 2] ?? 0
  }
}

/** Upper bits of an attribute's type that say what it holds. */
const typeMask = 0x3fff

/** The first and the second half of a word of two numbers. */
const lower = (word: number) => (little ? word & 0xffff : word >>> 16)
const upper = (word: number) => (little ? word >>> 16 : word & 0xffff)

const align = (length: number) => (length + 3) & ~3
