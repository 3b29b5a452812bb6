/** When a plugin that crashed is started again. */

const firstPauseMs = 500
const longestPauseMs = 30_000
/** So many crashes before one of them expires, and the plugin is put aside. */
const most = 5
const expireMs = 10 * 60_000

/** Counts crashes; each expires after ten minutes. Times are those of a clock that nobody sets. */
export class Strikes {
  #times: number[] = []

  /** Notes a crash. Gives the milliseconds until it may start again, and whether that is because it is put aside. */
  add(now: number): { readonly pauseMs: number; readonly aside: boolean } {
    this.#times = [...this.#times.filter((time) => now - time < expireMs), now]
    const count = this.#times.length
    if (count < most) return { pauseMs: Math.min(longestPauseMs, firstPauseMs * 2 ** (count - 1)), aside: false }
    // The oldest expire in the meantime; one more crash puts it aside again.
    return { pauseMs: expireMs, aside: true }
  }

  /** Somebody mended it, or says so. */
  forget(): void {
    this.#times = []
  }
}
