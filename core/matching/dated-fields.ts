/**
 * The field of a structured line that holds its time, found without taking what a peer wrote for a field:
 * a member of the outermost JSON object, or a pair of logfmt.
 */
import { behindBlanks, brace, isBlank, quote } from './timestamp-text.ts'

/** Names of fields that hold the time of a line. */
const timeFields = new Set(['time', 'ts', 'timestamp', '@timestamp', 't', 'datetime', 'date', 'asctime', '$date'])

/** A value in a line, without its quotes: its first character and the one behind it. */
export interface FieldSpan {
  readonly from: number
  readonly to: number
}

/** The value of the first time field in the object that begins at `start`; null where there is none. */
export function findJsonTime(text: string, start: number, end: number): FieldSpan | null {
  let at = behindBlanks(text, start + 1, end)
  while (at < end && text.charCodeAt(at) === quote) {
    const nameEnd = stringEnd(text, at, end)
    const name = text.slice(at + 1, nameEnd - 1)
    at = behindBlanks(text, nameEnd, end)
    if (nameEnd < 0 || text.charCodeAt(at) !== 0x3a) return null
    at = behindBlanks(text, at + 1, end)
    if (timeFields.has(name)) {
      // MongoDB: {"t":{"$date":"…"}.
      if (text.charCodeAt(at) === brace) return name === '$date' ? null : findJsonTime(text, at, end)
      const valueEnd = behindValue(text, at, end)
      if (valueEnd < 0) return null
      const inQuotes = text.charCodeAt(at) === quote
      return inQuotes ? { from: at + 1, to: valueEnd - 1 } : { from: at, to: valueEnd }
    }
    at = behindBlanks(text, behindValue(text, at, end), end)
    if (at < 0 || text.charCodeAt(at) !== 0x2c) return null
    at = behindBlanks(text, at + 1, end)
  }
  return null
}

/** The value of the first time field among the pairs that begin at `start`; null where a word is no pair before it. */
export function findLogfmtTime(text: string, start: number, end: number): FieldSpan | null {
  for (let at = start; at < end;) {
    const [name = '', key] = /^([\w@.-]{1,40})=/.exec(text.slice(at, Math.min(end, at + 42))) ?? []
    if (key === undefined) return null
    const from = at + name.length
    const inQuotes = text.charCodeAt(from) === quote
    const to = inQuotes ? stringEnd(text, from, end) : wordEnd(text, from, end)
    if (to < 0 || (to < end && !isBlank(text.charCodeAt(to)))) return null
    if (timeFields.has(key)) return inQuotes ? { from: from + 1, to: to - 1 } : { from, to }
    at = behindBlanks(text, to, end)
  }
  return null
}

/** Behind the string that begins here with its quote; -1 where it does not end. */
function stringEnd(text: string, start: number, end: number): number {
  for (let at = start + 1; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) return at + 1
    if (code === backslash) at++
  }
  return -1
}

/** Behind the value that begins here, whatever it is; -1 where it does not end. */
function behindValue(text: string, start: number, end: number): number {
  let depth = 0
  for (let at = start; at >= 0 && at < end;) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = stringEnd(text, at, end)
      if (depth === 0) return at
      continue
    }
    if (code === brace || code === 0x5b) depth++
    else if (code === 0x7d || code === 0x5d) {
      if (depth === 0) return at
      if (--depth === 0) return at + 1
    } else if (code === 0x2c && depth === 0) return at
    at++
  }
  return -1
}

function wordEnd(text: string, start: number, end: number): number {
  let at = start
  while (at < end && !isBlank(text.charCodeAt(at)) && text.charCodeAt(at) !== quote) at++
  return at
}

const backslash = 0x5c
