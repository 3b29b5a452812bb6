import * as assert from 'uvu/assert'
import { readFieldTime } from '../../../core/matching/field-time.ts'
import { TimestampReader } from '../../../core/matching/timestamps.ts'
import { suite } from '../../suite.ts'

const test = suite('dates in fields')

test('dates and numbers of seconds, milliseconds, microseconds and nanoseconds', () => {
  const dates = new TimestampReader()
  dates.reference = Date.UTC(2026, 10, 22, 14)
  const at = Date.UTC(2026, 10, 22, 13, 41, 2)
  const cases: [text: string, time: number | null][] = [
    ['2026-11-22T13:41:02Z', at],
    ['2026-11-22T14:41:02.25+01:00', at + 250],
    ['2026-11-22 13:41:02.123456789Z', at + 123],
    [`${at / 1000}`, at],
    [`${at / 1000}.9879`, at + 987],
    [`${at}`, at],
    [`${at}.5`, at],
    [`${at}123`, at],
    [`${at}123456`, at],
    [`1.795354862e9`, at],
    ['', null],
    ['12', null],
    ['-1795354862', null],
    ['99999999999999999999', null],
    ['2026-11-22T13:41:02Z x', null],
    ['2026-11-22', null],
    ['yesterday', null],
    ['1'.repeat(60_000), null],
  ]
  for (const [text, time] of cases) assert.is(readFieldTime(text, dates), time, text)
})

test.run()
