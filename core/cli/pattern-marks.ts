/** Which failregexes of jails run in linear time, whatever a peer writes, and which may take long over a line made for them. */
import { printable } from '../errors.ts'
import type { JailDetails } from './jail-details.ts'
import { table } from './table.ts'

/** How a failregex runs. */
export interface PatternMark {
  /** From 0, as `bailiff test` counts. */
  readonly index: number
  readonly text: string
  readonly runs: 'linear' | 'backtracking'
  /** What it has that only an engine which backtracks can match; null where it is linear. */
  readonly because: string | null
}

/** The marks of all failregexes of a jail, in their order; none for a jail that asks for fields or counts bans. */
export function patternMarks({ patterns }: JailDetails): PatternMark[] {
  return patterns
    .filter(({ list }) => list === 'failregex')
    .map(({ index, text, linear, backtracking }) => ({
      index,
      text,
      runs: linear ? 'linear' : 'backtracking',
      because: backtracking,
    }))
}

/** A row a jail: `0-11, 13` and `12 (a look-around)`. Empty where no jail has a failregex. */
export function marksTable(jails: readonly JailDetails[]): string {
  const rows = jails
    .map((details) => ({ jail: details.jail, marks: patternMarks(details) }))
    .filter(({ marks }) => marks.length > 0)
    .map(({ jail, marks }) => [jail, rangesOf(marks, 'linear'), rangesOf(marks, 'backtracking')].map(printable))
  return rows.length === 0 ? '' : table(['JAIL', 'LINEAR FAILREGEX', 'BACKTRACKING'], rows)
}

/** The indexes of those that run so, neighbours of the same reason together; `-` for none. */
function rangesOf(marks: readonly PatternMark[], runs: PatternMark['runs']): string {
  const ranges: { from: number; to: number; readonly because: string | null }[] = []
  for (const { index, because } of marks.filter((mark) => mark.runs === runs)) {
    const last = ranges.at(-1)
    if (last?.to === index - 1 && last.because === because) last.to = index
    else ranges.push({ from: index, to: index, because })
  }
  const texts = ranges.map(({ from, to, because }) => {
    const range = from === to ? String(from) : `${from}-${to}`
    return because === null ? range : `${range} (${because})`
  })
  return texts.join(', ') || '-'
}
