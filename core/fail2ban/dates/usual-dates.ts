/**
 * Dates at the start of a line as nearly all logs spell them, read by their columns: `Nov 22 13:41:02 host` and
 * `2026-11-22T13:41:02.981000+01:00 host`. What is spelled otherwise is left to the expressions, which decide alone.
 */
import { daySeconds, daysInMonth, daysOf, civilDate } from './civil-days.ts'
import { asctimePattern, isoPattern } from './default-patterns.ts'
import type { TimeFrame } from './written-time.ts'

/** A spelling that is read by its columns. */
export interface UsualSpelling {
  /** Characters of the day; the clock stands behind one more. */
  readonly dayLength: number
  /** The day has its year, and a zone may stand behind the clock. */
  readonly isFull: boolean
  /** The length of the date if the line begins with one in just this spelling, else 0: then it may have one all the same. */
  length(line: string): number
}

/** The spelling of a template's pattern that is known here; null: there is none. `years`: what `%ExY` finds. */
export function usualSpelling(pattern: string, years: RegExp): UsualSpelling | null {
  if (pattern === `{^LN-BEG}${asctimePattern}`) return syslog
  return pattern === `{^LN-BEG}${isoPattern}` ? isoSpelling(years) : null
}

/** The times of such dates. The day is computed once for all its lines, and the time once for all of its second. */
export class UsualDates {
  readonly #frame: TimeFrame
  #spelling: UsualSpelling | null = null
  #now = Number.NaN
  #day = ''
  #zoneText = ''
  /** Midnight, in seconds that the clocks show as if it were UTC; null: the day needs another look. */
  #midnight: number | null = null
  /** Minutes east of UTC; null: local. */
  #zone: number | null = null
  #text = ''
  #time: number | null = null

  constructor(frame: TimeFrame) {
    this.#frame = frame
  }

  /** What was computed is forgotten. */
  forget(): void {
    this.#spelling = null
  }

