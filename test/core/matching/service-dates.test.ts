/** The dates that services write, each as it stands in a line of its log, and what is left of the line for patterns. */
import * as assert from 'uvu/assert'
import { LineReader } from '../../../core/matching/lines.ts'
import { suite } from '../../suite.ts'
import { moment, serviceDates as cases } from './date-cases.ts'

const test = suite('dates of services')
/** A day after the lines. */
const reference = Date.UTC(2026, 10, 23, 13)
const utc = { patterns: null, timezone: 'UTC' }

test('each is read, and what is left is what patterns see', () => {
  const reader = new LineReader(utc)
  reader.reference = reference
  for (const [service, line, after, undated] of cases) {
    const bytes = Buffer.from(`${line}\n`)
    const head = reader.block(bytes, bytes.toString('latin1'), 0).head(0, bytes.length - 1)
    const time = head.time === null ? null : new Date(head.time).toISOString()
    assert.is(time, after === null ? null : new Date(moment + after).toISOString(), `${service}: ${line}`)
    assert.is(head.undated, undated, service)
  }
})

/** The fake date lies years back: where it counted, the line would be out of every window. */
const hostile: [what: string, line: string, after: number | null][] = [
  [
    'user name in an access log',
    '192.0.2.7 - [22/Nov/2020:13:41:02 +0000] [22/Nov/2026:13:41:02 +0000] "GET /" 401 1',
    0,
  ],
  [
    'user name with what follows the date, quote escaped',
    '192.0.2.7 - x [22/Nov/2020:13:41:02 +0000] \\"GET / [22/Nov/2026:13:41:02 +0000] "GET /" 401 1',
    0,
  ],
  [
    'user name with what follows the date, by a server that escapes nothing',
    '192.0.2.7 - x [22/Nov/2020:13:41:02 +0000] "GET /" 200 1 [22/Nov/2026:13:41:02 +0000] "GET /" 401 1',
    0,
  ],
  [
    'user name of which the date is to come',
    '192.0.2.7 - x [22/Nov/2036:13:41:02 +0000] "GET /" 200 1 [22/Nov/2026:13:41:02 +0000] "GET /" 401 1',
    0,
  ],
  ['request', '192.0.2.7 - - [22/Nov/2026:13:41:02 +0000] "GET /[22/Nov/2020:13:41:02 +0000] HTTP/1.1" 404 1', 0],
  [
    'browser, by a server that escapes nothing',
    '192.0.2.7 - - [22/Nov/2026:13:41:02 +0000] "GET /" 404 1 "-" "[22/Nov/2020:13:41:02 +0000] "x"',
    0,
  ],
  [
    'request where the log has no quotes',
    '192.0.2.7 [22/Nov/2026:13:41:02 +0000] GET /[22/Nov/2020:13:41:02 +0000] 404',
    0,
  ],
  ['many brackets', `192.0.2.7 - ${'['.repeat(150)} [22/Nov/2026:13:41:02 +0000] "GET /" 401 1`, 0],
  ['request in an error log', '2026/11/22 13:41:02 [error] 1#1: *1 x, request: "GET /2020/11/22 13:41:02 HTTP/1.1"', 0],
  ['first field of a line without date', 'Failed password for 2020-11-22 13:41:02 from 192.0.2.7', null],
  ['user name in a line without date', 'Failed password for [22/Nov/2020:13:41:02 +0000] from 192.0.2.7', null],
  [
    'user name in a line without date, as in an access log',
    'Invalid user - [22/Nov/2020:13:41:02 +0000] "x from 192.0.2.7',
    null,
  ],
  ['user name behind a date', 'Nov 22 13:41:02 web sshd[7]: Invalid user Nov 22 13:41:02 2020 from 192.0.2.7', 0],
  ['year behind a date', 'Nov 22 13:41:02 2020 sshd[7]: the host is called so', 0],
  ['zone as user name', '2026-11-22 13:41:02 AEST failed to log in from 192.0.2.7', 0],
  ['zone as user name, two digits', '2026-11-22 13:41:02 -10 failed to log in from 192.0.2.7', 0],
  ['field in a string of JSON', '{"user":"x\\",\\"time\\":\\"2020-11-22T13:41:02Z","time":"2026-11-22T13:41:02Z"}', 0],
  ['field in an object of JSON', '{"headers":{"time":"2020-11-22T13:41:02Z"},"time":"2026-11-22T13:41:02Z"}', 0],
  ['field in a list of JSON', '{"list":[{"time":"2020-11-22T13:41:02Z"}],"time":"2026-11-22T13:41:02Z"}', 0],
  ['pair in a value of logfmt', 'user="x time=2020-11-22T13:41:02Z" time=2026-11-22T13:41:02Z', 0],
  ['pair in a value of logfmt with quotes', 'user="x\\" time=2020-11-22T13:41:02Z" time=2026-11-22T13:41:02Z', 0],
  ['JSON that does not end', '{"user":"x time":"2020-11-22T13:41:02Z', null],
]

test('a peer cannot move the time of his line', () => {
  const reader = new LineReader(utc)
  reader.reference = reference
  for (const [what, line, after] of hostile) {
    const bytes = Buffer.from(`${line}\n`)
    const { time } = reader.block(bytes, bytes.toString('latin1'), 0).head(0, bytes.length - 1)
    assert.is(time === null ? null : time - moment, after, `${what}: ${line}`)
  }
})

test('how a line is read does not depend on the lines before', () => {
  const alone = cases.map(([, line]) => readAlone(line))
  const reader = new LineReader(utc)
  reader.reference = reference
  const order = [...cases.keys(), ...[...cases.keys()].toReversed()]
  for (const index of order) {
    const line = cases[index]?.[1] ?? ''
    assert.is(timeBy(reader, line), alone[index], line)
  }
})

test.run()

function readAlone(line: string): number | null {
  const reader = new LineReader(utc)
  reader.reference = reference
  return timeBy(reader, line)
}

function timeBy(reader: LineReader, line: string): number | null {
  const bytes = Buffer.from(`${line}\n`)
  return reader.block(bytes, bytes.toString('latin1'), 0).head(0, bytes.length - 1).time
}
