/**
 * What of Redis's protocol a source needs: RESP2 (https://redis.io/docs/latest/develop/reference/protocol-spec/), one command
 * at a time. Texts are bytes, since logs are.
 */
import { once } from 'node:events'
import * as net from 'node:net'
import * as tls from 'node:tls'

/** A longer reply is refused. */
const longestReply = 64 * 1024 * 1024
/** Who says nothing for so long, while something is awaited, is not there any more. */
const silentMs = 15_000

/** An error that Redis answers, with its words. */
export class RedisError extends Error {}

/** A connection. It ends with the signal; then, and when it breaks, what waits rejects. */
export class RedisConnection {
  #socket
  #reader = new ReplyReader()
  #waiting = null
  #broken = null

  /** @param {URL} url redis://HOST:PORT or rediss:// (TLS) @param {AbortSignal} signal */
  static async open(url, signal) {
    signal.throwIfAborted()
    const place = { host: url.hostname.replaceAll(/[[\]]/g, ''), port: Number(url.port || 6379) }
    const isTls = url.protocol === 'rediss:'
    // Of an address there is no name that a certificate could be asked for.
    const socket = isTls
      ? tls.connect({ ...place, ...(net.isIP(place.host) ? {} : { servername: place.host }) })
      : net.connect(place)
    const connection = new RedisConnection(socket)
    const end = () => socket.destroy(signal.reason)
    signal.addEventListener('abort', end)
    socket.once('close', () => signal.removeEventListener('abort', end))
    await once(socket, isTls ? 'secureConnect' : 'connect')
    return connection
  }

  constructor(socket) {
    this.#socket = socket
    socket.setKeepAlive(true, 30_000)
    socket.setTimeout(silentMs, () => {
      if (socket.connecting || this.#waiting !== null) socket.destroy(new Error('Redis does not answer'))
    })
    socket.on('data', (data) => this.#take(data))
    socket.on('error', (error) => this.#break(error))
    socket.on('close', () => this.#break(new Error('Redis closed the connection')))
  }

  /** Sends a command and answers its reply: bytes, a number, null, or an array of these. Throws what Redis answers as an error. */
  async call(...words) {
    if (this.#broken !== null) throw this.#broken
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
    const reply = new Promise((resolve, reject) => (this.#waiting = { resolve, reject }))
    this.#socket.write(`*${words.length}\r\n${parts.join('')}`)
    return reply
  }

  close() {
    this.#socket.destroy()
  }

  #take(data) {
    try {
      const reply = this.#reader.read(data)
      if (reply === undefined) return
      const waiting = this.#waiting
      this.#waiting = null
      if (reply.value instanceof RedisError) waiting?.reject(reply.value)
      else waiting?.resolve(reply.value)
    } catch (error) {
      this.#socket.destroy(error)
    }
  }

  #break(error) {
    this.#broken ??= error
    this.#waiting?.reject(this.#broken)
    this.#waiting = null
  }
}

/** Reads replies from pieces of bytes. */
export class ReplyReader {
  #bytes = Buffer.alloc(16_384)
  #length = 0
  #at = 0

  /** Answers `{ value }` when a whole reply has come, else undefined. Throws for what is none, and for one that is too long. */
  read(data) {
    this.#append(data)
    this.#at = 0
    const value = this.#value(0)
    if (value === undefined) return undefined
    this.#bytes.copyWithin(0, this.#at, this.#length)
    this.#length -= this.#at
    return { value }
  }

  #append(data) {
    const length = this.#length + data.length
    if (length > longestReply) throw new Error(`Redis answers with more than ${longestReply} bytes`)
    if (length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(length, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    data.copy(this.#bytes, this.#length)
    this.#length = length
  }

  /** The value that begins here; undefined: not all of it has come. */
  #value(depth) {
    const line = this.#line()
    if (line === undefined) return undefined
    const rest = line.slice(1)
    if (line.startsWith('+')) return Buffer.from(rest)
    if (line.startsWith('-')) return new RedisError(rest.slice(0, 300))
    const number = Number(rest)
    const isPlain = Number.isSafeInteger(number) && rest !== ''
    if (line.startsWith(':') && isPlain) return number
    if (/^[$*]-1$/.test(line)) return null
    if (line.startsWith('$') && isPlain && number >= 0) return this.#bulk(number)
    if (line.startsWith('*') && isPlain && number >= 0 && depth < 8) return this.#array(number, depth)
    throw new Error('this is no answer of Redis')
  }

  #line() {
    const end = this.#bytes.subarray(0, this.#length).indexOf('\r\n', this.#at)
    if (end < 0) {
      if (this.#length - this.#at > 65_536) throw new Error('this is no answer of Redis')
      return undefined
    }
    const line = this.#bytes.toString('latin1', this.#at, end)
    this.#at = end + 2
    return line
  }

  #bulk(length) {
    const end = this.#at + length
    if (end + 2 > this.#length) return undefined
    // A copy, for the bytes behind it take its place.
    const bytes = Buffer.from(this.#bytes.subarray(this.#at, end))
    this.#at = end + 2
    return bytes
  }

  #array(length, depth) {
    const values = []
    for (let i = 0; i < length; i++) {
      const value = this.#value(depth + 1)
      if (value === undefined) return undefined
      values.push(value)
    }
    return values
  }
}
