import type { TimeTrouble } from './moment.ts'

/** A line whose time is odd; `ahead`: how far ahead of now it is dated, seconds, where that is why. */
export interface OddTime {
  readonly trouble: TimeTrouble
  readonly line: string
  readonly ahead: number | undefined
}

/** The first line of each kind of trouble with time, until they are taken. */
export class OddTimes {
  readonly #first = new Map<TimeTrouble, OddTime>()

  /** `line` is asked for where it is the first of its kind. */
  note(trouble: TimeTrouble, ahead: number | undefined, line: () => string): void {
    if (!this.#first.has(trouble)) this.#first.set(trouble, { trouble, line: line(), ahead })
  }

  take(): readonly OddTime[] {
    if (this.#first.size === 0) return nothing
    const odd = [...this.#first.values()]
    this.#first.clear()
    return odd
  }
}

const nothing: readonly OddTime[] = []
