/**
 * Dates in the forms that services write them in, each read at a given place. What a form looks like
 * decides alone how it is read; what stood in other lines never does.
 *
 * Of two numbers that may be day and month alike, a number above 12 is the day. Else the day comes first,
 * but for the American forms: with AM or PM, and with a colon before the hour (`11/02/2026:13:41:02`)
 * outside of brackets. Whose log is written otherwise says so with `datepattern`.
 */
import {
  atSign,
  blank,
  colon,
  dash,
  digitsAt,
  four,
  fraction,
  fractionEnd,
  isBlank,
  monthAt,
  numberAt,
  point,
  slash,
  two,
  weekdayAt,
  wordAt,
} from './timestamp-text.ts'
import { localZone, type ZoneReader } from './zone-names.ts'

/** A date as it stands in a line. */
export class DateParts {
  /** What the form is called: as people would draw it. */
  form = ''
  /** Unix milliseconds, where the form gives them; else null, and the parts below hold. */
  time: number | null = null
  /** 0: not written. */
  year = 0
  /** From 0. */
  month = 0
  day = 0
  hour = 0
  minute = 0
  second = 0
  milliseconds = 0
  /** As `ZoneReader` numbers them. */
  zone = localZone
}

/** Reads the date that begins at `at` into `parts`. Returns where it ends; -1 where none is. */
export type DateForm = (text: string, at: number, end: number, parts: DateParts, zones: ZoneReader) => number

/** All forms that begin with a letter: the month, the day of the week, a zone. */
export const readNamedForm: DateForm = (text, at, end, parts, zones) => {
  if (monthAt(text, at) >= 0) return readMonthFirst(text, at, end, parts, zones)
  if (weekdayAt(text, at)) return readWeekdayFirst(text, at, end, parts, zones)
  const behind = zones.readName(text, at, end)
  if (behind === at || text.charCodeAt(behind) !== blank) return -1
  const { zone } = zones
  const done = readMonthFirst(text, behind + 1, end, parts, zones)
  parts.zone = zone
  return done
}

/** All forms that begin with a digit. `bracketed`: in brackets, as a web server writes it. */
export function readNumberForm(
  text: string,
  at: number,
  end: number,
  parts: DateParts,
  zones: ZoneReader,
  bracketed = false,
): number {
  const digits = digitsAt(text, at, end)
  switch (digits) {
    case 1:
    case 2:
      if (monthAt(text, at + digits + 1) >= 0) return readDayFirst(text, at, end, parts, zones)
      return readNumbers(text, at, end, parts, zones, bracketed)
    case 4:
      return monthAt(text, at + 5) >= 0
        ? readYearAndMonth(text, at, end, parts, zones)
        : readYearFirst(text, at, end, parts, zones)
    case 6:
      return readShort(text, at, end, parts, zones)
    case 8:
      return readCompact(text, at, end, parts, zones)
    case 10:
      return readEpoch(text, at, end, parts, zones)
    default:
      return -1
  }
}

/** `Nov 22 13:41:02`, `Nov 22 13:41:02 2026`, `Nov 22 2026 13:41:02`, `Nov 22, 2026 1:41:02 PM`, `Nov-22-26 13:41:02`. */
const readMonthFirst: DateForm = (text, at, end, parts, zones) => {
  const month = monthAt(text, at)
  const separator = text.charCodeAt(at + 3)
  if (month < 0 || (separator !== blank && separator !== dash)) return -1
  begin(parts, month)
  const padded = text.charCodeAt(at + 4) === blank ? at + 5 : at + 4
  const behindDay = readDay(text, padded, end, parts)
  if (behindDay < 0) return -1
  if (separator === dash) return readDashedYear(text, behindDay, end, parts, zones)
  const comma = text.charCodeAt(behindDay) === 0x2c
  const next = behindDay + (comma ? 2 : 1)
  if (text.charCodeAt(next - 1) !== blank) return -1
  if (digitsAt(text, next, end) === 4) {
    parts.year = four(text, next)
    if (text.charCodeAt(next + 4) !== blank) return -1
    parts.form = comma ? 'Mon D, YYYY h:mm:ss' : 'Mon DD YYYY hh:mm:ss'
    return zoned(text, readClock(text, next + 5, end, parts), end, parts, zones)
  }
  if (comma) return -1
  parts.form = 'Mon DD hh:mm:ss'
  const behind = readClock(text, next, end, parts)
  return behind < 0 ? -1 : readTrailingYear(text, behind, end, parts, zones, false)
}

