/**
 * What stands before the message of a line: the date and the header of syslog.
 */
import { isAscii } from 'node:buffer'
import type { DateReading, LineBlock, LineHead } from '../plugin.ts'
import { eachLine } from './block-lines.ts'
import { createDateReader, type DateReader } from './date-reading.ts'
import { beginsWithVersion, SyslogHeaderReader } from './syslog-header.ts'
import { behindBlanks, brace, closing } from './timestamp-text.ts'

/** Where the thread notes which line is being matched, for one who waits: see `ProgressCell` in messages.ts. */
export interface LineProgress {
  /** Offsets into the chunk: first byte of the line, and the first byte behind its newline. */
  line(start: number, end: number): void
}

/** Makes blocks of whole lines for the matchers. One a thread. */
export class LineReader {
  readonly #timestamps: DateReader
  /** Whether the time of JSON may be read when it is asked for: nothing is cut out of it. */
  readonly #jsonLate: boolean
  readonly #headers = new SyslogHeaderReader()
  /** The date that was asked for last, and what it is. */
  #field: string | null = null
  #fieldTime: number | null = null

  /** `dates`: how they are read; null: as usual. Throws a BailiffError for an unknown zone. */
  constructor(dates: DateReading | null = null) {
    this.#timestamps = createDateReader(dates)
    this.#jsonLate = (dates?.patterns ?? null) === null
  }

  /** Sets the time that decides the year of dates without one. */
  set reference(time: number) {
    this.#timestamps.reference = time
    this.#field = null
  }

  /** The time that the text of a field tells, which is all of it; null for none. */
  fieldTime(text: string): number | null {
    if (text.length > longestField) return null
    // Lines that follow one another often have the same date.
    if (text !== this.#field) [this.#fieldTime, this.#field] = [this.#readField(text), text]
    return this.#fieldTime
  }

  #readField(text: string): number | null {
    const dates = this.#timestamps
    // What the configuration says of dates comes first.
    if (!this.#jsonLate && dates.read(text, 0, text.length, isAscii(Buffer.from(text))) >= 0) return dates.time
    return dates.value(text)
  }

  /**
   * A block of the bytes, which end with a newline; `base` is where it begins in its chunk. The text may be given as
   * a function that makes it: then it is made when somebody asks for it.
   */
  block(bytes: Buffer, text: string | (() => string), base: number, progress?: LineProgress): LineBlock {
    let whole = typeof text === 'string' ? text : null
    const wholeText = () => (whole ??= typeof text === 'string' ? text : text())
    let allAscii: boolean | null = null
    const head = (start: number, end: number): LineHead => {
      progress?.line(base + start, base + end + 1)
      const stop = end > start && bytes[end - 1] === carriageReturn ? end - 1 : end
      // Without a text few lines are asked for: each is looked at alone.
      if (whole !== null && (allAscii ??= isAscii(bytes))) return this.#head(whole, start, stop, true)
      const own = bytes.subarray(start, stop)
      if (isAscii(own)) {
        return whole === null
          ? this.#head(own.toString('latin1'), 0, own.length, true)
          : this.#head(whole, start, stop, true)
      }
      const line = own.toString('utf8')
      // Some editors begin a file with a byte order mark, which is no part of its first line.
      return this.#head(line, line.charCodeAt(0) === byteOrderMark ? 1 : 0, line.length, false)
    }
    return {
      bytes,
      get text(): string {
        return wholeText()
      },
      head,
      isSteady: (time) => this.#timestamps.isSteady(time),
      lines: (search, found) => eachLine(wholeText(), search, found),
    }
  }

  /** How people would draw the date of a line of the block, or the pattern that found it; null where it has none. */
  dateForm(block: LineBlock, start: number, end: number): string | null {
    return block.head(start, end).time === null ? null : this.#timestamps.form
  }

  #head(text: string, start: number, end: number, ascii: boolean): LineHead {
    const dates = this.#timestamps
    // Who reads the fields of a line knows which one is its time.
    if (this.#jsonLate && text.charCodeAt(start) === brace) return new LateHead(text, start, end, ascii, dates)
    if (dates.read(text, start, end, ascii) < 0) return new Head(text, start, start, start, end, ascii, null, null)
    const { from, time, heads } = dates
    // Behind a date in brackets nothing is cut off: `[] text` is what patterns see.
    const to = text.charCodeAt(dates.to) === closing ? dates.to : behindBlanks(text, dates.to, end)
    return new Head(text, start, from, to, end, ascii, time, heads ? this.#header(text, start, to, end) : null)
  }

  #header(text: string, start: number, at: number, end: number): LineHead['syslog'] {
    return beginsWithVersion(text, start) ? this.#headers.readFields(text, at, end) : this.#headers.read(text, at, end)
  }
}

/** The readers of a thread, one for each way to read dates that the configuration asks for. */
export class LineReaders {
  readonly #readers = new WeakMap<DateReading, LineReader>()
  readonly #usual = new LineReader()
  #reference = 0

  /** Sets the time that decides the year of dates without one. */
  set reference(time: number) {
    this.#reference = time
  }

  for(dates: DateReading | null): LineReader {
    const reader = dates === null ? this.#usual : this.#other(dates)
    reader.reference = this.#reference
    return reader
  }

  #other(dates: DateReading): LineReader {
    const reader = this.#readers.get(dates) ?? new LineReader(dates)
    this.#readers.set(dates, reader)
    return reader
  }
}

/** The head of a line. Texts are cut out when they are asked for: most lines need only the message. */
class Head implements LineHead {
  readonly ascii: boolean
  readonly time: number | null
  readonly syslog: LineHead['syslog']
  readonly #text: string
  readonly #start: number
  readonly #dateStart: number
  readonly #dateEnd: number
  readonly #end: number

  constructor(
    text: string,
    start: number,
    dateStart: number,
    dateEnd: number,
    end: number,
    ascii: boolean,
    time: number | null,
    syslog: LineHead['syslog'],
  ) {
    this.#text = text
    this.#start = start
    this.#dateStart = dateStart
    this.#dateEnd = dateEnd
    this.#end = end
    this.ascii = ascii
    this.time = time
    this.syslog = syslog
  }

  get line(): string {
    return this.#text.slice(this.#start, this.#end)
  }

  get undated(): string {
    const rest = this.#text.slice(this.#dateEnd, this.#end)
    return this.#dateStart === this.#start ? rest : this.#text.slice(this.#start, this.#dateStart) + rest
  }
}

/** The head of a line of JSON, whose time is read when it is asked for. */
class LateHead implements LineHead {
  readonly line: string
  readonly undated: string
  readonly ascii: boolean
  readonly syslog = null
  readonly #dates: DateReader
  #time: number | null | undefined

  constructor(text: string, start: number, end: number, ascii: boolean, dates: DateReader) {
    this.line = text.slice(start, end)
    this.undated = this.line
    this.ascii = ascii
    this.#dates = dates
  }

  get time(): number | null {
    if (this.#time !== undefined) return this.#time
    this.#time = this.#dates.read(this.line, 0, this.line.length, this.ascii) < 0 ? null : this.#dates.time
    return this.#time
  }
}

/** No date is longer. */
const longestField = 64
const byteOrderMark = 0xfeff
const carriageReturn = 0x0d
