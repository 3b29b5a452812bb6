/** Texts as numbers, by the rules of Python's `int` and `float`: digits of every script count. */
import { pythonStrip } from './python-text.ts'

/** What `int(text)` gives; null: it refuses the text. */
export function pythonInteger(text: string): number | null {
  if (/^[0-9]+$/.test(text)) return text.length > maxDigits ? null : Number(text)
  const plain = plainDigits(text)
  if (!/^[+-]?[0-9]+(?:_[0-9]+)*$/.test(plain)) return null
  const joined = plain.replaceAll('_', '')
  return joined.replace(/^[+-]/, '').length > maxDigits ? null : Number(joined)
}

/** What `float(text)` gives; null: it refuses the text. */
export function pythonFloat(text: string): number | null {
  if (/^[0-9]+(?:\.[0-9]+)?$/.test(text)) return Number(text)
  const plain = plainDigits(text)
  const special = /^([+-]?)(?:(inf(?:inity)?)|nan)$/i.exec(plain)
  if (special !== null) return special[2] === undefined ? Number.NaN : special[1] === '-' ? -Infinity : Infinity
  return floatText.test(plain) ? Number(plain.replaceAll('_', '')) : null
}

const digits = '[0-9]+(?:_[0-9]+)*'
const floatText = new RegExp(`^[+-]?(?:${digits}\\.?(?:${digits})?|\\.${digits})(?:[eE][+-]?${digits})?$`)

/** Longer numbers are refused by Python as well (sys.int_info.default_max_str_digits). */
const maxDigits = 4300

/** The text without blanks around it, with ASCII digits for those of other scripts. */
function plainDigits(text: string): string {
  return pythonStrip(text).replace(/\p{Nd}/gu, (digit) => String(valueOf(digit)))
}

/** Each script's ten digits stand in a row in Unicode, and rows begin where no digit is before, or ten are. */
function valueOf(digit: string): number {
  const code = digit.codePointAt(0) ?? 0
  let first = code
  while (/^\p{Nd}$/u.test(String.fromCodePoint(first - 1)) && code - first < 60) first--
  return (code - first) % 10
}
