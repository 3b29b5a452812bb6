/** Reads dates by compiled patterns: what a single one finds in a line, and which of several is taken. */
import type { DatePattern } from '../plugin.ts'
import { timeOfMinute } from './calendar.ts'
import { dayNames, isDatePart, monthNames, type DatePart } from './date-tokens.ts'
import type { DateReader } from './date-reading.ts'
import { isBlank } from './timestamp-text.ts'
import { TimestampReader } from './timestamps.ts'
import { localZone, type ZoneReader } from './zone-names.ts'

/** What a pattern found: the date's place in the line, and its time; null for one that does not exist. */
export interface FoundDate {
  readonly from: number
  readonly to: number
  readonly time: number | null
}

/** Finds the date of a line by one pattern; null where it does not match. */
export type DateFinder = (line: string, ascii: boolean) => FoundDate | null

/** What is known apart from the line. */
export interface DateSurroundings {
  readonly zones: ZoneReader
  /** Decides the year, or the day, of dates without one. */
  reference: number
}

/** A finder for one pattern. */
export function createDateFinder(
  pattern: Extract<DatePattern, { type: 'pattern' }>,
  around: DateSurroundings,
): DateFinder {
  const ascii = new RegExp(pattern.ascii, pattern.flags)
  const unicode = new RegExp(pattern.unicode, `${pattern.flags}u`)
  const numbers = pattern.groups.flatMap((part, index) => (isDatePart(part) ? [{ part, number: index + 1 }] : []))
  return (line, isAscii) => {
    const found = (isAscii ? ascii : unicode).exec(line)
    if (found === null) return null
    const parts: DateTexts = {}
    for (const { part, number } of numbers) {
      const text = found[number]
      if (text !== undefined) parts[part] ??= text
    }
    return { ...span(found, pattern.cut), time: timeOfParts(parts, around) }
  }
}

/** Takes the first pattern that finds a date that exists. One a thread. */
export class PatternDateReader implements DateReader {
  time = 0
  from = 0
  to = 0
  form = ''
  heads = false
  readonly #around: { readonly zones: ZoneReader; reference: number }
  readonly #usual: TimestampReader
  /** Null: the usual forms. */
  readonly #finders: readonly { readonly find: DateFinder | null; readonly form: string }[]

  constructor(patterns: readonly DatePattern[], timezone: string | null) {
    this.#usual = new TimestampReader(timezone)
    const around = { zones: this.#usual.zones, reference: 0 }
    this.#around = around
    this.#finders = patterns.map((pattern) => ({
      find: pattern.type === 'default' ? null : createDateFinder(pattern, around),
      form: pattern.text,
    }))
  }

  get reference(): number {
    return this.#around.reference
  }

  set reference(time: number) {
    this.#around.reference = time
    this.#usual.reference = time
  }

  /** Patterns may read anything. */
  isSteady(): boolean {
    return false
  }

  read(text: string, start: number, end: number, ascii: boolean): number {
    const line = text.slice(start, end)
    for (const { find, form } of this.#finders) {
      if (find === null) {
        if (this.#usual.read(text, start, end) >= 0) return this.#takeUsual()
        continue
      }
      const found = find(line, ascii)
      if (found === null || found.time === null) continue
      this.time = found.time
      this.from = start + found.from
      this.to = start + found.to
      this.form = form
      this.heads = found.from === 0 && isBlank(text.charCodeAt(this.to))
      return this.to
    }
    return -1
  }

  value(given: string | number): number | null {
    return this.#usual.value(given)
  }

  #takeUsual(): number {
    const { time, from, to, form, heads } = this.#usual
    Object.assign(this, { time, from, to, form, heads })
    return to
  }
}

/** What stands in a line for the parts of its date. */
type DateTexts = Partial<Record<DatePart, string>>

function span(found: RegExpExecArray, group: number): { readonly from: number; readonly to: number } {
  const [from, to] = found.indices?.[group] ?? []
  if (from !== undefined && to !== undefined) return { from, to }
  const end = found.index + found[0].length
  return { from: end - (found[group] ?? '').length, to: end }
}

