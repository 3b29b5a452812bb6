import type { Results } from './results.ts'

const width = 760
const labels = 190
const rowHeight = 20
const headHeight = 34
const widest = width - labels - 110

/** Draws results as bars, one block a case, as SVG for light and dark pages: MB in a second of one processor. */
export function chart({ cases, date, machine, node, rounds }: Results): string {
  let y = 28
  const parts: string[] = []
  for (const { name, task, figures } of cases) {
    parts.push(text(0, y, `${name} - ${task}`, 'head'))
    y += 10
    const most = Math.max(...figures.map((one) => one.megabytesPerCpuSecond))
    const ours = figures[0]?.megabytesPerCpuSecond ?? Number.NaN
    for (const { peer, megabytesPerCpuSecond: speed } of figures) {
      const isOurs = peer === figures[0]?.peer
      const length = Math.max(1, (speed / most) * widest)
      const ratio = isOurs ? '' : `  (Bailiff: ${round(ours / speed)} times)`
      parts.push(
        text(0, y + 14, peer),
        `<rect x="${labels}" y="${y + 3}" width="${length.toFixed(1)}" height="14" rx="2" class="${isOurs ? 'ours' : 'theirs'}"/>`,
        text(labels + length + 6, y + 14, `${round(speed)}${ratio}`),
      )
      y += rowHeight
    }
    y += headHeight - 8
  }
  const foot = `MB in a second of one processor, medians of ${rounds} rounds in turn, whole processes. ${date}, ${machine}, Node ${node}`
  parts.push(text(0, y, foot, 'foot'))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 12}" font-family="system-ui, sans-serif" font-size="12">
<style>text{fill:#24292f}.head{font-weight:600;font-size:13px}.foot{fill:#6e7781;font-size:10px}.ours{fill:#1a7f37}.theirs{fill:#8c959f}@media(prefers-color-scheme:dark){text{fill:#d0d7de}.ours{fill:#3fb950}.theirs{fill:#6e7681}}</style>
${parts.join('\n')}
</svg>
`
}

function text(x: number, y: number, words: string, kind = ''): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x.toFixed(1)}" y="${y}"${kind && ` class="${kind}"`}>${escaped}</text>`
}

/** With three digits. */
function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
