import { daySeconds } from '../dates/civil-days.ts'
import type { DateDetector } from '../dates/date-detector.ts'
import type { UsualDay } from '../dates/usual-dates.ts'
import type { LogLine } from './log-line.ts'
import type { Moment, TimeTrouble } from './moment.ts'
import { OddTimes } from './odd-times.ts'

/** A line, split, and when it was written. */
export interface DatedLine {
  readonly parts: LogLine
  /** Unix seconds; null: nobody knows. */
  readonly time: number | null
  /** The line itself has a date, or its source knows one. */
  readonly dated: boolean
  readonly trouble: TimeTrouble | null
  /** Where its time was not believed: how far ahead of now it was, seconds. */
  readonly ahead?: number
}

/** What is remembered from line to line: the last date, for lines without one. */
export interface LastDate {
  readonly time: number
  readonly text: string
}

/** A day, and which seconds of it. */
export interface QuietDay extends UsualDay {
  readonly from: number
  readonly to: number
}

/** A last date that is older says nothing of the next line. */
const lastDateSeconds = 60
/** Dates of new lines that are farther from now are not believed. */
const oddSeconds = 60
/** Up to so long ago it looks as if lines came late. */
const latencySeconds = 3300

/** Splits the date off each line and decides when the line was written. Lines must come in their order. */
export class LineDates {
  /** How many lines had no date, since this was made. */
  undated = 0
  readonly #detector: DateDetector
  readonly #odd: OddTimes
  /** NaN: there was none. */
  #lastTime = Number.NaN
  #lastText = ''
  #usualTime = 0

  /** `odd` hears of what `readUsual` finds odd; what `split` does it answers. */
  constructor(detector: DateDetector, odd = new OddTimes()) {
    this.#detector = detector
    this.#odd = odd
  }

  get last(): LastDate | null {
    return Number.isNaN(this.#lastTime) ? null : { time: this.#lastTime, text: this.#lastText }
  }

  set last(last: LastDate | null) {
    this.#lastTime = last?.time ?? Number.NaN
    this.#lastText = last?.text ?? ''
  }

  /** `old`, or `unreadable`: the line is passed over. `isAscii`: it holds ASCII alone; false: it need not. */
  split(line: string, moment: Moment, isAscii: boolean): DatedLine | 'old' | 'unreadable' {
    const found = moment.time === null ? this.#search(line, moment, isAscii) : this.#given(line, moment.time, moment)
    if (found === 'unreadable') return found
    const { time } = found
    if (moment.findtime === null || time === null) return found
    const trouble = troubleOf(time, moment)
    if (trouble === null) return found
    if (trouble === 'old') return trouble
    this.#lastTime = moment.now
    return { ...found, time: moment.now, trouble, ahead: Math.trunc(time - moment.now) }
  }

  /**
   * Does what `split` does with a line that begins at this place of a text, where its date is written as nearly all are,
   * and no source tells its time. Answers the length of the date; 0: nothing was done, and `split` is to be asked;
   * -1: the line is old.
   */
  readUsual(text: string, at: number, moment: Moment): number {
    const { now, findtime } = moment
    const length = this.#detector.readUsual(text, at, now)
    if (length === 0) return 0
    const { usual } = this.#detector
    this.#lastTime = this.#usualTime = usual.time
    this.#lastText = usual.text
    if (findtime === null) return length
    const trouble = troubleOf(usual.time, moment)
    if (trouble === null) return length
    this.#odd.note(trouble, Math.trunc(usual.time - now), () => text.slice(at, text.indexOf('\n', at)))
    if (trouble === 'old') return -1
    this.#lastTime = this.#usualTime = now
    return length
  }

  /**
   * The day of the line of `readUsual`, whose dates it would take without any trouble from one second of it to another,
   * both among them; null: it is not known.
   */
  usualDay({ now, findtime, inOperation }: Moment): QuietDay | null {
    const { usualDay: day } = this.#detector
    if (day === null) return null
    if (findtime === null) return { ...day, from: 0, to: daySeconds - 1 }
    const earliest = inOperation ? now - oddSeconds : now - findtime
    const latest = inOperation ? now + oddSeconds : Infinity
    const from = Math.max(0, Math.ceil(earliest - day.begins))
    const to = Math.min(daySeconds - 1, Math.floor(latest - day.begins))
    return from > to ? null : { ...day, from, to }
  }

  /** Notes lines that `readUsual` would have read, dated as `usualDay` has it, before one that it reads. */
  countUsual(lines: number, { now }: Moment): void {
    this.#detector.countUsual(lines, now)
  }

  /** When the line of `readUsual` was written, in unix seconds. */
  get usualTime(): number {
    return this.#usualTime
  }

  #given(line: string, time: number, { dateText = '' }: Moment): DatedLine {
    this.#remember(time, dateText)
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
    this.#remember(time, parts[1])
    return { parts, time, dated: true, trouble: null }
  }

  #undated(parts: LogLine, line: string, { now, inOperation, findtime }: Moment): DatedLine {
    this.undated++
    const last = this.#recent(now)
    if (last !== null) return { parts: ['', last.text, line], time: last.time, dated: false, trouble: null }
    return { parts, time: findtime !== null && inOperation ? now : null, dated: false, trouble: null }
  }

  #remember(time: number, text: string): void {
    this.#lastTime = time
    this.#lastText = text
  }

  #recent(now: number): LastDate | null {
    return this.#lastTime > now - lastDateSeconds ? this.last : null
  }
}

/** What is odd about a time where the age of lines is looked at; null: nothing. */
function troubleOf(time: number, { now, inOperation, findtime }: Moment): 'old' | 'late' | 'elsewhere' | null {
  if (!inOperation) return time < now - (findtime ?? Infinity) ? 'old' : null
  const off = Math.trunc(time - now)
  if (Math.abs(off) <= oddSeconds) return null
  return off < 0 && off >= -latencySeconds ? 'late' : 'elsewhere'
}
