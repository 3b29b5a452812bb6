/**
 * Frames over the descriptor between the agent and a plugin host: the length of what follows (4 bytes, little
 * endian), the length of the JSON in it (4 bytes), the JSON, and bytes as they are. JSON and not `v8.deserialize`,
 * since what comes from a host may be made to do harm.
 */
import type { Socket } from 'node:net'

export interface Frame {
  readonly message: unknown
  /** A part of what was read: copy what is to last. */
  readonly bytes: Uint8Array
}

const headBytes = 8
/** What is looked at of a message to know its type. */
const beginBytes = 32
const nothing = new Uint8Array()

/** One frame. */
export function frameOf(message: object, bytes: Uint8Array = nothing): Buffer {
  const json = Buffer.from(JSON.stringify(message))
  const frame = Buffer.allocUnsafe(headBytes + json.length + bytes.length)
  frame.writeUInt32LE(4 + json.length + bytes.length, 0)
  frame.writeUInt32LE(json.length, 4)
  json.copy(frame, headBytes)
  frame.set(bytes, headBytes + json.length)
  return frame
}

/** Cuts a stream into frames. Nothing is kept of a frame that says it is longer than the cap. */
export class FrameReader {
  readonly #maxBytes: number
  readonly #maxJsonOf: (begin: string) => number
  #parts: Buffer[] = []
  #held = 0
  #wanted = headBytes

  /** `maxJsonOf`: how long the JSON of a frame may be that begins like this. Default: as the frame. */
  constructor(maxBytes: number, maxJsonOf: (begin: string) => number = () => maxBytes) {
    this.#maxBytes = maxBytes
    this.#maxJsonOf = maxJsonOf
  }

  /** The frames that these bytes complete, in order. Throws an Error for what is no frame; nothing behind it can be read. */
  *take(chunk: Buffer): Generator<Frame> {
    this.#parts.push(chunk)
    this.#held += chunk.length
    if (this.#held < this.#wanted) return
    let data = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts)
    for (this.#wanted = this.#lengthOf(data); data.length >= this.#wanted; this.#wanted = this.#lengthOf(data)) {
      this.#checkJson(data)
      yield parsed(data.subarray(0, this.#wanted))
      data = data.subarray(this.#wanted)
    }
    this.#parts = [data]
    this.#held = data.length
  }

  /** How many bytes the frame takes that the data begins with, as far as that can be told. */
  #lengthOf(data: Buffer): number {
    if (data.length < headBytes) return headBytes
    const length = data.readUInt32LE(0)
    const json = data.readUInt32LE(4)
    if (length > this.#maxBytes) throw new Error(`a message of ${length} bytes, ${this.#maxBytes} are allowed`)
    if (json + 4 > length) throw new Error('a message that says of itself what cannot be')
    return 4 + length
  }

  /** Before it is parsed, which is what takes time. */
  #checkJson(data: Buffer): void {
    const json = data.readUInt32LE(4)
    const most = this.#maxJsonOf(data.toString('latin1', headBytes, headBytes + Math.min(json, beginBytes)))
    if (json > most) throw new Error(`a message of ${json} bytes of JSON, ${most} of its type are allowed`)
  }
}

/** Frames of more bytes are written by themselves, and not put together with others. */
const largeBytes = 32 * 1024

/** Writes frames; those of one turn go together, since a call of the system costs more than most of them. */
export class FrameWriter {
  readonly #socket: Socket
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  #flushing = false
  #largest = 0

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** The bytes that wait for the other side to read, beside the largest frame among them. */
  get unreadBytes(): number {
    if (this.#socket.writableLength === 0) this.#largest = 0
    return Math.max(0, this.#gatheredBytes + this.#socket.writableLength - this.#largest)
  }

  /** False: so much waits that the other side should be waited for. */
  send(message: object, bytes?: Uint8Array): boolean {
    if (!this.#socket.writable) return true
    const frame = frameOf(message, bytes)
    this.#gathered.push(frame)
    this.#gatheredBytes += frame.length
    this.#largest = Math.max(this.#largest, frame.length)
    if (this.#gatheredBytes >= largeBytes) this.flush()
    else this.#flushSoon()
    return !this.#socket.writableNeedDrain
  }

  /** Resolves when what waits has been taken, or the other side is gone. */
  async drained(): Promise<void> {
    this.flush()
    while (this.#socket.writable && this.#socket.writableNeedDrain)
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#socket.off('drain', done).off('close', done)
          resolve()
        }
        this.#socket.once('drain', done).once('close', done)
      })
  }

  /** Writes what is gathered. */
  flush(): void {
    const frames = this.#gathered
    if (frames.length === 0) return
    this.#gathered = []
    this.#gatheredBytes = 0
    if (this.#socket.writable) this.#socket.write(frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames))
  }

  /** Writes what is gathered, and then nothing more. */
  end(): void {
    this.flush()
    this.#socket.end()
  }

  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      this.flush()
    })
  }
}

function parsed(frame: Buffer): Frame {
  const end = headBytes + frame.readUInt32LE(4)
  const text = frame.toString('utf8', headBytes, end)
  try {
    return { message: JSON.parse(text), bytes: frame.subarray(end) }
  } catch {
    throw new Error('a message that is no JSON')
  }
}
