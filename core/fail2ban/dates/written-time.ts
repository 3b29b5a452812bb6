/**
 * The time that the fields of a date tell, as Fail2ban computes it: fractions of seconds are left out, missing parts
 * are assumed (this year or the last, today or yesterday, midnight), and a zone is a fixed offset.
 */
import { civilDate, daySeconds, daysInMonth, daysOf, weekday, type CivilDate } from './civil-days.ts'
import { LineFails } from './line-fails.ts'
import type { LocalTime } from './local-time.ts'
import { readFields, type DateFields, type WrittenFields } from './written-fields.ts'

/** What times are read by. */
export interface TimeFrame {
  readonly local: LocalTime
  /** Minutes east of UTC of dates without a zone; null: they are local. */
  readonly zone: number | null
}

/**
 * Unix seconds, or null: the fields tell no time, and Fail2ban goes on as if the line had no date. Throws a
 * `LineFails` where it gives up the line. `now` (unix seconds) completes what is not written.
 */
export function writtenTime(fields: DateFields, now: number, { local, zone }: TimeFrame): number | null {
  const written = readFields(fields)
  if (written === null) return null
  const nowShown = local.shownAt(Math.floor(now)) + (now - Math.floor(now))
  const today = civilDate(Math.floor(nowShown / daySeconds))
  const date = dateOf(written, today)
  if (date === null) return null
  const clock = clockSeconds(written, date)
  if (clock === null) return null
  const offset = written.zone ?? zone
  let shown = daysOf(date.year, date.month, date.day) * daySeconds + clock
  if (offset !== null) shown = withinCalendar(shown - offset * 60)
  if (date.isToday && shown > nowShown) shown -= daySeconds
  if (written.year === null && shown > nowShown + daySeconds) {
    // Only the clock is kept of what the zone made of it: the day is that which is written.
    const lastYear = date.year - 1
    if (date.day > daysInMonth(lastYear, date.month)) return null
    const ofDay = shown - Math.floor(shown / daySeconds) * daySeconds
    shown = daysOf(lastYear, date.month, date.day) * daySeconds + ofDay
  }
  if (offset !== null) return shown
  const time = local.timeOf(shown)
  if (time === null) throw new LineFails('no time that the host knows')
  return time
}

const maxInt = 0x7fff_ffff
const firstDay = daysOf(1, 1, 1)
const lastDay = daysOf(9999, 12, 31)

/** The day that is written, or follows from the week or the day of the year, or is assumed to be today. Null: there is none. */
function dateOf(written: WrittenFields, today: CivilDate): (CivilDate & { readonly isToday: boolean }) | null {
  const year = written.year ?? today.year
  const { month, day } = written
  if (month === null || day === null) {
    const yearDay = written.yearDay ?? yearDayOfWeek(year, written)
    if (yearDay === null) return null
    if (yearDay !== undefined) return dayOfYear(year, yearDay)
    if (month === null && day === null) return { ...today, year, isToday: true }
    throw new LineFails('a month without a day, or a day without a month')
  }
  return { year, month, day, isToday: false }
}

/** The day of the year, from 1; undefined: no week is written; null: the year is none. */
function yearDayOfWeek(year: number, written: WrittenFields): number | null | undefined {
  if (written.week === null || written.weekday === null) return undefined
  if (!isYear(year)) return null
  const shift = written.weekBeginsOnMonday ? 0 : 1
  const first = (weekday(daysOf(year, 1, 1)) + shift) % 7
  const day = shift === 0 ? written.weekday : (((written.weekday + shift) % 7) + 7) % 7
  // A week 0 is what is left of a week of the year before.
  return written.week === 0 ? 1 + day - first : 1 + ((7 - first) % 7) + 7 * (written.week - 1) + day
}

function dayOfYear(year: number, yearDay: number): (CivilDate & { readonly isToday: false }) | null {
  if (!isYear(year)) return null
  const days = daysOf(year, 1, 1) + yearDay - 1
  if (Math.abs(days - firstDay + 1) > maxInt) throw new LineFails('a day outside of what Python counts')
  return days < firstDay || days > lastDay ? null : { ...civilDate(days), isToday: false }
}

/** Seconds since midnight; null: there is no such day, or no such moment in it. */
function clockSeconds({ hour, minute, second }: WrittenFields, { year, month, day }: CivilDate): number | null {
  for (const number of [year, month, day, hour, minute, second])
    if (Math.abs(number) > maxInt) throw new LineFails('a number outside of what Python takes')
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return null
  return hour * 3600 + minute * 60 + second
}

function isYear(year: number): boolean {
  if (Math.abs(year) > maxInt) throw new LineFails('a year outside of what Python takes')
  return year >= 1 && year <= 9999
}

function withinCalendar(shown: number): number {
  const days = Math.floor(shown / daySeconds)
  if (days < firstDay || days > lastDay) throw new LineFails('a day outside of the calendar')
  return shown
}
