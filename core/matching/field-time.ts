import type { TimestampReader } from './timestamps.ts'

/** A date in a field is no longer. */
const maxLength = 64

/**
 * The time that the text of a field tells, in unix milliseconds, or null: a date as at the start of a line, or
 * the seconds, milliseconds, microseconds or nanoseconds since 1970, with or without a fraction. Which of them
 * a number is shows in its size: all four are told apart for the years 1973 to 5138.
 */
export function readFieldTime(text: string, dates: TimestampReader): number | null {
  if (text.length > maxLength) return null
  if (/^[0-9]{1,20}(?:\.[0-9]*)?(?:[eE]\+?[0-9]{1,2})?$/.test(text)) return epochMs(Number(text))
  return dates.read(text, 0, text.length) === text.length ? dates.time : null
}

function epochMs(value: number): number | null {
  if (value < 1e8) return null
  const ms = value < 1e11 ? value * 1000 : value < 1e14 ? value : value < 1e17 ? value / 1000 : value / 1e6
  return ms < 1e14 ? Math.floor(ms) : null
}
