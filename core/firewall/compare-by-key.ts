/**
 * Compares by asking for what should be there, entry by entry, in short parts with long pauses. How soon
 * a part is followed by the next depends on what it found: of a set that was emptied the first entries
 * tell it, for the table of what is wanted gives them in an order as good as drawn by lot. So damage is
 * found at once, and a sound table costs a hundredth of a core, however often somebody touches it.
 */
import type { Entry } from './admission.ts'
import type { Backend, ForeignChange } from './backend.ts'
import type { Compared, Comparison, Workplace } from './comparison.ts'

/** Entries of each set that are asked for at once when everything is in question: fewer where there are many sets. */
const sample = { most: 500, least: 20, together: 4000 }
/** Entries that are asked for in a part after that. */
const stretch = 2000
/** Entries entered in one transaction, so that one that somebody waits for comes in between. */
const batch = 4000
/** Putting back may take ten times as much of the time as looking. */
const mendingCounts = 0.1

export class CompareByKey implements Comparison {
  readonly pace = { share: 0.01, burstMs: 10_000 }
  readonly #lacking: NonNullable<Backend['lacking']>
  readonly #place: Workplace
  #anew = true
  /** Entries of which a question or its consequence failed: they count as seen, and are asked for again. */
  #unanswered: readonly Entry[] = []
  /** What the parts of this round have put back; null where nothing was amiss so far. */
  #repaired: number | null = null
  /** What the part that is under way counts so far. */
  #costMs = 0

  constructor(lacking: NonNullable<Backend['lacking']>, place: Workplace) {
    this.#lacking = lacking
    this.#place = place
  }

  settlingMs(kind: Exclude<ForeignChange['kind'], 'removed'>): number {
    return kind === 'changed' ? 100 : 1000
  }

  begin(): void {
    this.#anew = true
  }

  async part(): Promise<Compared> {
    this.#costMs = 0
    return this.#result(this.#anew ? await this.#startOver() : await this.#check(stretch))
  }

  async #startOver(): Promise<Checked> {
    this.#anew = false
    try {
      return await this.#start()
    } catch (error) {
      this.#anew = true
      throw error
    }
  }

  /** Puts sets and rules in order, and looks into each set. */
  async #start(): Promise<Checked> {
    const { turns, upkeep } = this.#place
    this.#unanswered = []
    const disordered = await turns.take(() => {
      upkeep.desired.startRound()
      return this.#costing(1, () => upkeep.mendFrame())
    })
    if (disordered) this.#repaired ??= 0
    const { names } = upkeep.desired
    const each = Math.min(sample.most, Math.max(sample.least, Math.ceil(sample.together / names.length)))
    let all: Checked = { asked: 0, lacking: 0 }
    for (const name of names) {
      const { asked, lacking } = await this.#check(each, name)
      all = { asked: all.asked + asked, lacking: all.lacking + lacking }
    }
    return all
  }

  /** Asks for the next entries of the set, or of any, and puts back what is not there. */
  async #check(most: number, name?: string): Promise<Checked> {
    const { turns, upkeep } = this.#place
    const { asked, lacking } = await turns.take(async () => {
      const again = this.#unanswered
      const asked = again.length > 0 ? again : upkeep.desired.takeUnseen(most, performance.now(), name)
      this.#unanswered = asked
      const lacking = asked.length === 0 ? [] : await this.#costing(1, () => this.#lacking(asked))
      if (lacking.length > 0) await this.#costing(mendingCounts, () => upkeep.settle(lacking))
      this.#unanswered = []
      return { asked, lacking }
    })
    const [first] = asked
    const emptied = first !== undefined && lacking.length * 2 > asked.length
    const more = emptied ? await this.#enterAll(upkeep.desired.nameOf(first)) : 0
    return { asked: asked.length, lacking: lacking.length + more }
  }

  /** Enters what is left of a set without asking for it, and answers how much that was. */
  async #enterAll(name: string): Promise<number> {
    const { turns, upkeep } = this.#place
    for (let count = 0; ;) {
      const entered = await turns.take(async () => {
        const missing = this.#anew ? [] : upkeep.desired.takeUnseen(batch, performance.now(), name)
        await this.#costing(mendingCounts, () => upkeep.settle(missing))
        return missing.length
      })
      if (entered === 0) return count
      count += entered
    }
  }

  /** What is amiss in a part makes the next follow at once; what was repaired is told when a part finds nothing more. */
  #result({ asked, lacking }: Checked): Compared {
    const { leastPauseMs, pauseTimes } = this.#place
    const tookMs = this.#costMs
    if (lacking > 0) {
      this.#repaired = (this.#repaired ?? 0) + lacking
      return { repaired: null, nextMs: 0, tookMs }
    }
    const repaired = this.#repaired
    this.#repaired = null
    if (asked > 0) return { repaired, nextMs: tookMs * pauseTimes, tookMs }
    // All was seen, and after a pause a new round begins.
    this.#anew = true
    return { repaired, nextMs: Math.max(leastPauseMs, tookMs * pauseTimes), tookMs }
  }

  async #costing<Result>(times: number, work: () => Promise<Result>): Promise<Result> {
    const started = performance.now()
    try {
      return await work()
    } finally {
      this.#costMs += (performance.now() - started) * times
    }
  }
}

/** How many entries were asked for, and how many of them, and of those that were entered unasked, were not there. */
interface Checked {
  readonly asked: number
  readonly lacking: number
}