  /** Unix seconds of the date that the line begins with, `length` long, as `writtenTime` gives them; null: ask that. */
  time(spelling: UsualSpelling, line: string, length: number, now: number): number | null {
    const isKnown = this.#spelling === spelling && this.#now === now
    if (isKnown && length === this.#text.length && line.startsWith(this.#text)) return this.#time
    if (!isKnown || !line.startsWith(this.#day) || !line.startsWith(this.#zoneText, length - this.#zoneText.length))
      this.#begin(spelling, line, length, now)
    else if (spelling.isFull && length !== this.#text.length) this.#begin(spelling, line, length, now)
    this.#text = line.slice(0, length)
    return (this.#time = this.#timeOf(line, spelling.dayLength + 1))
  }

  #timeOf(line: string, at: number): number | null {
    if (this.#midnight === null) return null
    const shown = this.#midnight + twoDigits(line, at) * 3600 + twoDigits(line, at + 3) * 60 + twoDigits(line, at + 6)
    return this.#zone === null ? this.#frame.local.timeOf(shown) : shown - this.#zone * 60
  }

  /** Takes the day and the zone of the line for those that follow. */
  #begin(spelling: UsualSpelling, line: string, length: number, now: number): void {
    this.#spelling = spelling
    this.#now = now
    this.#day = line.slice(0, spelling.dayLength)
    const written = spelling.isFull ? writtenZone(line, length) : null
    this.#zoneText = written === null ? '' : line.slice(length - written.length, length)
    this.#zone = written?.minutes ?? this.#frame.zone
    this.#midnight = spelling.isFull ? isoMidnight(line) : this.#syslogMidnight(line, now)
  }

  /** A day without a year is one of this year, or of the last if it would be more than a day ahead. */
  #syslogMidnight(line: string, now: number): number | null {
    const nowShown = this.#frame.local.shownAt(Math.floor(now)) + (now - Math.floor(now))
    const { year } = civilDate(Math.floor(nowShown / daySeconds))
    const [month, day] = [monthAt(line), dayAt(line, 4)]
    const midnight = midnightOf(year, month, day)
    if (midnight === null) return null
    const begins = midnight - (this.#zone ?? 0) * 60
    if (begins <= nowShown) return midnight
    // Within one day the clock decides, and a zone keeps the day that is written.
    return begins > nowShown + daySeconds && this.#zone === null ? midnightOf(year - 1, month, day) : null
  }
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const blank = 0x20

/** Behind the clock stands a letter after one blank: no fraction and no year. */
const syslog: UsualSpelling = {
  dayLength: 6,
  isFull: false,
  length(line) {
    const usual =
      line.charCodeAt(3) === blank &&
      line.charCodeAt(6) === blank &&
      isClock(line, 7) &&
      line.charCodeAt(15) === blank &&
      isLetter(line.charCodeAt(16)) &&
      dayAt(line, 4) > 0 &&
      monthAt(line) > 0
    return usual ? 15 : 0
  },
}

/** With a fraction of six digits or none, with a zone of digits or none, then a blank and a small letter. */
function isoSpelling(years: RegExp): UsualSpelling {
  const decades = Array.from({ length: 10 }, (_, decade) => years.test(`20${decade}0`) && years.test(`20${decade}9`))
  return { dayLength: 10, isFull: true, length: (line) => isoLength(line, decades) }
}

function isoLength(line: string, decades: readonly boolean[]): number {
  const between = line.charCodeAt(10)
  const usual =
    line.startsWith('20') &&
    decades[digit(line, 2)] === true &&
    digit(line, 3) >= 0 &&
    line.charAt(4) === '-' &&
    line.charAt(7) === '-' &&
    twoDigits(line, 5) > 0 &&
    twoDigits(line, 5) <= 12 &&
    twoDigits(line, 8) > 0 &&
    twoDigits(line, 8) <= 31 &&
    (between === blank || between === 0x54) &&
    isClock(line, 11)
  if (!usual) return 0
  const zoneAt = fractionEnd(line, 19)
  const end = zoneEnd(line, zoneAt)
  if (line.charCodeAt(end) !== blank) return 0
  const next = line.charCodeAt(end + 1)
  return next >= 0x61 && next <= 0x7a ? end : 0
}

function monthAt(line: string): number {
  for (let month = 0; month < 12; month++) if (line.startsWith(months[month] ?? '', 0)) return month + 1
  return 0
}

/** From 1 to 31, its first digit may be a blank; 0: it is another. */
function dayAt(line: string, at: number): number {
  const day = line.charCodeAt(at) === blank ? digit(line, at + 1) : twoDigits(line, at)
  return day >= 1 && day <= 31 ? day : 0
}

function isClock(line: string, at: number): boolean {
  const [hour, minute, second] = [twoDigits(line, at), twoDigits(line, at + 3), twoDigits(line, at + 6)]
  const isRead = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60
  return isRead && line.charCodeAt(at + 2) === 0x3a && line.charCodeAt(at + 5) === 0x3a
}

function fractionEnd(line: string, at: number): number {
  const dot = line.charCodeAt(at)
  if (dot !== 0x2e && dot !== 0x2c) return at
  for (let index = at + 1; index <= at + 6; index++) if (digit(line, index) < 0) return at
  return at + 7
}

/** Behind `+hh:mm`, or where there is none. */
function zoneEnd(line: string, at: number): number {
  const sign = line.charCodeAt(at)
  if (sign !== 0x2b && sign !== 0x2d) return at
  const hours = twoDigits(line, at + 1)
  const usual = hours >= 0 && hours < 20 && line.charCodeAt(at + 3) === 0x3a && twoDigits(line, at + 4) >= 0
  return usual ? at + 6 : at
}

function writtenZone(line: string, length: number): { readonly length: number; readonly minutes: number } | null {
  const at = length - 6
  if (at < 19 || zoneEnd(line, at) !== length) return null
  const minutes = twoDigits(line, at + 1) * 60 + twoDigits(line, at + 4)
  return { length: 6, minutes: line.charAt(at) === '-' ? -minutes : minutes }
}

function isoMidnight(line: string): number | null {
  return midnightOf(2000 + twoDigits(line, 2), twoDigits(line, 5), twoDigits(line, 8))
}

function midnightOf(year: number, month: number, day: number): number | null {
  return day > daysInMonth(year, month) ? null : daysOf(year, month, day) * daySeconds
}

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)
}

/** -1: there are none. */
function twoDigits(line: string, at: number): number {
  const [tens, ones] = [digit(line, at), digit(line, at + 1)]
  return tens < 0 || ones < 0 ? -1 : tens * 10 + ones
}

/** -1: there is none. */
function digit(line: string, at: number): number {
  const value = line.charCodeAt(at) - 0x30
  return value >= 0 && value <= 9 ? value : -1
}
