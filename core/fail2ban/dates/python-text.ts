/** What Python's str says of characters. */

/** `text.strip()`. */
export function pythonStrip(text: string): string {
  return text.replace(blanksAround, '')
}

/** `text.isalnum()` of one character; the empty text is none. */
export function isAlphanumeric(character: string): boolean {
  return /^[\p{L}\p{N}]$/u.test(character)
}

const blanks = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+'
const blanksAround = new RegExp(`^${blanks}|${blanks}$`, 'g')
