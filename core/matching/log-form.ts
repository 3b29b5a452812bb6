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
  readonly #head = Buffer.alloc(headBytes)

  /** Null for bytes of a stream, whose beginning is not at hand. */
  isBare({ data }: LogChunk): boolean | null {
    if (data instanceof Uint8Array) return null
    const head = this.#head.subarray(0, readSync(data.fd, this.#head, 0, headBytes, 0))
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
