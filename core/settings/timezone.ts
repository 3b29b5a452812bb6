import { BailiffError, quote } from '../errors.ts'
import { inWords } from './option-kinds.ts'

/**
 * A time zone as a person names it: `Europe/Berlin`, as the IANA calls it, or a distance from UTC: `+01:00`,
 * `-0330`, `UTC+2`. Answers the name as the runtime knows it, or `+hh:mm`. Throws a BailiffError for anything else.
 */
export function parseTimezone(given: unknown): string {
  if (typeof given !== 'string') throw new BailiffError('config', `must be a time zone, but is ${inWords(given)}`)
  const [, sign, hours = '', minutes = '00'] = /^(?:UTC|GMT)?([+-])(\d\d?)(?::?([0-5]\d))?$/i.exec(given) ?? []
  if (sign !== undefined && Number(hours) < 24) return `${sign}${hours.padStart(2, '0')}:${minutes}`
  if (/^Z$/i.test(given)) return '+00:00'
  try {
    if (/^[A-Z]/i.test(given)) return new Intl.DateTimeFormat('en-US', { timeZone: given }).resolvedOptions().timeZone
  } catch {
    // Told below.
  }
  throw new BailiffError('config', `${quote(given)} is no time zone; write a name such as Europe/Berlin, or +01:00`)
}
