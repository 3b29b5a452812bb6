import type { DateParts } from './date-parts.ts'
import { readDayFirst, readNamedForm, readYearAndMonth } from './named-forms.ts'
import { readNumberForm, readTai64n } from './number-forms.ts'
import { atSign, digitsAt, isUpper, monthAt } from './timestamp-text.ts'
import type { ZoneReader } from './zone-names.ts'

/**
 * Reads the date that begins at `at`, in any form that services write, into `parts`. Returns where it ends,
 * which may lie behind `end` where the line breaks off; -1 where none is. `bracketed`: in the brackets of an
 * access log.
 */
export function readDateForm(
  text: string,
  at: number,
  end: number,
  parts: DateParts,
  zones: ZoneReader,
  bracketed = false,
): number {
  const code = text.charCodeAt(at)
  if (isUpper(code)) return readNamedForm(text, at, end, parts, zones)
  if (code === atSign) return readTai64n(text, at, end, parts, zones)
  const digits = digitsAt(text, at, end)
  if (digits > 0 && digits < 3 && monthAt(text, at + digits + 1) >= 0) return readDayFirst(text, at, end, parts, zones)
  if (digits === 4 && monthAt(text, at + 5) >= 0) return readYearAndMonth(text, at, end, parts, zones)
  return readNumberForm(text, at, end, parts, zones, bracketed)
}
