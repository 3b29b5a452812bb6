import { LineReader } from '../matching/lines.ts'
import type { DateReading } from '../plugin.ts'

/** Forms that are counted apart; a log has few, and each pattern of a configuration is one. */
const maxForms = 100

/** Which forms of dates the lines of logs have. */
export class DateForms {
  readonly #reader: LineReader
  readonly #counts = new Map<string | null, number>()

  constructor(dates: DateReading | null) {
    this.#reader = new LineReader(dates)
    this.#reader.reference = Date.now()
  }

  /** The form of the date of the line at `offset`; null where it has none. */
  at(bytes: Buffer, offset: number): string | null {
    const end = bytes.indexOf(newline, offset)
    const line = bytes.subarray(offset, end < 0 ? bytes.length : end + 1)
    return this.#formOf(line, line.toString('latin1'), 0, end < 0 ? line.length : line.length - 1)
  }

  /** Counts the lines, each with its newline. */
  count(lines: Buffer): void {
    const text = lines.toString('latin1')
    for (let start = 0; start < text.length;) {
      const end = text.indexOf('\n', start)
      if (end < 0) return
      const form = this.#formOf(lines, text, start, end)
      const known = this.#counts.get(form)
      if (known !== undefined || this.#counts.size < maxForms) this.#counts.set(form, (known ?? 0) + 1)
      start = end + 1
    }
  }

  /** How many lines have each form, the most first. */
  rows(): [count: number, form: string][] {
    return [...this.#counts].toSorted(([, a], [, b]) => b - a).map(([form, count]) => [count, form ?? 'none'])
  }

  #formOf(bytes: Buffer, text: string, start: number, end: number): string | null {
    return this.#reader.dateForm(this.#reader.block(bytes, text, 0), start, end)
  }
}

const newline = 10
