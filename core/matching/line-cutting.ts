/** Longer lines are passed over. Bytes, without the newline. */
export const maxLineBytes = 65_536

/** What one call of a scanner looks at, at most; what is behind it comes with the next. */
export const mostScannedBytes = 1 << 20

/** Whole lines of usable length that follow one another; `end` is behind the last newline. */
export interface Segment {
  readonly start: number
  readonly end: number
}

export interface CutLines {
  readonly segments: readonly Segment[]
  readonly consumed: number
  readonly insideLine: boolean
  readonly lines: number
  readonly skipped: number
}

/**
 * Cuts a text of one character a byte into lines; what the figures say is said in `ScanResult`. A
 * line that is too long counts as skipped where that shows first, and as a line where it ends, so
 * the sums do not depend on how a log is cut into chunks.
 */
export function cutLines(text: string, insideLine: boolean): CutLines {
  const segments: Segment[] = []
  let [start, at, lines, skipped] = [0, 0, 0, 0]
  let inside = insideLine
  const close = () => {
    if (at > start) segments.push({ start, end: at })
  }
  for (;;) {
    const newline = text.indexOf('\n', at)
    if (newline < 0) break
    lines++
    if (inside || newline - at > maxLineBytes) {
      close()
      if (!inside) skipped++
      inside = false
      start = newline + 1
    }
    at = newline + 1
  }
  close()
  if (inside) return { segments, consumed: text.length, insideLine: true, lines, skipped }
  if (text.length - at <= maxLineBytes) return { segments, consumed: at, insideLine: false, lines, skipped }
  return { segments, consumed: text.length, insideLine: true, lines, skipped: skipped + 1 }
}
