import type { LogState } from './log-state.ts'

/** More than the longest line of a log, so that it cannot be one that is not finished. */
const farBehindBytes = 256 * 1024
const standsStillMs = 60_000

/** Finds logs that have much to be read and are not read on, though nothing is known to be wrong with them. */
export class Standstill {
  /** By log, how far it was read and since when. */
  #seen = new Map<string, { readonly position: number; readonly since: number }>()

  /** What stands still for a minute, in words; null: nothing. To be asked now and then; `now` in ms. */
  find(logs: readonly Pick<LogState, 'log' | 'state' | 'behind' | 'position'>[], now: number): string | null {
    const before = this.#seen
    this.#seen = new Map()
    const still = logs.filter(({ log, state, behind, position }) => {
      if (state !== 'reading' || behind < farBehindBytes) return false
      const known = before.get(log)
      const since = known?.position === position ? known.since : now
      this.#seen.set(log, { position, since })
      return now - since >= standsStillMs
    })
    const [first] = still
    return first === undefined ? null : `${first.log} is ${first.behind} bytes behind and not read on for a minute`
  }
}
