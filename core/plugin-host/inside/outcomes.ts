/** What came of the items of a call for many, told to the agent: those of one turn together. */
import type { FailedItem, HostFailure } from '../messages.ts'
import type { Channel } from './channel.ts'

/** Told in one message, so that none is too long. */
const most = 500

export class Outcomes {
  readonly #call: number
  readonly #channel: Channel
  readonly #failureOf: (error: unknown) => HostFailure
  #done: number[] = []
  #failed: FailedItem[] = []
  #flushing = false

  constructor(call: number, channel: Channel, failureOf: (error: unknown) => HostFailure) {
    this.#call = call
    this.#channel = channel
    this.#failureOf = failureOf
  }

  /** Null: it was carried out. */
  add(index: number, error: unknown): void {
    if (error === null) this.#done.push(index)
    else this.#failed.push({ index, failure: this.#failureOf(error) })
    if (this.#done.length >= most || this.#failed.length >= most / 10) return this.flush()
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      this.flush()
    })
  }

  /** Tells what was not told. */
  flush(): void {
    if (this.#done.length + this.#failed.length === 0) return
    this.#channel.send({ type: 'carried', call: this.#call, done: this.#done, failed: this.#failed })
    this.#done = []
    this.#failed = []
  }
}
