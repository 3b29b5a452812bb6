/**
 * Finds and reads the date of a line, by hand because it is done for every line that a filter looks at.
 * It is taken where the service writes it, and nowhere else: at the begin of the line (also behind a
 * syslog priority, in brackets, behind the number of a process), in an access log's brackets, in the
 * time field of JSON or logfmt. A date in what a peer can choose is text.
 *
 * Which form it is, the line alone decides (`date-forms.ts`): no line makes the next one be read
 * otherwise. Syslog's (RFC 3164) `Nov 22 13:41:02` and RFC 3339's `2026-11-22T13:41:02.5+01:00` are tried
 * first. Without a zone a time is that of the jail's zone, else of the host's.
 */
import { timeOfMinute } from './calendar.ts'
import type { DateReader } from './date-reading.ts'
import { findAccessLogDate, type AccessLogReader } from './access-log-date.ts'
import { readDateForm } from './date-forms.ts'
import { DateParts } from './date-parts.ts'
import { findJsonTime, findLogfmtTime, type FieldSpan } from './dated-fields.ts'
import {
  blank,
  brace,
  closing,
  colon,
  dash,
  digitsAt,
  fraction,
  fractionEnd,
  greaterThan,
  isDigit,
  isUpper,
  lessThan,
  monthAt,
  opening,
  slash,
  digit,
  two,
  wordAt,
} from './timestamp-text.ts'
import { localZone, ZoneReader } from './zone-names.ts'

/** Reads dates; it remembers the last minute, which neighbouring lines share. One a thread and zone. */
export class TimestampReader implements AccessLogReader, DateReader {
  /** The date that was read last: unix milliseconds; finer fractions are cut off. */
  time = 0
  /** What is cut out of the line, so that patterns see the rest: from here … */
  from = 0
  /** … to the character behind it. */
  to = 0
  /** How the form is called. */
  form = ''
  /** Whether a syslog header may stand behind it. */
  heads = false
  readonly parts = new DateParts()
  readonly zones: ZoneReader
  /** A date without a year is the latest one that is not more than a day after this time. */
  #reference = 0
  /** The minute read last, as it is written; -1: none. */
  #key = -1
  #zone = localZone
  #minute = 0

  /** `zone`: that of dates without one, as `timeZone` takes it; null: the host's. Throws a BailiffError for an unknown one. */
  constructor(zone: string | null = null) {
    this.zones = new ZoneReader(zone)
  }

  get reference(): number {
    return this.#reference
  }

