/** Zones as POSIX writes them, `CET-1CEST,M3.5.0,M10.5.0/3`, read and computed as the C library of Linux does. */
import { civilDate, daySeconds, daysInMonth, daysOf, weekday } from './civil-days.ts'

/** What clocks of a place do at some moment. */
export interface ClockState {
  /** Seconds east of UTC. */
  readonly offset: number
  readonly isDst: boolean
}

/** What clocks of a place do at any moment (unix seconds). */
export type ZoneClock = (time: number) => ClockState

/** The clock of such a text; null: it is none. */
export function ruleClock(text: string): ZoneClock | null {
  const found = zoneText.exec(text)?.groups
  if (found === undefined) return null
  const standard: ClockState = { offset: -zoneSeconds(found.offset ?? ''), isDst: false }
  if (found.dst === undefined) return () => standard
  const summer = {
    offset: found.dstOffset === undefined ? standard.offset + 3600 : -zoneSeconds(found.dstOffset),
    isDst: true,
  }
  const begin = changeOf(found.begin ?? 'M3.2.0')
  const end = changeOf(found.end ?? 'M11.1.0')
  if (begin === null || end === null) return null
  return (time) => {
    const { year } = civilDate(Math.floor(time / daySeconds))
    const toSummer = begin(year) - standard.offset
    const toWinter = end(year) - summer.offset
    const isSummer = toSummer > toWinter ? time < toWinter || time >= toSummer : time >= toSummer && time < toWinter
    return isSummer ? summer : standard
  }
}

const zoneName = '(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)'
const clockText = '[+-]?\\d{1,3}(?::\\d{1,2}(?::\\d{1,2})?)?'
const change = `[^,/]+(?:/${clockText})?`
const zoneText = new RegExp(
  `^${zoneName}(?<offset>${clockText})` +
    `(?:(?<dst>${zoneName})(?<dstOffset>${clockText})?(?:,(?<begin>${change})(?:,(?<end>${change}))?)?)?$`,
)

/** Local seconds at which the clocks are turned in a year, as if it were UTC. */
type Change = (year: number) => number

function changeOf(text: string): Change | null {
  const [date = '', clock = '2'] = text.split('/')
  const seconds = signedSeconds(clock)
  const [, month, week, day] = /^M(\d{1,2})\.([1-5])\.([0-6])$/.exec(date) ?? []
  if (month !== undefined) return (year) => monthDay(year, Number(month), Number(week), Number(day)) + seconds
  const [, julian, number = ''] = /^(J?)(\d{1,3})$/.exec(date) ?? []
  if (julian === undefined) return null
  return (year) => {
    // February 29 has no number of the form Jn.
    const skipped = julian === 'J' && Number(number) >= 60 && daysInMonth(year, 2) === 29 ? 1 : 0
    const days = Number(number) - (julian === 'J' ? 1 : 0) + skipped
    return yearStart(year) + days * daySeconds + seconds
  }
}

/** Midnight of the `week`th such day of a month (5: the last one). Days count from Sunday here. */
function monthDay(year: number, month: number, week: number, day: number): number {
  const first = daysOf(year, month, 1)
  const ofYear = first - daysOf(year, 1, 1)
  const ahead = (day - ((weekday(first) + 1) % 7) + 7) % 7
  const days = ahead + (week - 1) * 7
  const last = daysInMonth(year, month)
  return yearStart(year) + (ofYear + (days >= last ? days - 7 : days)) * daySeconds
}

/** The library does not go back behind 1970: in all years before it the clocks are turned when they were then. */
function yearStart(year: number): number {
  return Math.max(0, daysOf(year, 1, 1)) * daySeconds
}

/** An offset of a zone: more than a day, or than 59, counts as that. */
function zoneSeconds(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.replace(/^[+-]/, '').split(':').map(Number)
  const whole = Math.min(hours, 24) * 3600 + Math.min(minutes, 59) * 60 + Math.min(seconds, 59)
  return text.startsWith('-') ? -whole : whole
}

function signedSeconds(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.replace(/^[+-]/, '').split(':').map(Number)
  const whole = hours * 3600 + minutes * 60 + seconds
  return text.startsWith('-') ? -whole : whole
}
