/** How fast an agent may add bans. */

/** Bans that may come at once, and how many a second after that. */
const burst = 100_000
const perSecond = 20_000

/** Of a fresh helper, which whoever has taken over an agent can make at will; the burst is there after 4.5 s. */
const atFirst = 10_000

/**
 * A bucket that fills by itself: an agent that somebody has taken over, or that runs wild, cannot lock
 * out a good part of the world before anybody notices. A real attack of ten thousand addresses at once
 * is far below it. What is too much is to be tried again; nothing is forgotten here.
 */
export class Allowance {
  #left = atFirst
  #filledAt: number

  constructor(now: number) {
    this.#filledAt = now
  }

  /** Takes so many, if so many are left; otherwise nothing. More than a whole burst is never left. `now` in milliseconds. */
  take(count: number, now: number): boolean {
    this.#left = Math.min(burst, this.#left + ((now - this.#filledAt) * perSecond) / 1000)
    this.#filledAt = now
    if (count > this.#left) return false
    this.#left -= count
    return true
  }
}

/** For people: what holds. */
export const allowanceWords = `at most ${burst} new bans at once (${atFirst} when it has just begun), and ${perSecond} a second after that`
