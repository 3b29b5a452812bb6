import type { Prefix } from '../address.ts'
import { entryKey } from './wanted-set.ts'
import type { Ban } from '../events.ts'

/** Lines of what was under way when the ban took hold are no sign of anything. */
const graceMs = 10_000
/** One line may be a connection that timed out at last; a second one is somebody who still gets through. */
const linesUntilAlarm = 2
/** A jail is told of again after so long. */
const againMs = 60 * 60_000
/** Bans of which is remembered since when they hold; a ban beyond counts as held since it was made. */
const maxHeld = 10_000

/** Lines of addresses that are banned and should not get through. */
export interface BiteReport {
  /** Lines that came more than ten seconds after the ban was in force, since the start. */
  readonly lines: number
  /** The last address they came from; null: none did. */
  readonly last: Prefix | null
}

/**
 * Watches that bans bite: when lines of a banned address still arrive ten seconds after the firewall
 * confirmed the ban, something leads around the firewall, and somebody has to know.
 */
export class Bite {
  readonly #missed: (ban: Ban, line: string) => void
  readonly #heldSince = new Recent(maxHeld)
  readonly #reports = new Map<string, BiteReport>()
  readonly #alarmedAt = new Map<string, number>()
  readonly #late = new Recent(maxHeld)

  /** `missed` hears of a ban that does not bite, once an hour and jail. */
  constructor(missed: (ban: Ban, line: string) => void) {
    this.#missed = missed
  }

  /** An action has confirmed the ban at that time (unix ms). */
  confirmed(ban: Ban, now: number): void {
    this.#heldSince.set(keyOf(ban), now)
  }

  /** A line of a banned address, written at that time while the ban was in force. */
  line(ban: Ban, time: number, text: string): void {
    const since = Math.max(ban.since, this.#heldSince.get(keyOf(ban)) ?? 0)
    if (time - since < graceMs) return
    const { jail, prefix } = ban
    this.#reports.set(jail, { lines: this.report(jail).lines + 1, last: prefix })
    const late = (this.#late.get(keyOf(ban)) ?? 0) + 1
    this.#late.set(keyOf(ban), late)
    if (late < linesUntilAlarm || time - (this.#alarmedAt.get(jail) ?? -Infinity) < againMs) return
    this.#alarmedAt.set(jail, time)
    this.#missed(ban, text)
  }

  report(jail: string): BiteReport {
    return this.#reports.get(jail) ?? { lines: 0, last: null }
  }
}

const keyOf = (ban: Ban) => `${ban.jail} ${entryKey(ban)}`

/** Numbers by key, of which those set longest ago are forgotten: at most `max`, at least the last half of that. */
class Recent {
  readonly #max: number
  #now = new Map<string, number>()
  #before = new Map<string, number>()

  constructor(max: number) {
    this.#max = max
  }

  get(key: string): number | undefined {
    return this.#now.get(key) ?? this.#before.get(key)
  }

  set(key: string, value: number): void {
    if (this.#now.size >= this.#max / 2 && !this.#now.has(key)) {
      this.#before = this.#now
      this.#now = new Map()
    }
    this.#now.set(key, value)
  }
}
