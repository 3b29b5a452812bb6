import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { TimestampReader } from '../../../core/matching/timestamps.ts'
import { suite } from '../../suite.ts'

const test = suite('timestamps')
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const day = 86_400_000

test('the forms that are read, and where they end', () => {
  const reference = new Date(2026, 10, 23).getTime()
  const local = (year: number, month: number, date: number, hour: number, minute: number, second: number, ms = 0) =>
    new Date(year, month, date, hour, minute, second, ms).getTime()
  const cases: [text: string, time: number | null, end?: number][] = [
    ['Nov 22 13:41:02 host', local(2026, 10, 22, 13, 41, 2), 15],
    ['Nov  2 13:41:02 host', local(2026, 10, 2, 13, 41, 2), 15],
    ['Nov 02 13:41:02 host', local(2026, 10, 2, 13, 41, 2), 15],
    ['<38>Nov 22 13:41:02 host', local(2026, 10, 22, 13, 41, 2), 19],
    ['Nov 22 13:41:02.25 host', local(2026, 10, 22, 13, 41, 2, 250), 18],
    ['Nov 23 23:59:59', local(2026, 10, 23, 23, 59, 59), 15],
    ['Dec 24 00:00:00', local(2025, 11, 24, 0, 0, 0), 15],
    ['Feb 29 12:00:00', local(2024, 1, 29, 12, 0, 0), 15],
    ['2026-11-22T13:41:02Z x', Date.UTC(2026, 10, 22, 13, 41, 2), 20],
    ['2026-11-22T13:41:02.5+01:00 x', Date.UTC(2026, 10, 22, 12, 41, 2, 500), 27],
    ['2026-11-22T13:41:02.123456789-0530', Date.UTC(2026, 10, 22, 19, 11, 2, 123), 34],
    ['2026-11-22 13:41:02,007 x', local(2026, 10, 22, 13, 41, 2, 7), 23],
    ['2026-11-22 13:41:02: x', local(2026, 10, 22, 13, 41, 2), 19],
    ['<191>2026-11-22 13:41:02', local(2026, 10, 22, 13, 41, 2), 24],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29), 20],
    ['2026-06-30T23:59:60Z', Date.UTC(2026, 6, 1), 20],
    ['2026-02-29T00:00:00Z', null],
    ['Nov 31 00:00:00', null],
    ['Nov 22 24:00:00', null],
    ['Nov 22 13:60:00', null],
    ['Nov 22 13:41:0', null],
    ['Nov 22 13:41', null],
    ['Nov 22 13:41:02x', null],
    ['Nov 22 13:41:023', null],
    ['nov 22 13:41:02', null],
    ['Nov 0 13:41:02', null],
    ['Nov  0 13:41:02', null],
    ['2026-11-22T13:41:02.1234567890', null],
    ['2026-13-22T13:41:02Z', null],
    ['2026-11-22T13:41:02+99:00', null],
    ['2026/11/22 13:41:02', local(2026, 10, 22, 13, 41, 2), 19],
    ['<1234>Nov 22 13:41:02', null],
    ['<>Nov 22 13:41:02', null],
    [' Nov 22 13:41:02', null],
    ['', null],
  ]
  for (const [text, time, end] of cases) {
    const reader = new TimestampReader()
    reader.reference = reference
    const found = reader.read(text, 0, text.length)
    assert.is(found >= 0 ? reader.time : null, time, text)
    if (time !== null) assert.is(reader.to, end, text)
  }
})

test('a date is read inside the given bounds only', () => {
  const reader = new TimestampReader()
  reader.reference = new Date(2026, 10, 23).getTime()
  const text = 'xxNov 22 13:41:02.123'
  assert.is(endOf(reader, text, 2, text.length), text.length)
  assert.is(endOf(reader, text, 2, 17), 17)
  assert.is(reader.time, new Date(2026, 10, 22, 13, 41, 2).getTime())
  assert.is(endOf(reader, text, 2, 16), -1)
})

test('syslog dates agree with Date in every year, also around the turn of a year and of the clock', () => {
  const reader = new TimestampReader()
  const moment = fc.integer({ min: Date.UTC(1999, 0), max: Date.UTC(2080, 0) })
  const ago = fc.integer({ min: -day, max: 364 * day })
  fc.assert(
    fc.property(moment, ago, (reference, distance) => {
      const written = new Date(Math.floor((reference - distance) / 1000) * 1000)
      reader.reference = reference
      const text = syslogText(written)
      assert.is(endOf(reader, text), 15)
      assert.is(reader.time, readByDate(written, reference), `${text} read at ${new Date(reference).toISOString()}`)
    }),
  )
})

