/**
 * Dates in numbers, each read at a given place. What a form looks like decides alone how it is read; what
 * stood in other lines never does.
 *
 * Of two numbers that may be day and month alike, a number above 12 is the day. Else the day comes first,
 * but for the American forms: with AM or PM, and with a colon before the hour (`11/02/2026:13:41:02`)
 * outside of brackets. Whose log is written otherwise says so with `datepattern`.
 */
import {
  begin,
  readClock,
  readFraction,
  readYear,
  zoned,
  meridiem,
  type DateForm,
  type DateParts,
} from './date-parts.ts'
import {
  atSign,
  blank,
  colon,
  dash,
  digitsAt,
  four,
  fraction,
  fractionEnd,
  numberAt,
  point,
  slash,
  two,
} from './timestamp-text.ts'
import type { ZoneReader } from './zone-names.ts'

/** The forms that are all numbers. `bracketed`: in brackets, as a web server writes it. */
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
      return readNumbers(text, at, end, parts, zones, bracketed)
    case 4:
      return readYearFirst(text, at, end, parts, zones)
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

/** `2026-11-22T13:41:02.5+01:00` and its kin: also `/` and `.` between the numbers, blanks or `_` before the hour. */
export const readYearFirst: DateForm = (text, at, end, parts, zones) => {
  const separator = text.charCodeAt(at + 4)
  const form = yearForms[separator]
  if (form === undefined || text.charCodeAt(at + 7) !== separator) return -1
  begin(parts, two(text, at + 5) - 1)
  parts.year = four(text, at)
  parts.day = two(text, at + 8)
  parts.form = form
  const between = text.charCodeAt(at + 10)
  // DirectAdmin: 2026:11:22-13:41:02.
  if (between !== 0x54 && between !== 0x5f && between !== (separator === colon ? dash : blank)) return -1
  const behind = readClock(text, at + 11, end, parts)
  // svlogd writes the underscore, and UTC (svlogd(8), -tt).
  if (between === 0x5f) parts.zone = 0
  return between === 0x5f ? behind : zoned(text, behind, end, parts, zones)
}

/** By what stands between the numbers. */
const yearForms: Readonly<Record<number, string>> = {
  [dash]: 'YYYY-MM-DD hh:mm:ss',
  [slash]: 'YYYY/MM/DD hh:mm:ss',
  [point]: 'YYYY.MM.DD hh:mm:ss',
  [colon]: 'YYYY:MM:DD-hh:mm:ss',
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
  if (separator === dash && secondDigits === 2 && text.charCodeAt(yearAt - 1) === blank)
    return readWithoutYear(text, at, yearAt, end, parts, zones)
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

/** `11-22 13:41:02.123`: as in the whole form, the month comes first. */
function readWithoutYear(
  text: string,
  at: number,
  clockAt: number,
  end: number,
  parts: DateParts,
  zones: ZoneReader,
): number {
  begin(parts, two(text, at) - 1)
  parts.day = two(text, at + 3)
  parts.form = 'MM-DD hh:mm:ss'
  return zoned(text, readClock(text, clockAt, end, parts), end, parts, zones)
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
