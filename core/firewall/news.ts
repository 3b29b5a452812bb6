/** What the helper tells without being asked, so seldom that nobody is flooded. */
import type { Told } from './messages.ts'

/** A repair is told at once, and those of the next seconds together. */
const repairsEachMs = 10_000
/** The same trouble is told again after so long. */
const troubleAgainMs = 600_000
/** So many repairs in so long, and somebody seems to undo them each time. */
const war = { repairs: 6, withinMs: 60_000 }

export class News {
  /** Who hears it; what nobody hears is forgotten, for a new agent begins with a sync. */
  listener: ((told: Told) => void) | null = null
  #repaired: number | null = null
  #timer: NodeJS.Timeout | undefined
  /** When the last repairs were, newest last. */
  #repairs: number[] = []
  readonly #toldAt = new Map<string, number>()

  /** What others changed is as it should be again; `count` entries had to be put back. */
  repaired(count: number): void {
    this.#countRepair(performance.now())
    this.#repaired = (this.#repaired ?? 0) + count
    if (this.#timer === undefined) this.#tellRepaired()
  }

  full(set: string): void {
    const message = `the firewall set ${set} is full, so not all bans hold; shorten bantime, or ban networks instead of single addresses`
    this.#alarm(`full ${set}`, message)
  }

  /** The guard could not do its work and tries again. */
  trouble(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    this.#alarm('trouble', `the firewall cannot be kept as it should be, which is tried again: ${reason}`)
  }

  /** Nothing is told any more. */
  stop(): void {
    this.listener = null
    clearTimeout(this.#timer)
  }

  #tellRepaired(): void {
    if (this.#repaired === null) {
      this.#timer = undefined
      return
    }
    this.listener?.({ type: 'repaired', count: this.#repaired })
    this.#repaired = null
    this.#timer = setTimeout(() => this.#tellRepaired(), repairsEachMs).unref()
  }

  #countRepair(now: number): void {
    this.#repairs = [...this.#repairs, now].filter((at) => now - at < war.withinMs).slice(-war.repairs)
    if (this.#repairs.length < war.repairs) return
    const message = `another program changes the table "inet bailiff" again and again (${war.repairs} times in a minute), and each time it is put right; probably one that loads its rules anew ("flush ruleset", firewalld, a configuration management): let it leave that table alone`
    this.#alarm('war', message)
  }

  #alarm(about: string, message: string): void {
    const now = performance.now()
    if (now - (this.#toldAt.get(about) ?? Number.NEGATIVE_INFINITY) < troubleAgainMs) return
    if (this.#toldAt.size >= 1000) this.#toldAt.clear()
    this.#toldAt.set(about, now)
    this.listener?.({ type: 'alarm', message: message.slice(0, 600) })
  }
}
