import { BailiffError } from '../../../core/plugin.ts'

const headBytes = 8
const maxFrameBytes = 4 * 1024 * 1024

/** A piece of one of the streams of a container. */
export interface Frame {
  readonly stream: number
  readonly bytes: Buffer
}

/**
 * Takes apart the streams of a container without a terminal: each frame is the number of the stream, three zeros, the
 * length in four bytes, big end first, and so many bytes (Docker Engine API, "Attach to a container", stream format).
 */
export class Multiplexed {
  #rest: Buffer = Buffer.alloc(0)

  /** The whole frames in these bytes. Throws a `BailiffError` where they are none. */
  push(bytes: Buffer): Frame[] {
    const found: Frame[] = []
    const data = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    let at = 0
    while (data.length - at >= headBytes) {
      const stream = data[at] ?? 0
      const length = data.readUInt32BE(at + 4)
      if (stream > 3 || data.readUIntBE(at + 1, 3) !== 0 || length > maxFrameBytes)
        throw new BailiffError('data', 'the engine sends a log that is not in frames')
      if (data.length - at < headBytes + length) break
      found.push({ stream, bytes: data.subarray(at + headBytes, at + headBytes + length) })
      at += headBytes + length
    }
    this.#rest = Buffer.from(data.subarray(at))
    return found
  }
}
