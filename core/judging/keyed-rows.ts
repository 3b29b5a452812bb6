import { RowIndex, mostRows } from './row-index.ts'

/** Four words that stand for an address, or for another id. */
export type Key = Uint32Array

/** Words of a key, the first of every row. */
export const keyWords = 4
/** Small enough that an idle table costs little, and large enough that ten million rows are some thousand pages. */
const pageBytes = 65_536

/** Some rows, one behind the other; both views are of the same memory. */
export interface RowPage {
  readonly words: Uint32Array
  readonly doubles: Float64Array
}

/**
 * Rows of words, each of which begins with its key, dense and numbered from 0 on; what stands behind the key is their
 * owner's. All of a row lies together: to count a failure touches two places of memory, the index and the row.
 *
 * Memory comes and goes by pages, and the index grows a few slots with every call, so no call ever copies a table:
 * with ten million rows none takes longer than some milliseconds.
 */
export class KeyedRows {
  /** Words of a row. */
  readonly width: number
  readonly #bits: number
  readonly #mask: number
  #pages: RowPage[] = []
  readonly #index: RowIndex
  #size = 0

  /** `width`: words of a row with its key, an even number. */
  constructor(width: number) {
    this.width = width
    this.#bits = Math.max(0, Math.floor(Math.log2(pageBytes / (width * 4))))
    this.#mask = 2 ** this.#bits - 1
    this.#index = new RowIndex((row) => this.page(row).words, width, this.#mask)
  }

  /** The same rows, in memory of their own. */
  copy(): KeyedRows {
    const copy = new KeyedRows(this.width)
    copy.#size = this.#size
    copy.#pages = this.#pages.map(({ words }) => pageOf(words.slice().buffer))
    copy.#index.takeOver(this.#index)
    return copy
  }

  /** Rows now. */
  get size(): number {
    return this.#size
  }

  /** Bytes taken by rows, those of which there is room for too, and by the index. */
  get bytes(): number {
    return this.#pages.length * (this.#mask + 1) * this.width * 4 + this.#index.bytes
  }

  /** Where a row is. */
  page(row: number): RowPage {
    const page = this.#pages[row >>> this.#bits]
    if (page === undefined) throw new Error(`there is no row ${row}`)
    return page
  }

  /** The word in its page at which a row begins; its double is at half of it. */
  at(row: number): number {
    return (row & this.#mask) * this.width
  }

  /** The row of a key; -1 where it has none. */
  find(key: Key): number {
    return this.#index.find(key)
  }

  /** The row of a new key: the last one, with zeros behind the key. There are never more than `mostRows`. */
  append(key: Key): number {
    if (this.#size === mostRows) throw new Error(`there is no room for more than ${mostRows} rows`)
    const row = this.#size++
    if (row >>> this.#bits === this.#pages.length) this.#pages.push(newPage((this.#mask + 1) * this.width))
    this.#begin(row, key)
    return row
  }

  /** Removes a row and gives its place to that of a new key, with zeros behind it. */
  replace(row: number, key: Key): void {
    this.#index.unlink(row)
    this.#begin(row, key)
  }

  /** Removes a row. The last one takes its place. */
  remove(row: number): void {
    const last = this.#size - 1
    this.#index.unlink(row)
    if (row !== last) {
      this.#index.renumber(last, row)
      const [to, toWords] = [this.at(row), this.page(row).words]
      const [from, fromWords] = [this.at(last), this.page(last).words]
      // A loop: a view of the row, to copy it at once, takes longer to make.
      for (let word = 0; word < this.width; word++) toWords[to + word] = fromWords[from + word] ?? 0
    }
    this.#size = last
    // One page more than needed is kept, so that a size that goes up and down takes and gives no memory.
    if (this.#pages.length > (last >>> this.#bits) + 2) this.#pages.pop()
  }

  /** A little of the work that growing and shrinking left. To be called now and then, beside `append` and `remove`. */
  tend(): void {
    this.#index.tend()
  }

  #begin(row: number, key: Key): void {
    const { words } = this.page(row)
    const at = this.at(row)
    for (let word = 0; word < keyWords; word++) words[at + word] = key[word] ?? 0
    for (let word = at + keyWords; word < at + this.width; word++) words[word] = 0
    this.#index.link(row)
  }
}

function newPage(length: number): RowPage {
  return pageOf(new ArrayBuffer(length * 4))
}

function pageOf(memory: ArrayBuffer): RowPage {
  return { words: new Uint32Array(memory), doubles: new Float64Array(memory) }
}
