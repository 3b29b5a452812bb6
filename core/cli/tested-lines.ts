import { isAscii } from 'node:buffer'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { TextDecoder } from 'node:util'
import { BailiffError, quote, whyUnreadable } from '../errors.ts'
import { lineDecoder, type DecodeLine } from '../fail2ban/lines/line-decoding.ts'
import { wideDecoder, wideEncoding, type WideEncoding } from '../fail2ban/lines/wide-lines.ts'
import { refuseCompressed } from './compressed-log.ts'

/** A line that a filter is tried on. */
export interface TestedLine {
  /** Its number in the file, from 1. */
  readonly number: number
  /** Without its line break. */
  readonly text: string
  /** It holds ASCII alone; false: it need not. */
  readonly isAscii: boolean
  /** Unix seconds, where the source of the line knows when it was written; null: its date is searched. */
  readonly time: number | null
  /** The date as the source writes it. */
  readonly dateText: string
}

const chunkBytes = 1 << 16
/** A line that is longer is no line of a log. */
const longestLine = 1 << 26
const newline = 10

/**
 * The lines of a file, or of standard input (`-`), in order, some at a time; the last one need not end. Throws a
 * BailiffError for a file that cannot be read, and for an encoding that is not known.
 */
export function linesOfFile(path: string, encoding: string): Iterable<readonly TestedLine[]> {
  const wide = wideEncoding(encoding)
  return wide === null ? linesOfBytes(path, lineDecoder(encoding)) : linesOfWide(path, wide)
}

function* linesOfWide(path: string, encoding: WideEncoding): Generator<readonly TestedLine[]> {
  let decoder: TextDecoder | null = null
  let number = 0
  let rest = ''
  const numbered = (texts: readonly string[]) => texts.map((text) => lineOf(++number, text))
  for (const bytes of wholeLines(path)) {
    decoder ??= wideDecoder(bytes, encoding)
    const texts = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = texts.pop() ?? ''
    yield numbered(texts)
  }
  rest += decoder?.decode() ?? ''
  if (rest !== '') yield numbered([rest])
}

function* linesOfBytes(path: string, decode: DecodeLine): Generator<readonly TestedLine[]> {
  let number = 0
  for (const bytes of wholeLines(path)) {
    // Only what is not ASCII has to be decoded line by line.
    const ascii = isAscii(bytes) ? bytes.toString('latin1') : null
    const lines: TestedLine[] = []
    for (let start = 0; start < bytes.length;) {
      const found = ascii === null ? bytes.indexOf(newline, start) : ascii.indexOf('\n', start)
      const end = found < 0 ? bytes.length : found
      const text = ascii === null ? decode(bytes.subarray(start, end)) : ascii.slice(start, end)
      lines.push({ number: ++number, text: withoutReturn(text), isAscii: ascii !== null, time: null, dateText: '' })
      start = end + 1
    }
    yield lines
  }
}

/** Lines given as a text. */
export function linesOfText(text: string): readonly TestedLine[] {
  return text.split('\n').map((line, index) => lineOf(index + 1, line))
}

/** A file opened for reading; 0 is standard input, which `-` names. Throws a BailiffError. */
export function openLog(log: string): number {
  if (log === '-') return 0
  try {
    const fd = openSync(log, 'r')
    if (!fstatSync(fd).isDirectory()) return fd
    closeSync(fd)
  } catch (cause) {
    const hint = 'name a log that this user may read, or - for standard input'
    throw new BailiffError('no-input', `cannot read ${quote(log)}: ${whyUnreadable(cause)}`, { cause, hint })
  }
  throw new BailiffError('no-input', `${quote(log)} is a folder, not a log`, { hint: `name its files: ${log}/*` })
}

function lineOf(number: number, text: string): TestedLine {
  return { number, text: withoutReturn(text), isAscii: false, time: null, dateText: '' }
}

function withoutReturn(text: string): string {
  return text.endsWith('\r') ? text.replace(/\r+$/, '') : text
}

/** The bytes of a log in pieces that end with a line; only the last may end without a newline. */
function* wholeLines(path: string): Generator<Buffer> {
  const fd = openLog(path)
  try {
    let [buffer, held] = [Buffer.allocUnsafe(chunkBytes), 0]
    for (let first = true; ; first = false) {
      if (held === longestLine) throw new BailiffError('data', `${quote(path)} has a line of more than 64 MiB`)
      if (held === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2)
      const read = readSync(fd, buffer, held, buffer.length - held, null)
      if (first) refuseCompressed(path, buffer.subarray(0, read))
      const length = held + read
      const end = read === 0 ? length : buffer.lastIndexOf(newline, length - 1) + 1
      if (end > 0) yield Buffer.from(buffer.subarray(0, end))
      if (read === 0) return
      buffer.copy(buffer, 0, end, length)
      held = length - end
    }
  } finally {
    if (fd !== 0) closeSync(fd)
  }
}
