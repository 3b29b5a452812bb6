/**
 * The date of an access log (https://httpd.apache.org/docs/2.4/logs.html#common and its kin), which
 * stands in brackets behind the address of the peer and the name he gave, and before what he asked for:
 *
 *     192.0.2.7 - frank [22/Nov/2026:13:41:02 +0000] "GET / HTTP/1.1" 200 12
 *
 * The name may be anything, also a date in brackets. So what counts is a date with a quote behind it, which
 * servers escape in names and requests; and of several, since some servers do not, the latest that is not
 * to come: a peer cannot make his line older.
 */
import { readDateForm } from './date-forms.ts'
import type { DateParts } from './date-parts.ts'
import { blank, closing, dash, isDigit, opening, quote } from './timestamp-text.ts'
import type { ZoneReader } from './zone-names.ts'

/** What the search needs of the reader: the time of parts, null where there is no such day. */
export interface AccessLogReader {
  readonly parts: DateParts
  readonly zones: ZoneReader
  readonly reference: number
  timeOf(parts: DateParts): number | null
}

/** A date in a line: its first character and the one behind it. */
export interface DateSpan {
  readonly from: number
  readonly to: number
  readonly time: number
  readonly form: string
}

/** The date of a line of an access log; null where the line is none. */
export function findAccessLogDate(text: string, start: number, end: number, reader: AccessLogReader): DateSpan | null {
  const bracket = firstBracket(text, start, end)
  if (bracket < 0 || !beginsAccessLog(text, start, bracket)) return null
  const first = dateIn(text, bracket, end, reader)
  // Right behind the address nothing is the peer's choice. Most lines have but one date with a quote.
  if (first !== null && text.lastIndexOf(' ', bracket - 2) < start) return first
  if (first !== null && quoted(text, first, end)) {
    const next = text.indexOf('] "', first.to + 1)
    if (next < 0 || next >= end) return first
  }
  return latest(allDates(text, bracket, end, reader), text, end, reader.reference)
}

/** More brackets are not looked at: a line of 64 KiB may have many. */
const maxBrackets = 200

function allDates(text: string, bracket: number, end: number, reader: AccessLogReader): DateSpan[] {
  const dates: DateSpan[] = []
  let at = bracket
  for (let tries = 0; at >= 0 && tries < maxBrackets; tries++) {
    const date = dateIn(text, at, end, reader)
    if (date !== null) dates.push(date)
    at = firstBracket(text, at + 1, end)
  }
  return dates
}

function latest(dates: readonly DateSpan[], text: string, end: number, reference: number): DateSpan | null {
  const certain = dates.filter((date) => quoted(text, date, end))
  const taken = certain.length > 0 ? certain : dates
  const past = taken.filter(({ time }) => time <= reference + 60_000)
  const [first = null, ...others] = past.length > 0 ? past : taken
  return others.reduce((best, date) => (best !== null && date.time > best.time ? date : best), first)
}

function quoted(text: string, { to }: DateSpan, end: number): boolean {
  return to + 2 < end && text.charCodeAt(to + 1) === blank && text.charCodeAt(to + 2) === quote
}

function dateIn(text: string, bracket: number, end: number, reader: AccessLogReader): DateSpan | null {
  const { parts, zones } = reader
  if (!isDigit(text.charCodeAt(bracket + 1))) return null
  const to = readDateForm(text, bracket + 1, end, parts, zones, true)
  if (to < 0 || to >= end || text.charCodeAt(to) !== closing) return null
  const time = reader.timeOf(parts)
  return time === null ? null : { from: bracket + 1, to, time, form: parts.form }
}

/** Counted, since `indexOf` would go on through the lines behind. */
function firstBracket(text: string, start: number, end: number): number {
  for (let at = start; at < end; at++) if (text.charCodeAt(at) === opening) return at
  return -1
}

/** Whether the words before the bracket are those of an access log: an address first or second, or a dash second. */
function beginsAccessLog(text: string, start: number, bracket: number): boolean {
  if (text.charCodeAt(start) === quote) return true
  const firstEnd = wordEnd(text, start, bracket)
  if (firstEnd >= bracket) return false
  if (isAddressLike(text, start, firstEnd)) return true
  const secondEnd = wordEnd(text, firstEnd + 1, bracket)
  if (secondEnd === firstEnd + 2 && text.charCodeAt(firstEnd + 1) === dash) return true
  return isAddressLike(text, firstEnd + 1, secondEnd)
}

function wordEnd(text: string, start: number, end: number): number {
  let at = start
  while (at < end && text.charCodeAt(at) !== blank) at++
  return at
}

/** Hexadecimal digits, points and colons, of the latter some; a list of addresses has commas. */
function isAddressLike(text: string, start: number, end: number): boolean {
  let separators = 0
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x2e || code === 0x3a) separators++
    else if (!isDigit(code) && code !== 0x2c && !((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66)) return false
  }
  return separators > 1
}
