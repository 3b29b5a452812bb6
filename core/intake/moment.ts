/**
 * A time that births of files are compared with. The clock may be set while we run, and file systems
 * stamp births with whatever it shows; the time that has passed since is known from another clock.
 */
export class Moment {
  readonly #now: () => number
  readonly #shown: number
  readonly #steady = performance.now()

  constructor(now: () => number = Date.now) {
    this.#now = now
    this.#shown = now()
  }

  /** The earliest time, in unix milliseconds, that the moment has by the clock as it was then and as it is now. */
  get earliest(): number {
    return Math.min(this.#shown, this.#now() - this.ageMs)
  }

  get ageMs(): number {
    return performance.now() - this.#steady
  }
}
