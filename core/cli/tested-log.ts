import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import { BailiffError, quote, whyUnreadable } from '../errors.ts'

/** What the text stands for that names a log: a file (`-`: standard input), the journal, or lines themselves. */
export type LogKind = 'file' | 'journal' | 'lines'

/** `systemd-journal` and `systemd-journal[…]` are the journal; what is no file and does not look like a path are lines. */
export function logKind(log: string): LogKind {
  if (/^systemd-journal(?:\[|$)/.test(log)) return 'journal'
  if (log === '-' || isThere(log)) return 'file'
  return /^(?:~|\.{0,2}\/)[^\s]*$/.test(log) || /^[\w./-]+\.(?:log|txt|gz|journal)$/i.test(log) ? 'file' : 'lines'
}

/** A file opened for reading; 0 is standard input, which `-` names. Throws a BailiffError. */
export function openLog(log: string): number {
  if (log === '-') return 0
  try {
    const fd = openSync(log, 'r')
    if (!fstatSync(fd).isDirectory()) return fd
    closeSync(fd)
  } catch (cause) {
    const hint = 'name a log that this user may read, or - for standard input'
    throw new BailiffError('no-input', `cannot read ${quote(log)}: ${whyUnreadable(cause)}`, { cause, hint })
  }
  throw new BailiffError('no-input', `${quote(log)} is a folder, not a log`, { hint: `name its files: ${log}/*` })
}

/** Whether it comes in one piece after the other, so that nobody can begin in its middle. */
export function isStream(log: string): boolean {
  if (log === '-' || logKind(log) !== 'file') return true
  const found = statSync(log, { throwIfNoEntry: false })
  return found !== undefined && !found.isFile() && !found.isDirectory()
}

function isThere(path: string): boolean {
  try {
    statSync(path)
    return true
  } catch {
    return false
  }
}
