import { type Host, printable } from '../../../core/plugin.ts'

const tellAgainMs = 60_000

/** Counts what was not taken, and tells it: at once, and then how much it was in each minute. */
export class Tally {
  readonly #host: Host
  readonly #counts = new Map<string, { untold: number; last: string; toldAt: number }>()

  constructor(host: Host) {
    this.#host = host
  }

  /** `what` ends a sentence that begins with "messages"; `from` is whose it was. `count` may be many. */
  add(what: string, from: string, count = 1): void {
    const known = this.#counts.get(what)
    if (known === undefined) {
      if (this.#counts.size >= 100) return
      this.#counts.set(what, { untold: 0, last: from, toldAt: performance.now() })
      this.#tell(what, count, from)
    } else {
      known.untold += count
      known.last = from
    }
  }

  /** To be called now and then. */
  tick(): void {
    const now = performance.now()
    for (const [what, count] of this.#counts) {
      if (now - count.toldAt < tellAgainMs) continue
      if (count.untold === 0) this.#counts.delete(what)
      else this.#tell(what, count.untold, count.last)
      count.untold = 0
      count.toldAt = now
    }
  }

  #tell(what: string, count: number, from: string): void {
    const message = `messages ${what}: ${count}, the last from ${printable(from)}`
    this.#host.log.warn({ source: this.#host.name }, message)
  }
}
