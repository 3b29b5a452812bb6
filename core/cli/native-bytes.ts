import { closeSync, fstatSync, readSync, statSync } from 'node:fs'
import type { PluginUse } from '../settings/plugin-use.ts'
import { refuseCompressed } from './compressed-log.ts'
import { logKind, openLog } from './tested-log.ts'

/** The bytes of a log, in order. */
export interface LogBytes {
  /** Writes what comes next to the begin of `target`; 0 at the end. Throws a BailiffError where it cannot be read. */
  fill(target: Buffer): number | Promise<number>
  close(): void
}

/** Which entries of the journal are read. */
export interface JournalChoice {
  /** As `journalctl` takes them; undefined: those of `sources`. */
  readonly journalmatch: string | undefined
  readonly sources: readonly PluginUse[]
}

/** The bytes of a file, of standard input, of lines that are given, or of the journal as the source `journal` writes it. */
export function openBytes(log: string, journal: JournalChoice): LogBytes {
  switch (logKind(log)) {
    case 'file':
      return fileBytes(log)
    case 'journal':
      return piecesAsBytes(ofJournal(log, journal))
    default:
      return piecesAsBytes(ofText(`${log}\n`))
  }
}

/**
 * The same lines as if they were written at `time` (unix ms): lines with the head of syslog or none at all get a date in
 * front, those of fields stay as they are.
 */
export function datedBytes(bytes: LogBytes, time: number): LogBytes {
  const date = new Date(time).toISOString()
  return piecesAsBytes(datedPieces(bytes, date))
}

/** Whether the log is a file of a known size. */
export function isPlainFile(log: string): boolean {
  return log !== '-' && logKind(log) === 'file' && statSync(log, { throwIfNoEntry: false })?.isFile() === true
}

/** Opens such a file. Throws a BailiffError where it cannot be read, or is a compressed one. */
export function openPlainFile(path: string): { readonly fd: number; readonly size: number } {
  const fd = openLog(path)
  try {
    const head = Buffer.alloc(16)
    refuseCompressed(path, head.subarray(0, readSync(fd, head, 0, head.length, 0)))
    return { fd, size: fstatSync(fd).size }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function fileBytes(path: string): LogBytes {
  const fd = openLog(path)
  let isFirst = true
  return {
    fill(target) {
      const read = readSync(fd, target, 0, target.length, null)
      if (isFirst) refuseCompressed(path, target.subarray(0, read))
      isFirst = false
      return read
    },
    close() {
      if (fd !== 0) closeSync(fd)
    },
  }
}

function piecesAsBytes(pieces: AsyncGenerator<Buffer>): LogBytes {
  let rest: Buffer = Buffer.alloc(0)
  return {
    async fill(target) {
      while (rest.length === 0) {
        const next = await pieces.next()
        if (next.done === true) return 0
        rest = next.value
      }
      const length = rest.copy(target)
      rest = rest.subarray(length)
      return length
    },
    close: () => void pieces.return(undefined),
  }
}

/** What reads journals is loaded only for one. */
async function* ofJournal(log: string, journal: JournalChoice): AsyncGenerator<Buffer> {
  const { journalPieces } = await import('./native-journal.ts')
  yield* journalPieces(log, journal)
}

async function* ofText(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text)
}

/** A line that is longer is handed on in parts. */
const longestHeld = 1 << 17

async function* datedPieces(bytes: LogBytes, date: string): AsyncGenerator<Buffer> {
  const target = Buffer.allocUnsafe(1 << 16)
  let held = ''
  try {
    for (;;) {
      const read = await bytes.fill(target)
      held += target.toString('latin1', 0, read)
      const end = read === 0 || held.length > longestHeld ? held.length : held.lastIndexOf('\n') + 1
      const lines = held.slice(0, end).replace(/^[^\n]+/gm, (line) => `${isDated(line) ? `${date} ` : ''}${line}`)
      if (lines !== '') yield Buffer.from(lines, 'latin1')
      held = held.slice(end)
      if (read === 0) return
    }
  } finally {
    bytes.close()
  }
}

/** Whether a date belongs in front: not of a line of fields, and not of a message that has no head. */
function isDated(line: string): boolean {
  return /^[^\s[{:]+ [^\s[:]+(?:\[\d+\])?:(?:\s|$)/.test(line)
}
