import type { LogChunk } from '../events.ts'
import { mostScannedBytes } from './line-cutting.ts'

/**
 * Lends memory to threads, for bytes that they read and for rows that they write. What is cloned for a thread, or handed
 * over by it, is new memory each time: to collect it took a tenth of the judge's time, and some MiB until then. What is
 * shared is used again.
 */
export class SharedMemory {
  readonly #free: SharedArrayBuffer[] = []
  readonly #bytes: number
  #unmade: number

  /** So many at once, of so many bytes each; of them only what is written to takes memory. */
  constructor(slots: number, bytes: number) {
    this.#unmade = slots
    this.#bytes = bytes
  }

  /** Undefined where all are lent. */
  take(): SharedArrayBuffer | undefined {
    if (this.#free.length > 0) return this.#free.pop()
    if (this.#unmade === 0) return undefined
    this.#unmade--
    return new SharedArrayBuffer(this.#bytes)
  }

  /** Nobody uses it any longer. */
  giveBack(memory: SharedArrayBuffer | undefined): void {
    if (memory !== undefined) this.#free.push(memory)
  }

  /** A thread may still write to it: it is not lent again, and another one is made in its place. */
  giveUp(memory: SharedArrayBuffer | undefined): void {
    if (memory !== undefined) this.#unmade++
  }
}

/** Lends memory to the bytes of chunks while a thread reads them: a piece of 4 KiB would be cloned with all of its buffer. */
export class LentMemory {
  readonly #shared: SharedMemory

  /** As many as there are threads: more can wait for their turn, but are not read yet. */
  constructor(slots: number) {
    this.#shared = new SharedMemory(slots, mostScannedBytes)
  }

  /** The chunk as a thread is to get it, and a function that says that nobody reads it any longer. */
  lend(chunk: LogChunk): { readonly chunk: LogChunk; readonly giveBack: () => void } {
    const { data } = chunk
    const bytes = (data instanceof Uint8Array ? data : data.bytes)?.subarray(0, mostScannedBytes)
    if (bytes === undefined) return { chunk, giveBack: () => {} }
    const slot = this.#shared.take()
    const own = slot === undefined ? new Uint8Array(bytes.length) : new Uint8Array(slot, 0, bytes.length)
    own.set(bytes)
    return {
      chunk: { ...chunk, data: data instanceof Uint8Array ? own : { ...data, bytes: own } },
      giveBack: () => this.#shared.giveBack(slot),
    }
  }
}
