/** Warnings within a minute, and what a minute is. */
const mostWarnings = 20
const windowMs = 60_000

type Warn = (jail: string | null, message: string) => void

/** Passes warnings on, 20 in a minute: who writes to a log can cause as many as it likes. How many were left out is told with the next. */
export class FewWarnings {
  readonly #tell: Warn
  readonly #now: () => number
  #since = -Infinity
  #told = 0
  #leftOut = 0

  /** `now`: milliseconds of a clock that nobody sets. */
  constructor(tell: Warn, now: () => number = () => performance.now()) {
    this.#tell = tell
    this.#now = now
  }

  readonly warn: Warn = (jail, message) => {
    if (this.#now() - this.#since >= windowMs) this.#begin()
    if (this.#told >= mostWarnings) {
      this.#leftOut++
      return
    }
    this.#told++
    this.#tell(jail, message)
  }

  #begin(): void {
    this.#since = this.#now()
    this.#told = 0
    if (this.#leftOut > 0) this.#tell(null, `${this.#leftOut} more warnings like those before were left out`)
    this.#leftOut = 0
  }
}
