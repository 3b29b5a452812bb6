import { fstatSync, writeSync } from 'node:fs'
import type { Writable } from 'node:stream'

/** Characters that wait for a reader that is slow; beyond, lines are left out and counted. */
const longestBacklog = 1024 * 1024

/** Writes a line of the log. Never throws. */
export type Output = (line: string) => void

/** Standard output, with `left` to make the line that says how many lines were left out before it. */
export function standardOutput(left: (lines: number) => string): Output {
  const fd = 1
  return fstatSync(fd).isFile() ? fileOutput(fd, left) : streamOutput(process.stdout, left)
}

/** A file: on a full disk lines are left out, and it goes on when there is room. */
export function fileOutput(fd: number, left: (lines: number) => string): Output {
  let leftOut = 0
  return (line) => {
    try {
      writeSync(fd, leftOut > 0 ? left(leftOut) + line : line)
      leftOut = 0
    } catch {
      leftOut++
    }
  }
}

/**
 * A pipe, a socket or a terminal, as a daemon needs it: whoever reads it may be slow, stuck or gone, and nothing of the
 * agent waits for them, fails, or grows.
 */
export function streamOutput(stream: Writable, left: (lines: number) => string): Output {
  let gone = false
  let leftOut = 0
  stream.on('error', () => (gone = true))
  return (line) => {
    if (gone) return
    if (stream.writableLength > longestBacklog) {
      leftOut++
      return
    }
    if (leftOut > 0) stream.write(left(leftOut))
    leftOut = 0
    stream.write(line)
  }
}
