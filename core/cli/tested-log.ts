import { statSync } from 'node:fs'

/** What the text stands for that names a log: a file (`-`: standard input), the journal, or lines themselves. */
export type LogKind = 'file' | 'journal' | 'lines'

/** `systemd-journal` and `systemd-journal[…]` are the journal; what is no file and does not look like a path are lines. */
export function logKind(log: string): LogKind {
  if (/^systemd-journal(?:\[|$)/.test(log)) return 'journal'
  if (log === '-' || isThere(log)) return 'file'
  return /^(?:~|\.{0,2}\/)[^\s]*$/.test(log) || /^[\w./-]+\.(?:log|txt|gz|journal)$/i.test(log) ? 'file' : 'lines'
}

function isThere(path: string): boolean {
  try {
    statSync(path)
    return true
  } catch {
    return false
  }
}
