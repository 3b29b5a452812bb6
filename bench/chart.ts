import type { CaseResult, Results } from './results.ts'
import { figureText } from './result-text.ts'

const width = 760
const labels = 190
const rowHeight = 18
const caseGap = 30
const widest = width - labels - 200

/** Draws results as bars, one block a case, parts behind one another, as SVG for light and dark pages. */
export function chart({ cases, date, machine, node, rounds }: Results): string {
  let y = 8
  const shapes: string[] = []
  let part = ''
  for (const one of cases) {
    if (one.part !== part) {
      part = one.part
      y += 26
      shapes.push(text(0, y, part, 'part'))
      y += 6
    }
    const block = caseBlock(one, y + 18)
    shapes.push(...block.shapes)
    y = block.end
  }
  const foot = `Medians of ${rounds} rounds where there are rounds, in turn. ${date}, ${machine}, Node ${node}`
  shapes.push(text(0, y + caseGap, foot, 'foot'))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + caseGap + 12}" font-family="system-ui, sans-serif" font-size="12">
<style>text{fill:#24292f}.part{font-weight:700;font-size:16px}.head{font-weight:600;font-size:13px}.foot{fill:#6e7781;font-size:10px}.ours{fill:#1a7f37}.theirs{fill:#8c959f}@media(prefers-color-scheme:dark){text{fill:#d0d7de}.ours{fill:#3fb950}.theirs{fill:#6e7681}}</style>
${shapes.join('\n')}
</svg>
`
}

function caseBlock({ name, drawn, figures }: CaseResult, top: number): { shapes: string[]; end: number } {
  const bars = figures.flatMap((figure) => {
    const value = figure.values[drawn]
    return value === undefined ? [] : [{ ...figure, value }]
  })
  const most = Math.max(...bars.map(({ value }) => value))
  const shapes = [text(0, top, `${name}: ${drawn}`, 'head')]
  for (const [index, { subject, value, values, isPeer }] of bars.entries()) {
    const y = top + 8 + index * rowHeight
    const length = Math.max(1, (value / most) * widest)
    const ratios = Object.entries(values).filter(([unit]) => unit.startsWith('times'))
    const more = ratios.map(([unit, ratio]) => `  (${figureText(ratio)} ${unit})`).join('')
    shapes.push(
      text(0, y + 13, subject),
      `<rect x="${labels}" y="${y + 2}" width="${length.toFixed(1)}" height="13" rx="2" class="${isPeer ? 'theirs' : 'ours'}"/>`,
      text(labels + length + 6, y + 13, `${figureText(value)}${more}`),
    )
  }
  return { shapes, end: top + 14 + bars.length * rowHeight }
}

function text(x: number, y: number, words: string, kind = ''): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x.toFixed(1)}" y="${y}"${kind && ` class="${kind}"`}>${escaped}</text>`
}
