/** Which time a written date means: the year where none is written, and days that there are not. */
import type { ZoneReader } from './zone-names.ts'

const dayMs = 86_400_000

/** A minute as it is written. `year` 0: none is. Months count from 0. */
export interface WrittenMinute {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly zone: number
}

/**
 * The time at which the minute begins, or null where the month has no such day. Without a year it is that of
 * the latest year which does not put the date more than a day after the reference.
 */
export function timeOfMinute(written: WrittenMinute, zones: ZoneReader, reference: number): number | null {
  if (written.year > 0) return inYear(written.year, written, zones, reference)
  const limit = reference + dayMs
  const last = zones.shownAt(limit).getUTCFullYear()
  // February 29 comes every eighth year at the latest.
  for (let year = last; year > last - 9; year--) {
    const time = inYear(year, written, zones, reference)
    if (time !== null && time <= limit) return time
  }
  return null
}

function inYear(
  year: number,
  { month, day, hour, minute, zone }: WrittenMinute,
  zones: ZoneReader,
  reference: number,
): number | null {
  const midnight = Date.UTC(year, month, day)
  if (new Date(midnight).getUTCDate() !== day) return null
  return zones.timeOf(midnight + (hour * 60 + minute) * 60_000, zone, reference)
}
