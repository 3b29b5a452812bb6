/**
 * The date at the start of a line, read by hand because it is read for every line that a filter looks
 * at. Two forms: syslog's (RFC 3164) `Nov 22 13:41:02`, and RFC 3339 `2026-11-22T13:41:02.5+01:00`,
 * also with a blank for the `T`, a comma for the point, and without zone. Either may stand behind a
 * syslog priority, `<38>`. Without a zone it is local time; an hour that summer time leaves out is
 * read as `Date` reads it, one that comes twice (in syslog's form) as the later one that is not to come.
 */

/** Reads dates; it remembers the last minute, which neighbouring lines share. One a thread. */
export class TimestampReader {
  /** The date that was read last: unix milliseconds; finer fractions are cut off. */
  time = 0
  /** A date without a year is the latest one that is not more than a day after this time. */
  #reference = 0
  #syslogKey = -1
  #syslogMinute = 0
  #isoKey = -1
  #isoZone = 0
  #isoMinute = 0

  /** Sets the time that decides the year of dates without one. */
  set reference(time: number) {
    if (time === this.#reference) return
    this.#reference = time
    this.#syslogKey = -1
  }

  /**
   * Reads the date at `start` of `text`, which ends at `end`, into `time`. Returns where the text goes
   * on behind it; -1 where there is none. (An object with both would cost more than the reading.)
   */
  read(text: string, start: number, end: number): number {
    const from = text.charCodeAt(start) === lessThan ? behindPriority(text, start, end) : start
    const behind = isDigit(text.charCodeAt(from)) ? this.#readIso(text, from, end) : this.#readSyslog(text, from, end)
    return behind > end || (behind >= 0 && wordAt(text, behind, end)) ? -1 : behind
  }

  #readSyslog(text: string, at: number, end: number): number {
    if (end - at < 15 || text.charCodeAt(at + 3) !== blank || text.charCodeAt(at + 6) !== blank) return -1
    const month = monthAt(text, at)
    const dayOfMonth = text.charCodeAt(at + 4) === blank ? digit(text, at + 5) : two(text, at + 4)
    const hour = two(text, at + 7)
    const minute = two(text, at + 10)
    const second = two(text, at + 13)
    if (month < 0 || !clockAt(text, at + 7) || !inRange(dayOfMonth, hour, minute, second)) return -1
    const key = ((month * 32 + dayOfMonth) * 24 + hour) * 60 + minute
    if (key !== this.#syslogKey) {
      const time = latestYear(month, dayOfMonth, hour, minute, this.#reference)
      if (time === null) return -1
      this.#syslogKey = key
      this.#syslogMinute = time
    }
    const behind = fractionEnd(text, at + 15, end)
    this.time = this.#syslogMinute + second * 1000 + fraction(text, at + 15, behind)
    return behind
  }

  #readIso(text: string, at: number, end: number): number {
    const between = text.charCodeAt(at + 10)
    if (end - at < 19 || (between !== letterT && between !== blank)) return -1
    if (text.charCodeAt(at + 4) !== dash || text.charCodeAt(at + 7) !== dash || !clockAt(text, at + 11)) return -1
    const year = two(text, at) * 100 + two(text, at + 2)
    const month = two(text, at + 5) - 1
    const dayOfMonth = two(text, at + 8)
    const hour = two(text, at + 11)
    const minute = two(text, at + 14)
    const second = two(text, at + 17)
    if (year < 1000 || month < 0 || month > 11 || !inRange(dayOfMonth, hour, minute, second)) return -1
    const zoneStart = fractionEnd(text, at + 19, end)
    const behind = zoneEnd(text, zoneStart, end)
    if (behind < 0) return -1
    const zone = zoneMinutes(text, zoneStart, behind)
    const key = (((year * 12 + month) * 32 + dayOfMonth) * 24 + hour) * 60 + minute
    if (key !== this.#isoKey || zone !== this.#isoZone) {
      const time = minuteOf(year, month, dayOfMonth, hour, minute, zone)
      if (time === null) return -1
      this.#isoKey = key
      this.#isoZone = zone
      this.#isoMinute = time
    }
    this.time = this.#isoMinute + second * 1000 + fraction(text, at + 19, zoneStart)
    return behind
  }
}

const [lessThan, greaterThan, blank, dash, plus, point, comma, colon] = [0x3c, 0x3e, 0x20, 0x2d, 0x2b, 0x2e, 0x2c, 0x3a]
const [digitZero, digitNine, letterT, letterZ] = [0x30, 0x39, 0x54, 0x5a]
/** Minutes east of UTC that no zone has: local time. */
const localZone = 100_000
const day = 86_400_000
const minuteMs = 60_000

/** Where the text goes on behind `<0>` to `<191>`; the start where there is no such thing. */
function behindPriority(text: string, start: number, end: number): number {
  for (let at = start + 1; at < end && at < start + 5; at++) {
    if (text.charCodeAt(at) === greaterThan) return at > start + 1 ? at + 1 : start
    if (digit(text, at) < 0) return start
  }
  return start
}

