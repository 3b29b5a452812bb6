/** Local times of the host as `time.mktime` of Python gives them, which asks the C library of Linux (glibc). */
import { zoneClock } from './zone-file.ts'
import type { ClockState, ZoneClock } from './zone-rule.ts'

/** So many looks at the clock the library takes to find a time. */
const maxLooks = 6

/**
 * The host's zone, for one detector. What clocks show twice when they are turned back is the one of both that the
 * library finds first: it begins at the offset of the date before, and so does this.
 */
export class LocalTime {
  readonly #zone: string | null
  /** Read when it is first asked for: many detectors never see a local date. */
  #clock: ZoneClock | null = null
  /** Seconds east of UTC of the date that was found last; 0 at the start, as in a program that has just begun. */
  offset = 0

  /** `zone` as the variable TZ has it; null: the host's. */
  constructor(zone: string | null) {
    this.#zone = zone
  }

  /** What clocks show at a time, both in seconds. */
  shownAt(time: number): number {
    return time + this.#at(time).offset
  }

  /**
   * The time (unix seconds) at which clocks show this, given as if it were UTC; null: the library gives up, which
   * it never does with the zones there are. What the clocks leave out when they are turned on is taken to be
   * summer time where the first look did not end in it.
   */
  timeOf(shown: number): number | null {
    let time = shown - this.offset
    let former = time
    let beforeFormer = time
    let formerIsDst = false
    for (let looks = 0; looks < maxLooks; looks++) {
      const { offset, isDst } = this.#at(time)
      const error = shown - (time + offset)
      // Going to and fro between two times: neither shows it.
      const isLeftOut = time === beforeFormer && time !== former && (!formerIsDst || isDst)
      if (error === 0 || isLeftOut) {
        this.offset = shown - time
        return time
      }
      beforeFormer = former
      former = time
      time += error
      formerIsDst = isDst
    }
    return null
  }

  /** The offset that holds all day, where `timeOf` just found it for a time of that day; null: clocks are turned. `midnight`: what they show. */
  steadyOffset(midnight: number): number | null {
    const { offset } = this
    for (let hour = -1; hour <= 25; hour++) if (this.#at(midnight - offset + hour * 3600).offset !== offset) return null
    return offset
  }

  #at(time: number): ClockState {
    this.#clock ??= zoneClock(this.#zone)
    return this.#clock(time)
  }
}
