/** Who is served when several connect: one agent at a time. */
import type { Server, Socket } from 'node:net'
import { encode } from './messages.ts'

/** How long one who connects may wait for the agent before it to go: one that was killed is gone at once. */
const patienceMs = 1000
const maxConnections = 8

/**
 * Serves whoever connects, one after the other. One may wait a second for its turn; others, and that one
 * afterwards, are told that another agent is served.
 */
export class AgentsInTurn {
  readonly #server: Server
  readonly #serveOne: (connection: Socket) => Promise<void>
  #current: { readonly connection: Socket; readonly over: Promise<void> } | undefined
  #next: { readonly connection: Socket; readonly timer: NodeJS.Timeout } | undefined

  /** `serve` serves one agent until its connection ends. */
  constructor(server: Server, serve: (connection: Socket) => Promise<void>) {
    this.#server = server
    this.#serveOne = serve
    server.maxConnections = maxConnections
    server.on('connection', (connection) => this.#welcome(connection))
  }

  /** Takes no further connection, ends the one there is, and resolves when its last request is done. */
  async stop(): Promise<void> {
    this.#server.close()
    this.#leaveNext()?.destroy()
    this.#current?.connection.destroy()
    await this.#current?.over
  }

  #welcome(connection: Socket): void {
    // An agent that died while it was being answered: what it asked for is done, and nobody listens.
    connection.on('error', () => connection.destroy())
    if (this.#current === undefined) return this.#serve(connection)
    if (this.#next !== undefined) return refuse(connection)
    this.#next = { connection, timer: setTimeout(() => this.#refuseNext(), patienceMs) }
    connection.once('close', () => this.#next?.connection === connection && this.#leaveNext())
  }

  #serve(connection: Socket): void {
    const over = this.#serveOne(connection)
      .catch((error: unknown) => {
        if (!connection.destroyed) console.error(`a conversation ended: ${String(error)}`)
        connection.destroy()
      })
      .then(() => {
        this.#current = undefined
        const next = this.#leaveNext()
        if (next !== undefined) this.#serve(next)
      })
    this.#current = { connection, over }
  }

  #refuseNext(): void {
    const connection = this.#leaveNext()
    if (connection !== undefined) refuse(connection)
  }

  #leaveNext(): Socket | undefined {
    const next = this.#next
    clearTimeout(next?.timer)
    this.#next = undefined
    return next?.connection
  }
}

function refuse(connection: Socket): void {
  connection.end(encode({ type: 'failed', id: null, code: 'failed', message: 'another agent is being served' }))
  connection.resume()
}
