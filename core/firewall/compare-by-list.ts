/**
 * Compares by listing everything, for tools that can only list: bans wait while the list is made, since
 * it begins anew when anything changes meanwhile.
 */
import type { Entry } from './admission.ts'
import type { Backend, ForeignChange } from './backend.ts'
import type { Compared, Comparison, Workplace } from './comparison.ts'

/** A list of more entries keeps bans waiting for seconds, so where events were lost and nothing else tells of damage it is put off. */
const long = { entries: 100_000, settlingMs: 600_000 }
const longestPauseMs = 3_600_000
/** Entries in one transaction, so that one that somebody waits for comes in between. */
const batch = 10_000
/** Entries looked at in one go, some milliseconds. */
const stretch = 5000

export class CompareByList implements Comparison {
  readonly pace = { share: 0.1, burstMs: 10_000 }
  readonly #backend: Backend
  readonly #place: Workplace

  constructor(backend: Backend, place: Workplace) {
    this.#backend = backend
    this.#place = place
  }

  settlingMs(kind: Exclude<ForeignChange['kind'], 'removed'>): number {
    if (kind === 'changed') return 100
    // Most often it was a large change of our own that was too much to hear.
    return this.#place.upkeep.desired.size > long.entries ? long.settlingMs : 1000
  }

  begin(): void {}

  /** Everything, in one part. */
  async part(): Promise<Compared> {
    const { turns, upkeep, leastPauseMs, pauseTimes } = this.#place
    const started = performance.now()
    const disordered = await turns.take(() => upkeep.mendFrame())
    const count = await this.#putBack()
    const tookMs = performance.now() - started
    const nextMs = Math.min(longestPauseMs, Math.max(leastPauseMs, tookMs * pauseTimes))
    return { repaired: disordered || count > 0 ? count : null, nextMs, tookMs }
  }

  /** Puts back what the kernel should hold and does not, and answers how many that were. */
  async #putBack(): Promise<number> {
    const { turns, upkeep } = this.#place
    const started = performance.now()
    // What is asked for after this turn counts as seen.
    const held = await turns.take(async () => {
      upkeep.desired.startRound()
      return this.#backend.list()
    })
    const toleranceMs = 5000 + performance.now() - started
    let count = 0
    for (let at = 0; at < held.length; at += stretch) {
      count += await this.#settle(this.#mistimed(held.slice(at, at + stretch), toleranceMs))
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (let missing = this.#unseen(); missing.length > 0; missing = this.#unseen())
      count += await this.#settle(missing)
    return count
  }

  #unseen(): Entry[] {
    return this.#place.upkeep.desired.takeUnseen(batch, performance.now())
  }

  /** Takes note of entries that the kernel holds, and answers those that end at another time than they should. */
  #mistimed(held: readonly Entry[], toleranceMs: number): Entry[] {
    const now = performance.now()
    return held.filter((entry) => {
      const endsAt = this.#place.upkeep.desired.see(entry, now)
      if (endsAt === undefined) return false
      if (endsAt === null || entry.endsAt === null) return endsAt !== entry.endsAt
      return Math.abs(endsAt - entry.endsAt) > toleranceMs
    })
  }

  async #settle(entries: readonly Entry[]): Promise<number> {
    const { turns, upkeep } = this.#place
    if (entries.length > 0) await turns.take(() => upkeep.settle(entries))
    return entries.length
  }
}
