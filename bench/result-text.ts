import type { Limit } from './part.ts'
import type { CaseResult } from './results.ts'

/** A case as a table: a row a subject, a column a unit. */
export function resultText(result: CaseResult): string {
  const { name, corpus, answer, figures } = result
  const units = [...new Set(figures.flatMap(({ values }) => Object.keys(values)))]
  const rows = [
    ['', ...units],
    ...figures.map(({ subject, values }) => [subject, ...units.map((unit) => figureText(values[unit]))]),
  ]
  const widths = ['', ...units].map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0)))
      .join('  '),
  )
  const over = overLimits(result).map(
    ({ subject, unit, most }) => `OVER THE LIMIT: ${subject}, ${unit} at most ${most}`,
  )
  return [name, `  on ${corpus}`, `  checked: ${answer}`, ...lines.map((line) => `  ${line.trimEnd()}`), ...over].join(
    '\n',
  )
}

/** The limits that the figures do not keep. */
export function overLimits({ figures, limits = [] }: CaseResult): Limit[] {
  return limits.filter(({ subject, unit, most }) =>
    figures.some((figure) => figure.subject === subject && (figure.values[unit] ?? 0) > most),
  )
}

/** With three digits. */
export function figureText(value: number | undefined): string {
  if (value === undefined) return ''
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toFixed(digits)
}
