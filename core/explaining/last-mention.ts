import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** So much of the end of each log is looked through, and so many logs. */
const tailBytes = 4 * 1024 * 1024
const mostLogs = 50

/** The last line of a log that names an address. */
export interface Mention {
  readonly log: string
  /** Without its newline. */
  readonly bytes: Buffer
  readonly ended: boolean
  /** When the log was last written, unix ms. */
  readonly modifiedAt: number
}

/** The last lines that name the address, one of each log at most, that of the log written last first. A log that cannot be read is passed over. */
export function lastMentions(address: string, logs: readonly string[]): Mention[] {
  return [...new Set(logs)]
    .slice(0, mostLogs)
    .flatMap((log) => lastMention(address, log) ?? [])
    .toSorted((a, b) => b.modifiedAt - a.modifiedAt)
}

function lastMention(address: string, log: string): Mention | null {
  try {
    const fd = openSync(log, 'r')
    try {
      const stat = fstatSync(fd)
      if (!stat.isFile()) return null
      const length = Math.min(stat.size, tailBytes)
      const tail = Buffer.alloc(length)
      const read = readSync(fd, tail, 0, length, stat.size - length)
      return lineIn(tail.subarray(0, read), address, log, stat.mtimeMs)
    } finally {
      closeSync(fd)
    }
  } catch {
    return null
  }
}

function lineIn(tail: Buffer, address: string, log: string, modifiedAt: number): Mention | null {
  for (let at = tail.lastIndexOf(address); at >= 0; at = at > 0 ? tail.lastIndexOf(address, at - 1) : -1) {
    if (!isWhole(tail, at, address.length)) continue
    const start = tail.lastIndexOf(0x0a, at) + 1
    const newline = tail.indexOf(0x0a, at)
    return { log, bytes: tail.subarray(start, newline < 0 ? tail.length : newline), ended: newline >= 0, modifiedAt }
  }
  return null
}

/** Whether what stands there is not a part of a longer address. */
function isWhole(tail: Buffer, at: number, length: number): boolean {
  const around = tail.toString('latin1', Math.max(0, at - 1), at + length + 2)
  const before = at > 0 ? (around[0] ?? '') : ''
  const after = around.slice(at > 0 ? 1 + length : length)
  return !/[0-9A-Fa-f.:]/.test(before) && !/^(?:[0-9A-Fa-f]|[.:][0-9A-Fa-f])/.test(after)
}
