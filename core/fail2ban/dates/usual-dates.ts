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
  /** Whether a day in just this spelling stands at a place of the text. */
  isDay(text: string, at: number): boolean
  /** The length of the date whose day stands there; 0: what is behind it is spelled otherwise, and may be a date all the same. */
  lengthAt(text: string, at: number): number
  /** Whether the date ends here, as far as what is behind it tells. */
  isFollowed(text: string, end: number): boolean
}

/** A day whose dates are spelled alike, and tell their times by the clock alone. */
export interface UsualDay {
  /** As it is written. */
  readonly text: string
  /** As it is written behind each clock; empty: none is. */
  readonly zone: string
  readonly isFull: boolean
  /** Its midnight in unix seconds. */
  readonly begins: number
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
  /** The day of which it is known whether clocks are turned, and their offset; null: they are. */
  #steadyMidnight = Number.NaN
  #offset: number | null = null

  constructor(frame: TimeFrame) {
    this.#frame = frame
  }

  /** What was computed is forgotten. */
  forget(): void {
    this.#spelling = null
  }

  /** The date that was read last, as it is written. */
  get text(): string {
    return this.#text
  }

  /** Its time in unix seconds, as `writtenTime` gives it. */
  get time(): number {
    return this.#time ?? Number.NaN
  }

