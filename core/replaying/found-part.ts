import type { FailureRows, FilterHit } from '../events.ts'
import { RowCursor } from '../failure-rows.ts'

/** What the lines of a piece of a log matched, in their order, one after the other: rows of our jails, hits of those of a tree. */
export class FoundPart {
  readonly log: string
  /** Where `hit` is null, it stands at what was found. */
  readonly row: RowCursor
  hit: FilterHit | null = null
  readonly #hits: readonly FilterHit[]
  #at = 0
  #hasRow: boolean

  /** Stands at the first of them, unless it is empty. */
  constructor(log: string, rows: FailureRows, hits: readonly FilterHit[]) {
    this.log = log
    this.row = new RowCursor(rows)
    this.#hits = hits
    this.#hasRow = this.row.next()
    this.#choose()
  }

  /** Whether it stands behind the last. */
  get ended(): boolean {
    return this.hit === null && !this.#hasRow
  }

  /** Unix ms, of the line; null: it has no date. */
  get time(): number | null {
    return this.hit === null ? this.row.time : this.hit.time
  }

  next(): void {
    if (this.hit === null) this.#hasRow = this.row.next()
    else this.#at++
    this.#choose()
  }

  #choose(): void {
    const hit = this.#hits[this.#at]
    this.hit = hit !== undefined && (!this.#hasRow || hit.offset < this.row.offset) ? hit : null
  }
}