/** `Sun Nov 22 13:41:02 2026`, `Sun, 22 Nov 2026 13:41:02 GMT`, `Sun 2026-11-22 13:41:02 UTC`. */
const readWeekdayFirst: DateForm = (text, at, end, parts, zones) => {
  const next = text.charCodeAt(at + 3) === 0x2c ? at + 4 : at + 3
  if (text.charCodeAt(next) !== blank) return -1
  const from = next + 1
  const digits = digitsAt(text, from, end)
  if (digits === 4) return readYearFirst(text, from, end, parts, zones)
  if (digits > 0) return digits > 2 ? -1 : readDayFirst(text, from, end, parts, zones)
  const behind = readMonthFirst(text, from, end, parts, zones)
  return behind < 0 || parts.year > 0 ? behind : readTrailingYear(text, behind, end, parts, zones, true)
}

/**
 * The year of `Nov 22 13:41:02 2026`, also behind a zone: ` CET 2026`. Where no day of the week stands
 * before the date, a number with a word behind it is the name of the host.
 */
function readTrailingYear(
  text: string,
  at: number,
  end: number,
  parts: DateParts,
  zones: ZoneReader,
  sure: boolean,
): number {
  if (text.charCodeAt(at) !== blank || at >= end) return at
  const behindZone = zones.readName(text, at + 1, end)
  const from = behindZone > at + 1 && text.charCodeAt(behindZone) === blank ? behindZone + 1 : at + 1
  if (digitsAt(text, from, end) !== 4) return at
  const year = four(text, from)
  const behind = from + 4
  if (year < 1970 || (behind < end && (wordAt(text, behind, end) || (!sure && namesHost(text, behind, end))))) return at
  if (from > at + 1) parts.zone = zones.zone
  parts.year = year
  parts.form = 'Mon DD hh:mm:ss YYYY'
  return behind
}

function namesHost(text: string, at: number, end: number): boolean {
  const code = text.charCodeAt(at)
  return code === point || code === dash || (code === blank && wordAt(text, at + 1, end))
}

/** `-26 13:41:02` and `-2026 13:41:02`, behind month and day. */
function readDashedYear(text: string, at: number, end: number, parts: DateParts, zones: ZoneReader): number {
  const digits = digitsAt(text, at + 1, end)
  if (text.charCodeAt(at) !== dash || !readYear(text, at + 1, digits, parts)) return -1
  if (text.charCodeAt(at + 1 + digits) !== blank) return -1
  parts.form = 'Mon-DD-YY hh:mm:ss'
  return zoned(text, readClock(text, at + 2 + digits, end, parts), end, parts, zones)
}

/** `22/Nov/2026:13:41:02 +0000`, `22-Nov-2026 13:41:02.123`, `22 Nov 2026 13:41:02`. */
const readDayFirst: DateForm = (text, at, end, parts, zones) => {
  const behindDay = readDay(text, at, end, parts)
  const separator = text.charCodeAt(behindDay)
  const month = monthAt(text, behindDay + 1)
  if (behindDay < 0 || month < 0 || (separator !== slash && separator !== dash && separator !== blank)) return -1
  const day = parts.day
  begin(parts, month)
  parts.day = day
  const yearAt = behindDay + 5
  const digits = digitsAt(text, yearAt, end)
  if (text.charCodeAt(behindDay + 4) !== separator || digits !== 4) return -1
  parts.year = four(text, yearAt)
  const next = text.charCodeAt(yearAt + 4)
  if (next !== colon && !isBlank(next)) return -1
  parts.form =
    next === colon ? 'DD/Mon/YYYY:hh:mm:ss' : separator === slash ? 'DD/Mon/YYYY hh:mm:ss' : 'DD-Mon-YYYY hh:mm:ss'
  return zoned(text, readClock(text, yearAt + 5, end, parts), end, parts, zones)
}

/** `2026 Nov 22 13:41:02`. */
const readYearAndMonth: DateForm = (text, at, end, parts, zones) => {
  begin(parts, monthAt(text, at + 5))
  const behindDay = readDay(text, text.charCodeAt(at + 9) === blank ? at + 10 : at + 9, end, parts)
  if (text.charCodeAt(at + 4) !== blank || text.charCodeAt(at + 8) !== blank) return -1
  if (behindDay < 0 || text.charCodeAt(behindDay) !== blank) return -1
  parts.year = four(text, at)
  parts.form = 'YYYY Mon DD hh:mm:ss'
  return zoned(text, readClock(text, behindDay + 1, end, parts), end, parts, zones)
}

