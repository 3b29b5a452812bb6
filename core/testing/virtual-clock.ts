/**
 * A clock that stands still until it is told to go on: `host.now()` of a test host. Unix milliseconds. Timers
 * (`setTimeout`) go on as they do; a plugin that asks `host.now()` and not `Date` needs none for the time of bans.
 */
export class VirtualClock {
  #now: number

  /** Unless said, it begins at 2027-01-15 08:00:00 UTC. */
  constructor(now = 1_800_000_000_000) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  /** Goes on by so many milliseconds; back, where they are negative, as a clock that is set. */
  advance(ms: number): void {
    this.#now += ms
  }

  set(now: number): void {
    this.#now = now
  }
}
