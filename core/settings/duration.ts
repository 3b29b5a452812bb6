import { BailiffError, quote, suggest } from '../errors.ts'

/** Milliseconds of each unit of time text. A year has 365 days. */
const units: Readonly<Record<string, number>> = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  y: 31_536_000_000,
}
const longestMs = 100 * 31_536_000_000

/**
 * Reads a length of time: a number of seconds (`600`), or numbers with units, largest first (`10m`,
 * `1h30m`, `2w`). Returns milliseconds, at least 1000 and at most a hundred years, or null for
 * `permanent`. Throws a BailiffError that says what is allowed.
 */
export function parseDuration(given: unknown): number | null {
  if (given === 'permanent') return null
  const ms = typeof given === 'number' ? given * 1000 : typeof given === 'string' ? fromText(given.trim()) : null
  if (ms === null || Number.isNaN(ms)) throw refuse(given, 'is not a length of time')
  if (ms < 0) throw refuse(given, 'is negative', 'for a ban without end write permanent')
  if (ms < 1000) throw refuse(given, 'is shorter than a second')
  if (ms > longestMs) throw refuse(given, 'is longer than 100 years', 'for a ban without end write permanent')
  return Math.round(ms)
}

function fromText(text: string): number | null {
  if (/^-?\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000
  if (!/^(?:\d+(?:\.\d+)?[a-z]+ *)+$/.test(text)) return null
  let total = 0
  let last = Number.POSITIVE_INFINITY
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)([a-z]+)/g)) {
    const size = units[unit ?? '']
    // A unit that stands twice, or before a larger one, is a slip of the pen rather than a sum.
    if (size === undefined || size >= last) return null
    last = size
    total += Number(count) * size
  }
  return total
}

function refuse(given: unknown, why: string, hint?: string): BailiffError {
  const word = typeof given === 'string' ? suggest(given, ['permanent']) : undefined
  const allowed = 'write seconds (600) or units from large to small (10m, 1h30m, 2d, 1w; s m h d w y)'
  return new BailiffError('config', `${quote(given)} ${why}; ${word ? `did you mean ${word}?` : (hint ?? allowed)}`)
}
