import { duration } from '../cli/output.ts'
import { printable, quote } from '../errors.ts'
import { LineReader } from '../matching/lines.ts'
import type { DateReading, LineHead } from '../plugin.ts'
import type { Step } from './line-explanation.ts'

/** What looks like a date to a person, wherever it stands. */
const looksLikeDate =
  /\d{4}[-/]\d{1,2}[-/]\d{1,2}[T ]\d{1,2}:\d\d|\d{1,2}[-/.](?:\d{1,2}|[A-Z][a-z]{2})[-/.]\d{4}[T :]\d{1,2}:\d\d|[A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d|\b1\d{9}(?:\.\d+)?\b|@4[0-9a-f]{15,}/

/** The head of a line as the scanner reads it. */
export interface ReadHead {
  readonly head: LineHead
  /** The form of the date, as people would draw it; null where there is none. */
  readonly dateForm: string | null
  /** The date as it stands in the line; empty where none was found. */
  readonly dateText: string
  /** Whether the date has no year of its own. */
  readonly yearless: boolean
  /** The zone in which a date without one is read, as the jail names it; null: that of this machine. */
  readonly timezone: string | null
}

/** Reads the head of a line (without its newline) as a filter asks for. `now` decides the year of a date without one. */
export function readHead(line: Buffer, now: number, dates: DateReading | null): ReadHead {
  const reader = new LineReader(dates)
  reader.reference = now
  const bytes = Buffer.concat([line, Buffer.from('\n')])
  const block = reader.block(bytes, bytes.toString('latin1'), 0)
  const head = block.head(0, line.length)
  const dateForm = head.time === null ? null : reader.dateForm(block, 0, line.length)
  const dateText = head.time === null ? '' : leftOut(head.line, head.undated).trim()
  return {
    head,
    dateForm,
    dateText,
    timezone: dates?.timezone ?? null,
    yearless: /^\W*[A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d(?![^a-z]*\d{4}\b)/.test(dateText),
  }
}

/** What of a text is not in what was left of it when one piece was cut out. */
function leftOut(text: string, left: string): string {
  let start = 0
  while (start < left.length && text[start] === left[start]) start++
  let end = 0
  while (end < left.length - start && text[text.length - 1 - end] === left[left.length - 1 - end]) end++
  return text.slice(start, text.length - end)
}

/** What was found of a date, for people. */
export function dateStep({ head, dateForm, dateText, yearless, timezone }: ReadHead, now: number): Step {
  if (head.time === null) return { step: 'date', ok: null, detail: whyNone(head.line) }
  const at = new Date(head.time).toISOString()
  // A date in a field stays in the text of the line.
  if (dateText === '') return { step: 'date', ok: true, detail: `a field has ${at}${distance(head.time, now)}` }
  const place = timezone === null ? `of this machine (${zoneHere()})` : `of the jail (${printable(timezone)})`
  const zone = /(?:Z|[+-]\d\d:?\d\d|UTC|GMT)\]?$/.test(dateText) ? '' : `, in the time zone ${place}`
  const year = yearless ? `; it has no year, and is read as one of ${new Date(head.time).getFullYear()}` : ''
  return {
    step: 'date',
    ok: true,
    detail: `${quote(dateText)}${dateForm ? ` (${printable(dateForm)})` : ''} is ${at}${zone}${year}${distance(head.time, now)}`,
  }
}

/** Why a date without a year is read as one of a year that is over; null where it is of this year. */
export function whyOldYear({ head, dateText, yearless }: ReadHead, now: number): string | null {
  if (!yearless || head.time === null) return null
  const [chosen, current] = [new Date(head.time).getFullYear(), new Date(now).getFullYear()]
  if (chosen === current) return null
  return `${quote(dateText)} has no year, and is read as one of ${chosen}, for in ${chosen + 1} it would be still to come`
}

function whyNone(line: string): string {
  const found = looksLikeDate.exec(line)
  if (found === null) return 'none is found'
  const text = quote(line.slice(found.index, found.index + 32))
  return found.index <= 1
    ? `${text} is none that Bailiff reads`
    : `none is found at the beginning; ${text} at character ${found.index + 1} is not looked at: what stands in the middle of a line may have been written by anybody`
}

function distance(time: number, now: number): string {
  const off = time - now
  if (Math.abs(off) < 1000) return ''
  return off > 0 ? ` (${duration(off)} in the future)` : ` (${duration(-off)} ago)`
}

function zoneHere(): string {
  return printable(new Intl.DateTimeFormat().resolvedOptions().timeZone)
}