/** `2026-11-22T13:41:02.5+01:00` and its kin: also `/` and `.` between the numbers, blanks or `_` before the hour. */
const readYearFirst: DateForm = (text, at, end, parts, zones) => {
  const separator = text.charCodeAt(at + 4)
  if ((separator !== dash && separator !== slash && separator !== point) || text.charCodeAt(at + 7) !== separator)
    return -1
  begin(parts, two(text, at + 5) - 1)
  parts.year = four(text, at)
  parts.day = two(text, at + 8)
  parts.form =
    separator === dash ? 'YYYY-MM-DD hh:mm:ss' : separator === slash ? 'YYYY/MM/DD hh:mm:ss' : 'YYYY.MM.DD hh:mm:ss'
  const between = text.charCodeAt(at + 10)
  if (between !== 0x54 && between !== 0x5f && between !== blank) return -1
  const behind = readClock(text, at + 11, end, parts)
  // svlogd writes the underscore, and UTC (svlogd(8), -tt).
  if (between === 0x5f) parts.zone = 0
  return between === 0x5f ? behind : zoned(text, behind, end, parts, zones)
}

/** `22/11/2026:13:41:02`, `11/22/2026 1:41:02 PM`, `22.11.2026 13:41:02`, `11/22/26@13:41:02`: see above which is the day. */
function readNumbers(
  text: string,
  at: number,
  end: number,
  parts: DateParts,
  zones: ZoneReader,
  bracketed: boolean,
): number {
  const firstDigits = digitsAt(text, at, end)
  const separator = text.charCodeAt(at + firstDigits)
  if (separator !== slash && separator !== dash && separator !== point) return -1
  const secondAt = at + firstDigits + 1
  const secondDigits = digitsAt(text, secondAt, end)
  const yearAt = secondAt + secondDigits + 1
  const digits = digitsAt(text, yearAt, end)
  if (secondDigits < 1 || secondDigits > 2 || text.charCodeAt(yearAt - 1) !== separator) return -1
  begin(parts, 0)
  if (!readYear(text, yearAt, digits, parts)) return -1
  const between = text.charCodeAt(yearAt + digits)
  if (between !== colon && between !== blank && between !== atSign) return -1
  const behind = readClock(text, yearAt + digits + 1, end, parts)
  if (behind < 0) return -1
  const halves = meridiem(text, behind, end) !== 0
  const monthFirst = halves || between === atSign || (between === colon && !bracketed)
  const [first, second] = [numberAt(text, at, firstDigits), numberAt(text, secondAt, secondDigits)]
  const swapped = first > 12 ? false : second > 12 || (monthFirst && separator !== point)
  parts.day = swapped ? second : first
  parts.month = (swapped ? first : second) - 1
  const names = [...(swapped ? ['MM', 'DD'] : ['DD', 'MM']), digits === 4 ? 'YYYY' : 'YY']
  parts.form = `${names.join(String.fromCharCode(separator))}${String.fromCharCode(between)}hh:mm:ss`
  return zoned(text, behind, end, parts, zones)
}

/** `261122 13:41:02`, as MySQL wrote it. */
const readShort: DateForm = (text, at, end, parts, zones) => {
  begin(parts, two(text, at + 2) - 1)
  parts.year = 2000 + two(text, at)
  parts.day = two(text, at + 4)
  parts.form = 'YYMMDD hh:mm:ss'
  if (text.charCodeAt(at + 6) !== blank) return -1
  return zoned(text, readClock(text, at + 7, end, parts), end, parts, zones)
}

/** `20261122T134102`, `20261122 13:41:02`, `20261122-134102.5Z`. */
const readCompact: DateForm = (text, at, end, parts, zones) => {
  begin(parts, two(text, at + 4) - 1)
  parts.year = four(text, at)
  parts.day = two(text, at + 6)
  parts.form = 'YYYYMMDDThhmmss'
  const between = text.charCodeAt(at + 8)
  if (between !== 0x54 && between !== blank && between !== dash) return -1
  if (digitsAt(text, at + 9, end) !== 6) return zoned(text, readClock(text, at + 9, end, parts), end, parts, zones)
  parts.hour = two(text, at + 9)
  parts.minute = two(text, at + 11)
  parts.second = two(text, at + 13)
  return zoned(text, readFraction(text, at + 15, end, parts), end, parts, zones)
}

