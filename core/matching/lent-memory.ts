import type { LogChunk } from '../events.ts'
import { mostScannedBytes } from './line-cutting.ts'

/**
 * Lends memory to the bytes of chunks while a thread reads them. What is cloned for a thread is new memory each time, and
 * all of the buffer that holds it: a piece of 4 KiB would cost as much as the chunk it is of. What is shared is copied
 * once, and used again.
 */
export class LentMemory {
  readonly #free: SharedArrayBuffer[] = []
  #unmade: number

  /** As many as there are threads: more can wait for their turn, but are not read yet. */
  constructor(slots: number) {
    this.#unmade = slots
  }

  /** The chunk as a thread is to get it, and a function that says that nobody reads it any longer. */
  lend(chunk: LogChunk): { readonly chunk: LogChunk; readonly giveBack: () => void } {
    const { data } = chunk
    const bytes = (data instanceof Uint8Array ? data : data.bytes)?.subarray(0, mostScannedBytes)
    if (bytes === undefined) return { chunk, giveBack: () => {} }
    const slot = this.#take()
    const own = slot === undefined ? new Uint8Array(bytes.length) : new Uint8Array(slot, 0, bytes.length)
    own.set(bytes)
    return {
      chunk: { ...chunk, data: data instanceof Uint8Array ? own : { ...data, bytes: own } },
      giveBack: () => void (slot && this.#free.push(slot)),
    }
  }

  #take(): SharedArrayBuffer | undefined {
    if (this.#free.length > 0) return this.#free.pop()
    if (this.#unmade === 0) return undefined
    this.#unmade--
    return new SharedArrayBuffer(mostScannedBytes)
  }
}
