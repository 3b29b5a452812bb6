import * as assert from 'uvu/assert'
import { compileDates, createDateReader } from '../../../core/matching/date-reading.ts'
import { PatternError } from '../../../core/matching/pattern-error.ts'
import { suite } from '../../suite.ts'

const test = suite('date patterns')
/** 2026-11-22 13:41:02 UTC, half a minute before the reference. */
const moment = Date.UTC(2026, 10, 22, 13, 41, 2)
const reference = moment + 30_000
const hour = 3_600_000
const day = 24 * hour

/** The pattern, a line, milliseconds after `moment` (null: no date), and what is cut out of the line. */
type Case = [pattern: string, line: string, after: number | null, cut?: string]

const cases: Case[] = [
  ['%Y-%m-%d %H:%M:%S', 'x 2026-11-22 13:41:02 y', 0, '2026-11-22 13:41:02'],
  ['%%Y-%%m-%%d %%H:%%M:%%S', 'x 2026-11-22 13:41:02 y', 0, '2026-11-22 13:41:02'],
  ['%Y-%m-%d %H:%M:%S', 'x2026-11-22 13:41:02 y', null],
  ['%Y-%m-%d %H:%M:%S', '2026-11-22 13:41:02y', null],
  ['**%Y-%m-%d %H:%M:%S**', 'x2026-11-22 13:41:02y', 0, '2026-11-22 13:41:02'],
  ['{UNB}%Y-%m-%d %H:%M:%S', 'x2026-11-22 13:41:02y', 0, '2026-11-22 13:41:02'],
  ['^%Y-%m-%d %H:%M:%S', '2026-11-22 13:41:02 y', 0, '2026-11-22 13:41:02'],
  ['^%Y-%m-%d %H:%M:%S', ' 2026-11-22 13:41:02 y', null],
  ['{^LN-BEG}%Y-%m-%d %H:%M:%S', '[2026-11-22 13:41:02] y', 0, '2026-11-22 13:41:02'],
  ['{^LN-BEG}%Y-%m-%d %H:%M:%S', '<-2026-11-22 13:41:02] y', 0, '2026-11-22 13:41:02'],
  ['{^LN-BEG}%Y-%m-%d %H:%M:%S', '   2026-11-22 13:41:02] y', null],
  ['%Y-%m-%d %H:%M:%S$', 'y at 2026-11-22 13:41:02', 0, '2026-11-22 13:41:02'],
  ['%Y-%m-%d %H:%M:%S$', 'y at 2026-11-22 13:41:02 z', null],
  [' at (%Y-%m-%d %H:%M:%S) ', 'y at 2026-11-22 13:41:02 z', 0, '2026-11-22 13:41:02'],
  ['%Y-%m-%d %H:%M:%S,%f', '2026-11-22 13:41:02,123456 y', 123, '2026-11-22 13:41:02,123456'],
  ['%Y-%m-%dT%H:%M:%S%z', '2026-11-22T14:41:02+01:00 y', 0, '2026-11-22T14:41:02+01:00'],
  ['%Y-%m-%dT%H:%M:%S%z', '2026-11-22T13:41:02Z y', 0, '2026-11-22T13:41:02Z'],
  ['%Y-%m-%d %H:%M:%S %Z', '2026-11-22 14:41:02 CET y', 0, '2026-11-22 14:41:02 CET'],
  ['%Y-%m-%d %H:%M:%S %Exz', '2026-11-22 15:41:02 CET+0100 y', 0, '2026-11-22 15:41:02 CET+0100'],
  ['%b %d %H:%M:%S', 'nov 22 13:41:02 y', 0, 'nov 22 13:41:02'],
  ['%B %d, %Y %I:%M:%S %p', 'November 22, 2026 1:41:02 PM y', 0, 'November 22, 2026 1:41:02 PM'],
  ['%a %d %b %Y %l:%M:%S %p', 'Sun 22 Nov 2026  1:41:02 pm y', 0, 'Sun 22 Nov 2026  1:41:02 pm'],
  ['%d(?P<_sep>[-/])%b(?P=_sep)%Y:%H:%M:%S', '[22/NOV/2026:13:41:02 +0000]', 0, '22/NOV/2026:13:41:02'],
  ['%d(?P<_sep>[-/])%b(?P=_sep)%Y:%H:%M:%S', '[22/Nov-2026:13:41:02 +0000]', null],
  ['L %m/%d/%Y - %H:%M:%S:', 'L 11/22/2026 - 13:41:02: rcon', 0, 'L 11/22/2026 - 13:41:02:'],
  ['%y%m%d %H:%M:%S', '261122 13:41:02 y', 0, '261122 13:41:02'],
  ['%Exy%Exm%Exd %k:%ExM:%ExS', '261122  9:41:02 y', -4 * hour, '261122  9:41:02'],
  ['%ExY-%Exm-%Exd', '1999-11-22 y', null],
  ['%ExY-%Exm-%Exd', '2031-11-22 y', null],
  ['%ExY-%Exm-%Exd', '2026-11-22 y', Date.UTC(2026, 10, 22) - moment, '2026-11-22'],
  ['%Exd.%Exm.%ExY', '2.1.2026 y', null],
  ['%H:%M:%S', '13:41:02 y', 0, '13:41:02'],
  ['%H:%M:%S', '14:41:02 y', hour - day, '14:41:02'],
  ['%m-%d %H:%M', '11-22 13:41 y', -2000, '11-22 13:41'],
  ['%m-%d %H:%M', '12-22 13:41 y', Date.UTC(2025, 11, 22, 13, 41) - moment, '12-22 13:41'],
  ['%Y day %j %H:%M:%S', '2026 day 326 13:41:02 y', 0, '2026 day 326 13:41:02'],
  ['%Y week %W %a %H:%M:%S', '2026 week 46 Sun 13:41:02 y', 0, '2026 week 46 Sun 13:41:02'],
  ['%Y week %U %w %H:%M:%S', '2026 week 47 0 13:41:02 y', 0, '2026 week 47 0 13:41:02'],
  ['%Y-%m-%d 100%% %H:%M:%S', '2026-11-22 100% 13:41:02 y', 0, '2026-11-22 100% 13:41:02'],
  ['%Y-%m-%d %H:%M:%S', '2026-02-30 13:41:02 y', null],
  ['%Y-%m-%d %H:%M:%S', '2026-11-22 25:41:02 y', null],
  ['EPOCH', '1795354862.123 y', 123, '1795354862.123'],
  ['EPOCH', '[1795354862] y', 0, '1795354862'],
  ['EPOCH', 'type=x msg=audit(1795354862.123:7): y', 123, '1795354862.123'],
  ['EPOCH', 'user 1795354862 y', null],
  ['{^LN-BEG}EPOCH', '  1795354862 y', 0, '1795354862'],
  ['^epoch', '1795354862 y', 0, '1795354862'],
  ['LEPOCH', '1795354862123 y', 123, '1795354862123'],
  ['LEPOCH', '1795354862123456 y', 123, '1795354862123456'],
  ['ts={LEPOCH} ', 'a ts=1795354862123 y', 123, 'ts=1795354862123'],
  ['"time":{EPOCH}', '{"user":"x","time":1795354862}', 0, '"time":1795354862'],
  ['TAI64N', '@400000006b02f0f80754d4c0 y', 0, '@400000006b02f0f80754d4c0'],
  ['{^LN-BEG}TAI64N', 'y @400000006b02f0f80754d4c0', null],
  ['{NONE}', '2026-11-22 13:41:02 y', null],
  ['{DEFAULT}', '2026-11-22 13:41:02 y', 0, '2026-11-22 13:41:02 '],
  ['{^LN-BEG}', 'Nov 22 13:41:02 y', 0],
  ['"date": "{DATE}"', '{"date": "2026-11-22 13:41:02.5"}', 500, '"date": "2026-11-22 13:41:02.5"'],
  ['"date": "{DATE}"', '{"date": "22/Nov/2026:13:41:02 +0000"}', 0],
  ['at {DATE}$', 'y at Nov 22, 2026 1:41:02 PM', 0, 'at Nov 22, 2026 1:41:02 PM'],
  ['at {DATE}$', 'y at Sun Nov 22 13:41:02 2026', 0],
  ['at {DATE}$', 'y at 1795354862', 0],
  ['%Y-%m-%d %H:%M:%S\n%d.%m.%Y %H:%M:%S', '22.11.2026 13:41:02 y', 0, '22.11.2026 13:41:02'],
  ['é %Y-%m-%d', 'é 2026-11-22 ü', Date.UTC(2026, 10, 22) - moment, 'é 2026-11-22'],
]

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