/** The time that the parts tell; null where there is no such day. What is not told is that of the reference. */
function timeOfParts(parts: DateTexts, { zones, reference }: DateSurroundings): number | null {
  if (parts.seconds !== undefined) return epochMs(parts.seconds)
  // As those who write the label count: ten seconds more than unix time.
  if (parts.tai64n !== undefined) return (parseInt(parts.tai64n.slice(1, 16), 16) - 10) * 1000
  const { year, month, day } = dateOf(parts, zones, reference)
  const zone = parts.zone === undefined ? localZone : zones.numberOf(parts.zone)
  const hour = hourOf(parts)
  const minute = Number(parts.minute ?? 0)
  const begin = timeOfMinute({ year, month, day, hour, minute, zone }, zones, reference)
  if (begin === null) return null
  const time = begin + Number(parts.second ?? 0) * 1000 + Math.floor(Number(`0.${parts.fraction ?? 0}`) * 1000)
  // A time of day that is still to come was that of yesterday.
  return tellsDay(parts) || time <= reference + 60_000 ? time : time - 86_400_000
}

function tellsDay(parts: DateTexts): boolean {
  return [parts.month, parts.monthname, parts.day, parts.yearday, parts.sundayweek, parts.mondayweek].some(
    (part) => part !== undefined,
  )
}

function dateOf(parts: DateTexts, zones: ZoneReader, reference: number): { year: number; month: number; day: number } {
  const short = parts.shortyear === undefined ? 0 : 2000 + Number(parts.shortyear)
  const year = parts.year === undefined ? short : Number(parts.year)
  const today = zones.shownAt(reference)
  if (!tellsDay(parts))
    return { year: year || today.getUTCFullYear(), month: today.getUTCMonth(), day: today.getUTCDate() }
  const yearday = yeardayOf(parts, year || today.getUTCFullYear())
  if (yearday !== null && parts.month === undefined && parts.monthname === undefined) {
    const date = new Date(Date.UTC(year || today.getUTCFullYear(), 0, yearday))
    return { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate() }
  }
  const named = parts.monthname?.slice(0, 3).toLowerCase()
  const month =
    named === undefined
      ? Number(parts.month ?? today.getUTCMonth() + 1) - 1
      : monthNames.findIndex((name) => name.slice(0, 3).toLowerCase() === named)
  return { year, month, day: Number(parts.day ?? 1) }
}

/** The day of the year, from 1, also from the week and the day of it. Week 1 begins with the first Sunday or Monday. */
function yeardayOf(parts: DateTexts, year: number): number | null {
  if (parts.yearday !== undefined) return Number(parts.yearday)
  const week = parts.sundayweek ?? parts.mondayweek
  const monday = weekdayOf(parts)
  if (week === undefined || monday === null) return null
  const first = parts.sundayweek === undefined ? 0 : 6
  // Days since the week's first day, of the date and of January 1.
  const day = (monday - first + 7) % 7
  const newYear = (((new Date(Date.UTC(year, 0, 1)).getUTCDay() + 6) % 7) - first + 7) % 7
  return 1 + Number(week) * 7 + day - (newYear === 0 ? 7 : newYear)
}

/** 0 for Monday. */
function weekdayOf(parts: DateTexts): number | null {
  if (parts.weekday !== undefined) return (Number(parts.weekday) + 6) % 7
  if (parts.isoweekday !== undefined) return Number(parts.isoweekday) - 1
  const name = parts.dayname?.slice(0, 3).toLowerCase()
  return name === undefined ? null : dayNames.findIndex((one) => one.slice(0, 3).toLowerCase() === name)
}

function hourOf(parts: DateTexts): number {
  if (parts.halfhour === undefined) return Number(parts.hour ?? 0)
  return (Number(parts.halfhour) % 12) + (parts.half?.toLowerCase() === 'pm' ? 12 : 0)
}

/** Seconds with decimals, or thirteen or more digits of milli- or microseconds. */
function epochMs(text: string): number {
  const digits = text.replace(/\..*$/, '').length
  return Math.floor(Number(text) * (digits >= 16 ? 1e-3 : digits >= 13 ? 1 : 1000))
}
