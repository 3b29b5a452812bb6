import type { LineBlock, LineHead } from '../../core/plugin.ts'

/** Where the fields of a line stand, and what stands before them. */
export interface ObjectPlace {
  readonly start: number
  readonly end: number
  /** Null where the fields begin with the line. */
  readonly head: LineHead | null
  /** The program of the syslog header; empty where there is only a date, null where there is neither. */
  readonly program: string | null
}

/** How fields of a format look. */
export interface FormatLook {
  /** Whether a line whose first byte is this one surely begins with them: no date and no header does so. */
  readonly first: (code: number) => boolean
  /** What they begin with. */
  readonly begin: RegExp
}

/** By format. A date and a priority begin with no small letter. */
export const looks: Readonly<Record<'json' | 'logfmt', FormatLook>> = {
  json: { first: (code) => code === 0x7b, begin: /^\{/ },
  logfmt: { first: (code) => code >= 0x61 && code <= 0x7a, begin: /^[^\s="]+=/ },
}

/**
 * Finds where the fields of the line at `start` to `end` (its newline) begin: with the line, or behind a date
 * and syslog header, a date alone, what a container engine writes before a line (`DATE stdout F `), or the `@cee:`
 * that marks JSON in syslog. Null where the place cannot be told.
 */
export function placeOfFields(
  block: Omit<LineBlock, 'lines'>,
  start: number,
  end: number,
  { first, begin }: FormatLook,
): ObjectPlace | null {
  const { bytes } = block
  const from = start + (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf ? 3 : 0)
  if (first(bytes[from] ?? 0)) return { start: from, end, head: null, program: null }
  const head = block.head(start, end)
  const { line, undated } = head
  // A date inside the fields, cut out of them.
  if (!line.endsWith(undated)) return { start: from, end, head, program: null }
  // Behind a date, fields with colons among them can look like a syslog header.
  const syslog = begin.test(undated) ? null : head.syslog
  const text = syslog?.message ?? undated
  const marked = (syslog === null ? /^std(?:out|err) F / : /^@cee: ?/).exec(text)?.[0].length ?? 0
  // The message of a line that stands for several ends before a bracket.
  const isRepeated = syslog !== null && line.endsWith(']') && !line.endsWith(text)
  const before = line.length - text.length - (isRepeated ? 1 : 0) + marked
  for (let at = from; at < from + before; at++) if ((bytes[at] ?? 0) > 0x7f) return null
  const program = syslog?.program ?? (head.time === null ? null : '')
  if (!isRepeated) return { start: from + before, end, head, program }
  return { start: from + before, end: bytes[end - 1] === carriageReturn ? end - 2 : end - 1, head, program }
}

const carriageReturn = 0x0d
