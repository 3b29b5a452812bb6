import type { Writable } from 'node:stream'

/** Characters that wait for a slow reader, at most; more is left out. */
const mostWaiting = 1024 * 1024

/** A stream whose reader may be slow, stuck or gone: lines are left out then, and nothing waits or grows. */
export class BoundedStream {
  readonly #stream: Writable
  readonly #failed: (why: string) => void
  #leftOut = 0

  /** `failed` is told how many lines are missing, when lines pass again. Errors of the stream are its owner's. */
  constructor(stream: Writable, failed: (why: string) => void) {
    this.#stream = stream
    this.#failed = failed
  }

  write(line: string): void {
    if (this.#stream.writableLength > mostWaiting || !this.#stream.writable) {
      this.#leftOut++
      return
    }
    if (this.#leftOut > 0) this.#failed(`${this.#leftOut} lines are missing: nobody read them`)
    this.#leftOut = 0
    this.#stream.write(line)
  }
}
