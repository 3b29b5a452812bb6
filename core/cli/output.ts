import { styleText } from 'node:util'

/** A colour or a weight, as `util.styleText` names it. */
export type Style = Parameters<typeof styleText>[0]

/** Styles text where standard output is a terminal that wants colours. */
export function styled(style: Style, text: string): string {
  return process.stdout.isTTY && !process.env.NO_COLOR ? styleText(style, text) : text
}

/** Writes text and a newline to standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** A length of time in its two largest units: `3 d 4 h`, `12 min`, `45 s`. */
export function duration(ms: number): string {
  const units: [name: string, ms: number][] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
  ]
  const parts: string[] = []
  let rest = Math.max(0, Math.round(ms / 1000) * 1000)
  for (const [name, size] of units) {
    const count = Math.floor(rest / size)
    if (count > 0 && parts.length < 2) parts.push(`${count} ${name}`)
    rest -= count * size
  }
  return parts.join(' ') || '0 s'
}

/** When something ends, as people read it: `in 12 min`, or `never`. */
export function ending(until: number | null): string {
  return until === null ? 'never' : `in ${duration(until - Date.now())}`
}

/** A count and what is counted: `1 jail`, `2 jails`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`
}
