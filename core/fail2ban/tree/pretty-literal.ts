import type { CommandValue } from './command.ts'
import { pythonLiteral, space } from './python-text.ts'

/** How wide `fail2ban-client --dump-pretty` prints, and how far it indents. */
const width = 1000
const step = 2

/**
 * A command as `fail2ban-client --dump-pretty` prints it: on one line if it is short, else an item a line and long texts in
 * pieces, as Python's `pprint` does.
 */
export function prettyLiteral(value: CommandValue): string {
  return formatted(value, 0, 0)
}

/** `indent`: where it begins; `behind`: how many brackets and commas follow it on its last line. */
function formatted(value: CommandValue, indent: number, behind: number): string {
  const literal = pythonLiteral(value)
  if (lengthOf(literal) <= width - indent - behind) return literal
  if (typeof value === 'string') return textInPieces(value, indent, behind)
  return Array.isArray(value) ? listInLines(value, indent, behind) : literal
}

function listInLines(list: readonly CommandValue[], indent: number, behind: number): string {
  const inner = indent + step
  const items = list.map((one, at) => formatted(one, inner, at === list.length - 1 ? behind + 1 : 1))
  return `[${' '.repeat(step - 1)}${items.join(`,\n${' '.repeat(inner)}`)}]`
}

/** The literals of the pieces stand below each other, which Python reads as one text. */
function textInPieces(text: string, indent: number, behind: number): string {
  const lines = text.match(lineOfText) ?? []
  const pieces = lines.flatMap((line, at) => {
    const after = at === lines.length - 1 ? behind : 0
    return fits(line, indent, after) ? [line] : wordsInPieces(line, indent, after)
  })
  return pieces.map(pythonLiteral).join(`\n${' '.repeat(indent)}`)
}

/** Whole words with the white space behind them, as many as fit. */
function wordsInPieces(line: string, indent: number, behind: number): string[] {
  const words = line.match(wordWithSpace) ?? []
  const pieces: string[] = []
  let piece = ''
  for (const [at, word] of words.entries())
    if (fits(piece + word, indent, at === words.length - 1 ? behind : 0)) piece += word
    else {
      if (piece !== '') pieces.push(piece)
      piece = word
    }
  return piece === '' ? pieces : [...pieces, piece]
}

function fits(text: string, indent: number, behind: number): boolean {
  return lengthOf(pythonLiteral(text)) <= width - indent - behind
}

const lineEnd = '\\n\\v\\f\\r\\x1c-\\x1e\\x85\\u2028\\u2029'
/** As Python's `splitlines` cuts, each with its end. */
const lineOfText = new RegExp(`[^${lineEnd}]*(?:\\r\\n|[${lineEnd}])|[^]+$`, 'g')
const wordWithSpace = new RegExp(`[^${space}]+[${space}]*|[${space}]+`, 'g')

/** In characters, as Python counts. */
function lengthOf(text: string): number {
  return [...text].length
}
