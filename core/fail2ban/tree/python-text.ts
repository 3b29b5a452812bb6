/** How Python treats text, where JavaScript differs: white space, words, numbers, and what it prints of a value. */
import type { CommandValue } from './command.ts'

/** White space of `str.strip` and of `\s`, as the inside of a character class. JavaScript's has U+FEFF and lacks some. */
export const space = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'

/** What `\w` finds, as the inside of a character class of a pattern with the flag `u`. */
export const word = '\\p{L}\\p{N}_'

const spaceAtEnd = new RegExp(`[${space}]+$`)
const spaceAtStart = new RegExp(`^[${space}]+`)
const oneSpace = new RegExp(`[${space}]`)

/** The text without white space around it. */
export function strip(text: string): string {
  return stripEnd(text).replace(spaceAtStart, '')
}

/** The text without white space at its end. */
export function stripEnd(text: string): string {
  // Only where there is some: the pattern takes its time over long runs of white space inside.
  return isSpace(text.charAt(text.length - 1)) ? text.replace(spaceAtEnd, '') : text
}

/** Whether a character is white space. */
export function isSpace(character: string): boolean {
  return oneSpace.test(character)
}

/** Whether a text means yes: `1`, `on`, `true`, `yes`. Everything else is no. */
export function isYes(text: string): boolean {
  return /^(?:1|on|true|yes)$/.test(text.toLowerCase())
}

/** The whole number that a text is for `int`, which allows white space around and `_` between digits; null: it is none. */
export function wholeNumber(text: string): number | bigint | null {
  const digits = strip(text)
  if (!/^[+-]?\p{Nd}+(?:_\p{Nd}+)*$/u.test(digits)) return null
  const ascii = digits.replace(/_/g, '').replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)))
  const number = Number(ascii)
  if (Number.isSafeInteger(number)) return number + 0
  return ascii.startsWith('-') ? -BigInt(ascii.slice(1)) : BigInt(ascii.replace('+', ''))
}

/** A value as Python's `print` shows it inside a list. It holds no control character and no unpaired surrogate. */
export function pythonLiteral(value: CommandValue): string {
  if (value === null) return 'None'
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (isList(value)) return `[${value.map(pythonLiteral).join(', ')}]`
  const pairs = Object.entries(value).map(([key, part]) => `${quoted(key)}: ${pythonLiteral(part)}`)
  return `{${pairs.join(', ')}}`
}

/** A table of texts as Python's `json.dumps` writes it: a space behind `,` and `:`, all but ASCII escaped. */
export function pythonJson(table: ReadonlyMap<string, string>): string {
  const text = (one: string) => JSON.stringify(one).replace(/[^ -~]/g, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`)
  return `{${Array.from(table, ([key, value]) => `${text(key)}: ${text(value)}`).join(', ')}}`
}

/** For sorting as Python does: by code points. */
export function byCodePoint(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right))
}

function isList(value: object): value is readonly CommandValue[] {
  return Array.isArray(value)
}

/** Decimal digits of all scripts stand in runs of ten, from 0 to 9; some runs adjoin. */
function digitValue(digit: string): number {
  const code = digit.codePointAt(0) ?? 0
  let zero = code
  while (/^\p{Nd}$/u.test(String.fromCodePoint(zero - 1))) zero -= 1
  return (code - zero) % 10
}

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replace(/[\\'\p{C}\p{Z}]/gu, (character) => {
    if (character === ' ' || (character === "'" && quote === '"')) return character
    if (character === '\\' || character === "'") return `\\${character}`
    return namedEscapes[character] ?? escapeOf(character.codePointAt(0) ?? 0)
  })
  return quote + escaped + quote
}

const namedEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escapeOf(code: number): string {
  if (code < 0x100) return `\\x${hex(code, 2)}`
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, '0')
}
