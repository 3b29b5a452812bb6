/** What is read, told one by one: the assumptions, the zones, what is cut out, and what must not be. */
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { DateDetector } from '../../../../core/fail2ban/dates/date-detector.ts'
import { DateForms } from '../../../../core/fail2ban/dates/date-forms.ts'
import { BailiffError } from '../../../../core/errors.ts'
import { PatternError } from '../../../../core/matching/pattern-error.ts'
import { suite } from '../../../suite.ts'
import { Choices, lineOf, usualForms } from './date-lines.ts'

const test = suite('dates of fail2ban, fact by fact')

const forms = new DateForms(2026)
/** 2026-11-22 13:41:02 UTC */
const now = Date.UTC(2026, 10, 22, 13, 41, 2) / 1000

/** As Europe/Berlin, which a machine without the files of the zones does not know. */
const berlin = 'CET-1CEST,M3.5.0,M10.5.0/3'

interface Given {
  readonly patterns?: readonly string[]
  readonly timezone?: string
  readonly hostZone?: string
}

function detector({ patterns, timezone, hostZone = 'UTC' }: Given): DateDetector {
  return new DateDetector({ patterns: patterns ?? null, timezone: timezone ?? null, hostZone }, forms)
}

/** The time (to the second, UTC) and what is cut out of the line; null: no date. */
function read(given: Given, line: string): readonly [time: string | null, cut: string] | 'fails' | null {
  const found = detector(given).find(line, now)
  if (found === null) return null
  if (found.fails) return 'fails'
  const time = found.time === null ? null : new Date(found.time * 1000).toISOString().slice(0, 19)
  return [time, line.slice(found.start, found.end)]
}

