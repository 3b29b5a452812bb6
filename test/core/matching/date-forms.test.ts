/** Every form of a date is printed from a random time in a random zone and read back. */
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { TimestampReader } from '../../../core/matching/timestamps.ts'
import { suite } from '../../suite.ts'

const test = suite('forms of dates')
const day = 86_400_000
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'America/Sao_Paulo',
]

/** What clocks show. */
interface Shown {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly ms: number
  readonly weekday: number
  /** Minutes east of UTC. */
  readonly offset: number
}

interface Form {
  readonly print: (shown: Shown) => string
  /** Of a second: 1000 where the form has no fraction. */
  readonly grainMs?: number
  readonly yearless?: true
  /** Where the form says its zone, each reading is the time itself. */
  readonly zoned?: true
}

const two = (value: number) => String(value).padStart(2, '0')
const padded = (value: number) => String(value).padStart(2)
const clock = ({ hour, minute, second }: Shown) => [hour, minute, second].map(two).join(':')
const halves = ({ hour, minute, second }: Shown) =>
  `${hour % 12 || 12}:${two(minute)}:${two(second)} ${hour < 12 ? 'AM' : 'PM'}`
const millis = ({ ms }: Shown) => String(ms).padStart(3, '0')
const offsetOf = ({ offset }: Shown, colon = '') =>
  `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${colon}${two(Math.abs(offset) % 60)}`
const month = (shown: Shown) => months[shown.month] ?? ''
const dashed = (shown: Shown, sign = '-') => [shown.year, two(shown.month + 1), two(shown.day)].join(sign)
const access = (shown: Shown) => `${two(shown.day)}/${month(shown)}/${shown.year}:${clock(shown)} ${offsetOf(shown)}`
const ctime = (shown: Shown) => `${weekdays[shown.weekday]} ${month(shown)} ${padded(shown.day)} ${clock(shown)}`
const unixMs = (shown: Shown) =>
  Date.UTC(shown.year, shown.month, shown.day, shown.hour, shown.minute, shown.second, shown.ms) - shown.offset * 60_000

const forms: Readonly<Record<string, Form>> = {
  syslog: { print: (s) => `${month(s)} ${padded(s.day)} ${clock(s)} host app: x`, yearless: true },
  asterisk: { print: (s) => `[${month(s)} ${padded(s.day)} ${clock(s)}] x`, yearless: true },
  'RFC 3339': { print: (s) => `${dashed(s)}T${clock(s)}.${millis(s)}${offsetOf(s, ':')} x`, grainMs: 1, zoned: true },
  'ISO 8601': { print: (s) => `${dashed(s)}T${clock(s)}${offsetOf(s)} x`, zoned: true },
  'local ISO': { print: (s) => `${dashed(s)} ${clock(s)},${millis(s)} x`, grainMs: 1 },
  'ISO in brackets': { print: (s) => `[${dashed(s)} ${clock(s)} ${offsetOf(s)}] x`, zoned: true },
  nginx: { print: (s) => `${dashed(s, '/')} ${clock(s)} [error] x` },
  stunnel: { print: (s) => `${dashed(s, '.')} ${clock(s)} x` },
  MariaDB: { print: (s) => `${dashed(s)} ${padded(s.hour)}:${two(s.minute)}:${two(s.second)} x` },
  'access log': { print: (s) => `192.0.2.7 - - [${access(s)}] "GET /"`, zoned: true },
  Proxmox: {
    print: (s) => `192.0.2.7 - - [${two(s.day)}/${two(s.month + 1)}/${s.year}:${clock(s)} ${offsetOf(s)}] "GET /"`,
    zoned: true,
  },
  Apache: { print: (s) => `[${ctime(s)}.${millis(s)}000 ${s.year}] [core:error] x`, grainMs: 1 },
  ctime: { print: (s) => `${ctime(s)} ${s.year} [pid 1] x` },
  named: { print: (s) => `${two(s.day)}-${month(s)}-${s.year} ${clock(s)}.${millis(s)} client x`, grainMs: 1 },
  'mail date': {
    print: (s) => `${weekdays[s.weekday]}, ${s.day} ${month(s)} ${s.year} ${clock(s)} ${offsetOf(s)} x`,
    zoned: true,
  },
  Cisco: { print: (s) => `${month(s)} ${padded(s.day)} ${s.year} ${clock(s)}: x` },
  'Java logging': { print: (s) => `${month(s)} ${s.day}, ${s.year} ${halves(s)} x` },
  American: { print: (s) => `${two(s.month + 1)}/${two(s.day)}/${s.year} ${halves(s)} x` },
  cPanel: { print: (s) => `${two(s.month + 1)}/${two(s.day)}/${s.year}:${clock(s)} x` },
  'day first': { print: (s) => `${two(s.day)}/${two(s.month + 1)}/${s.year} ${clock(s)} x` },
  German: { print: (s) => `${two(s.day)}.${two(s.month + 1)}.${s.year} ${clock(s)} x` },
  MySQL: {
    print: (s) =>
      `${two(s.year % 100)}${two(s.month + 1)}${two(s.day)} ${padded(s.hour)}:${two(s.minute)}:${two(s.second)} x`,
  },
  compact: { print: (s) => `${dashed(s, '')}T${clock(s).replaceAll(':', '')}${offsetOf(s)} x`, zoned: true },
  epoch: { print: (s) => `${(unixMs(s) / 1000).toFixed(3)} x`, grainMs: 1, zoned: true },
  TAI64N: {
    print: (s) =>
      `@40000000${(Math.floor(unixMs(s) / 1000) + 10).toString(16).padStart(8, '0')}${(s.ms * 1e6).toString(16).padStart(8, '0')} x`,
    grainMs: 1,
    zoned: true,
  },
  JSON: {
    print: (s) => JSON.stringify({ user: 'x"', time: `${dashed(s)}T${clock(s)}${offsetOf(s, ':')}` }),
    zoned: true,
  },
  'JSON with milliseconds': { print: (s) => JSON.stringify({ user: 'x"', ts: unixMs(s) }), grainMs: 1, zoned: true },
  logfmt: {
    print: (s) => `level=info user="a \\" b" t=${dashed(s)}T${clock(s)}.${millis(s)}${offsetOf(s, ':')} msg=x`,
    grainMs: 1,
    zoned: true,
  },
}

