import { DateDetector } from '../fail2ban/dates/date-detector.ts'
import type { FilterTexts } from '../fail2ban/lines/filter-texts.ts'
import { lineDecoder } from '../fail2ban/lines/line-decoding.ts'
import type { TimesOfLines } from './log-sample.ts'

/** The times of lines as a jail of a Fail2ban tree reads them, one after the other. Throws a BailiffError for its dates or encoding. */
export function treeTimes({ datepattern: patterns, timezone, encoding }: FilterTexts): TimesOfLines {
  const detector = new DateDetector({ patterns, timezone })
  const decode = lineDecoder(encoding)
  return (bytes) => (start, end) => {
    const found = detector.find(decode(bytes.subarray(start, end)), Date.now() / 1000)
    if (found === null || found.fails) return null
    // The pattern may say that there need not be a date.
    if (found.start === found.end) return Date.now()
    return found.time === null ? null : found.time * 1000
  }
}