/** `1795354862`, `1795354862.123`: seconds since 1970, from September 2001 on. */
const readEpoch: DateForm = (text, at, end, parts) => {
  const seconds = numberAt(text, at, 10)
  if (seconds < 1e9) return -1
  const behind = fractionEnd(text, at + 10, end)
  parts.form = 'unix seconds'
  parts.time = seconds * 1000 + fraction(text, at + 10, behind)
  return behind
}

/** `@4000000068f0c2ae2f3d4b5c`: the label that daemontools, runit and s6 write (https://cr.yp.to/libtai/tai64.html). */
export const readTai64n: DateForm = (text, at, end, parts) => {
  if (text.charCodeAt(at) !== atSign || at + 25 > end) return -1
  const [, high = '', low = '', nanoseconds = ''] =
    /^@(40000000|3fffffff)([0-9a-f]{8})([0-9a-f]{8})/.exec(text.slice(at, at + 25)) ?? []
  if (high !== '40000000') return -1
  parts.form = 'TAI64N'
  // Ten seconds apart at the beginning of 1970, and never corrected since by those who write it.
  parts.time = (parseInt(low, 16) - 10) * 1000 + Math.floor(parseInt(nanoseconds, 16) / 1e6)
  return at + 25
}

function begin(parts: DateParts, month: number): void {
  parts.time = null
  parts.year = 0
  parts.month = month
  parts.zone = localZone
}

function readDay(text: string, at: number, end: number, parts: DateParts): number {
  const digits = digitsAt(text, at, end)
  if (digits < 1 || digits > 2) return -1
  parts.day = numberAt(text, at, digits)
  return at + digits
}

/** A year of four digits, or the last two of one of this century. */
function readYear(text: string, at: number, digits: number, parts: DateParts): boolean {
  if (digits !== 2 && digits !== 4) return false
  parts.year = digits === 4 ? four(text, at) : 2000 + two(text, at)
  return true
}

/** `13:41:02`, `1:41:02`, ` 1:41:02`, with a fraction. Returns where it ends; -1 for none. */
function readClock(text: string, from: number, end: number, parts: DateParts): number {
  const at = text.charCodeAt(from) === blank ? from + 1 : from
  const digits = digitsAt(text, at, end)
  if (digits < 1 || digits > 2 || text.charCodeAt(at + digits) !== colon || text.charCodeAt(at + digits + 3) !== colon)
    return -1
  parts.hour = numberAt(text, at, digits)
  parts.minute = two(text, at + digits + 1)
  parts.second = two(text, at + digits + 4)
  return at + digits + 6 > end ? -1 : readFraction(text, at + digits + 6, end, parts)
}

function readFraction(text: string, at: number, end: number, parts: DateParts): number {
  const behind = fractionEnd(text, at, end)
  parts.milliseconds = fraction(text, at, behind)
  return behind
}

/** What may stand behind the clock: AM or PM, and a zone. */
function zoned(text: string, at: number, end: number, parts: DateParts, zones: ZoneReader): number {
  if (at < 0) return -1
  const half = meridiem(text, at, end)
  if (half !== 0) {
    if (parts.hour < 1 || parts.hour > 12) return -1
    parts.hour = (parts.hour % 12) + (half > 0 ? 12 : 0)
    parts.form += ' AM/PM'
  }
  const clockEnd = half === 0 ? at : at + 3
  const direct = zones.readOffset(text, clockEnd, end)
  if (direct < 0) return -1
  const behind =
    direct === clockEnd && text.charCodeAt(clockEnd) === blank ? zones.readSpaced(text, clockEnd + 1, end) : direct
  parts.zone = zones.zone
  // A blank without a zone behind it is no part of the date.
  return zones.zone === localZone ? clockEnd : behind
}

/** 1 for ` PM`, -1 for ` AM`, 0 for neither. */
function meridiem(text: string, at: number, end: number): number {
  if (
    at + 3 > end ||
    text.charCodeAt(at) !== blank ||
    (text.charCodeAt(at + 2) | 0x20) !== 0x6d ||
    wordAt(text, at + 3, end)
  )
    return 0
  const letter = text.charCodeAt(at + 1) | 0x20
  return letter === 0x70 ? 1 : letter === 0x61 ? -1 : 0
}
