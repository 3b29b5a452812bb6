/**
 * Large blocks of a log: a kernel in WebAssembly goes over lines of the same day and says which are worth a look. It stops at
 * all that is not usual, which is looked at as in small blocks. So dates are found, counted and remembered as if each line had
 * been looked at.
 */
import { isAscii } from 'node:buffer'
import type { BlockKernel } from '../blocks/block-kernel.ts'
import { isComment, type BlockReading, type KnownSessions, type LogBlock } from './block-lines.ts'
import type { LineDates, QuietDay } from './line-dates.ts'
import type { LineLook, LineSearch } from './line-look.ts'
import type { Moment } from './moment.ts'

/** What looks at lines that the kernel does not go over. */
export interface SlowWays {
  readonly look: LineLook
  /** Looks at all lines of a block; answers how many. */
  scan(block: LogBlock, reading: BlockReading): number
}

export class FastBlocks {
  readonly #kernel: BlockKernel
  readonly #dates: LineDates
  readonly #hasOneSession: boolean
  readonly #isSingle: boolean
  readonly #slow: SlowWays

  constructor(kernel: BlockKernel, { dates, single }: LineSearch, slow: SlowWays) {
    this.#kernel = kernel
    this.#dates = dates
    this.#hasOneSession = single?.hasOneSession === true
    this.#isSingle = single !== null
    this.#slow = slow
  }

  scan(block: LogBlock, reading: BlockReading): number {
    const { bytes, start, end } = block
    let lines = 0
    for (let from = start; from < end;) {
      const length = this.#kernel.put(bytes.subarray(from, end))
      const to = length > 0 ? from + length : bytes.indexOf(newlineByte, from) + 1
      const part = new BlockPart(block, from, to)
      lines += length > 0 ? this.#scanPart(part, reading) : this.#slow.scan(part, reading)
      from = to
    }
    return lines
  }

  #scanPart(part: BlockPart, reading: BlockReading): number {
    const { bytes, start, end } = part
    const { moment, sessions = null } = reading
    const marked = new MarkedSessions(this.#kernel, this.#hasOneSession ? sessions : null)
    const heard = marked.heard(reading)
    let [lines, undated] = [0, 0]
    for (let at = start; at < end;) {
      const day = this.#dates.usualDay(moment)
      if (day === null && ++undated > mostUndated) return lines + this.#slow.scan(part.from(at), reading)
      if (day !== null) {
        marked.refresh()
        const { over, next } = this.#run(part, at, day, marked.isMarked, reading)
        if (over > 0) undated = 0
        lines += over
        at = next
        if (at === end) break
      }
      const newline = bytes.indexOf(newlineByte, at)
      if (this.#lookOdd(bytes, at, newline, heard)) lines++
      at = newline + 1
    }
    return lines
  }

  /** Goes over lines from a place on; answers how many, and where the next one begins, which is odd if there is one. */
  #run(part: BlockPart, at: number, day: QuietDay, isMarked: boolean, reading: BlockReading) {
    const { bytes, start } = part
    const { look } = this.#slow
    let [looked, lookedAt] = [0, -1]
    const { lines, last, end } = this.#kernel.run(at - start, day, isMarked, (line) => {
      if (this.#isSingle) return look.atDated(bytes, start, line, day.begins + line.clock, reading)
      looked++
      lookedAt = line.start
      look.atAscii(bytes, start + line.start, start + line.newline, reading)
    })
    if (lines > looked) this.#noteDates(bytes, start + last, lines - looked, lookedAt !== last, reading.moment)
    return { over: lines, next: start + end }
  }

  /** Notes the dates of lines that nobody has read; `reads`: the last of them is the last line. */
  #noteDates(bytes: Buffer, last: number, unread: number, reads: boolean, moment: Moment): void {
    this.#dates.countUsual(reads ? unread - 1 : unread, moment)
    if (reads) this.#dates.readUsual(bytes.toString('latin1', last, last + longestUsual), 0, moment)
  }

  /** A line that the kernel takes for odd, which may have any hit. False: it is not looked at. */
  #lookOdd(bytes: Buffer, at: number, newline: number, reading: BlockReading): boolean {
    const { look } = this.#slow
    const line = bytes.subarray(at, newline)
    if (reading.withoutComments === true && isComment(line.toString('latin1'), 0, line.length)) return false
    if (isAscii(line)) look.atAscii(bytes, at, newline, reading)
    else look.at(bytes, at, newline, reading)
    return true
  }
}

/** Lines without a usual date, one behind the other, after which the kernel is not asked any more in a part of a block. */
const mostUndated = 16
/** More than a usual date and the two characters behind it. */
const longestUsual = 40
const newlineByte = 10

/** Lines of a block. */
class BlockPart implements LogBlock {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly #block: LogBlock

  constructor(block: LogBlock, start: number, end: number) {
    this.#block = block
    this.bytes = block.bytes
    this.start = start
    this.end = end
  }

  get text(): string {
    return this.#block.text
  }

  from(start: number): BlockPart {
    return new BlockPart(this.#block, start, this.end)
  }
}

/** Tells the kernel of the sessions that are remembered. It knows itself of those that lines make which it wants looked at. */
class MarkedSessions {
  readonly isMarked: boolean
  readonly #kernel: BlockKernel
  readonly #sessions: KnownSessions | null
  #isStale = true

  constructor(kernel: BlockKernel, sessions: KnownSessions | null) {
    this.#kernel = kernel
    this.#sessions = sessions
    this.isMarked = sessions !== null
  }

  /** The same reading, of lines that the kernel knows nothing of. */
  heard(reading: BlockReading): BlockReading {
    const found: BlockReading['found'] = (hit, start, end) => {
      this.#isStale = true
      reading.found(hit, start, end)
    }
    const { sessions } = reading
    if (sessions === undefined) return { ...reading, found }
    const open: KnownSessions['open'] = (session, line) => {
      this.#isStale = true
      sessions.open(session, line)
    }
    return { ...reading, found, sessions: { ...sessions, open } }
  }

  refresh(): void {
    if (this.#isStale && this.#sessions !== null) this.#kernel.mark(this.#sessions.keys())
    this.#isStale = false
  }
}
