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
const maxHeld = 20_000

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
  readonly #heldSince = new Map<string, number>()
  readonly #reports = new Map<string, BiteReport>()
  readonly #alarmedAt = new Map<string, number>()
  readonly #late = new Map<string, number>()

  /** `missed` hears of a ban that does not bite, once an hour and jail. */
  constructor(missed: (ban: Ban, line: string) => void) {
    this.#missed = missed
  }

  /** An action has confirmed the ban at that time (unix ms). */
  confirmed(ban: Ban, now: number): void {
    put(this.#heldSince, keyOf(ban), now, maxHeld)
  }

  /** A line of a banned address, written at that time while the ban was in force. */
  line(ban: Ban, time: number, text: string): void {
    const since = Math.max(ban.since, this.#heldSince.get(keyOf(ban)) ?? 0)
    if (time - since < graceMs) return
    const { jail, prefix } = ban
    this.#reports.set(jail, { lines: this.report(jail).lines + 1, last: prefix })
    const late = (this.#late.get(keyOf(ban)) ?? 0) + 1
    put(this.#late, keyOf(ban), late, maxHeld)
    if (late < linesUntilAlarm || time - (this.#alarmedAt.get(jail) ?? -Infinity) < againMs) return
    this.#alarmedAt.set(jail, time)
    this.#missed(ban, text)
  }

  report(jail: string): BiteReport {
    return this.#reports.get(jail) ?? { lines: 0, last: null }
  }
}

const keyOf = (ban: Ban) => `${ban.jail} ${entryKey(ban)}`

/** Sets it; of more than `max` the one that was set longest ago is forgotten. */
function put(map: Map<string, number>, key: string, value: number, max: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > max) for (const oldest of map.keys()) return void map.delete(oldest)
}
