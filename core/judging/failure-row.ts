import { keyWords, type RowPage } from './keyed-rows.ts'

/** Behind the key: two doubles, of which the second is the excerpt pointer, and the number of times. */
const baseDouble = keyWords / 2
const excerptDouble = baseDouble + 1
/** Never more than 2³¹. */
export const countWord = keyWords + 4
const timesWord = countWord + 1
/** Where the window is no longer (24 days), the times of a row are 32 bits from a base that is so long before the first. */
const halfSpan = 2 ** 31
const span = 2 ** 32

/**
 * The failures of one address as they lie in a row: their times, ascending and exact to the millisecond, and the excerpt
 * pointer. This looks at one row after the other (`place`), for an object for each would cost more than the row.
 */
export class FailureRow {
  /** Times as doubles, where the window is too long for less. */
  readonly #wide: boolean
  /** The page of the row, which begins at `at` with the key of the address. */
  words: Uint32Array = new Uint32Array(0)
  at = 0
  /** Times that there is room for. */
  room = 0
  #doubles: Float64Array = new Float64Array(0)

  constructor(findtimeMs: number) {
    this.#wide = findtimeMs > halfSpan
  }

  /** Words of a row with room for so many times, an even number. */
  width(room: number): number {
    const words = timesWord + (this.#wide ? 1 + 2 * room : room)
    return words + (words % 2)
  }

  place(page: RowPage, at: number, room: number): this {
    this.words = page.words
    this.#doubles = page.doubles
    this.at = at
    this.room = room
    return this
  }

  get count(): number {
    return this.words[this.at + countWord] ?? 0
  }

  /** The latest time. */
  get last(): number {
    return this.time(this.count - 1)
  }

  get excerpt(): number {
    return this.#doubles[(this.at >> 1) + excerptDouble] ?? 0
  }

  set excerpt(pointer: number) {
    this.#doubles[(this.at >> 1) + excerptDouble] = pointer
  }

  time(index: number): number {
    if (this.#wide) return this.#doubles[((this.at + timesWord + 1) >> 1) + index] ?? 0
    return (this.#doubles[(this.at >> 1) + baseDouble] ?? 0) + (this.words[this.at + timesWord + index] ?? 0)
  }

  /** How many times are `since` or later. */
  countSince(since: number): number {
    const count = this.count
    if (this.time(0) >= since) return count
    let before = 0
    for (let end = count; before < end;) {
      const middle = (before + end) >> 1
      if (this.time(middle) < since) before = middle + 1
      else end = middle
    }
    return count - before
  }

  /** Drops all times but the last ones. */
  keepLast(kept: number): void {
    const count = this.count
    if (kept === count) return
    this.#move(count - kept, count, 0)
    this.words[this.at + countWord] = kept
  }

  /**
   * Makes sure that the row's base is one from which the time fits. What does not fit any more lies further before the
   * latest failure than any window: it counts no more. False: the time is such a one itself.
   */
  reach(time: number): boolean {
    if (this.#wide) return true
    const base = (this.at >> 1) + baseDouble
    if (this.count === 0) this.#doubles[base] = Math.floor(time) - halfSpan
    const behind = time - (this.#doubles[base] ?? 0)
    return behind < span ? behind >= 0 : this.#rebase(time, base)
  }

  #rebase(time: number, base: number): boolean {
    const moved = Math.floor(time) - halfSpan - (this.#doubles[base] ?? 0)
    this.keepLast(this.countSince((this.#doubles[base] ?? 0) + moved))
    const first = this.at + timesWord
    for (let word = first; word < first + this.count; word++) this.words[word] = (this.words[word] ?? 0) - moved
    this.#doubles[base] = (this.#doubles[base] ?? 0) + moved
    return true
  }

  /** Takes up a time that it reaches, so many times; of more than `most` times it keeps the latest. There has to be room for them. */
  insert(time: number, times: number, most: number): void {
    const count = this.count
    if (times > 1 || count === most || (count > 0 && this.time(count - 1) > time)) {
      this.#insertAmong(time, times, most)
      return
    }
    this.#setTime(count, time)
    this.words[this.at + countWord] = count + 1
  }

  #insertAmong(time: number, times: number, most: number): void {
    const count = this.count
    let index = count
    while (index > 0 && this.time(index - 1) > time) index--
    const tooMany = Math.max(0, count + times - most)
    const dropped = Math.min(tooMany, index)
    const added = times - (tooMany - dropped)
    const from = index - dropped
    if (index < count) this.#move(index, count, from + added)
    if (dropped > 0) this.#move(dropped, index, 0)
    for (let to = from; to < from + added; to++) this.#setTime(to, time)
    this.words[this.at + countWord] = count - dropped + added
  }

  #setTime(index: number, time: number): void {
    if (this.#wide) this.#doubles[((this.at + timesWord + 1) >> 1) + index] = time
    else this.words[this.at + timesWord + index] = time - (this.#doubles[(this.at >> 1) + baseDouble] ?? 0)
  }

  #move(start: number, end: number, to: number): void {
    const each = this.#wide ? 2 : 1
    const first = this.at + timesWord + (this.#wide ? 1 : 0)
    this.words.copyWithin(first + to * each, first + start * each, first + end * each)
  }
}
