import { capturedText, type Found } from './captured-groups.ts'
import { undatedText, type LogLine } from './log-line.ts'

/** The lines that a match covers, and those that stay to be looked at with the lines to come. */
export interface MatchedLines {
  readonly matched: readonly LogLine[]
  readonly unmatched: readonly LogLine[]
}

/** `text` was searched and found the match; the lines are those that it was made of. What `<SKIPLINES>` skipped stays. */
export function matchedLines(lines: readonly LogLine[], text: string, match: Found): MatchedLines {
  if (lines.length <= 1) return { matched: lines, unmatched: [] }
  const start = text.lastIndexOf('\n', match.start) + 1
  const lineEnd = text.indexOf('\n', match.end > 0 ? match.end - 1 : text.length - 1)
  const first = newlines(text, start)
  const behind = newlines(text, lineEnd < 0 ? text.length : lineEnd + 1)
  const matched = lines.slice(first, behind)
  const skipped = takeOut(matched, skippedLines(match))
  return { matched, unmatched: [...lines.slice(0, first), ...skipped, ...lines.slice(behind)] }
}

/** Takes the lines with these texts out of the list, each behind the one before. */
function takeOut(lines: LogLine[], texts: readonly string[]): LogLine[] {
  const taken: LogLine[] = []
  let from = 0
  for (const text of texts) {
    const at = lines.findIndex((line, index) => index >= from && undatedText(line) === text)
    if (at < 0) continue
    taken.push(...lines.splice(at, 1))
    from = at
  }
  return taken
}

function skippedLines({ captured }: Found): string[] {
  let text = ''
  for (let number = 0; captured.names.includes(`skiplines${number}`); number++)
    text += capturedText(captured, `skiplines${number}`) ?? ''
  const lines = text.split(lineBreak)
  // What ends with a line break has no further line behind it.
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** What Python's `splitlines` takes for the end of a line. */
const lineBreak = new RegExp(String.raw`\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]`)

function newlines(text: string, end: number): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count++
  return count
}