function isDigit(code: number): boolean {
  return code >= digitZero && code <= digitNine
}

/** The digit at a place. Where there is none: so far below zero that what is computed from it is, too. */
function digit(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return isDigit(code) ? code - digitZero : -100_000
}

function two(text: string, at: number): number {
  return digit(text, at) * 10 + digit(text, at + 1)
}

function inRange(dayOfMonth: number, hour: number, minute: number, second: number): boolean {
  if (dayOfMonth < 1 || hour < 0 || minute < 0 || second < 0) return false
  return dayOfMonth <= 31 && hour <= 23 && minute <= 59 && second <= 60
}

function clockAt(text: string, at: number): boolean {
  return text.charCodeAt(at + 2) === colon && text.charCodeAt(at + 5) === colon
}

/** Whether a letter or digit goes on here: then the date was a piece of something else. */
function wordAt(text: string, at: number, end: number): boolean {
  if (at >= end) return false
  const code = text.charCodeAt(at)
  return isDigit(code) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a)
}

/** The month whose English abbreviation stands here, from 0; -1 for none. */
function monthAt(text: string, at: number): number {
  const key = (text.charCodeAt(at) << 16) | (text.charCodeAt(at + 1) << 8) | text.charCodeAt(at + 2)
  switch (key) {
    case 0x4a616e:
      return 0
    case 0x466562:
      return 1
    case 0x4d6172:
      return 2
    case 0x417072:
      return 3
    case 0x4d6179:
      return 4
    case 0x4a756e:
      return 5
    case 0x4a756c:
      return 6
    case 0x417567:
      return 7
    case 0x536570:
      return 8
    case 0x4f6374:
      return 9
    case 0x4e6f76:
      return 10
    case 0x446563:
      return 11
    default:
      return -1
  }
}

/** Where the fraction of a second ends that stands here: a point or comma and 1 to 9 digits. */
function fractionEnd(text: string, at: number, end: number): number {
  const sign = at < end ? text.charCodeAt(at) : 0
  if (sign !== point && sign !== comma) return at
  let behind = at + 1
  while (behind < end && behind < at + 10 && isDigit(text.charCodeAt(behind))) behind++
  return behind === at + 1 ? at : behind
}

/** The milliseconds of a fraction; 0 for an empty one. */
function fraction(text: string, at: number, end: number): number {
  let value = 0
  let scale = 100
  for (let place = at + 1; place < end && scale >= 1; place++) {
    value += digit(text, place) * scale
    scale /= 10
  }
  return value
}

/** Where the zone ends that stands here; the same place where none does, -1 for a broken one. */
function zoneEnd(text: string, at: number, end: number): number {
  const sign = at < end ? text.charCodeAt(at) : 0
  if (sign === letterZ) return at + 1
  if (sign !== plus && sign !== dash) return at
  const minutesAt = text.charCodeAt(at + 3) === colon ? at + 4 : at + 3
  const hours = two(text, at + 1)
  const minutes = two(text, minutesAt)
  return hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59 ? minutesAt + 2 : -1
}

/** Minutes east of UTC of a zone that ends there; `localZone` for none. */
function zoneMinutes(text: string, at: number, end: number): number {
  if (end === at) return localZone
  if (end === at + 1) return 0
  const minutes = two(text, at + 1) * 60 + two(text, end - 2)
  return text.charCodeAt(at) === dash ? -minutes : minutes
}

/** The time at which a minute begins; null where the month has no such day. */
function minuteOf(
  year: number,
  month: number,
  dayOfMonth: number,
  hour: number,
  minute: number,
  zone: number,
): number | null {
  if (new Date(Date.UTC(year, month, dayOfMonth)).getUTCDate() !== dayOfMonth) return null
  if (zone === localZone) return new Date(year, month, dayOfMonth, hour, minute).getTime()
  return Date.UTC(year, month, dayOfMonth, hour, minute) - zone * 60_000
}

/** The latest year that does not put the date more than a day after the reference. */
function latestYear(month: number, dayOfMonth: number, hour: number, minute: number, reference: number): number | null {
  const last = new Date(reference + day).getFullYear()
  // February 29 comes every eighth year at the latest.
  for (let year = last; year > last - 9; year--) {
    const time = minuteOf(year, month, dayOfMonth, hour, minute, localZone)
    if (time !== null && time <= reference + day) return laterReading(time, reference)
  }
  return null
}

/** When summer time ends, some local times come twice: the second one, unless that is still to come. */
function laterReading(time: number, reference: number): number {
  const offset = (at: number) => new Date(at).getTimezoneOffset()
  const turned = (offset(time + day) - offset(time)) * minuteMs
  const later = time + turned
  return turned > 0 && later <= reference + minuteMs && offset(later) - offset(time) === turned / minuteMs
    ? later
    : time
}
