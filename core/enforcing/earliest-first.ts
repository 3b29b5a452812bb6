/** The columns that the order needs: what rows are ordered by, and a column of its own to note where a row stands. */
export interface Ordered {
  readonly until: Float64Array
  readonly place: Uint32Array
}

/** Rows in the order of their `until`: a binary heap. Adding, moving and removing take O(log n) steps. */
export class EarliestFirst {
  readonly #columns: Ordered
  /** From 1; a row whose place is 0 is not in it. */
  #rows = new Uint32Array(256)
  #size = 0

  constructor(columns: Ordered) {
    this.#columns = columns
  }

  /** The row that ends first; undefined where there is none. */
  get first(): number | undefined {
    return this.#size === 0 ? undefined : this.#rows[1]
  }

  /** Adds a row, or finds its new place after its `until` has changed. */
  put(row: number): void {
    let place = this.#columns.place[row] ?? 0
    if (place === 0) {
      place = ++this.#size
      if (place === this.#rows.length) {
        const larger = new Uint32Array(place * 2)
        larger.set(this.#rows)
        this.#rows = larger
      }
      this.#set(place, row)
    }
    this.#down(this.#up(place))
  }

  /** Takes a row out; one that is not in it is no error. */
  remove(row: number): void {
    const place = this.#columns.place[row] ?? 0
    if (place === 0) return
    this.#columns.place[row] = 0
    const last = this.#rows[this.#size--] ?? 0
    if (last === row) return
    this.#set(place, last)
    this.#down(this.#up(place))
  }

  #up(place: number): number {
    for (let at = place; ; at >>= 1) {
      if (at === 1 || this.#end(at >> 1) <= this.#end(at)) return at
      this.#swap(at, at >> 1)
    }
  }

  #down(place: number): void {
    for (let at = place; ;) {
      let least = 2 * at
      if (least > this.#size) return
      if (least < this.#size && this.#end(least + 1) < this.#end(least)) least++
      if (this.#end(at) <= this.#end(least)) return
      this.#swap(at, least)
      at = least
    }
  }

  #end(place: number): number {
    return this.#columns.until[this.#rows[place] ?? 0] ?? Infinity
  }

  #swap(one: number, other: number): void {
    const row = this.#rows[one] ?? 0
    this.#set(one, this.#rows[other] ?? 0)
    this.#set(other, row)
  }

  #set(place: number, row: number): void {
    this.#rows[place] = row
    this.#columns.place[row] = place
  }
}
