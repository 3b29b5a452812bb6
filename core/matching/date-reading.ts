/** How the dates of a jail's lines are read, made ready in a thread. */
import type { DateReading } from '../plugin.ts'
import { PatternDateReader } from './pattern-dates.ts'
import { TimestampReader } from './timestamps.ts'

/** Reads the dates of lines, one after the other. */
export interface DateReader {
  /** The time that decides the year of dates without one. */
  reference: number
  /** What was read last: unix milliseconds; finer fractions are cut off. */
  readonly time: number
  /** What is cut out of the line, so that patterns see the rest: from here … */
  readonly from: number
  /** … to the character behind it. */
  readonly to: number
  /** How the form is called. */
  readonly form: string
  /** Whether a syslog header may stand behind it. */
  readonly heads: boolean
  /** Reads the date of the line from `start` to `end` of `text`. Returns `to`; -1 where the line has none. */
  read(text: string, start: number, end: number, ascii: boolean): number
  /** See `LineBlock`. */
  isSteady(time: number): boolean
  /** The time that the value of a field tells; null for anything else. */
  value(given: string | number): number | null
}

/** A reader as a filter asks for it. Throws a BailiffError for an unknown zone. */
export function createDateReader(dates: DateReading | null = null): DateReader {
  if (dates === null || dates.patterns === null) return new TimestampReader(dates?.timezone ?? null)
  return new PatternDateReader(dates.patterns, dates.timezone)
}