const cases: readonly (readonly [fact: string, given: Given, line: string, expected: ReturnType<typeof read>])[] = [
  ['a date without a year is of this one', {}, 'Nov 20 01:02:03 host', ['2026-11-20T01:02:03', 'Nov 20 01:02:03']],
  [
    'or of the last, if it were more than a day ahead',
    {},
    'Nov 24 01:02:03 host',
    ['2025-11-24T01:02:03', 'Nov 24 01:02:03'],
  ],
  ['less than a day ahead is this year', {}, 'Nov 23 13:41:02 host', ['2026-11-23T13:41:02', 'Nov 23 13:41:02']],
  ['February 29 without a year is none in a year without it', {}, 'Feb 29 01:02:03 host', [null, 'Feb 29 01:02:03']],
  ['a clock alone is of today', {}, '13:41:02 x', ['2026-11-22T13:41:02', '13:41:02']],
  ['or of yesterday, if it is to come', {}, '13:41:03 x', ['2026-11-21T13:41:03', '13:41:03']],
  ['fractions are left out', {}, '2026-11-22 13:41:02,999 x', ['2026-11-22T13:41:02', '2026-11-22 13:41:02,999']],
  [
    'the zone of the text counts',
    {},
    '2026-11-22T13:41:02+01:00 x',
    ['2026-11-22T12:41:02', '2026-11-22T13:41:02+01:00'],
  ],
  [
    'also before logtimezone',
    { timezone: 'EST' },
    '2026-11-22T13:41:02Z x',
    ['2026-11-22T13:41:02', '2026-11-22T13:41:02Z'],
  ],
  ['then logtimezone', { timezone: 'EST' }, '2026-11-22T13:41:02 x', ['2026-11-22T18:41:02', '2026-11-22T13:41:02']],
  [
    'with an offset of its own',
    { timezone: 'UTC+0530' },
    '2026-11-22 13:41:02 x',
    ['2026-11-22T08:11:02', '2026-11-22 13:41:02'],
  ],
  [
    'then that of the host',
    { hostZone: berlin },
    '2026-11-22 13:41:02 x',
    ['2026-11-22T12:41:02', '2026-11-22 13:41:02'],
  ],
  [
    'in summer and in winter',
    { hostZone: berlin },
    '2026-07-22 13:41:02 x',
    ['2026-07-22T11:41:02', '2026-07-22 13:41:02'],
  ],
  ['a name of a zone is a fixed offset', {}, 'CEST Nov 22 13:41:02 x', ['2026-11-22T11:41:02', 'CEST Nov 22 13:41:02']],
  [
    'two characters may stand before a date',
    {},
    '[[2026-11-22 13:41:02] x',
    ['2026-11-22T13:41:02', '2026-11-22 13:41:02'],
  ],
  [
    'only the date is cut out',
    {},
    '192.0.2.7 - - [22/Nov/2026:13:41:02 +0100] "GET /"',
    ['2026-11-22T12:41:02', '22/Nov/2026:13:41:02 +0100'],
  ],
  ['years far from now are none to the usual forms', {}, '1999-11-22 13:41:02 x', null],
  ['a number of ten digits is a time at the start only', {}, 'x 1795354862 y', null],
  ['there it is', {}, '1795354862.123 y', ['2026-11-22T13:41:02', '1795354862.123']],
  ['and in an audit log', {}, 'type=X msg=audit(1795354862.123:99): y', ['2026-11-22T13:41:02', '1795354862.123']],
  ['a date in a word is none', {}, 'x2026-11-22 13:41:02 y', null],
  ['a second 60 tells no time', {}, '2026-11-22 13:41:60 y', [null, '2026-11-22 13:41:60']],
  [
    'an own pattern',
    { patterns: ['%d.%m.%Y um %H:%M'] },
    'x 22.11.2026 um 13:41 y',
    ['2026-11-22T13:41:00', '22.11.2026 um 13:41'],
  ],
  [
    'what is not written is midnight',
    { patterns: ['%d.%m.%Y'] },
    'x 22.11.2026 y',
    ['2026-11-22T00:00:00', '22.11.2026'],
  ],
  [
    'a group says what is cut out',
    { patterns: ['at=(%Y-%m-%d) %H:%M'] },
    'at=2026-11-22 13:41 y',
    ['2026-11-22T13:41:00', '2026-11-22'],
  ],
  ['the day of the year', { patterns: ['%Y %j'] }, '2026 326 y', ['2026-11-22T00:00:00', '2026 326']],
  ['the week', { patterns: ['%Y %W %a'] }, '2026 46 Sun y', ['2026-11-22T00:00:00', '2026 46 Sun']],
  [
    'halves of the day',
    { patterns: ['%Y-%m-%d %I:%M %p'] },
    '2026-11-22 12:41 am y',
    ['2026-11-22T00:41:00', '2026-11-22 12:41 am'],
  ],
  ['milliseconds', { patterns: ['^LEPOCH'] }, '1795354862123 y', ['2026-11-22T13:41:02', '1795354862123']],
  [
    'seconds within a pattern, all of which is cut out',
    { patterns: ['t={EPOCH};'] },
    'a t=1795354862; y',
    ['2026-11-22T13:41:02', 't=1795354862;'],
  ],
  [
    'seconds in a group of the pattern, which alone is cut out',
    { patterns: ['at (t={EPOCH});'] },
    'x at t=1795354862; y',
    ['2026-11-22T13:41:02', 't=1795354862'],
  ],
  ['TAI64N', {}, '@400000006b02f0ee1f2ef02e y', ['2026-11-22T13:41:02', '@400000006b02f0ee1f2ef02e']],
  ['{NONE} cuts nothing', { patterns: ['{NONE}'] }, '2026-11-22 13:41:02 y', [null, '']],
  [
    '{DATE} is any usual form',
    { patterns: ['^time="{DATE}"'] },
    'time="Nov 22 13:41:02" y',
    ['2026-11-22T13:41:02', 'time="Nov 22 13:41:02"'],
  ],
  ['at that place', { patterns: ['^time="{DATE}"'] }, 'Nov 22 13:41:02 y', null],
  ['{^LN-BEG} is the start of a line', { patterns: ['{^LN-BEG}'] }, 'x Nov 22 13:41:02 y', null],
  [
    'without bounds within a word, too',
    { patterns: ['{UNB}%ExY%Exm%Exd'] },
    'x20261122y',
    ['2026-11-22T00:00:00', '20261122'],
  ],
  [
    'digits of other scripts are digits',
    { patterns: ['%Y-%m-%d'] },
    '٢٠٢٦-11-22 y',
    ['2026-11-22T00:00:00', '٢٠٢٦-11-22'],
  ],
  ['a zone of no place', { patterns: ['%H:%M %Z'] }, '13:41 XYZ y', 'fails'],
  ['a day without a month', { patterns: ['on %d'] }, 'on 22 y', 'fails'],
]

for (const [fact, given, line, expected] of cases) test(fact, () => assert.equal(read(given, line), expected))

