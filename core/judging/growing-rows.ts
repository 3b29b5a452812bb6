import { FailureRow, countWord } from './failure-row.ts'
import { KeyedRows, keyWords, type Key } from './keyed-rows.ts'

/** Times that the row of an address has room for at first. */
const leastRoom = 8
/** With the number of a larger size added, this stands in place of the number of times: they are in a row of that size. */
const grown = 2 ** 31
/** The share of the index, at most. */
const indexBytes = 16
/** Rows compared when one must be given up. */
export const evictionCandidates = 16

/** Rows with room for so many times each. */
interface Size {
  readonly rows: KeyedRows
  readonly room: number
}

/**
 * Rows of failures by address, each as large as it has to be: it has room for eight times at first, and whenever it is
 * full for twice as many, up to `maxretry`.
 *
 * Every address has a row of the least size, and by these they are numbered. One that outgrew it has its failures in a
 * row of a larger size, which is found by its key again: no row has to know where another one lies.
 */
export class GrowingRows {
  readonly #maxretry: number
  readonly #findtimeMs: number
  readonly #failures: FailureRow
  readonly #leastRoom: number
  readonly #leastWidth: number
  #rows: KeyedRows
  #larger: Size[] = []
  #largerBytes = 0
  /** Where the next search among larger rows begins. */
  #largerHand = 0
  readonly #key: Key = new Uint32Array(keyWords)
  readonly #open = (row: number) => this.open(row)

  constructor(maxretry: number, findtimeMs: number) {
    this.#maxretry = maxretry
    this.#findtimeMs = findtimeMs
    this.#failures = new FailureRow(findtimeMs)
    this.#leastRoom = Math.min(leastRoom, maxretry)
    this.#leastWidth = this.#failures.width(this.#leastRoom)
    this.#rows = new KeyedRows(this.#leastWidth)
    for (let room = this.#leastRoom; room < maxretry;) {
      room = Math.min(2 * room, maxretry)
      this.#larger.push({ rows: new KeyedRows(this.#failures.width(room)), room })
    }
  }

  /** The same rows, in memory of their own. */
  copy(): GrowingRows {
    const copy = new GrowingRows(this.#maxretry, this.#findtimeMs)
    copy.#rows = this.#rows.copy()
    copy.#larger = this.#larger.map(({ rows, room }) => ({ rows: rows.copy(), room }))
    copy.#largerBytes = this.#largerBytes
    copy.#largerHand = this.#largerHand
    return copy
  }

  /** Addresses. */
  get size(): number {
    return this.#rows.size
  }

  /** Bytes taken, by rows to come too. */
  get bytes(): number {
    return this.#larger.reduce((bytes, { rows }) => bytes + rows.bytes, this.#rows.bytes)
  }

  /** Whether there are larger sizes. */
  get grows(): boolean {
    return this.#larger.length > 0
  }

  /** Bytes that every address takes, at most. */
  get leastBytes(): number {
    return this.#leastWidth * 4 + indexBytes
  }

  /** Bytes that those which outgrew that take beside it. */
  get largerBytes(): number {
    return this.#largerBytes
  }

  /** The row of a key; -1 where it has none. */
  find(key: Key): number {
    return this.#rows.find(key)
  }

  /** The failures of a row. They stay open until another row is opened, or any is removed. */
  open(row: number): FailureRow {
    const page = this.#rows.page(row)
    const at = this.#rows.at(row)
    const count = page.words[at + countWord] ?? 0
    if (count < grown) return this.#failures.place(page, at, this.#leastRoom)
    return this.#openGrown(page.words, at, count)
  }

  /** The row of a new key: the last one, without failures. */
  append(key: Key): number {
    return this.#rows.append(key)
  }

  /** Removes a row and gives its place to that of a new key. */
  replace(row: number, key: Key): void {
    this.#leaveLarger(row)
    this.#rows.replace(row, key)
  }

  /** Removes a row. The last one takes its place. */
  remove(row: number): void {
    this.#leaveLarger(row)
    this.#rows.remove(row)
  }

  /** Gives a row room for so many times, more than it has, and `maxretry` at most. Its failures are open then. */
  grow(row: number, times: number): void {
    const number = this.#larger.findIndex(({ room }) => room >= times)
    const size = this.#larger[number]
    if (size === undefined) throw new Error(`no row has room for ${times} times`)
    const from = this.open(row)
    const content = from.words.subarray(from.at, from.at + from.width(from.room))
    const larger = size.rows.append(this.#keyAt(from.words, from.at))
    size.rows.page(larger).words.set(content, size.rows.at(larger))
    this.#largerBytes += bytesOf(size)
    this.#leaveLarger(row)
    this.#rows.page(row).words[this.#rows.at(row) + countWord] = grown + number
    this.#openLarger(size, larger)
  }

  /** As in `KeyedRows`. */
  tend(): void {
    this.#rows.tend()
  }

  /** Of some rows from that one on, the one with the fewest failures; of those with as few, the one whose last is the oldest. */
  leastDangerous(from: number): number {
    return leastDangerous(this.size, from, this.#open)
  }

  /** The same of those that outgrew the least size, all of the size that takes the most memory. */
  leastDangerousLarger(): number {
    const size = this.#larger.reduce((most, each) => (allBytes(each) > allBytes(most) ? each : most))
    const { rows } = size
    const larger = leastDangerous(rows.size, this.#largerHand, (row) => this.#openLarger(size, row))
    this.#largerHand = (this.#largerHand + evictionCandidates) % rows.size
    return this.find(this.#keyAt(rows.page(larger).words, rows.at(larger)))
  }

  #openGrown(words: Uint32Array, at: number, count: number): FailureRow {
    const size = this.#sizeOf(count)
    return this.#openLarger(size, size.rows.find(this.#keyAt(words, at)))
  }

  #openLarger({ rows, room }: Size, row: number): FailureRow {
    return this.#failures.place(rows.page(row), rows.at(row), room)
  }

  #sizeOf(count: number): Size {
    const size = this.#larger[count - grown]
    if (size === undefined) throw new Error(`there is no size ${count - grown}`)
    return size
  }

  #leaveLarger(row: number): void {
    const { words } = this.#rows.page(row)
    const at = this.#rows.at(row)
    const count = words[at + countWord] ?? 0
    if (count < grown) return
    const size = this.#sizeOf(count)
    size.rows.remove(size.rows.find(this.#keyAt(words, at)))
    this.#largerBytes -= bytesOf(size)
  }

  #keyAt(words: Uint32Array, at: number): Key {
    for (let word = 0; word < keyWords; word++) this.#key[word] = words[at + word] ?? 0
    return this.#key
  }
}

function bytesOf({ rows }: Size): number {
  return rows.width * 4 + indexBytes
}

function allBytes(size: Size): number {
  return size.rows.size * bytesOf(size)
}

function leastDangerous(size: number, from: number, open: (row: number) => FailureRow): number {
  let worst = 0
  let fewest = Infinity
  let oldest = Infinity
  for (let i = 0; i < evictionCandidates; i++) {
    const row = (from + i) % size
    const failures = open(row)
    const { count } = failures
    if (count > fewest) continue
    const { last } = failures
    if (count === fewest && last >= oldest) continue
    worst = row
    fewest = count
    oldest = last
  }
  return worst
}
