import { createSocket, type Socket } from 'node:dgram'
import { BailiffError } from '../../../core/plugin.ts'
import type { Endpoint } from './endpoint.ts'
import { droppedByKernel } from './kernel-drops.ts'
import type { Outlet } from './outlet.ts'
import { whyNotListening } from './refusals.ts'

const wantedBufferBytes = 8 * 1024 * 1024

/** Takes messages from datagrams, one each (RFC 5426). */
export class DatagramListener {
  readonly #endpoint: Endpoint
  readonly #outlet: Outlet
  readonly #socket: Socket
  #drops = 0

  constructor(endpoint: Endpoint, outlet: Outlet) {
    this.#endpoint = endpoint
    this.#outlet = outlet
    const { address } = endpoint
    // At :: it takes what comes by IPv4 as well.
    this.#socket = createSocket(address.includes(':') ? { type: 'udp6', ipv6Only: address !== '::' } : { type: 'udp4' })
    this.#socket.on('message', (message, from) => {
      const sender = outlet.admit(from.address)
      if (sender !== null) outlet.take(sender, message)
    })
  }

  /** Rejects with a `BailiffError` where it may not listen there. `failed` hears of what goes wrong later. */
  async listen(failed: (error: unknown) => void): Promise<void> {
    const { address, port } = this.#endpoint
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('error', (error) => reject(whyNotListening(this.#endpoint, error)))
      this.#socket.bind({ address, port, exclusive: true }, resolve)
    })
    this.#socket.removeAllListeners('error')
    this.#socket.on('error', failed)
    this.#enlarge()
    this.#drops = droppedByKernel(port) ?? 0
  }

  /** To be called now and then: tells what the kernel has dropped. */
  tick(): void {
    const drops = droppedByKernel(this.#endpoint.port)
    if (drops === null) return
    const more = drops - this.#drops
    this.#drops = drops
    if (more > 0)
      this.#outlet.tally.add(
        'were dropped by the kernel, since they came too fast; TCP loses none',
        this.#endpoint.text,
        more,
      )
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()))
  }

  /** As much as the kernel allows (net.core.rmem_max) for a crowd that comes at once. */
  #enlarge(): void {
    try {
      this.#socket.setRecvBufferSize(wantedBufferBytes)
    } catch (error) {
      if (!(error instanceof Error)) throw new BailiffError('software', String(error))
    }
  }
}
