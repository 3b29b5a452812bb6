import { readSync } from 'node:fs'

const windowBytes = 65_536
const newline = 10

/**
 * Where to cut the first `size` bytes of a file into ranges of whole lines: 0, places behind a newline at least
 * `rangeBytes` apart, and `size`. What is not ended by a newline belongs to the last range.
 */
export function cutsOf(fd: number, size: number, rangeBytes: number): number[] {
  const cuts = [0]
  const window = Buffer.alloc(windowBytes)
  for (let at = rangeBytes; at < size;) {
    // A line may be longer than a range: its end is looked for once.
    const cut = behindNewline(fd, at - 1, size, window)
    if (cut >= size) break
    cuts.push(cut)
    at = cut + rangeBytes
  }
  return [...cuts, size]
}

/** The place behind the first newline at or behind `from`; `size` where there is none. */
function behindNewline(fd: number, from: number, size: number, window: Buffer): number {
  for (let at = from; at < size;) {
    const read = readSync(fd, window, 0, Math.min(window.length, size - at), at)
    // It was cut off meanwhile.
    if (read === 0) break
    const found = window.subarray(0, read).indexOf(newline)
    if (found >= 0) return at + found + 1
    at += read
  }
  return size
}
