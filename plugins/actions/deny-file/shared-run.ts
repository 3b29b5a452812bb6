/**
 * Work that is done for many at once: whoever asks while a run has not begun yet shares it, whoever asks later shares
 * the next one, which begins when this one is over. All who share a run hear of its failure.
 */
export class SharedRun {
  readonly #before: () => Promise<void>
  readonly #work: () => Promise<void>
  #last: Promise<void> = Promise.resolve()
  #waiting: Promise<void> | null = null

  /** `before` is awaited first: the run has not begun yet. */
  constructor(before: () => Promise<void>, work: () => Promise<void>) {
    this.#before = before
    this.#work = work
  }

  run(): Promise<void> {
    if (this.#waiting !== null) return this.#waiting
    const turn = this.#turn(this.#last)
    this.#waiting = turn
    this.#last = turn.catch(() => {})
    return turn
  }

  async #turn(last: Promise<void>): Promise<void> {
    await last
    try {
      await this.#before()
    } finally {
      this.#waiting = null
    }
    await this.#work()
  }
}
