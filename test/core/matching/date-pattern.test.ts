import * as assert from 'uvu/assert'
import { compileDates } from '../../../core/matching/date-pattern.ts'
import { createDateReader } from '../../../core/matching/date-reading.ts'
import { PatternError } from '../../../core/matching/pattern-error.ts'
import { suite } from '../../suite.ts'
import { moment, patternDates as cases, patternReference as reference } from './date-cases.ts'

const test = suite('date patterns')

test('what each pattern reads, and what it cuts out of the line', () => {
  for (const [pattern, line, after, cut] of cases) {
    const reader = createDateReader(compileDates([pattern], '+00:00', 2026))
    reader.reference = reference
    const found = reader.read(line, 0, line.length, !/[^\0-\x7f]/.test(line))
    assert.is(found < 0 ? null : reader.time - moment, after, `${pattern}: ${line}`)
    if (cut !== undefined && reader.form !== 'YYYY-MM-DD hh:mm:ss')
      assert.is(line.slice(reader.from, reader.to), cut, pattern)
  }
})

test('a date is read inside the given bounds only', () => {
  const reader = createDateReader(compileDates(['%Y-%m-%d %H:%M:%S$'], '+00:00', 2026))
  const text = 'one\nx 2026-11-22 13:41:02\ntwo'
  assert.is(reader.read(text, 4, 25, true), 25)
  assert.is(text.slice(reader.from, reader.to), '2026-11-22 13:41:02')
  assert.is(reader.read(text, 0, 3, true), -1)
})

test('what is wrong is named, with its place in the pattern as it was written', () => {
  const wrong: [pattern: string, character: number, message: string][] = [
    ['%Y-%m-%Q', 7, '%Q is no token of a date'],
    ['%Y %', 4, '% is no token'],
    ['%Y-%m-%d (x', 10, 'not closed'],
    ['{^LN-BEG}%Y-%m-%d (x', 19, 'not closed'],
    ['{UNB}%Y [a', 9, 'no closing ]'],
    ['%H:%M %H', 7, 'two groups'],
    ['%Y+*', 4, 'repeats what is repeated'],
    ['%b %d [z-a]', 8, 'upside down'],
    ['^%b %d [z-a]', 9, 'upside down'],
    ['at {DATE} (x', 11, 'not closed'],
  ]
  for (const [pattern, character, message] of wrong) {
    try {
      compileDates(['%Y', pattern], null, 2026)
      assert.unreachable(`${pattern} is not refused`)
    } catch (error) {
      assert.instance(error, PatternError)
      const found = error as PatternError
      assert.match(found.message, message)
      assert.equal(
        [found.list, found.index, found.position + 1],
        ['datepattern', 1, character],
        `${pattern}: ${found.message}`,
      )
    }
  }
})

test('no pattern, and none with a zone', () => {
  assert.is(compileDates(null, null, 2026), null)
  assert.equal(compileDates(null, '+01:00', 2026), { patterns: null, timezone: '+01:00' })
  assert.equal(compileDates(['{NONE}'], null, 2026), { patterns: [], timezone: null })
  const reader = createDateReader(compileDates(['%Y-%m-%d %H:%M'], 'Europe/Berlin', 2026))
  assert.is(reader.read('2026-07-01 12:00', 0, 16, true), 16)
  assert.is(reader.time, Date.UTC(2026, 6, 1, 10))
})

test.run()