  /** Sets the time that decides the year of dates without one. */
  set reference(time: number) {
    if (time === this.#reference) return
    this.#reference = time
    this.#key = -1
  }

  /**
   * See `LineBlock`. Dates of a day ago and older mean the same however late it is; where the year is not written, those
   * of nearly a year ago may be of this year.
   */
  isSteady(time: number): boolean {
    const age = this.#reference - time
    return age > day && age < 360 * day && this.zones.isSteady(time)
  }

  /**
   * Reads the date of the line from `start` to `end` of `text` into `time`, `from`, `to`, `form`. Returns
   * `to`; -1 where it has none. (An object with all of it would cost more than the reading.)
   */
  read(text: string, start: number, end: number): number {
    const at = text.charCodeAt(start) === lessThan ? behindPriority(text, start, end) : start
    const behind = isDigit(text.charCodeAt(at)) ? this.#readIso(text, at, end) : this.#readSyslog(text, at, end)
    if (behind >= 0 && behind <= end && !wordAt(text, behind, end)) {
      this.from = start
      this.to = behind
      return behind
    }
    return this.#readOther(text, start, at, end)
  }

  /**
   * The time that a value of its own tells of, such as a field of JSON: a date in any form, or a number of
   * seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size. Null for anything else.
   */
  value(given: string | number): number | null {
    const text = typeof given === 'number' ? '' : given.trim()
    if (typeof given === 'number' || /^\d{9,19}(?:\.\d*)?$/.test(text)) return sinceEpoch(Number(given))
    const fast = isDigit(text.charCodeAt(0))
      ? this.#readIso(text, 0, text.length)
      : this.#readSyslog(text, 0, text.length)
    if (fast === text.length) return this.time
    const open = text.charCodeAt(0) === opening ? 1 : 0
    const end = text.length - open
    return this.#readForm(text, open, end) === end && (open === 0 || text.charCodeAt(end) === closing)
      ? this.time
      : null
  }

  /** The time that the parts of a date tell; null where the month has no such day, or the day no such hour. */
  timeOf(parts: DateParts): number | null {
    if (parts.time !== null) return parts.time
    const { year, month, day, hour, minute, second, zone } = parts
    if (month < 0 || month > 11 || !inRange(day, hour, minute, second)) return null
    return this.#setMinute(year, month, day, hour, minute, zone)
      ? this.#minute + second * 1000 + parts.milliseconds
      : null
  }

  #readSyslog(text: string, at: number, end: number): number {
    if (end - at < 15 || text.charCodeAt(at + 3) !== blank || text.charCodeAt(at + 6) !== blank) return -1
    const month = monthAt(text, at)
    const dayOfMonth = text.charCodeAt(at + 4) === blank ? digit(text, at + 5) : two(text, at + 4)
    const hour = two(text, at + 7)
    const minute = two(text, at + 10)
    const second = two(text, at + 13)
    if (month < 0 || !clockAt(text, at + 7) || !inRange(dayOfMonth, hour, minute, second)) return -1
    if (!this.#setMinute(0, month, dayOfMonth, hour, minute, localZone)) return -1
    this.form = 'Mon DD hh:mm:ss'
    this.heads = true
    this.time = this.#minute + second * 1000
    // Next is nearly always the name of the host.
    if (text.charCodeAt(at + 15) === blank && !isDigit(text.charCodeAt(at + 16))) return at + 15
    const behind = fractionEnd(text, at + 15, end)
    this.time += fraction(text, at + 15, behind)
    // A year may follow: `Nov 22 13:41:02 2026`.
    return text.charCodeAt(behind) === blank && digitsAt(text, behind + 1, end) === 4 ? -1 : behind
  }

  #readIso(text: string, at: number, end: number): number {
    const between = text.charCodeAt(at + 10)
    if (end - at < 19 || (between !== letterT && between !== blank)) return -1
    const separator = text.charCodeAt(at + 4)
    if ((separator !== dash && separator !== slash) || text.charCodeAt(at + 7) !== separator || !clockAt(text, at + 11))
      return -1
    const year = two(text, at) * 100 + two(text, at + 2)
    const month = two(text, at + 5) - 1
    const dayOfMonth = two(text, at + 8)
    const hour = two(text, at + 11)
    const minute = two(text, at + 14)
    const second = two(text, at + 17)
    if (year < 1000 || month < 0 || month > 11 || !inRange(dayOfMonth, hour, minute, second)) return -1
    const zoneStart = fractionEnd(text, at + 19, end)
    let behind = this.zones.readOffset(text, zoneStart, end)
    if (behind < 0) return -1
    if (behind === zoneStart && text.charCodeAt(behind) === blank) {
      const behindZone = this.zones.readSpaced(text, behind + 1, end)
      if (this.zones.zone !== localZone) behind = behindZone
    }
    if (!this.#setMinute(year, month, dayOfMonth, hour, minute, this.zones.zone)) return -1
    this.time = this.#minute + second * 1000 + fraction(text, at + 19, zoneStart)
    this.form = separator === dash ? 'YYYY-MM-DD hh:mm:ss' : 'YYYY/MM/DD hh:mm:ss'
    this.heads = separator === dash
    return behind
  }

  /** All other forms, and all other places. */
  #readOther(text: string, start: number, at: number, end: number): number {
    const code = text.charCodeAt(at)
    const behind = this.#readForm(text, at, end)
    if (behind >= 0) {
      // As journalctl -o short-unix writes it; in front of TAI64N's label nobody puts a header.
      this.heads = isUpper(code) || (isDigit(code) && this.parts.time !== null)
      return this.#found(start, behind, true)
    }
    if (code === opening) {
      const inside = behindProcess(text, at, end)
      const inBrackets = this.#readForm(text, inside, end)
      if (inBrackets >= 0) return this.#found(inside, inBrackets, false)
    } else if (code === brace) return this.#readField(text, start, findJsonTime(text, at, end))
    else if (!isDigit(code)) {
      const bracket = behindLetter(text, at, end)
      const inBrackets = bracket < 0 ? -1 : this.#readForm(text, bracket, end)
      if (inBrackets >= 0) return this.#found(bracket, inBrackets, false)
      if (this.#readField(text, start, findLogfmtTime(text, at, end)) >= 0) return start
      const audit = auditStamp(text, at, end)
      if (audit >= 0 && this.#readForm(text, audit, end) >= 0) return this.#found(start, start, false)
    }
    const access = findAccessLogDate(text, start, end, this)
    if (access === null) return -1
    this.time = access.time
    this.form = access.form
    return this.#found(access.from, access.to, false)
  }

  /** Any form right at this place. Returns where it ends, -1 where there is none. */
  #readForm(text: string, at: number, end: number): number {
    const behind = readDateForm(text, at, end, this.parts, this.zones)
    if (behind < 0 || behind > end || wordAt(text, behind, end)) return -1
    const time = this.timeOf(this.parts)
    if (time === null) return -1
    this.time = time
    this.form = this.parts.form
    return behind
  }

  /** The line stays whole, so that it remains JSON or logfmt. */
  #readField(text: string, start: number, field: FieldSpan | null): number {
    if (field === null) return -1
    const time = this.value(text.slice(field.from, Math.min(field.to, field.from + 64)))
    if (time === null) return -1
    this.time = time
    this.form = 'time field'
    return this.#found(start, start, false)
  }

