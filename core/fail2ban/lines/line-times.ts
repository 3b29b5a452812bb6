import { DateDetector } from '../dates/date-detector.ts'
import type { DateForms } from '../dates/date-forms.ts'
import type { FilterTexts } from './filter-texts.ts'
import { lineDecoder } from './line-decoding.ts'

/**
 * The dates of lines as a jail of a Fail2ban tree reads them that has seen none before; `now` and answers are unix
 * milliseconds, null: a line has no date. Throws as the filter itself for a pattern or an encoding.
 */
export function treeTimes(
  { datepattern: patterns, timezone, encoding }: Pick<FilterTexts, 'datepattern' | 'timezone' | 'encoding'>,
  now: number,
  forms: DateForms,
): (line: Buffer) => number | null {
  const detector = new DateDetector({ patterns, timezone }, forms)
  const decode = lineDecoder(encoding)
  return (line) => {
    const time = detector.find(decode(line), now / 1000)?.time ?? null
    return time === null ? null : time * 1000
  }
}
