import type { LineGuard } from './line-guard.ts'
import type { LineSpan, SlowLine } from './messages.ts'

/** A scanner that goes over a part of a chunk. Offsets are those in the chunk, at begins of lines. */
export interface GuardedScanner {
  readonly jails: readonly string[]
  /** Scans these lines for all the jails. */
  scan(start: number, end: number): void
  /** Scans one line for one of the jails. */
  scanFor(jail: string, line: LineSpan): void
  /** The line it was at when it was stopped, of those it was given last, and for how long; null where that is not known. */
  at(): { readonly line: LineSpan; readonly ms: number } | null
  /** Forgets what was found for these jails in the lines from `start` on. */
  forget(jails: readonly string[], start: number): void
  /** The line that begins here. */
  lineAt(start: number): LineSpan
}

/** A block that is scanned in one go is stopped after this long; that alone costs no line. */
const blockMs = 20
/** A line is given up when it had the processor for this share of its time; before that it only waited, and is tried again. */
const ownShare = 0.5
const maxTries = 20

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
    const used = guard.run(() => scanner.scan(from, part.end), patience)
    if (used === null) break
    const { line, ms } = scanner.at() ?? { line: scanner.lineAt(from), ms: 0 }
    scanner.forget(scanner.jails, line.start)
    // With one jail there is no doubt whose patterns it was; but the first time they may have been compiled.
    const certain = slow.length > 0 && scanner.jails.length === 1
    const known = certain && used >= patience * ownShare && ms >= lineMs * 0.8
    const missing = known
      ? scanner.jails
      : scanner.jails.filter((jail) => !scanLine(scanner, jail, line, guard, lineMs))
    for (const jail of missing) slow.push({ ...line, jail })
    // Where one line is slow, the next may be, too.
    patience = missing.length > 0 ? Math.min(blockMs, lineMs) : blockMs
    start = line.end
  }
  return slow
}

/** False: the line takes the patterns of the jail too long. */
function scanLine(scanner: GuardedScanner, jail: string, line: LineSpan, guard: LineGuard, lineMs: number): boolean {
  let spent = 0
  for (let tries = 0; tries < maxTries && spent < lineMs * ownShare; tries++) {
    const used = guard.run(() => scanner.scanFor(jail, line), lineMs)
    if (used === null) return true
    scanner.forget([jail], line.start)
    spent += used
  }
  return false
}
