import { uptime } from 'node:os'

/** Less than this is not taken for a step: time servers slew, and two clocks are never read at once. */
const leastStepMs = 1000
/** Two readings further apart than this say nothing of one another. */
const longestReadingMs = 50

/** The clocks that are compared, in milliseconds. */
export interface Clocks {
  /** What the machine calls the time. */
  wall(): number
  /** Goes on evenly, but stands still while the machine sleeps. */
  steady(): number
  /** Goes on evenly, also while the machine sleeps. */
  boot(): number
}

const ofThisMachine: Clocks = {
  wall: () => Date.now(),
  steady: () => performance.now(),
  boot: () => uptime() * 1000,
}

/**
 * Tells when somebody set the clock of the machine. Ends of bans and times of failures are kept as
 * times of that clock, so they have to be moved with it; a machine that slept was not set.
 */
export class Clock {
  readonly #clocks: Clocks
  #wall: number
  #steady: number
  /** Time spent asleep, but for a constant. */
  #asleep: number

  constructor(clocks: Clocks = ofThisMachine) {
    this.#clocks = clocks
    this.#wall = clocks.wall()
    this.#steady = clocks.steady()
    this.#asleep = clocks.boot() - clocks.steady()
  }

  /** How far the clock was set since the last call, in milliseconds, forward or (negative) back; 0 where it only went on. */
  step(): number {
    const before = this.#clocks.steady()
    const wall = this.#clocks.wall()
    const steady = this.#clocks.steady()
    if (steady - before > longestReadingMs) return 0
    const ahead = wall - this.#wall - (steady - this.#steady)
    if (Math.abs(ahead) < leastStepMs) {
      this.#wall = wall
      this.#steady = steady
      return 0
    }
    const asleep = this.#clocks.boot() - this.#clocks.steady()
    const step = Math.round(ahead - (asleep - this.#asleep))
    this.#wall = wall
    this.#steady = steady
    this.#asleep = asleep
    return Math.abs(step) < leastStepMs ? 0 : step
  }
}
