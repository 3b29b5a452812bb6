/** Work that is done one after the other, in the order in which it is asked for. */
export class Turns {
  #tail: Promise<unknown> = Promise.resolve()

  /** Does the work after all earlier work, whatever became of that. */
  take<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#tail.then(work)
    this.#tail = result.catch(() => {})
    return result
  }

  /** Resolves when all work is done that was asked for so far. */
  async idle(): Promise<void> {
    await this.#tail
  }
}
