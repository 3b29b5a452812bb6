/** The parts of a date, and those that all forms share: the clock, and what may stand behind it. */
import { blank, colon, digitsAt, four, fraction, fractionEnd, numberAt, two, wordAt } from './timestamp-text.ts'
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

/** Forgets what was read before. */
export function begin(parts: DateParts, month: number): void {
  parts.time = null
  parts.year = 0
  parts.month = month
  parts.zone = localZone
}

/** One or two digits of a day. Returns where they end; -1 for none. */
export function readDay(text: string, at: number, end: number, parts: DateParts): number {
  const digits = digitsAt(text, at, end)
  if (digits < 1 || digits > 2) return -1
  parts.day = numberAt(text, at, digits)
  return at + digits
}

/** A year of four digits, or the last two of one of this century. */
export function readYear(text: string, at: number, digits: number, parts: DateParts): boolean {
  if (digits !== 2 && digits !== 4) return false
  parts.year = digits === 4 ? four(text, at) : 2000 + two(text, at)
  return true
}

/** `13:41:02`, `1:41:02`, ` 1:41:02`, with a fraction. Returns where it ends; -1 for none. */
export function readClock(text: string, from: number, end: number, parts: DateParts): number {
  const at = text.charCodeAt(from) === blank ? from + 1 : from
  const digits = digitsAt(text, at, end)
  if (digits < 1 || digits > 2 || text.charCodeAt(at + digits) !== colon || text.charCodeAt(at + digits + 3) !== colon)
    return -1
  parts.hour = numberAt(text, at, digits)
  parts.minute = two(text, at + digits + 1)
  parts.second = two(text, at + digits + 4)
  return at + digits + 6 > end ? -1 : readFraction(text, at + digits + 6, end, parts)
}

/** A fraction of a second, if there is one. Returns where it ends. */
export function readFraction(text: string, at: number, end: number, parts: DateParts): number {
  const behind = fractionEnd(text, at, end)
  parts.milliseconds = fraction(text, at, behind)
  return behind
}

/** What may stand behind the clock: AM or PM, and a zone. */
export function zoned(text: string, at: number, end: number, parts: DateParts, zones: ZoneReader): number {
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
export function meridiem(text: string, at: number, end: number): number {
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