test('what won last is tried first, and the list follows', () => {
  const dates = detector({})
  const first = dates.templates.map(({ name }) => name)
  assert.is(first.length, 31)
  assert.is(first[13], '{^LN-BEG}TAI64N')
  assert.is(dates.find('Nov 22 13:41:02 x', now)?.template, 0)
  assert.is(dates.templates[0]?.name, '{^LN-BEG}(?:DAY )?MON Day %k:Minute:Second(?:\\.Microseconds)?(?: ExYear)?')
  assert.is(dates.templates[0]?.hits, 1)
  assert.is(dates.find('2026-11-22 13:41:02 x', now)?.template, 1)
})

test('a date in the message does not win over that in its column', () => {
  const dates = detector({})
  const cut = (line: string) => {
    const found = dates.find(line, now)
    return found === null ? null : line.slice(found.start, found.end)
  }
  assert.is(cut('host 2026-11-22 13:41:02 x'), '2026-11-22 13:41:02')
  assert.is(cut('host 2026-11-22 13:41:03 user=Nov 1 01:01:01 x'), '2026-11-22 13:41:03')
})

const refused: readonly (readonly [pattern: string, reason: RegExp])[] = [
  ['%Y-%Q', /%Q is no token/],
  ['100% %Y', /no token/],
  ['%Y-%', /% at the end/],
  ['%Y %Y', /Y/],
  ['(%Y', /./],
]
for (const [pattern, reason] of refused)
  test(`${pattern} is refused`, () => {
    assert.throws(
      () => detector({ patterns: ['%H:%M', pattern] }),
      (error: unknown) => error instanceof PatternError && error.index === 1 && reason.test(error.reason),
    )
  })

test('a pattern that stands twice is refused', () => {
  assert.throws(
    () => detector({ patterns: ['%Y', '%Y'] }),
    (error: unknown) => error instanceof PatternError,
  )
})

test('a zone that is none is refused', () => {
  for (const timezone of ['Europe/Berlin', 'ABC', '+1', 'utc'])
    assert.throws(
      () => detector({ timezone }),
      (error: unknown) => error instanceof BailiffError,
    )
})

test('any lines in any order: what is cut out lies in the line, and nothing is thrown', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '2026-11-22 13:41:02',
      'Nov 22 13:41:02',
      '1795354862',
      '13:41:02',
      '[',
      ' ',
      'CET ',
      '+01:00 ',
      '@400000006b02f0ee1f2ef02e',
    ),
    fc.string({ unit: 'binary', maxLength: 8 }),
  )
  const line = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 12 }),
      fc.constantFrom(null, ['%H:%M'], ['{DATE} '], ['{NONE}']),
      (lines, patterns) => {
        const dates = new DateDetector({ patterns, timezone: null, hostZone: berlin }, forms)
        for (const text of lines) {
          const found = dates.find(text, now)
          if (found === null) continue
          assert.ok(found.start >= 0 && found.start <= found.end && found.end <= text.length)
          assert.ok(found.time === null || Number.isFinite(found.time))
          assert.ok(found.template >= 0 && found.template < dates.templates.length)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('a detector that goes on from what another remembers reads the same', () => {
  for (let seed = 0; seed < 20; seed++) {
    const choices = new Choices(seed)
    const given = { patterns: null, timezone: null, hostZone: berlin }
    const whole = new DateDetector(given, forms)
    let parts = new DateDetector(given, forms)
    for (let count = 0; count < 60; count++) {
      const line = lineOf(choices.of(usualForms), now, choices)
      assert.equal(parts.find(line, now + count), whole.find(line, now + count))
      const { memory } = parts
      parts = new DateDetector(given, forms)
      parts.memory = structuredClone(memory)
    }
    const hits = ({ templates }: DateDetector) => templates.map((template) => [template.name, template.hits])
    assert.equal(hits(parts), hits(whole))
  }
})

test('what is written is read again, in every zone', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: Date.UTC(2001, 0, 1) / 1000, max: Date.UTC(2029, 0, 1) / 1000 }),
      fc.constantFrom('+00:00', '+05:30', '-08:00', '+14:00'),
      (time, zone) => {
        const minutes = Number(`${zone.slice(0, 1)}1`) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)))
        const shown = new Date((time + minutes * 60) * 1000).toISOString().slice(0, 19)
        assert.is(detector({}).find(`${shown}${zone} host`, now)?.time, time)
      },
    ),
    { numRuns: 300 },
  )
})

test.run()
