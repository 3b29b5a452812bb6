const newline = 10

/** Counts newlines in the chunks of a log, from line to line. */
export class LineNumbers {
  #line = 1
  #counted = 0

  /** The number of the line at `offset` of the bytes; offsets must ascend. */
  at(bytes: Buffer, offset: number): number {
    this.#count(bytes, offset)
    return this.#line
  }

  /** Goes on behind the consumed bytes. */
  pass(bytes: Buffer, consumed: number): void {
    this.#count(bytes, consumed)
    this.#counted = 0
  }

  #count(bytes: Buffer, end: number): void {
    for (let at = bytes.indexOf(newline, this.#counted); at >= 0 && at < end; at = bytes.indexOf(newline, at + 1)) {
      this.#line++
      this.#counted = at + 1
    }
    this.#counted = Math.max(this.#counted, end)
  }
}
