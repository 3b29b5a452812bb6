import { isAscii } from 'node:buffer'
import { closeSync, readSync } from 'node:fs'
import type { TextDecoder } from 'node:util'
import { BailiffError, quote } from '../errors.ts'
import type { DecodeLine } from '../fail2ban/lines/line-decoding.ts'
import { wideDecoder, type WideEncoding } from '../fail2ban/lines/wide-lines.ts'
import type { LogBlock } from '../fail2ban/lines/block-lines.ts'
import { refuseCompressed } from './compressed-log.ts'
import { openLog } from './tested-log.ts'

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

const chunkBytes = 1 << 18
/** A line that is longer is no line of a log. */
const longestLine = 1 << 26
const newline = 10

/**
 * Whole lines of a file, or of standard input (`-`), in order, some at a time; the last one need not end in the file.
 * A block is gone when the next one is asked for. Lines in UTF-16 come in UTF-8. Throws a BailiffError for a file that
 * cannot be read.
 */
export function* blocksOfFile(path: string, wide: WideEncoding | null = null): Generator<LogBlock> {
  for (const bytes of wide === null ? wholeLines(path) : transcodedLines(path, wide)) yield new WholeBlock(bytes)
}

/** All of some bytes. */
class WholeBlock implements LogBlock {
  readonly bytes: Buffer
  readonly start = 0
  readonly end: number
  #text: string | null = null

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.end = bytes.length
  }

  get text(): string {
    return (this.#text ??= this.bytes.toString('latin1'))
  }
}

/** The lines of a block. `before`: how many were before them. */
export function linesOfBlock(
  { bytes, text: all, end: length }: LogBlock,
  decode: DecodeLine,
  before: number,
): TestedLine[] {
  // Only what is not ASCII has to be decoded line by line.
  const ascii = isAscii(bytes)
  const lines: TestedLine[] = []
  let number = before
  for (let start = 0; start < length;) {
    const end = all.indexOf('\n', start)
    const text = ascii ? all.slice(start, end) : decode(bytes.subarray(start, end))
    lines.push({ number: ++number, text: withoutReturn(text), isAscii: ascii, time: null, dateText: '' })
    start = end + 1
  }
  return lines
}

/** Lines given as a text. */
export function linesOfText(text: string): readonly TestedLine[] {
  return text
    .split('\n')
    .map((line, index) => ({ number: index + 1, text: withoutReturn(line), isAscii: false, time: null, dateText: '' }))
}

function withoutReturn(text: string): string {
  return text.endsWith('\r') ? text.replace(/\r+$/, '') : text
}

/** The lines of a log in UTF-16, in UTF-8. */
function* transcodedLines(path: string, encoding: WideEncoding): Generator<Buffer> {
  const fd = openLog(path)
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes)
    let decoder: TextDecoder | null = null
    let rest = ''
    for (let read = -1; read !== 0;) {
      read = readSync(fd, buffer, 0, buffer.length, null)
      decoder ??= wideDecoder(buffer.subarray(0, read), encoding)
      const text: string = rest + decoder.decode(buffer.subarray(0, read), { stream: read > 0 })
      const end = read === 0 ? text.length : text.lastIndexOf('\n') + 1
      rest = text.slice(end)
      if (rest.length > longestLine) throw new BailiffError('data', `${quote(path)} has a line of more than 64 MiB`)
      if (end > 0) yield Buffer.from(text.endsWith('\n', end) ? text.slice(0, end) : `${text}\n`)
    }
  } finally {
    if (fd !== 0) closeSync(fd)
  }
}

/** The bytes of a log in pieces of whole lines. A piece is gone when the next one is asked for. */
function* wholeLines(path: string): Generator<Buffer> {
  const fd = openLog(path)
  try {
    let [buffer, held] = [Buffer.allocUnsafe(chunkBytes), 0]
    for (let first = true; ; first = false) {
      if (held === longestLine) throw new BailiffError('data', `${quote(path)} has a line of more than 64 MiB`)
      if (held === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2)
      const read = readSync(fd, buffer, held, buffer.length - held, null)
      if (first) refuseCompressed(path, buffer.subarray(0, read))
      if (read === 0) {
        if (held > 0) yield Buffer.concat([buffer.subarray(0, held), Buffer.of(newline)])
        return
      }
      const length = held + read
      const end = buffer.lastIndexOf(newline, length - 1) + 1
      if (end > 0) yield buffer.subarray(0, end)
      buffer.copy(buffer, 0, end, length)
      held = length - end
    }
  } finally {
    if (fd !== 0) closeSync(fd)
  }
}
