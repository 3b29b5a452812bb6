/**
 * The errors that people see. Each names what was given, what is allowed, where it stands, and the
 * next step; the class decides the exit code of the command line (sysexits.h).
 */

/** Exit codes by kind of error, after sysexits.h. */
export const exitCodes = {
  usage: 64,
  data: 65,
  'no-input': 66,
  unavailable: 69,
  software: 70,
  os: 71,
  'cannot-create': 73,
  io: 74,
  'try-again': 75,
  'no-permission': 77,
  config: 78,
} as const

/** A place in a file that a person can go to. Lines and columns count from 1. */
export interface Where {
  readonly file: string
  readonly line?: number
  readonly column?: number
  /** The option, as a path of keys: `jails.sshd.maxretry`. */
  readonly option?: string
}

/** An error with a message made for people. No stack trace of it is ever shown. */
export class BailiffError extends Error {
  readonly kind: keyof typeof exitCodes
  readonly where: Where | undefined
  /** The next step to take. */
  readonly hint: string | undefined

  constructor(
    kind: keyof typeof exitCodes,
    message: string,
    more: { where?: Where; hint?: string; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = 'BailiffError'
    this.kind = kind
    this.where = more.where
    this.hint = more.hint
  }
}

/** The whole error on one or more lines: `file:line:column: option: message`, and the next step below. */
export function describeError(error: unknown): string {
  if (!(error instanceof BailiffError)) return printable(error instanceof Error ? error.message : String(error))
  const { where, hint } = error
  const place = where ? [where.file, where.line, where.line === undefined ? undefined : where.column] : []
  const head = [place.filter((part) => part !== undefined).join(':'), where?.option, error.message].filter(Boolean)
  return printable(head.join(': ')) + (hint ? `\n  ${printable(hint)}` : '')
}

/**
 * Text without control characters: each of C0 (tab too), DEL, C1, the line and paragraph separators
 * and the characters that reorder text or are not seen becomes `\xNN`, `\uNNNN` or `\u{NNNNN}`. A backslash stays.
 */
export function printable(text: string): string {
  return /^[ -~]*$/.test(text) ? text : text.replace(unprintable, escapeCharacter)
}

const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Cf}]/gu

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code > 0xffff) return `\\u{${code.toString(16)}}`
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** What was given, in quotes, printable, cut to 80 characters. */
export function quote(given: unknown): string {
  const text = typeof given === 'string' ? given : (JSON.stringify(given) ?? String(given))
  return `"${printable(text.length > 80 ? `${text.slice(0, 79)}…` : text)}"`
}

/** Why a file cannot be read, in words: of what a call of node:fs threw, or the message of any other error. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file'
  if (code === 'EACCES') return 'this user may not read it'
  if (code === 'EISDIR') return 'it is a folder'
  return error instanceof Error ? error.message : String(error)
}

/** What was most likely meant: the allowed word nearest to the given one, within a third of its letters. */
export function suggest(given: string, allowed: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(given.length / 3)) + 1
  for (const word of allowed) {
    const distance = editDistance(given.toLowerCase(), word.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [word, distance]
  }
  return best
}

/** Edits between two words: letters put in, left out, changed, or swapped with their neighbour (optimal string alignment). */
function editDistance(from: string, to: string): number {
  let before: number[] = []
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const change = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      const swap = swapped ? (before[j - 2] ?? 0) + 1 : change
      next.push(Math.min(change, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    ;[before, row] = [row, next]
  }
  return row[to.length] ?? 0
}
