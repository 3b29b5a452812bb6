import { note, ok, problem, type DoctorFinding } from './finding.ts'
import type { LogSample } from './log-sample.ts'
import { counted, duration } from './output.ts'

/** A log is written within so much of the time that stands in its lines. */
const toleratedMs = 90_000
/** Zones differ by whole quarters of an hour, of 14 h at most. */
const quarterMs = 900_000
const widestMs = 14 * 3_600_000

/** Whether the dates of a log are found and agree with the clock. */
export function dateFindings(
  file: string,
  { lines, dated, lastDate, writtenAt }: LogSample,
  asked: { readonly test: string; readonly zone: string; readonly now: number },
): DoctorFinding[] {
  if (lines === 0) return []
  if (dated * 2 < lines) {
    const text = `no date is found in ${lines - dated} of the last ${counted(lines, 'line')} of ${file}`
    return dated === 0
      ? [
          note(
            'dates',
            `${text}, so lines count when they come, and none of an earlier time does`,
            `${asked.test} ${file}`,
          ),
        ]
      : [problem('dates', text, `${asked.test} ${file}`)]
  }
  if (lastDate === null) return []
  const skew = lastDate - writtenAt
  if (Math.abs(skew) <= toleratedMs)
    return [
      ok(
        'dates',
        `found in ${dated} of the last ${counted(lines, 'line')} of ${file}, and right to ${duration(Math.max(1000, Math.abs(skew)))}`,
      ),
    ]
  const quarters = Math.round(skew / quarterMs)
  const off = Math.abs(skew - quarters * quarterMs)
  const direction = skew > 0 ? 'ahead of' : 'behind'
  const text = `the last date in ${file} is ${duration(Math.abs(skew))} ${direction} the time it was written`
  if (quarters !== 0 && Math.abs(skew) <= widestMs && off <= toleratedMs)
    return [problem('dates', `${text}: most likely its dates are of another time zone`, asked.zone)]
  if (lastDate > asked.now + toleratedMs) return [problem('dates', `${text}, and in the future`, 'timedatectl')]
  return [note('dates', text, `${asked.test} ${file}`)]
}
