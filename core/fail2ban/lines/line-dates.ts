import type { DateDetector } from '../dates/date-detector.ts'
import type { LogLine } from './log-line.ts'
import type { Moment, TimeTrouble } from './moment.ts'

/** A line, split, and when it was written. */
export interface DatedLine {
  readonly parts: LogLine
  /** Unix seconds; null: nobody knows. */
  readonly time: number | null
  /** The line itself has a date, or its source knows one. */
  readonly dated: boolean
  readonly trouble: TimeTrouble | null
}

/** What is remembered from line to line: the last date, for lines without one. */
export interface LastDate {
  readonly time: number
  readonly text: string
}

/** A last date that is older says nothing of the next line. */
const lastDateSeconds = 60
/** Dates of new lines that are farther from now are not believed. */
const oddSeconds = 60
/** Up to so long ago it looks as if lines came late. */
const latencySeconds = 3300

/** Splits the date off each line and decides when the line was written. Lines must come in their order. */
export class LineDates {
  last: LastDate | null = null
  /** How many lines had no date, since this was made. */
  undated = 0
  readonly #detector: DateDetector

  constructor(detector: DateDetector) {
    this.#detector = detector
  }

  /** `old`, or `unreadable`: the line is passed over. `isAscii`: it holds ASCII alone; false: it need not. */
  split(line: string, moment: Moment, isAscii: boolean): DatedLine | 'old' | 'unreadable' {
    const found = moment.time === null ? this.#search(line, moment, isAscii) : this.#given(line, moment.time, moment)
    if (found === 'unreadable') return found
    const { time } = found
    if (moment.findtime === null || time === null) return found
    if (!moment.inOperation) return time < moment.now - moment.findtime ? 'old' : found
    const off = Math.trunc(time - moment.now)
    if (Math.abs(off) <= oddSeconds) return found
    this.last = { time: moment.now, text: this.last?.text ?? '' }
    return { ...found, time: moment.now, trouble: off < 0 && off >= -latencySeconds ? 'latency' : 'timezone' }
  }

  #given(line: string, time: number, { dateText = '' }: Moment): DatedLine {
    this.last = { time, text: dateText }
    return { parts: ['', dateText, line], time, dated: true, trouble: null }
  }

  #search(line: string, moment: Moment, isAscii: boolean): DatedLine | 'unreadable' {
    const found = this.#detector.find(line, moment.now, isAscii)
    if (found === null) return this.#undated(['', '', line], line, moment)
    if (found.fails) return 'unreadable'
    const { start, end, time } = found
    const parts: LogLine = [line.slice(0, start), line.slice(start, end), line.slice(end)]
    if (start === end) {
      // The pattern says that there need not be a date.
      const last = this.#recent(moment.now)
      if (last === null) return { parts, time: moment.now, dated: true, trouble: null }
      return { parts: ['', last.text, line], time: last.time, dated: true, trouble: null }
    }
    if (time === null) return this.#undated(parts, line, moment)
    this.last = { time, text: parts[1] }
    return { parts, time, dated: true, trouble: null }
  }

  #undated(parts: LogLine, line: string, { now, inOperation, findtime }: Moment): DatedLine {
    this.undated++
    const last = this.#recent(now)
    if (last !== null) return { parts: ['', last.text, line], time: last.time, dated: false, trouble: null }
    return { parts, time: findtime !== null && inOperation ? now : null, dated: false, trouble: null }
  }

  #recent(now: number): LastDate | null {
    return this.last !== null && this.last.time > now - lastDateSeconds ? this.last : null
  }
}
