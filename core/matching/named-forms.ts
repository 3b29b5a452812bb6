/** Dates with the name of a month, each read at a given place. What a form looks like decides alone how it is read. */
import { begin, readClock, readDay, readYear, zoned, type DateForm, type DateParts } from './date-parts.ts'
import { readYearFirst } from './number-forms.ts'
import {
  blank,
  colon,
  dash,
  digitsAt,
  four,
  isBlank,
  monthAt,
  point,
  slash,
  weekdayAt,
  wordAt,
} from './timestamp-text.ts'
import { localZone, type ZoneReader } from './zone-names.ts'

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
  if (digits === 4) return behindJournalZone(text, readYearFirst(text, from, end, parts, zones), end, parts, zones)
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

/** journalctl -o short-full always names the zone behind this form, so it is one although a host follows. */
function behindJournalZone(text: string, at: number, end: number, parts: DateParts, zones: ZoneReader): number {
  if (at < 0 || parts.zone !== localZone || text.charCodeAt(at) !== blank) return at
  const behind = zones.readSure(text, at + 1, end)
  if (behind === at + 1) return at
  parts.zone = zones.zone
  return behind
}

function namesHost(text: string, at: number, end: number): boolean {
  const code = text.charCodeAt(at)
  // An IPv6 address: `2001:db8::1`.
  return code === point || code === dash || code === colon || (code === blank && wordAt(text, at + 1, end))
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
export const readDayFirst: DateForm = (text, at, end, parts, zones) => {
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
export const readYearAndMonth: DateForm = (text, at, end, parts, zones) => {
  begin(parts, monthAt(text, at + 5))
  const behindDay = readDay(text, text.charCodeAt(at + 9) === blank ? at + 10 : at + 9, end, parts)
  if (text.charCodeAt(at + 4) !== blank || text.charCodeAt(at + 8) !== blank) return -1
  if (behindDay < 0 || text.charCodeAt(behindDay) !== blank) return -1
  parts.year = four(text, at)
  parts.form = 'YYYY Mon DD hh:mm:ss'
  return zoned(text, readClock(text, behindDay + 1, end, parts), end, parts, zones)
}
