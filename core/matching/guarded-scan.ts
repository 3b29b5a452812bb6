import type { LineGuard } from './line-guard.ts'
import type { LineSpan, SlowLine } from './messages.ts'

/** A scanner that goes over a part of a chunk. Offsets are those in the chunk, at begins of lines. */
export interface GuardedScanner {
  readonly jails: readonly string[]
  /** The same, those of one filter together: what one of them finds in a line the others find, too. */
  readonly byFilter: readonly (readonly string[])[]
  /** Scans these lines for all the jails. */
  scan(start: number, end: number): void
  /** Scans one line for the jails of one filter. */
  scanFor(jails: readonly string[], line: LineSpan): void
  /**
   * The line it was at when it was stopped, of those it was given last, and how many milliseconds of the
   * processor that line has had: on a busy machine maybe none. Null where it had not come to a line.
   */
  at(): { readonly line: LineSpan; readonly used: number } | null
  /** Forgets what was found for these jails in the lines from `start` on. */
  forget(jails: readonly string[], start: number): void
  /** The line that begins here. */
  lineAt(start: number): LineSpan
}

/** A block that is scanned in one go is stopped after this long; that alone costs no line. */
const blockMs = 20
/** A line is given up when it had the processor for this share of its time; before that it only waited, and is tried again. */
const ownShare = 0.5
/** Where no second try is made, more of the time has to be its own. */
const certainShare = 0.75
/** Each try has twice as long as the one before, up to this: a busy machine gives a thread little of its time. */
const maxTryMs = 250
const maxTries = 20
/** The first try of a thread compiles the patterns of the jail, which may take as long as a slow line. */
const leastTries = 2

/**
 * Scans lines among which there may be some that take a pattern for ever. A block is stopped when it
 * takes long; the line it was at is tried for each filter alone, `lineMs` each; then the rest goes on.
 * Answers the lines that were passed over.
 */
export function scanGuarded(scanner: GuardedScanner, part: LineSpan, guard: LineGuard, lineMs: number): SlowLine[] {
  const slow: SlowLine[] = []
  let patience = blockMs
  for (let start = part.start; start < part.end;) {
    const from = start
    if (guard.run(() => scanner.scan(from, part.end), patience)) break
    const { line, used } = scanner.at() ?? { line: scanner.lineAt(from), used: 0 }
    scanner.forget(scanner.jails, line.start)
    // With one filter there is no doubt whose patterns it was; but the first time they may have been compiled.
    const known = slow.length > 0 && scanner.byFilter.length === 1 && used >= lineMs * certainShare
    const missing = known
      ? scanner.jails
      : scanner.byFilter.filter((jails) => !scanLine(scanner, jails, line, guard, lineMs)).flat()
    for (const jail of missing) slow.push({ ...line, jail })
    // Where one line is slow, the next may be, too.
    patience = missing.length > 0 ? Math.min(blockMs, lineMs) : blockMs
    start = line.end
  }
  return slow
}

/** False: the line takes the patterns of these jails too long. */
function scanLine(
  scanner: GuardedScanner,
  jails: readonly string[],
  line: LineSpan,
  guard: LineGuard,
  lineMs: number,
): boolean {
  let patience = lineMs
  for (let tries = 1; tries <= maxTries; tries++) {
    if (guard.run(() => scanner.scanFor(jails, line), patience)) return true
    scanner.forget(jails, line.start)
    if (tries >= leastTries && (scanner.at()?.used ?? 0) >= lineMs * ownShare) return false
    patience = Math.min(patience * 2, maxTryMs)
  }
  return false
}
