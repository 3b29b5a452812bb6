import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { type Address, describeError } from '../../../core/plugin.ts'
import type { Certificates } from './certificates.ts'
import type { Endpoint } from './endpoint.ts'
import { Frames } from './frames.ts'
import type { Outlet } from './outlet.ts'
import { whyNotListening } from './refusals.ts'

const maxConnections = 256
/** One sender must not take the place of all others. */
const maxOfOneSender = 64
/** A message that has begun is to end within this time, and a handshake too. */
const patienceMs = 30_000
const handshakeMs = 10_000
const keepAliveMs = 60_000

interface Connection {
  readonly socket: Socket
  readonly sender: Address
  /** When something was heard last, by the monotonic clock. */
  heard: number
  /** When the message that is not finished began; null: there is none. */
  begun: number | null
  readonly frames: Frames
}

/** Takes messages from connections, by TCP (RFC 6587) or TLS (RFC 5425). */
export class ConnectionListener {
  readonly #endpoint: Endpoint
  readonly #outlet: Outlet
  readonly #server: Server
  readonly #certificates: Certificates | null
  /** In the order in which they came. */
  readonly #connections = new Set<Connection>()
  /** Those of TLS that have not shaken hands yet. */
  readonly #sockets = new Set<Socket>()

  constructor(endpoint: Endpoint, outlet: Outlet, certificates: Certificates | null) {
    this.#endpoint = endpoint
    this.#outlet = outlet
    this.#certificates = certificates
    const take = (socket: Socket) => void this.#take(socket)
    this.#server =
      certificates === null
        ? createServer()
        : createTlsServer({ ...certificates.read(), handshakeTimeout: handshakeMs }, take)
    this.#server.on('connection', (socket: Socket) => {
      if (this.#meet(socket) && certificates === null) take(socket)
    })
    this.#server.on('tlsClientError', (error: Error, socket: Socket) =>
      outlet.tally.add(`were refused with their connection: ${whyRefused(error)}`, socket.remoteAddress ?? 'nobody'),
    )
  }

  async listen(failed: (error: unknown) => void): Promise<void> {
    const { address, port } = this.#endpoint
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(whyNotListening(this.#endpoint, error)))
      this.#server.listen(
        { host: address, port, exclusive: true, ipv6Only: address.includes(':') && address !== '::' },
        resolve,
      )
    })
    this.#server.removeAllListeners('error')
    this.#server.on('error', failed)
  }

  /** To be called now and then: ends those that keep a message unfinished, takes new certificates. */
  tick(): void {
    const now = performance.now()
    for (const { socket, begun, sender } of this.#connections) {
      if (begun === null || now - begun < patienceMs) continue
      this.#outlet.tally.add('were never finished, and their connections were closed', sender)
      socket.destroy()
    }
    const renewed = this.#certificates?.renewed()
    if (renewed && 'setSecureContext' in this.#server)
      (this.#server as { setSecureContext(options: object): void }).setSecureContext(renewed)
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    for (const { socket } of this.#connections) socket.destroy()
    await closed
  }

  /** Looks at a connection before anything is read of it. */
  #meet(socket: Socket): boolean {
    socket.on('error', () => {})
    const sender = this.#outlet.admit(socket.remoteAddress)
    if (sender === null || !this.#makeRoom(sender)) {
      socket.destroy()
      return false
    }
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.setKeepAlive(true, keepAliveMs)
    return true
  }

  /** False where this sender has enough connections. Of too many, the one that was silent longest is closed. */
  #makeRoom(sender: Address): boolean {
    const own = [...this.#sockets].filter(({ remoteAddress }) => this.#isOf(remoteAddress, sender)).length
    if (own >= maxOfOneSender) {
      this.#outlet.tally.add(`were refused with their connection: their sender has ${maxOfOneSender} already`, sender)
      return false
    }
    if (this.#sockets.size < maxConnections) return true
    const [silent] = [...this.#connections].toSorted((a, b) => a.heard - b.heard)
    this.#outlet.tally.add(
      `were cut off: there are no more than ${maxConnections} connections`,
      silent?.sender ?? sender,
    )
    silent?.socket.destroy()
    return silent !== undefined
  }

  #isOf(remote: string | undefined, sender: Address): boolean {
    return remote === sender || remote === `::ffff:${sender}`
  }

  async #take(socket: Socket): Promise<void> {
    socket.on('error', () => {})
    const sender = socket.destroyed ? null : this.#outlet.admit(socket.remoteAddress)
    if (sender === null) return void socket.destroy()
    const connection: Connection = { socket, sender, frames: new Frames(), heard: performance.now(), begun: null }
    this.#connections.add(connection)
    try {
      await this.#read(connection)
    } catch (error) {
      // A peer that is gone is not worth a word; one that breaks the framing is.
      const broken = error instanceof Error && 'code' in error
      if (!broken) this.#outlet.tally.add(`were cut off: ${describeError(error)}`, sender)
    } finally {
      this.#connections.delete(connection)
      socket.destroy()
    }
  }

  async #read(connection: Connection): Promise<void> {
    const { socket, sender, frames } = connection
    // Nothing more is read from the socket while the agent is busy with what was.
    for await (const bytes of socket as AsyncIterable<Buffer>) {
      connection.heard = performance.now()
      const { begun } = connection
      // While the agent is busy with what came, it is not the peer that is slow.
      connection.begun = null
      const messages = frames.push(bytes)
      if (frames.tooLong > 0)
        this.#outlet.tally.add('were longer than 64 KiB, and were passed over', sender, frames.tooLong)
      const same = messages.length === 0 && frames.tooLong === 0
      frames.tooLong = 0
      await this.#outlet.put(sender, messages)
      connection.heard = performance.now()
      // By its begin: who sends a byte now and then does not finish it either.
      if (frames.unfinished) connection.begun = same ? (begun ?? connection.heard) : connection.heard
    }
    await this.#outlet.put(sender, frames.end())
  }
}

/** OpenSSL's own reason (`peer did not return a certificate`), without the codes and source files around it. */
function whyRefused(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : describeError(error)
}
