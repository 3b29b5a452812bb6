import { printable } from '../errors.ts'
import { styled, type Style } from './output.ts'
import { cutToWidth, textWidth } from './text-width.ts'

/** What stands in a table: numbers to the right, texts to the left, and texts in a style where there are colours. */
export type Cell = string | number | StyledText

/** A text that is to stand out. */
export interface StyledText {
  readonly text: string
  readonly style: Style
}

const gap = '  '
/** A column is not made narrower than this, or than what it holds. */
const leastColumns = 8

/**
 * Rows under bold headings, in columns as wide as they need, without control characters. On a terminal
 * it fits: the widest columns of text give way, and what does not fit is cut and ends in `…`; numbers are
 * never cut. Where standard output is no terminal nothing is cut. `columns`: as wide as this, at most.
 */
export function table(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
  columns: number = terminalColumns(),
): string {
  const cells = rows.map((row) => row.map(readCell))
  const widths = fit(naturalWidths(headings, cells), columns)
  const line = (row: readonly ReadCell[]) => row.map((cell, at) => padded(cell, widths[at] ?? 0)).join(gap)
  return [
    styled('bold', line(headings.map(headingCell)).trimEnd()),
    ...cells.map((row) => line(row).replace(/ +$/, '')),
  ].join('\n')
}

/** How wide the terminal of standard output is; infinite where it is none. */
export function terminalColumns(): number {
  return process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : Infinity
}

interface ReadCell {
  readonly text: string
  readonly width: number
  readonly right: boolean
  readonly style: Style | null
}

function readCell(cell: Cell): ReadCell {
  const given = typeof cell === 'object' ? cell.text : String(cell)
  const text = printable(given)
  const style = typeof cell === 'object' ? cell.style : null
  return { text, width: textWidth(text), right: typeof cell === 'number', style }
}

function headingCell(text: string): ReadCell {
  return { text, width: text.length, right: false, style: null }
}

interface Column {
  readonly width: number
  /** How narrow it may become. */
  readonly least: number
}

function naturalWidths(headings: readonly string[], rows: readonly (readonly ReadCell[])[]): Column[] {
  return headings.map((heading, at) => {
    let [width, least] = [heading.length, Math.min(heading.length, leastColumns)]
    for (const row of rows) {
      const cell = row[at]
      if (cell === undefined) continue
      width = Math.max(width, cell.width)
      least = Math.max(least, cell.right ? cell.width : Math.min(cell.width, leastColumns))
    }
    return { width, least }
  })
}

/** Takes from the widest columns first, so that narrow ones stay whole. */
function fit(natural: readonly Column[], columns: number): number[] {
  const widths = natural.map(({ width }) => width)
  let excess = widths.reduce((sum, width) => sum + width, 0) + gap.length * (widths.length - 1) - columns
  while (excess > 0) {
    const able = widths.map((width, at) => (width > (natural[at]?.least ?? 0) ? width : 0))
    const widest = Math.max(...able)
    if (!(widest > 0)) break
    const at = able.indexOf(widest)
    const next = Math.max(natural[at]?.least ?? 0, 1, ...able.filter((width) => width < widest))
    const step = Math.max(1, Math.min(excess, widest - next))
    widths[at] = widest - step
    excess -= step
  }
  return widths
}

function padded({ text, width, right, style }: ReadCell, columns: number): string {
  const shown = width > columns ? cutToWidth(text, columns) : text
  const blanks = ' '.repeat(Math.max(0, columns - (width > columns ? textWidth(shown) : width)))
  const coloured = style === null ? shown : styled(style, shown)
  return right ? blanks + coloured : coloured + blanks
}
