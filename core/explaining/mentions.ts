import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { filesMatching } from '../intake/matched-files.ts'
import { isPattern } from '../intake/path-pattern.ts'

/** So much of the end of each log is looked through, so many logs, and so many lines of each. */
const tailBytes = 4 * 1024 * 1024
const mostLogs = 50
const mostLines = 20

/** A line of a log that names an address. */
export interface Mention {
  /** Without its newline. */
  readonly bytes: Buffer
  readonly ended: boolean
}

/** A log with lines that name an address, the last first. */
export interface MentioningLog {
  readonly log: string
  /** Whether it is a file of that path. */
  readonly isFile: boolean
  readonly mentions: readonly Mention[]
  /** When the log was last written, unix ms. */
  readonly modifiedAt: number
}

/**
 * The files that name the address, the one written last first; a path may be a pattern. Of each the last 4 MiB are
 * looked through. A log that cannot be read is passed over.
 */
export function filesThatName(address: string, paths: readonly string[]): MentioningLog[] {
  const files = paths.flatMap((path) => (isPattern(path) ? filesOfPattern(path) : [path]))
  return [...new Set(files)]
    .slice(0, mostLogs)
    .flatMap((log) => fileThatNames(address, log) ?? [])
    .toSorted((a, b) => b.modifiedAt - a.modifiedAt)
}

/** The lines of a text that name the address, the last first, at most 20. */
export function mentionsIn(text: Buffer, address: string): Mention[] {
  const found: Mention[] = []
  let before = text.length
  while (before > 0 && found.length < mostLines) {
    const at = text.lastIndexOf(address, before - 1)
    if (at < 0) break
    if (!isWhole(text, at, address)) {
      before = at
      continue
    }
    const start = text.lastIndexOf(0x0a, at) + 1
    const newline = text.indexOf(0x0a, at)
    found.push({ bytes: text.subarray(start, newline < 0 ? text.length : newline), ended: newline >= 0 })
    before = start
  }
  return found
}

function filesOfPattern(pattern: string): readonly string[] {
  try {
    return filesMatching(pattern)
  } catch {
    return []
  }
}

function fileThatNames(address: string, log: string): MentioningLog | null {
  try {
    const fd = openSync(log, 'r')
    try {
      const stat = fstatSync(fd)
      if (!stat.isFile()) return null
      const length = Math.min(stat.size, tailBytes)
      const tail = Buffer.alloc(length)
      const read = readSync(fd, tail, 0, length, stat.size - length)
      const mentions = mentionsIn(tail.subarray(0, read), address)
      return mentions.length === 0 ? null : { log, isFile: true, mentions, modifiedAt: stat.mtimeMs }
    } finally {
      closeSync(fd)
    }
  } catch {
    return null
  }
}

/** Whether what stands there is not a part of a longer address. IPv4 may stand behind `::ffff:`, and before a port. */
function isWhole(text: Buffer, at: number, address: string): boolean {
  const before = at > 0 ? text.toString('latin1', at - 1, at) : ''
  const after = text.toString('latin1', at + address.length, at + address.length + 2)
  return isIPv4(address)
    ? !/[0-9.]/.test(before) && !/^\.?[0-9]/.test(after)
    : !/[0-9A-Fa-f.:]/.test(before) && !/^[.:]?[0-9A-Fa-f]/.test(after)
}
