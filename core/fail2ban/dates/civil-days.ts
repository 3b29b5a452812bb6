/** Days and dates of the Gregorian calendar, also for years before it, as Python's datetime counts them. */

/** A date; months and days count from 1. */
export interface CivilDate {
  readonly year: number
  readonly month: number
  readonly day: number
}

export const daySeconds = 86_400

/** Days since 1970-01-01. The month may be any, and so may the day. */
export function daysOf(year: number, month: number, day: number): number {
  // Years begin in March here, so that February 29 is a year's last day.
  const shifted = year * 12 + month - 3
  const marchYear = Math.floor(shifted / 12)
  const marchMonth = shifted - marchYear * 12
  const before = Math.floor((153 * marchMonth + 2) / 5)
  const leaps = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  return marchYear * 365 + leaps + before + day - 719_469
}

/** The date so many days after 1970-01-01. */
export function civilDate(days: number): CivilDate {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const ofEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  )
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * ofYear + 2) / 153)
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: ofYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  }
}

/** How many days a month has. */
export function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** The day of the week, Monday 0. */
export function weekday(days: number): number {
  return (((days + 3) % 7) + 7) % 7
}
