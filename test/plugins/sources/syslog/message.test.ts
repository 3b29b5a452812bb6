import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { LineReader } from '../../../../core/matching/lines.ts'
import { lineOf } from '../../../../plugins/sources/syslog/message.ts'
import { suite } from '../../../suite.ts'

const test = suite('syslog messages')

const now = new Date(2026, 10, 22, 13, 41, 2, 500).getTime()
const arrived = new Date(now).toISOString()
const local = (month: number, day: number, year = 2026) => new Date(year, month, day, 13, 41, 2).toISOString()
const said = (message: string) => lineOf(Buffer.from(message), '192.0.2.7', now)?.toString() ?? ''

const long = 'x'.repeat(60_000)

test('each form becomes one line', () => {
  const cases: [message: string, line: string | null][] = [
    // RFC 5424, its own examples among them.
    [
      "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xef\xbb\xbf'su root' failed for lonvick on /dev/pts/8",
      "2003-10-11T22:14:15.003Z mymachine.example.com su: 'su root' failed for lonvick on /dev/pts/8",
    ],
    [
      '<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It is time to make the do-nuts.',
      '2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc[8710]: %% It is time to make the do-nuts.',
    ],
    [
      '<165>1 2003-10-11T22:14:15.003Z host evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Appli\\"cation]"] An entry',
      '2003-10-11T22:14:15.003Z host evntslog: An entry',
    ],
    [
      '<165>1 2003-10-11T22:14:15.003Z host app - - [a@1 x="1"][b@1 y="2"]',
      '2003-10-11T22:14:15.003Z host app: [a@1 x="1"][b@1 y="2"]',
    ],
    ['<34>1 - - - - - - said', `${arrived} 192.0.2.7 -: said`],
    ['<34>1 2003-13-45T99:14:15Z h a - - - said', `${arrived} h a: said`],
    ['<34>1 - h a - - [broken said', `${arrived} h a: [broken said`],
    // RFC 3164.
    ['<34>Nov 22 13:41:02 web sshd[77]: Failed', `${local(10, 22)} web sshd[77]: Failed`],
    ['<34>Nov  2 13:41:02 web sshd[77]: Failed\n', `${local(10, 2)} web sshd[77]: Failed`],
    ['<34>Dec 31 13:41:02 web sshd[77]: Failed', `${local(11, 31, 2025)} web sshd[77]: Failed`],
    ['<34>Nov 22 13:41:02 su: no host', `${local(10, 22)} 192.0.2.7 su: no host`],
    ['<34>Nov 22 13:41:02 2026 web su: a year', `${local(10, 22)} 2026 -: web su: a year`],
    ['<34>Nov 22 13:41:02.123 web su: finer', `${local(10, 22)} web su: finer`],
    ['<34>2026-11-22T12:41:02.5+00:00 web sshd[77]: rsyslog', '2026-11-22T12:41:02.5+00:00 web sshd[77]: rsyslog'],
    ['<34>sshd[77]: no date', `${arrived} 192.0.2.7 sshd[77]: no date`],
    ['<34>nothing at all', `${arrived} 192.0.2.7 -: nothing at all`],
    ['no priority', `${arrived} 192.0.2.7 -: no priority`],
    ['<999>no priority', `${arrived} 192.0.2.7 -: <999>no priority`],
    ['<34>Nov 22 13:41:02 web postfix/smtps/smtpd[7]: x', `${local(10, 22)} web postfix/smtps/smtpd[7]: x`],
    ['<34>Nov 22 13:41:02 web no tag here', `${local(10, 22)} web -: no tag here`],
    // Nothing.
    ['', null],
    ['<34>', null],
    ['\n\0', null],
    [`<34>app: ${long}${long}`, null],
    // What would be more than one line, or another head.
    [
      '<34>app: one\nNov 22 13:41:02 web sshd[1]: two\n',
      `${arrived} 192.0.2.7 app: one#012Nov 22 13:41:02 web sshd[1]: two`,
    ],
    ['<34>app: a\r\nb\0c\x1b[1md\te', `${arrived} 192.0.2.7 app: a#015#012b#000c#033[1md\te`],
    ['<34>1 - web: sshd[1]: - - - said', `${arrived} [web:] sshd_1__: said`],
    ['<34>1 - a\x01b sshd 1]: - - said', `${arrived} a_b sshd[1__]: said`],
  ]
  for (const [message, line] of cases) {
    const expected = line === null ? null : `${line}\n`
    const bytes = Buffer.from(message, message.includes('\xef\xbb\xbf') ? 'latin1' : 'utf8')
    assert.is(lineOf(bytes, '192.0.2.7', now)?.toString() ?? null, expected, message.slice(0, 200))
  }
})

test('what is no ASCII stays as it was sent', () => {
  assert.match(said('<34>app: \u00e4\u00f6 \u65e5\u672c \u0085'), 'app: \u00e4\u00f6 \u65e5\u672c \u0085\n')
  const bytes = Buffer.from([0x3c, 0x31, 0x3e, 0x61, 0x3a, 0x20, 0xff, 0xc3, 0x28])
  assert.equal(lineOf(bytes, '::1', now)?.subarray(-4), Buffer.from([0xff, 0xc3, 0x28, 0x0a]))
})

test('whatever is sent is one line of bounded length whose program and message the agent reads as they were sent', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      '<34>',
      '1 ',
      '- ',
      'Nov 22 13:41:02 ',
      '\n',
      'sshd[1]: ',
      '[a="',
      '"]',
      ' ',
      ':',
      '2026-11-22T13:41:02Z ',
    ),
  )
  const message = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(message, fc.constantFrom('192.0.2.7', '2001:db8::', '::1'), (text, sender) => {
      const line = lineOf(Buffer.from(text), sender, now)
      if (line === null) return
      assert.is(line.indexOf(10), line.length - 1)
      assert.ok(line.length <= 64 * 1024)
      assert.not(line.subarray(0, -1).some((byte) => (byte < 32 && byte !== 9) || byte === 127))
      const latin1 = line.toString('latin1')
      const head = new LineReader().block(line, latin1, 0).head(0, line.length - 1)
      assert.ok(head.time !== null, latin1)
      assert.ok(head.syslog !== null, latin1)
    }),
    { numRuns: 2000 },
  )
})

test('who chooses the text of a message of one program is never another program', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.boolean(), (text, modern) => {
      const header = modern ? '<34>1 2026-11-22T13:41:02Z web app 7 - - ' : '<34>Nov 22 13:41:02 web app[7]: '
      const line = lineOf(Buffer.from(header + text), '192.0.2.7', now)
      if (line === null) return
      const head = new LineReader().block(line, line.toString('latin1'), 0).head(0, line.length - 1)
      assert.equal([head.syslog?.program, head.syslog?.pid], ['app', '7'])
    }),
    { numRuns: 1000 },
  )
})

test.run()
