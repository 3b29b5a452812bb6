/** Where the last date stood, and between which characters: the next one is looked for in the same columns. */
import type { DateText } from './date-expression.ts'
import { isAlphanumeric } from './python-text.ts'

/** What is remembered of a date, as plain data. */
export interface LastDateMemory {
  readonly start: number
  readonly end: number
  readonly around: readonly [before: string, first: string, last: string, after: string]
}

export class LastDate {
  /** Columns, in characters as Python counts them: a pair of surrogates is one. */
  start = 1
  end = Infinity
  #before = ''
  #first = ''
  #last = ''
  #after = ''

  get memory(): LastDateMemory {
    return { start: this.start, end: this.end, around: [this.#before, this.#first, this.#last, this.#after] }
  }

  set memory({ start, end, around }: LastDateMemory) {
    this.start = start
    this.end = end
    ;[this.#before, this.#first, this.#last, this.#after] = around
  }

  /** Remembers a date (places in UTF-16 units). False: it begins where the line ends, which stops Fail2ban. */
  remember({ line, isAscii }: DateText, start: number, end: number): boolean {
    const first = characterAt(line, start)
    if (first === '') return false
    this.start = isAscii ? start : columnOf(line, start)
    this.#before = characterBefore(line, start)
    this.#first = first
    this.end = isAscii ? end : columnOf(line, end)
    // In front of the first character Python finds the last one.
    this.#last = characterBefore(line, end === 0 ? line.length : end)
    this.#after = characterAt(line, end)
    return true
  }

  /** Remembers a date with which a line begins at a place of the text, of ASCII characters and with one behind it. */
  rememberFirst(text: string, at: number, length: number): void {
    this.start = 0
    this.end = length
    this.#before = ''
    this.#first = text.charAt(at)
    this.#last = text.charAt(at + length - 1)
    this.#after = text.charAt(at + length)
  }

  /**
   * The same columns of a line, in UTF-16 units; null: other characters stand around them. Characters inside may
   * speak for those outside if they are no letters and digits.
   */
  columnsIn({ line, isAscii }: DateText): { readonly from: number; readonly to: number } | null {
    const from = isAscii ? within(line, this.start) : unitOf(line, this.start)
    const to = isAscii ? within(line, this.end) : unitOf(line, this.end)
    const frontFits =
      at(characterBefore, line, from) === this.#before ||
      (at(characterAt, line, from) === this.#first && !isAlphanumeric(this.#first))
    if (!frontFits) return null
    const backFits =
      at(characterAt, line, to) === this.#after ||
      (at(characterBefore, line, to) === this.#last && !isAlphanumeric(this.#last))
    return backFits ? { from: from < 0 ? line.length : from, to: to < 0 ? line.length : to } : null
  }
}

/** How many characters are before a place. */
export function columnOf(line: string, unit: number): number {
  let column = unit
  for (let index = 1; index < unit; index++)
    if (isLow(line.charCodeAt(index)) && isHigh(line.charCodeAt(index - 1))) column--
  return column
}

function within(line: string, column: number): number {
  return column > line.length ? -1 : column
}

/** Where a column is; -1: the line is shorter. */
function unitOf(line: string, column: number): number {
  let unit = 0
  for (let left = column; left > 0; left--) {
    if (unit >= line.length) return -1
    unit += isHigh(line.charCodeAt(unit)) && isLow(line.charCodeAt(unit + 1)) ? 2 : 1
  }
  return unit
}

function at(read: (line: string, unit: number) => string, line: string, unit: number): string {
  return unit < 0 ? '' : read(line, unit)
}

function characterAt(line: string, unit: number): string {
  if (unit >= line.length) return ''
  return isHigh(line.charCodeAt(unit)) && isLow(line.charCodeAt(unit + 1))
    ? line.slice(unit, unit + 2)
    : line.charAt(unit)
}

function characterBefore(line: string, unit: number): string {
  if (unit <= 0) return ''
  const isPair = isLow(line.charCodeAt(unit - 1)) && isHigh(line.charCodeAt(unit - 2))
  return line.slice(unit - (isPair ? 2 : 1), unit)
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000
}
