import type { LineGuard } from './line-guard.ts'
import type { LineSpan, SlowLine } from './messages.ts'

/** A scanner that goes over a part of a chunk. Offsets are those in the chunk, at begins of lines. */
export interface GuardedScanner {
  readonly jails: readonly string[]
  /** Scans these lines for all the jails. */
  scan(start: number, end: number): void
  /** Scans one line for one of the jails. */
  scanFor(jail: string, line: LineSpan): void
  /** The line it was at when it was stopped, of those it was given last; null where that is not known. */
  at(): LineSpan | null
  /** Forgets what was found for these jails in the lines from `start` on. */
  forget(jails: readonly string[], start: number): void
  /** The line that begins here. */
  lineAt(start: number): LineSpan
}

/** A block that is scanned in one go is stopped after this long; that alone costs no line. */
const blockMs = 20

/**
 * Scans lines among which there may be some that take a pattern for ever. A block is stopped when it
 * takes long; the line it was at is tried for each jail alone, `lineMs` each; then the rest goes on.
 * Answers the lines that were passed over.
 */
export function scanGuarded(scanner: GuardedScanner, part: LineSpan, guard: LineGuard, lineMs: number): SlowLine[] {
  const slow: SlowLine[] = []
  let patience = blockMs
  for (let start = part.start; start < part.end;) {
    const from = start
    if (guard.run(() => scanner.scan(from, part.end), patience)) break
    const line = scanner.at() ?? scanner.lineAt(from)
    scanner.forget(scanner.jails, line.start)
    const missing = scanner.jails.filter((jail) => !scanLine(scanner, jail, line, guard, lineMs))
    for (const jail of missing) slow.push({ ...line, jail })
    // Where one line is slow, the next may be, too.
    patience = missing.length > 0 ? Math.min(blockMs, lineMs * 2) : blockMs
    start = line.end
  }
  return slow
}

function scanLine(scanner: GuardedScanner, jail: string, line: LineSpan, guard: LineGuard, lineMs: number): boolean {
  const undo = () => scanner.forget([jail], line.start)
  return guard.runFairly(() => scanner.scanFor(jail, line), lineMs, undo)
}
