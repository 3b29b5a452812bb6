/** How many lines a log bears: some at once, and some each second after that. */
export interface LineAllowanceOptions {
  readonly burst: number
  readonly linesASecond: number
  readonly now?: (() => number) | undefined
}

export class LineAllowance {
  readonly #options: LineAllowanceOptions
  readonly #now: () => number
  #allowed: number
  #filledAt: number
  #left = 0

  constructor(options: LineAllowanceOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#allowed = options.burst
    this.#filledAt = this.#now()
  }

  /** Whether nothing may be told at present. */
  get isUsedUp(): boolean {
    const now = this.#now()
    const { burst, linesASecond } = this.#options
    this.#allowed = Math.min(burst, this.#allowed + ((now - this.#filledAt) / 1000) * linesASecond)
    this.#filledAt = now
    return this.#allowed < 1
  }

  /** Whether one more line may be told. One that may not is counted. */
  take(): boolean {
    if (this.isUsedUp) {
      this.#left++
      return false
    }
    this.#allowed--
    return true
  }

  /** Counts lines that are not told. */
  leave(lines: number): void {
    this.#left += lines
  }

  /** How many were not told since this was asked last. */
  takeLeft(): number {
    const left = this.#left
    this.#left = 0
    return left
  }
}
