/** Where the groups of a match begin and end so far. */

/** What was set at a moment. */
export interface KeptMarks {
  readonly last: number
  /** Null: only which marks were set is put back, not where they were. */
  readonly places: Int32Array | null
}

/**
 * The marks of a search: 2n-2 is where group n begins, 2n-1 where it ends. As in Python's engine a mark beyond the last
 * one that was set counts as not set, and going back makes an earlier one the last.
 */
export class GroupMarks {
  readonly #places: Int32Array
  #last = -1

  constructor(groups: number) {
    this.#places = new Int32Array(2 * groups)
  }

  clear(): void {
    this.#last = -1
  }

  set(mark: number, at: number): void {
    if (mark > this.#last) {
      this.#places.fill(-1, this.#last + 1, mark)
      this.#last = mark
    }
    this.#places[mark] = at
  }

  /** The place of a mark; -1: it is not set. */
  placeOf(mark: number): number {
    return mark > this.#last ? -1 : (this.#places[mark] ?? -1)
  }

  /** Whether a group has begun and ended, in this order. */
  isSet(group: number): boolean {
    const [start, end] = [this.placeOf(2 * group - 2), this.placeOf(2 * group - 1)]
    return start >= 0 && end >= start
  }

  keep(places: boolean): KeptMarks {
    return { last: this.#last, places: places && this.#last >= 0 ? this.#places.slice(0, this.#last + 1) : null }
  }

  restore({ last, places }: KeptMarks): void {
    this.#last = last
    if (places !== null) this.#places.set(places)
  }
}
