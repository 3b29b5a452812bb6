import { fstatSync, readSync } from 'node:fs'

/** Whether the log ends with exactly this line, which no newline ends yet. */
export function unfinishedLine(fd: number, line: Buffer): boolean {
  const stat = fstatSync(fd)
  if (!stat.isFile() || stat.size < line.length || line.length === 0) return false
  const length = Math.min(stat.size, line.length + 1)
  const end = Buffer.alloc(length)
  readSync(fd, end, 0, length, stat.size - length)
  const begins = length === line.length || end[0] === 0x0a
  return begins && end.subarray(length - line.length).equals(line)
}
