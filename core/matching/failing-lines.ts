import type { GuardedScanner } from './guarded-scan.ts'
import type { LineSpan, SlowLine } from './messages.ts'

/**
 * Scans lines of which one may make a matcher fail: a defect, but lines are written by enemies, and a log must not
 * stand still for one. Then each line is scanned alone, and one that fails for each filter alone. Answers the lines
 * that were passed over, those for which `scan` says so among them.
 */
export function scanInSpite(
  scanner: Pick<GuardedScanner, 'jails' | 'byFilter' | 'scanFor' | 'forget' | 'lineAt'>,
  part: LineSpan,
  scan: (part: LineSpan) => readonly SlowLine[],
): readonly SlowLine[] {
  try {
    return scan(part)
  } catch {
    scanner.forget(scanner.jails, part.start)
  }
  const passedOver: SlowLine[] = []
  for (let { start } = part; start < part.end;) {
    const line = scanner.lineAt(start)
    start = line.end
    try {
      passedOver.push(...scan(line))
    } catch (error) {
      scanner.forget(scanner.jails, line.start)
      const failing = scanner.byFilter.filter((jails) => fails(scanner, jails, line)).flat()
      passedOver.push(...failing.map((jail) => ({ ...line, jail, failure: messageOf(error) })))
    }
  }
  return passedOver
}

function fails(scanner: Pick<GuardedScanner, 'scanFor' | 'forget'>, jails: readonly string[], line: LineSpan): boolean {
  try {
    scanner.scanFor(jails, line)
    return false
  } catch {
    scanner.forget(jails, line.start)
    return true
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
