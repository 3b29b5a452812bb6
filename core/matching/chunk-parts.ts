import type { FileRange, LogChunk, ScanCounts, ScanResult } from '../events.ts'
import { movedRows, noRows } from '../failure-rows.ts'

/** How many bytes a chunk covers. */
export function chunkLength({ data }: LogChunk): number {
  return data instanceof Uint8Array ? data.length : data.end - data.start
}

/** The bytes `start` (inclusive) to `end` (exclusive) of a chunk, both at the begin of a line, as a chunk. */
export function chunkPart(chunk: LogChunk, start: number, end: number): LogChunk {
  const { data } = chunk
  const part = data instanceof Uint8Array ? data.subarray(start, end) : rangePart(data, start, end)
  return { ...chunk, data: part, insideLine: start === 0 && chunk.insideLine }
}

/** The result of a part, with the offsets that its matches have in the whole chunk. */
export function inWhole(chunk: LogChunk, start: number, result: ScanResult): ScanResult {
  if (start === 0 || !(chunk.data instanceof Uint8Array)) return result
  const moved = <Found extends { readonly offset: number }>(found: Found): Found => ({
    ...found,
    offset: found.offset + start,
  })
  return { ...result, rows: movedRows(result.rows, start), ...(result.hits && { hits: result.hits.map(moved) }) }
}

/** What became of two parts that follow one another. */
export function joinCounts(first: ScanCounts, second: ScanCounts): ScanCounts {
  return {
    ...(first.hits || second.hits ? { hits: [...(first.hits ?? []), ...(second.hits ?? [])] } : {}),
    ...(first.odd || second.odd ? { odd: [...(first.odd ?? []), ...(second.odd ?? [])] } : {}),
    consumed: first.consumed + second.consumed,
    insideLine: second.insideLine,
    lines: first.lines + second.lines,
    skipped: first.skipped + second.skipped,
    malformed: first.malformed + second.malformed,
    bare: second.bare,
  }
}

function rangePart({ fd, start: first, bytes }: FileRange, start: number, end: number): FileRange {
  const range = { fd, start: first + start, end: first + end }
  return bytes === undefined ? range : { ...range, bytes: bytes.subarray(start, end) }
}

/** What becomes of a part of which nothing is looked at. */
export function passedOver(consumed: number, lines: number): ScanResult {
  return { rows: noRows, consumed, insideLine: false, lines, skipped: lines, malformed: 0, bare: false }
}
