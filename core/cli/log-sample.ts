import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { parseAddress, type Address } from '../address.ts'
import { LineReader } from '../matching/lines.ts'
import type { DateReading } from '../plugin.ts'

const sampleBytes = 128 * 1024
const mostLines = 400

/** The end of a log. */
export interface LogSample {
  readonly size: number
  /** Unix milliseconds. */
  readonly writtenAt: number
  readonly lines: number
  /** Lines with a date that is found. */
  readonly dated: number
  /** The date of the last line that has one; null: none has. */
  readonly lastDate: number | null
  /** The addresses that lines begin with, as in access logs, and how many lines each has. */
  readonly clients: ReadonlyMap<Address, number>
}

/** Tells the time of the line from `start` to `end` (its newline) of some bytes, unix ms; null: it has no date. */
export type TimesOfLines = (bytes: Buffer, text: string) => (start: number, end: number) => number | null

/** The times as a filter of our own reads them. */
export function nativeTimes(dates: DateReading | null): TimesOfLines {
  return (bytes, text) => {
    const reader = new LineReader(dates)
    reader.reference = Date.now()
    const block = reader.block(bytes, text, 0)
    return (start, end) => block.head(start, end).time
  }
}

/** Looks at the last 400 lines of the last 128 KiB, in their order. Throws what opening the file throws. */
export function sampleLog(file: string, times: TimesOfLines): LogSample {
  const { bytes, size, writtenAt } = readEnd(file)
  const text = bytes.toString('latin1')
  const timeOf = times(bytes, text)
  const clients = new Map<Address, number>()
  let dated = 0
  let lastDate: number | null = null
  const lines = lastLines(text)
  for (const [start, end] of lines) {
    const time = timeOf(start, end)
    if (time !== null) dated++
    lastDate = time ?? lastDate
    const client = parseAddress(text.slice(start, Math.min(end, start + 60)).split(' ')[0] ?? '')
    if (client !== null) clients.set(client, (clients.get(client) ?? 0) + 1)
  }
  return { size, writtenAt, lines: lines.length, dated, lastDate, clients }
}

function lastLines(text: string): [start: number, end: number][] {
  const found: [number, number][] = []
  for (let end = text.lastIndexOf('\n'); end > 0 && found.length < mostLines;) {
    const start = text.lastIndexOf('\n', end - 1) + 1
    found.push([start, end])
    end = start - 1
  }
  return found.reverse()
}

/** The lines that are whole, except that the first may have lost its beginning. */
function readEnd(file: string): { readonly bytes: Buffer; readonly size: number; readonly writtenAt: number } {
  const descriptor = openSync(file, 'r')
  try {
    const { size, mtimeMs: writtenAt } = fstatSync(descriptor)
    const buffer = Buffer.alloc(Math.min(size, sampleBytes))
    const length = readSync(descriptor, buffer, 0, buffer.length, size - buffer.length)
    const read = buffer.subarray(0, length)
    const from = size > length ? read.indexOf(10) + 1 : 0
    return { bytes: read.subarray(from), size, writtenAt }
  } finally {
    closeSync(descriptor)
  }
}
