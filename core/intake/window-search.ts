/**
 * Finds where to begin in a log that is looked at for the first time: what is older than the window counts nowhere,
 * and there may be gigabytes of it. Dates mostly ascend, so it is a search by halves; where they do not, or there are
 * none, it begins earlier.
 */
import type { RangeDates } from '../events.ts'

/** Looks at the lines in a part of the file. */
export type LookAtDates = (start: number, end: number) => Promise<RangeDates>

/** A log that is smaller is read from its beginning. */
export const leastSearchedBytes = 256 * 1024
/**
 * So much before the window lines count as in it: clocks are set back by an hour, hosts that share a log differ by
 * minutes, and lines are written late. Whatever stands out of order by less is never lost.
 */
const disorderMs = 70 * 60_000
/** So near is near enough. */
const nearBytes = 64 * 1024
/** What is looked at at a place; where no date stands in it, four times as much, and once more. */
const lookBytes = [16 * 1024, 64 * 1024, 256 * 1024]
/** So often may something young stand before what was found: then that is where dates begin to ascend. */
const mostTurns = 8

/**
 * The offset of the begin of a line, so that no line before it is younger than `since` (unix milliseconds) as far as
 * dates tell; 0 where nobody can say. About 40 looks at most, of 16 KiB each where lines have dates.
 */
export async function beginOfWindow(size: number, since: number, look: LookAtDates): Promise<number> {
  const isOld = async (at: number): Promise<number | null> => {
    for (const bytes of lookBytes) {
      const { firstLine, youngest } = await look(at, Math.min(at + bytes, size))
      if (firstLine !== null && youngest !== null) return youngest < since - disorderMs ? firstLine : null
    }
    return null
  }
  if (size < leastSearchedBytes || (await isOld(0)) === null) return 0
  let end = size
  for (let turn = 0; turn < mostTurns; turn++) {
    const found = await lastOld(end, isOld)
    const before = await youngBefore(found.at, isOld)
    if (before === null) return found.line
    end = before
  }
  return 0
}

type IsOld = (at: number) => Promise<number | null>

/** A place before `end` at which all is old, and soon behind which it is not, and the line that begins there. */
async function lastOld(end: number, isOld: IsOld): Promise<{ readonly at: number; readonly line: number }> {
  let old = { at: 0, line: 0 }
  for (let young = end; young - old.at > nearBytes;) {
    const at = Math.floor((old.at + young) / 2)
    const line = await isOld(at)
    if (line === null) young = at
    else old = { at, line }
  }
  return old
}

/** Some place before this one where not all is old, looked for near it and farther and farther away. Null: none was seen. */
async function youngBefore(at: number, isOld: IsOld): Promise<number | null> {
  for (let distance = nearBytes; distance < at; distance *= 2)
    if ((await isOld(at - distance)) === null) return at - distance
  return null
}
