/** The way of a plugin host to the agent: frames on one descriptor, questions that wait on another. */
import { readSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { frameOf, FrameReader, FrameWriter } from '../frames.ts'
import type { FromHost, Question, Reply, ToHost } from '../messages.ts'

const channelDescriptor = 3
const questionDescriptor = 4
/** The agent is trusted; nothing that it says is longer. */
const maxFromAgentBytes = 1024 * 1024 * 1024

export class Channel {
  readonly #socket = new Socket({ fd: channelDescriptor, readable: true, writable: true })
  readonly #writer = new FrameWriter(this.#socket)

  /** Calls `take` with each message of the agent; the process ends with the agent. */
  listen(take: (message: ToHost) => void): void {
    const reader = new FrameReader(maxFromAgentBytes)
    this.#socket.on('data', (data: Buffer) => {
      for (const { message } of reader.take(data)) take(message as ToHost)
    })
    for (const event of ['end', 'error', 'close'])
      this.#socket.on(event, () => {
        process.exit(0)
      })
  }

  send(message: FromHost, bytes?: Uint8Array): void {
    this.#writer.send(message, bytes)
  }

  /** Writes what is still gathered, as far as it goes at once. */
  flush(): void {
    this.#writer.flush()
  }

  /** Asks the agent, and stands still until it answers. Throws what the agent refuses. */
  ask(question: Question): string | number | null {
    const frame = frameOf(question)
    for (let written = 0; written < frame.length;) written += writeSync(questionDescriptor, frame, written)
    const reader = new FrameReader(maxFromAgentBytes)
    const piece = Buffer.alloc(64 * 1024)
    for (;;) {
      const length = readSync(questionDescriptor, piece)
      if (length === 0) process.exit(0)
      for (const { message } of reader.take(Buffer.from(piece.subarray(0, length)))) {
        const reply = message as Reply
        if ('error' in reply) throw new Error(reply.error)
        return reply.value
      }
    }
  }
}