  #found(from: number, to: number, leads: boolean): number {
    this.from = from
    this.to = to
    if (!leads) this.heads = false
    return to
  }

  /** Sets the time at which the minute begins; false where there is no such day. `year` 0: none is written. */
  #setMinute(year: number, month: number, day: number, hour: number, minute: number, zone: number): boolean {
    const key = (((year * 12 + month) * 32 + day) * 24 + hour) * 60 + minute
    if (key === this.#key && zone === this.#zone) return true
    const time = timeOfMinute({ year, month, day, hour, minute, zone }, this.zones, this.#reference)
    if (time === null) return false
    this.#key = key
    this.#zone = zone
    this.#minute = time
    return true
  }
}

const day = 86_400_000
const letterT = 0x54

/** Where the text goes on behind `<0>` to `<191>`, and behind a level of one letter, `<W>`; the start where there is no such thing. */
function behindPriority(text: string, start: number, end: number): number {
  if (isUpper(text.charCodeAt(start + 1)) && text.charCodeAt(start + 2) === greaterThan) return start + 3
  for (let at = start + 1; at < end && at < start + 5; at++) {
    if (text.charCodeAt(at) === greaterThan) return at === start + 1 ? start : behindVersion(text, at + 1)
    if (!isDigit(text.charCodeAt(at))) return start
  }
  return start
}

/** Behind the version that RFC 5424 writes behind the priority. */
function behindVersion(text: string, at: number): number {
  return text.charCodeAt(at) === 0x31 && text.charCodeAt(at + 1) === blank ? at + 2 : at
}

/** Behind an opening bracket, or behind `[123] `, as dropbear writes it before the date. */
function behindProcess(text: string, at: number, end: number): number {
  const digits = digitsAt(text, at + 1, end)
  const isProcess = digits > 0 && digits < 9 && text.charCodeAt(at + 1 + digits) === closing
  return isProcess && text.charCodeAt(at + 2 + digits) === blank ? at + 3 + digits : at + 1
}

/** Behind the bracket of `E [` (CUPS) and `I, [` (Ruby); -1 where there is no such thing. */
function behindLetter(text: string, at: number, end: number): number {
  if (!isUpper(text.charCodeAt(at))) return -1
  const next = text.charCodeAt(at + 1) === 0x2c ? at + 2 : at + 1
  return next + 1 < end && text.charCodeAt(next) === blank && text.charCodeAt(next + 1) === opening ? next + 2 : -1
}

/** The seconds of `type=USER_LOGIN msg=audit(1795354862.123:456):`, also behind `node=NAME `; -1 for none. */
function auditStamp(text: string, at: number, end: number): number {
  const found = /^(?:node=\S+ )?type=\w+ msg=audit\(/.exec(text.slice(at, Math.min(end, at + 200)))
  return found === null ? -1 : at + found[0].length
}

/** Milliseconds, whatever a number since 1970 counts: from 2001 on each unit has sizes of its own. */
function sinceEpoch(value: number): number | null {
  if (!(value >= 1e9 / 10) || value >= 1e20) return null
  if (value < 1e11) return Math.floor(value * 1000)
  if (value < 1e14) return Math.floor(value)
  return Math.floor(value < 1e17 ? value / 1000 : value / 1e6)
}

function inRange(dayOfMonth: number, hour: number, minute: number, second: number): boolean {
  if (dayOfMonth < 1 || hour < 0 || minute < 0 || second < 0) return false
  return dayOfMonth <= 31 && hour <= 23 && minute <= 59 && second <= 60
}

function clockAt(text: string, at: number): boolean {
  return text.charCodeAt(at + 2) === colon && text.charCodeAt(at + 5) === colon
}
