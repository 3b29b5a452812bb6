import type { WantedLine } from '../blocks/block-kernel.ts'
import type { NamedSpans } from '../regex/python-pattern.ts'
import type { BlockReading } from './block-lines.ts'
import type { LineDates } from './line-dates.ts'
import type { LineHit } from './line-hit.ts'
import type { Moment } from './moment.ts'
import type { SingleLines } from './single-lines.ts'

/** What a filter does with a line. */
export interface LineSearch {
  readonly dates: LineDates
  /** Null: lines are not looked at one by one. */
  readonly single: SingleLines | null
  /** All that is to be found in a line. */
  find(line: string, moment: Moment, isAscii: boolean): readonly LineHit[]
  /** The same, where the date has this length and is known to be of this time. */
  findBehind(line: string, dateLength: number, time: number, moment: Moment): readonly LineHit[]
}

/** Looks for the hits of single lines of a block, with their dates. The line gets a text of its own. */
export class LineLook {
  readonly #search: LineSearch

  constructor(search: LineSearch) {
    this.#search = search
  }

  /** A line in any bytes, up to its newline. */
  at(bytes: Buffer, start: number, newline: number, reading: BlockReading): void {
    try {
      this.#find(reading.decode(bytes.subarray(start, newline)), start, newline, false, reading)
    } catch (error) {
      tell(error, start, newline, reading)
    }
  }

  /** A line in ASCII. */
  atAscii(bytes: Buffer, start: number, newline: number, reading: BlockReading): void {
    try {
      this.#look(bytes.toString('latin1', start, newline + 1), start, newline, reading)
    } catch (error) {
      tell(error, start, newline, reading)
    }
  }

  /** A line in ASCII that the kernel wants looked at, in a text that begins there, and its time. Its date is not read, nor noted. */
  atDated(bytes: Buffer, textAt: number, wanted: WantedLine, time: number, reading: BlockReading): void {
    const [start, newline] = [textAt + wanted.start, textAt + wanted.newline]
    try {
      const line = bytes.toString('latin1', start, newline + 1)
      const end = bytes[newline - 1] === carriageReturn ? endOf(line, 0, line.length - 1) : line.length - 1
      this.#lookBehind(line, end, { length: wanted.dateLength, time, front: wanted.front }, start, newline, reading)
    } catch (error) {
      tell(error, start, newline, reading)
    }
  }

  #look(line: string, start: number, newline: number, reading: BlockReading): void {
    const { dates, single } = this.#search
    const length = single === null ? 0 : dates.readUsual(line, 0, reading.moment)
    const end = endOf(line, 0, line.length - 1)
    if (length === 0) return this.#find(line.slice(0, end), start, newline, true, reading)
    if (length > 0) this.#lookBehind(line, end, { length, time: dates.usualTime, front: null }, start, newline, reading)
  }

  /** Looks at what is behind the date of a line, up to `end`; newlines are behind it. */
  #lookBehind(line: string, end: number, date: ReadDate, start: number, newline: number, reading: BlockReading): void {
    reading.begins?.(start, newline + 1)
    const { length, time, front } = date
    const rest = end === line.length - 1 ? line.slice(length) : `${line.slice(length, end)}\n`
    const hit = this.#search.single?.findDated(rest, reading.sessions ?? null, front) ?? null
    if (hit === null) return
    const whole = line.slice(0, end)
    if (hit === 'other') {
      for (const one of this.#search.findBehind(whole, length, time, reading.moment))
        reading.found(one, start, newline + 1)
    } else if ('read' in hit) reading.sessions?.open(hit.session, () => ({ ...hit.read(), time, lines: [whole] }))
    else reading.found({ rule: hit.rule, time, groups: hit.groups, lines: [whole] }, start, newline + 1)
  }

  #find(text: string, start: number, newline: number, isAscii: boolean, reading: BlockReading): void {
    reading.begins?.(start, newline + 1)
    const line = text.slice(0, endOf(text, 0, text.length))
    for (const hit of this.#search.find(line, reading.moment, isAscii)) reading.found(hit, start, newline + 1)
  }
}

/** The date of a line that was read: its length and time, and what stands behind it before the content; null: nobody knows. */
interface ReadDate {
  readonly length: number
  readonly time: number
  readonly front: NamedSpans | null
}

/** Where the line ends that stands before this newline: before returns. */
export function endOf(text: string, at: number, newline: number): number {
  let end = newline
  while (end > at && text.charCodeAt(end - 1) === carriageReturn) end--
  return end
}

const carriageReturn = 13

function tell(error: unknown, start: number, newline: number, { failed }: BlockReading): void {
  if (failed === undefined) throw error
  failed(error, start, newline + 1)
}
