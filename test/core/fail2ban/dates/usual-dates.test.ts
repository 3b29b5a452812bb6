/** What is read by columns is what the expressions find: the same place and the same time in every line. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { DateDetector, type FoundDate } from '../../../../core/fail2ban/dates/date-detector.ts'
import { DateForms } from '../../../../core/fail2ban/dates/date-forms.ts'
import { suite } from '../../../suite.ts'

const test = suite('dates in the usual spelling')

const forms = new DateForms(2026)
const number = (max: number) => fc.nat(max).map((value) => String(value).padStart(2, '0'))
const clock = fc.tuple(number(25), number(61), number(62)).map((parts) => parts.join(':'))
const month = fc.constantFrom('Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec', 'nov')
const day = fc.oneof(
  number(32),
  fc.nat(9).map((value) => ` ${value}`),
)
const behind = fc.constantFrom(
  ' web1 sshd',
  ' 2026 x',
  ' 2 x',
  '.123456 a',
  '.5 a',
  ',123456 a',
  ': a',
  '',
  ' ',
  '  a',
  ' Ä',
  ' Z',
)
const zone = fc.constantFrom(
  '',
  '+01:00',
  '-05:30',
  '+0100',
  'Z',
  ' UTC',
  ' +02:00',
  '+21:00',
  '.123456+01:00',
  '.12Z',
  '.1234567',
)
const syslog = fc
  .tuple(month, fc.constantFrom(' ', '  '), day, clock, behind)
  .map(([name, blank, of, at, after]) => `${name}${blank}${of} ${at}${after}`)
const iso = fc
  .tuple(
    fc.constantFrom('2026', '2025', '2024', '2030', '1999'),
    number(13),
    number(32),
    fc.constantFrom('T', ' ', '  '),
    clock,
    zone,
    behind,
  )
  .map(([year, of, date, between, at, offset, after]) => `${year}-${of}-${date}${between}${at}${offset}${after}`)
const front = fc.constantFrom('', '', '', '', '[', 'x', '<<')
const line = fc.tuple(front, fc.oneof(syslog, iso)).map(([before, rest]) => before + rest)

test('a detector with a winner in front of it reads each line as one that asks its expressions', () => {
  const option = fc.constantFrom(null, 'UTC', '-0530')
  const host = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe')
  const now = fc.integer({ min: Date.UTC(2024, 0, 1) / 1000, max: Date.UTC(2027, 0, 5) / 1000 })
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 30 }), option, host, now, (lines, timezone, hostZone, at) => {
      const options = { patterns: ['{^LN-BEG}'], timezone, hostZone }
      const quick = new DateDetector(options, forms)
      const plain = new DateDetector(options, forms)
      for (const text of lines) {
        assert.equal(said(quick.find(text, at)), said(withoutColumns(plain, text, at)), text)
        assert.equal(quick.memory.used, plain.memory.used)
        assert.equal(quick.memory.last.end, plain.memory.last.end)
      }
    }),
    { numRuns: 300 },
  )
})

test.run()

function withoutColumns(detector: DateDetector, text: string, now: number): FoundDate | null {
  return detector.find(text, now, undefined, 'by-expressions')
}

function said(found: FoundDate | null): Omit<FoundDate, 'template'> | null {
  return found && { time: found.time, fails: found.fails, start: found.start, end: found.end }
}