test('each form is read back as the time it was printed from, in any zone', () => {
  const time = fc.integer({ min: Date.UTC(2002, 0), max: Date.UTC(2085, 0) })
  const delay = fc.integer({ min: 0, max: 360 * day })
  for (const zone of zones) {
    const clocks = new Clocks(zone)
    const reader = new TimestampReader(zone)
    for (const [name, form] of Object.entries(forms)) {
      fc.assert(
        fc.property(time, delay, (moment, later) => {
          reader.reference = moment + later
          const text = form.print(clocks.show(moment))
          assert.ok(reader.read(text, 0, text.length) >= 0, `${name} in ${zone}: ${text}`)
          const wanted = moment - (moment % (form.grainMs ?? 1000))
          if (reader.time === wanted) return
          // An hour that clocks show twice: the other one is meant as well.
          assert.not(form.zoned === true, `${name} in ${zone}: ${text}`)
          assert.is(form.print(clocks.show(reader.time)), form.print(clocks.show(wanted)), `${name} in ${zone}`)
          assert.ok(Math.abs(reader.time - wanted) <= 3_600_000, `${name} in ${zone}: ${text}`)
        }),
        { numRuns: 60 },
      )
    }
  }
})

test('what is written now is read as of now in every form, while clocks are turned back and years end', () => {
  const turns: readonly (readonly [zone: string, moment: string])[] = [
    ['Europe/Berlin', '2026-10-25T01:00:00Z'],
    ['America/New_York', '2026-11-01T06:00:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
    ['Europe/Berlin', '2026-03-29T01:00:00Z'],
    ['Asia/Kolkata', '2026-12-31T18:30:00Z'],
    ['UTC', '2028-02-29T00:00:00Z'],
  ]
  for (const [zone, moment] of turns) {
    const clocks = new Clocks(zone)
    for (const [name, form] of Object.entries(forms)) {
      const reader = new TimestampReader(zone)
      for (let second = -2 * 3600; second <= 2 * 3600; second += 397) {
        const written = Date.parse(moment) + second * 1000
        reader.reference = written
        const text = form.print(clocks.show(written))
        assert.ok(reader.read(text, 0, text.length) >= 0, text)
        assert.is(reader.time, written, `${name} in ${zone}: ${text}`)
      }
    }
  }
})

test('a leap second is the first of the next minute', () => {
  const reader = new TimestampReader('UTC')
  reader.reference = Date.UTC(2017, 0, 2)
  for (const text of [
    '2016-12-31T23:59:60Z',
    '2016/12/31 23:59:60 x',
    'Dec 31 23:59:60 x',
    '[Sat Dec 31 23:59:60 2016] x',
    '192.0.2.7 - - [31/Dec/2016:23:59:60 +0000] "GET /"',
  ]) {
    assert.ok(reader.read(text, 0, text.length) >= 0, text)
    assert.is(reader.time, Date.UTC(2017, 0, 1), text)
  }
})

test('days and hours that there are not are no dates', () => {
  const reader = new TimestampReader('UTC')
  reader.reference = Date.UTC(2026, 10, 23)
  for (const text of [
    '2026/02/29 12:00:00 x',
    '2026/00/10 12:00:00 x',
    '2026-04-31 12:00:00 x',
    '[Sun Nov 31 12:00:00 2026] x',
    '31-Feb-2026 12:00:00 x',
    '192.0.2.7 - - [00/Nov/2026:12:00:00 +0000] "GET /"',
    '192.0.2.7 - - [22/Nov/2026:24:00:00 +0000] "GET /"',
    '22/22/2026 12:00:00 x',
    '00/00/2026 12:00:00 x',
    '11/22/2026 13:00:00 PM x',
    '11/22/2026 0:00:00 AM x',
    '269922 12:00:00 x',
    '20261322T120000 x',
    '0999999999 x',
    '@4000000000000000 x',
    '@40000000zzzzzzzz00000000 x',
  ])
    assert.is(reader.read(text, 0, text.length), -1, text)
})

test('a value of a field is a date in any form, or a number of any size', () => {
  const reader = new TimestampReader('UTC')
  const moment = Date.UTC(2026, 10, 22, 13, 41, 2)
  reader.reference = moment
  const cases: [value: string | number, time: number | null][] = [
    ['2026-11-22T13:41:02Z', moment],
    [' 2026-11-22 14:41:02.123 +0100 ', moment + 123],
    ['[22/Nov/2026:13:41:02 +0000]', moment],
    ['22/Nov/2026:13:41:02 +0000', moment],
    ['Sun, 22 Nov 2026 13:41:02 GMT', moment],
    ['Nov 22 13:41:02', moment],
    [1_795_354_862, moment],
    [1_795_354_862.123, moment + 123],
    ['1795354862.123', moment + 123],
    [1_795_354_862_123, moment + 123],
    ['1795354862123', moment + 123],
    ['1795354862123456', moment + 123],
    ['1795354862123456789', moment + 123],
    ['2026-11-22T13:41:02Z x', null],
    ['yesterday', null],
    ['', null],
    ['-', null],
    [12, null],
    ['12345', null],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
  ]
  for (const [value, time] of cases) assert.is(reader.value(value), time, String(value))
})

test('no line makes the reader throw, or read beyond the line', () => {
  const reader = new TimestampReader('America/New_York')
  const piece = fc.constantFrom(
    '192.0.2.7',
    ' - ',
    '[',
    ']',
    '] "',
    '22/Nov/2026',
    ':13:41:02',
    ' +0000',
    'Nov 22 ',
    'Sun ',
    '2026',
    '13:41:02',
    '{',
    '}',
    '"time":',
    '"ts":',
    ',',
    '"',
    '\\',
    'time=',
    ' ',
    '/',
    '-',
    '.',
    '22',
    '1',
    '@4000000',
    'UTC',
    'Europe/',
    'PM',
    'type=x msg=audit(',
    '1795354862',
    '\n',
    '<38>',
    'I, [',
    '\t',
    'é',
    '٣',
  )
  const text = fc.oneof(
    fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join('')),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(text, fc.nat(40), fc.nat(60), (given, start, length) => {
      const from = Math.min(start, given.length)
      const end = Math.min(from + length, given.length)
      const behind = reader.read(given, from, end)
      if (behind < 0) return
      assert.ok(behind <= end && reader.from >= from && reader.from <= reader.to && reader.to <= end, given)
      assert.ok(Number.isFinite(reader.time))
      // What lies outside of the line has no part in it.
      const time = reader.time
      const alone = given.slice(from, end)
      assert.is(reader.read(alone, 0, alone.length), behind - from, given)
      assert.is(reader.time, time, given)
    }),
    { numRuns: 5000 },
  )
})

test.run()

/** What clocks of a zone show, by the runtime's data. */
class Clocks {
  readonly #format: Intl.DateTimeFormat

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  show(time: number): Shown {
    const parts = Object.fromEntries(this.#format.formatToParts(time).map(({ type, value }) => [type, Number(value)]))
    const { year = 0, month = 1, day: date = 1, hour = 0, minute = 0, second = 0 } = parts
    const asUtc = Date.UTC(year, month - 1, date, hour, minute, second)
    const ms = time % 1000
    const offset = Math.round((asUtc - (time - ms)) / 60_000)
    return { year, month: month - 1, day: date, hour, minute, second, ms, weekday: new Date(asUtc).getUTCDay(), offset }
  }
}