test('lines written now are read as of now, also where the clock of the land is turned, and at the turn of the year', () => {
  const before = process.env.TZ
  const turns: Readonly<Record<string, readonly [string, string]>> = {
    'Europe/Berlin': ['2026-03-29T01:00:00Z', '2026-10-25T01:00:00Z'],
    'America/New_York': ['2026-03-08T07:00:00Z', '2026-11-01T06:00:00Z'],
    'Australia/Lord_Howe': ['2026-10-03T15:30:00Z', '2026-04-04T15:00:00Z'],
    UTC: ['2026-12-31T23:59:30Z', '2028-02-29T00:00:00Z'],
  }
  try {
    for (const [zone, moments] of Object.entries(turns)) {
      process.env.TZ = zone
      for (const moment of moments) {
        for (let second = -3 * 3600; second <= 3 * 3600; second += 41) {
          const written = Date.parse(moment) + second * 1000
          const reader = new TimestampReader()
          const text = syslogText(new Date(written))
          for (const delay of [0, 20_000]) {
            reader.reference = written + delay
            assert.is(endOf(reader, text), 15)
            assert.is(reader.time, written, `${text} in ${zone}, written ${new Date(written).toISOString()}`)
          }
        }
      }
    }
  } finally {
    if (before === undefined) delete process.env.TZ
    else process.env.TZ = before
  }
})

test('lines of December are those of last year in January, and of next year when the clock is behind', () => {
  const local = (year: number, month: number, date: number) => new Date(year, month, date, 23, 59, 58).getTime()
  const reader = new TimestampReader()
  const read = (text: string, reference: number) => {
    reader.reference = reference
    assert.is(endOf(reader, text), 15)
    return reader.time
  }
  assert.is(read('Dec 31 23:59:58', local(2027, 0, 1)), local(2026, 11, 31))
  assert.is(read('Jan  1 23:59:58', local(2026, 11, 31)), local(2027, 0, 1), 'a day ahead is the clock')
  assert.is(read('Jan  3 23:59:58', local(2026, 11, 31)), local(2026, 0, 3))
})

test('RFC 3339 dates agree with Date', () => {
  const reader = new TimestampReader()
  const date = fc.date({
    min: new Date(Date.UTC(1000, 0, 2)),
    max: new Date(Date.UTC(9999, 11, 30)),
    noInvalidDate: true,
  })
  const zone = fc.tuple(fc.constantFrom('+', '-'), fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  fc.assert(
    fc.property(date, zone, (moment, [sign, hours, minutes]) => {
      const offset = (hours * 60 + minutes) * (sign === '-' ? -60_000 : 60_000)
      const text = new Date(moment.getTime() + offset)
        .toISOString()
        .replace('Z', `${sign}${two(hours)}:${two(minutes)}`)
      if (text.length !== 29) return
      assert.is(endOf(reader, text), text.length)
      assert.is(reader.time, moment.getTime(), text)
    }),
  )
})

test('no text makes the reader throw or read beyond its end', () => {
  const reader = new TimestampReader()
  const near = fc.array(
    fc.constantFrom('Nov', ' ', '22', '2', ':', '13', '2026', '-', 'T', '.', '<', '>', '+', 'Z', 'x'),
    { maxLength: 24 },
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        near.map((parts) => parts.join('')),
      ),
      fc.nat(30),
      (text, cut) => {
        const end = Math.min(cut, text.length)
        assert.ok(endOf(reader, text, 0, end) <= end)
      },
    ),
  )
})

test.run()

function endOf(reader: TimestampReader, text: string, start = 0, end = text.length): number {
  return reader.read(text, start, end)
}

function syslogText(date: Date): string {
  const month = months[date.getMonth()] ?? ''
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  return `${month} ${String(date.getDate()).padStart(2)} ${clock}`
}

/** The latest year of all that a date is possible in and that is not more than a day ahead. */
function readByDate(written: Date, reference: number): number {
  const years = Array.from({ length: 12 }, (_, back) => new Date(reference + day).getFullYear() - back)
  for (const year of years) {
    const time = new Date(
      year,
      written.getMonth(),
      written.getDate(),
      written.getHours(),
      written.getMinutes(),
      written.getSeconds(),
    )
    if (time.getMonth() === written.getMonth() && minuteOf(time) <= reference + day) return time.getTime()
  }
  throw new Error('no year fits')
}

/** The year is decided by the minute. */
function minuteOf(time: Date): number {
  return Math.floor(time.getTime() / 60_000) * 60_000
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
