import type { Address, Prefix } from '../address.ts'
import { readKey, writeKey } from '../address-words.ts'
import type { Match } from '../events.ts'
import type { RowCursor } from '../failure-rows.ts'
import type { Excerpts } from './excerpts.ts'
import type { CountedFailure } from './failure-counter.ts'
import type { BannedLine } from './judge-options.ts'
import { keyWords, type Key } from './keyed-rows.ts'

/**
 * The failure of an address that is judged now. There is one object for all, and texts are made when somebody asks for
 * them: most failures are counted and never seen.
 */
export class AddressFailure implements CountedFailure, BannedLine {
  readonly key: Key = new Uint32Array(keyWords)
  jails: readonly string[] = []
  /** When it counts, and what was written in the line. */
  counted = 0
  written: number | null = null
  attempts = 1
  rule = 0
  #row: RowCursor | null = null
  #line = ''
  #address: Address | null = null
  #prefix: Prefix | null = null

  /** The failure of the row's line. */
  ofRow(row: RowCursor): void {
    for (let word = 0; word < keyWords; word++) this.key[word] = row.words[row.at + word] ?? 0
    this.written = row.time
    this.#row = row
    this.#address = this.#prefix = null
  }

  /** `prefix`: who would be banned for it, the address of the failure or its whole network. */
  ofMatch({ address, time, attempts, line }: Match, prefix: Prefix): void {
    writeKey(address, this.key)
    this.written = time
    this.attempts = attempts
    this.#row = null
    this.#line = line
    this.#address = address
    this.#prefix = prefix
  }

  get id(): Address {
    return (this.#address ??= readKey(this.key, 0))
  }

  get prefix(): Prefix {
    return this.#prefix ?? this.id
  }

  /** Whether nothing wider than the address would be banned for it. */
  get isSingle(): boolean {
    return this.#prefix === null || this.#prefix === this.#address
  }

  /** When it counts, unix milliseconds. */
  get time(): number {
    return this.counted
  }

  get line(): string {
    return this.#row?.line ?? this.#line
  }

  keepLines(excerpts: Excerpts, previous: number): number {
    return this.#row === null
      ? excerpts.add(this.#line, previous, this.rule)
      : excerpts.addBytes(this.#row.texts, this.#row.textStart, this.#row.textEnd, previous, this.rule)
  }
}
