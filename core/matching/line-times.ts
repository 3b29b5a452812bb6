/** When the lines of a piece of a file were written, for one who searches the file by time. */
import { readSync } from 'node:fs'
import type { FileRange, RangeDates } from '../events.ts'
import type { DateReading } from '../plugin.ts'
import { LineReader } from './lines.ts'

/** Reads the date of a line, in unix milliseconds; null where it has none. A line is bytes without their newline. */
export type LineTime = (line: Buffer) => number | null

/** What one has to read is longer than a task may take. */
const maxRangeBytes = 1 << 20

/** Dates as filters of our own read them. `now`: decides the year of those without one. */
export function nativeTimes(dates: DateReading | null, now: number): LineTime {
  const reader = new LineReader(dates)
  reader.reference = now
  return (line) => {
    // A head is that of a line in a block, which ends with a newline.
    const block = reader.block(line, line.toString('latin1'), 0)
    return block.head(0, line.length).time
  }
}

/**
 * Looks at all whole lines of a range, as each of these reads their dates. A line that begins before the range is none
 * of it, one that is not ended neither.
 */
export function datesIn(range: FileRange, readings: readonly LineTime[]): RangeDates {
  const bytes = readRange(range)
  const begin = range.start === 0 ? 0 : bytes.indexOf(newline) + 1
  const isWhole = (range.start === 0 || begin > 0) && bytes.indexOf(newline, begin) >= 0
  if (!isWhole || readings.length === 0) return { firstLine: null, youngest: null }
  const youngest = readings.map(() => -Infinity)
  for (let start = begin; ;) {
    const end = bytes.indexOf(newline, start)
    if (end < 0) break
    const line = bytes.subarray(start, end)
    for (const [index, timeOf] of readings.entries())
      youngest[index] = Math.max(youngest[index] ?? -Infinity, timeOf(line) ?? -Infinity)
    start = end + 1
  }
  const sure = youngest.every((time) => time > -Infinity)
  return { firstLine: range.start + begin, youngest: sure ? Math.max(...youngest) : null }
}

const newline = 0x0a

function readRange({ fd, start, end }: FileRange): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(end - start, maxRangeBytes)))
  return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, start))
}