  /** Reads the date that stands at a place of the text. Its length; 0: it is spelled otherwise, or has to be computed otherwise. */
  read(spelling: UsualSpelling, text: string, at: number, now: number): number {
    const isSame = this.#spelling === spelling && this.#now === now
    if (isSame && standsAt(text, at, this.#text) && spelling.isFollowed(text, at + this.#text.length))
      return this.#time === null ? 0 : this.#text.length
    const isKnown = isSame && standsAt(text, at, this.#day)
    if (!isKnown && !spelling.isDay(text, at)) return 0
    const length = spelling.lengthAt(text, at)
    if (length === 0) return 0
    if (!isKnown || (spelling.isFull && !this.#hasZone(text, at, length))) this.#begin(spelling, text, at, length, now)
    this.#text = text.slice(at, at + length)
    this.#time = this.#timeOf(text, at + spelling.dayLength + 1)
    return this.#time === null ? 0 : length
  }

  /** The day of the date that was read last, in this spelling; null: there is none, or clocks are turned in it. */
  dayOf(spelling: UsualSpelling): UsualDay | null {
    if (this.#spelling !== spelling || this.#midnight === null || this.#time === null) return null
    if (this.#steadyMidnight !== this.#midnight) {
      this.#steadyMidnight = this.#midnight
      this.#offset = this.#zone === null ? this.#frame.local.steadyOffset(this.#midnight) : this.#zone * 60
    }
    if (this.#offset === null) return null
    const { isFull } = spelling
    return { text: this.#day, zone: this.#zoneText, isFull, begins: this.#midnight - this.#offset }
  }

  #hasZone(text: string, at: number, length: number): boolean {
    return length === this.#text.length && standsAt(text, at + length - this.#zoneText.length, this.#zoneText)
  }

  #timeOf(text: string, at: number): number | null {
    if (this.#midnight === null) return null
    const shown = this.#midnight + twoDigits(text, at) * 3600 + twoDigits(text, at + 3) * 60 + twoDigits(text, at + 6)
    return this.#zone === null ? this.#frame.local.timeOf(shown) : shown - this.#zone * 60
  }

  /** Takes the day and the zone of the date for those that follow. */
  #begin(spelling: UsualSpelling, text: string, at: number, length: number, now: number): void {
    this.#spelling = spelling
    this.#now = now
    this.#day = text.slice(at, at + spelling.dayLength)
    const written = spelling.isFull ? writtenZone(text, at, length) : null
    this.#zoneText = written === null ? '' : text.slice(at + length - zoneLength, at + length)
    this.#zone = written ?? this.#frame.zone
    this.#steadyMidnight = Number.NaN
    this.#midnight = spelling.isFull ? isoMidnight(this.#day) : this.#syslogMidnight(this.#day, now)
  }

  /** A day without a year is one of this year, or of the last if it would be more than a day ahead. */
  #syslogMidnight(written: string, now: number): number | null {
    const nowShown = this.#frame.local.shownAt(Math.floor(now)) + (now - Math.floor(now))
    const { year } = civilDate(Math.floor(nowShown / daySeconds))
    const [month, day] = [monthAt(written, 0), dayAt(written, 4)]
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
const hyphen = 0x2d
const zero = 0x30
/** `+hh:mm` */
const zoneLength = 6
/** Where the clock of a full date ends. */
const clockEnd = 19

/** Behind the clock stands a letter after one blank: no fraction and no year. */
const syslog: UsualSpelling = {
  dayLength: 6,
  isFull: false,
  isDay: (text, at) => text.charCodeAt(at + 3) === blank && dayAt(text, at + 4) > 0 && monthAt(text, at) > 0,
  lengthAt: (text, at) =>
    text.charCodeAt(at + 6) === blank && isClock(text, at + 7) && isBeforeLetter(text, at + 15) ? 15 : 0,
  isFollowed: isBeforeLetter,
}

/** With a fraction of six digits or none, with a zone of digits or none, then a blank and a small letter. */
function isoSpelling(years: RegExp): UsualSpelling {
  const decades = Array.from({ length: 10 }, (_, decade) => years.test(`20${decade}0`) && years.test(`20${decade}9`))
  return {
    dayLength: 10,
    isFull: true,
    isDay: (text, at) => isIsoDay(text, at, decades),
    lengthAt: isoLength,
    isFollowed: isBeforeSmallLetter,
  }
}

function isIsoDay(text: string, at: number, decades: readonly boolean[]): boolean {
  const [month, day] = [twoDigits(text, at + 5), twoDigits(text, at + 8)]
  return (
    text.charCodeAt(at) === 0x32 &&
    text.charCodeAt(at + 1) === zero &&
    decades[digit(text, at + 2)] === true &&
    digit(text, at + 3) >= 0 &&
    text.charCodeAt(at + 4) === hyphen &&
    text.charCodeAt(at + 7) === hyphen &&
    month > 0 &&
    month <= 12 &&
    day > 0 &&
    day <= 31
  )
}

function isoLength(text: string, at: number): number {
  const between = text.charCodeAt(at + 10)
  if ((between !== blank && between !== 0x54) || !isClock(text, at + 11)) return 0
  const end = zoneEnd(text, fractionEnd(text, at + 19))
  return isBeforeSmallLetter(text, end) ? end - at : 0
}

function monthAt(text: string, at: number): number {
  for (let month = 0; month < 12; month++) if (text.startsWith(months[month] ?? '', at)) return month + 1
  return 0
}

/** From 1 to 31, its first digit may be a blank; 0: it is another. */
function dayAt(text: string, at: number): number {
  const day = text.charCodeAt(at) === blank ? digit(text, at + 1) : twoDigits(text, at)
  return day >= 1 && day <= 31 ? day : 0
}

function isClock(text: string, at: number): boolean {
  const hour = twoDigits(text, at)
  const minute = twoDigits(text, at + 3)
  const second = twoDigits(text, at + 6)
  const isRead = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60
  return isRead && text.charCodeAt(at + 2) === 0x3a && text.charCodeAt(at + 5) === 0x3a
}

/** Whether a part stands at a place: from its end, where dates differ. */
function standsAt(text: string, at: number, part: string): boolean {
  for (let index = part.length - 1; index >= 0; index--)
    if (text.charCodeAt(at + index) !== part.charCodeAt(index)) return false
  return true
}

function fractionEnd(text: string, at: number): number {
  const dot = text.charCodeAt(at)
  if (dot !== 0x2e && dot !== 0x2c) return at
  for (let index = at + 1; index <= at + 6; index++) if (digit(text, index) < 0) return at
  return at + 7
}

/** Behind `+hh:mm`, or where there is none. */
function zoneEnd(text: string, at: number): number {
  const sign = text.charCodeAt(at)
  if (sign !== 0x2b && sign !== 0x2d) return at
  const hours = twoDigits(text, at + 1)
  const usual = hours >= 0 && hours < 20 && text.charCodeAt(at + 3) === 0x3a && twoDigits(text, at + 4) >= 0
  return usual ? at + 6 : at
}

/** Minutes east of UTC; null: none is written. */
function writtenZone(text: string, from: number, length: number): number | null {
  const at = from + length - zoneLength
  if (length < clockEnd + zoneLength || zoneEnd(text, at) !== from + length) return null
  const minutes = twoDigits(text, at + 1) * 60 + twoDigits(text, at + 4)
  return text.charAt(at) === '-' ? -minutes : minutes
}

function isoMidnight(day: string): number | null {
  return midnightOf(2000 + twoDigits(day, 2), twoDigits(day, 5), twoDigits(day, 8))
}

function midnightOf(year: number, month: number, day: number): number | null {
  return day > daysInMonth(year, month) ? null : daysOf(year, month, day) * daySeconds
}

/** Behind one blank stands a letter. */
function isBeforeLetter(text: string, at: number): boolean {
  const code = text.charCodeAt(at + 1)
  return text.charCodeAt(at) === blank && ((code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a))
}

function isBeforeSmallLetter(text: string, at: number): boolean {
  const code = text.charCodeAt(at + 1)
  return text.charCodeAt(at) === blank && code >= 0x61 && code <= 0x7a
}

/** -1: there are none. */
function twoDigits(text: string, at: number): number {
  const tens = digit(text, at)
  const ones = digit(text, at + 1)
  return tens < 0 || ones < 0 ? -1 : tens * 10 + ones
}

/** -1: there is none. */
function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - zero
  return value >= 0 && value <= 9 ? value : -1
}
