import type { LineProgress } from './lines.ts'

/** Thrown at the begin of a line, which was not looked at, when the time of a chunk is over. */
export class TimeOver extends Error {
  /** Offset in the chunk of the first byte of the line. */
  readonly start: number

  constructor(start: number) {
    super('the time of the chunk is over')
    this.start = start
  }
}

/**
 * Ends the work on a chunk between two lines, so that other logs have their turn: lines that take some milliseconds each
 * would hold up a thread for as long as there are of them in a chunk. The first line is always looked at.
 */
export class TimeSlice implements LineProgress {
  readonly #until: number
  readonly #next: LineProgress | undefined
  #isFirst = true

  /** `ms`: from now on; `next` hears of the lines as well. */
  constructor(ms: number, next: LineProgress | undefined) {
    this.#until = performance.now() + ms
    this.#next = next
  }

  line(start: number, end: number): void {
    if (!this.#isFirst && start > 0 && performance.now() >= this.#until) throw new TimeOver(start)
    this.#isFirst = false
    this.#next?.line(start, end)
  }
}
