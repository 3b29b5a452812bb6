import { closeSync, readSync } from 'node:fs'
import { EntryLines } from '../../plugins/sources/journal/entry-line.ts'
import { ExportReader, fields } from '../../plugins/sources/journal/export-reader.ts'
import { entryConditions, options as journalOptions } from '../../plugins/sources/journal/journalctl-words.ts'
import { shellWords } from '../fail2ban/tree/shell-words.ts'
import type { PluginUse } from '../settings/plugin-use.ts'
import { refuseCompressed } from './compressed-log.ts'
import { journalOutput, matchWords, placeWords } from './journal-lines.ts'
import { openLog } from './tested-lines.ts'
import { logKind } from './tested-log.ts'

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
      return piecesAsBytes(journalPieces(log, journal))
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

async function* ofText(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text)
}

/** Entries as lines of syslog. What is too long for a line is passed over, as the source does. */
async function* journalPieces(log: string, { journalmatch, sources }: JournalChoice): AsyncGenerator<Buffer> {
  const writer = new EntryLines()
  let lines = ''
  const reader = new ExportReader((entry) => {
    if (!entry.tooLong) lines += writer.line(entry)
  })
  const conditions = journalmatch === undefined ? usualConditions(sources) : matchWords([shellWords(journalmatch)])
  const words = ['--output=export', `--output-fields=${fields.join(',')}`, ...placeWords(log), ...conditions]
  for await (const piece of journalOutput(words)) {
    reader.push(piece)
    if (lines !== '') yield Buffer.from(lines, 'latin1')
    lines = ''
  }
}

/** Those of the source `journal`; none where there is no such source: all entries are read. */
function usualConditions(sources: readonly PluginUse[]): string[] {
  const groups = sources.flatMap(({ plugin, options }) => {
    const read = plugin === 'journal' ? journalOptions.safeParse(options ?? {}) : null
    return read?.success ? [entryConditions(read.data)] : []
  })
  if (groups.some((words) => words.length === 0)) return []
  return groups.flatMap((words, index) => (index === 0 ? words : ['+', ...words]))
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
