import { readSync } from 'node:fs'
import type { LogChunk } from '../events.ts'
import { LineReader } from './lines.ts'

const headBytes = 4096
const linesAsked = 3

/**
 * Tells whether a log file is bare: its lines carry neither date nor syslog header, as `sshd -E` writes
 * them. What most of its first three lines are decides, so that neither a line that was cut by a
 * rotation nor one that a peer got in later changes what the log is taken for.
 */
export class LogForms {
  readonly #reader = new LineReader()
  #head = Buffer.alloc(headBytes)
  /** The head that was looked at last, and what it is: most chunks follow one of the same log. */
  #last = Buffer.alloc(headBytes)
  #lastBytes = 0
  #lastIsBare = false

  /** Null for bytes of a stream, whose beginning is not at hand. */
  isBare({ data }: LogChunk): boolean | null {
    if (data instanceof Uint8Array) return null
    const bytes = readSync(data.fd, this.#head, 0, headBytes, 0)
    if (bytes === this.#lastBytes && this.#head.compare(this.#last, 0, bytes, 0, bytes) === 0) return this.#lastIsBare
    ;[this.#head, this.#last, this.#lastBytes] = [this.#last, this.#head, bytes]
    return (this.#lastIsBare = this.#look(this.#last.subarray(0, bytes)))
  }

  #look(head: Buffer): boolean {
    const text = head.toString('latin1')
    const block = this.#reader.block(head, text, 0)
    let bare = 0
    let lines = 0
    for (let start = 0; lines < linesAsked; lines++) {
      const end = text.indexOf('\n', start)
      if (end < 0) break
      const { time, syslog } = block.head(start, end)
      if (time === null && syslog === null) bare++
      start = end + 1
    }
    return bare * 2 > lines
  }
}
