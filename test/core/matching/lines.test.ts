import * as assert from 'uvu/assert'
import { cutLines, maxLineBytes } from '../../../core/matching/line-cutting.ts'
import { LineReader } from '../../../core/matching/lines.ts'
import { suite } from '../../suite.ts'

const test = suite('lines')
const reference = Date.UTC(2026, 10, 23)

test('date and syslog header are told from the message', () => {
  type Syslog = { program: string; pid: string; message: string; attempts: number } | null
  const header = (program: string, pid: string, message: string, attempts = 1): Syslog => ({
    program,
    pid,
    message,
    attempts,
  })
  const cases: [line: string, dated: boolean, undated: string, syslog: Syslog][] = [
    ['Nov 22 13:41:02 web sshd[77]: hello', true, 'web sshd[77]: hello', header('sshd', '77', 'hello')],
    ['<38>Nov 22 13:41:02 web sshd[77]: hello', true, 'web sshd[77]: hello', header('sshd', '77', 'hello')],
    ['2026-11-22T13:41:02.5+01:00 web sshd: hello', true, 'web sshd: hello', header('sshd', '', 'hello')],
    [
      '2026-11-22T13:41:02Z web postfix/smtpd[1]: a: b',
      true,
      'web postfix/smtpd[1]: a: b',
      header('postfix/smtpd', '1', 'a: b'),
    ],
    ['Nov 22 13:41:02 web kernel: [1.5] x', true, 'web kernel: [1.5] x', header('kernel', '', '[1.5] x')],
    ['Nov 22 13:41:02 web sudo:   x : y', true, 'web sudo:   x : y', header('sudo', '', '  x : y')],
    ['Nov 22 13:41:02 web sshd[77]:', true, 'web sshd[77]:', header('sshd', '77', '')],
    ['Nov 22 13:41:02 wéb sshd[77]: é', true, 'wéb sshd[77]: é', header('sshd', '77', 'é')],
    [
      'Nov 22 13:41:02 w s[1]: message repeated 3 times: [ in [x]]',
      true,
      'w s[1]: message repeated 3 times: [ in [x]]',
      header('s', '1', 'in [x]', 3),
    ],
    [
      'Nov 22 13:41:02 w s: message repeated 0 times: [ x]',
      true,
      'w s: message repeated 0 times: [ x]',
      header('s', '', 'x', 1),
    ],
    [
      'Nov 22 13:41:02 w s: message repeated 999999 times: [ x]',
      true,
      'w s: message repeated 999999 times: [ x]',
      header('s', '', 'x', 1000),
    ],
    [
      'Nov 22 13:41:02 w s: message repeated 3 times: [ x',
      true,
      'w s: message repeated 3 times: [ x',
      header('s', '', 'message repeated 3 times: [ x'),
    ],
    [
      'Nov 22 13:41:02 w s: message repeated many times: [ x]',
      true,
      'w s: message repeated many times: [ x]',
      header('s', '', 'message repeated many times: [ x]'),
    ],
    ['Nov 22 13:41:02 error: no header here', true, 'error: no header here', null],
    ['Nov 22 13:41:02 web sshd hello: x', true, 'web sshd hello: x', null],
    ['Nov 22 13:41:02 web sshd[7 7]: x', true, 'web sshd[7 7]: x', null],
    ['Nov 22 13:41:02 web sshd[77]x: y', true, 'web sshd[77]x: y', null],
    ['Nov 22 13:41:02 web sshd[77]:x', true, 'web sshd[77]:x', null],
    ['Nov 22 13:41:02 web [77]: x', true, 'web [77]: x', null],
    ['Nov 22 13:41:02', true, '', null],
    ['web sshd[77]: hello', false, 'web sshd[77]: hello', null],
    ['Failed password for x', false, 'Failed password for x', null],
    ['', false, '', null],
  ]
  const reader = new LineReader()
  reader.reference = reference
  for (const [line, dated, undated, syslog] of cases) {
    for (const end of ['\n', '\r\n']) {
      const bytes = Buffer.from(`é first\n${line}${end}`)
      const head = reader.block(bytes, bytes.toString('latin1'), 0).head(9, bytes.length - 1)
      assert.is(head.line, line)
      assert.is(head.time !== null, dated, line)
      assert.is(head.undated, undated, line)
      assert.equal(head.syslog, syslog, line)
      assert.is(head.ascii, Buffer.byteLength(line) === line.length)
    }
  }
})

test('the header is found as every daemon writes it, and in nothing that a program says', () => {
  type Header = readonly [program: string, pid: string, message: string] | null
  const hello: Header = ['sshd', '77', 'hello']
  const cases: [line: string, header: Header][] = [
    // journalctl -o short-full; the zone may be one that nobody knows
    ['Sun 2026-11-22 13:41:02 CET web sshd[77]: hello', hello],
    ['Sun 2026-11-22 13:41:02.123456 -03 web sshd[77]: hello', hello],
    ['Sun 2026-11-22 13:41:02 XYZ web sshd[77]: hello', hello],
    ['Sun 2026-11-22 13:41:02 web sshd[77]: hello', hello],
    // Without a host, only with a process id
    ['<38>Nov 22 13:41:02 sshd[77]: hello', hello],
    ['Nov 22 13:41:02 sshd[77]: hello', hello],
    ['Nov 22 13:41:02 sshd: hello', null],
    ['Nov 22 13:41:02 app[1]: sshd[77]: hello', ['app', '1', 'sshd[77]: hello']],
    // busybox, AIX, FreeBSD, metalog, Solaris
    ['Nov 22 13:41:02 web auth.info sshd[77]: hello', hello],
    ['Sun Nov 22 13:41:02 2026 auth.info sshd[77]: hello', hello],
    ['Nov 22 13:41:02 web auth|security:info sshd[77]: hello', hello],
    ['Nov 22 13:41:02 web other words sshd[77]: hello', null],
    ['Nov 22 13:41:02 web auth.often sshd[77]: hello', null],
    ['Nov 22 13:41:02 <auth.info> web sshd[77]: hello', hello],
    ['Nov 22 13:41:02 <4.6> web sshd[77]: hello', hello],
    ['Nov 22 13:41:02 <x> web sshd[77]: hello', null],
    ['Nov 22 13:41:02 [sshd] hello', ['sshd', '', 'hello']],
    ['Nov 22 13:41:02 [ssh d] hello', null],
    ['Nov 22 13:41:02 web sshd[77]: [ID 800047 auth.info] hello', hello],
    ['Nov 22 13:41:02 web sshd[77]: [ID x auth.info] hello', ['sshd', '77', '[ID x auth.info] hello']],
    // A program that calls itself by its path; names with a slash stay
    ['Nov 22 13:41:02 web /usr/sbin/sshd[77]: hello', hello],
    ['Nov 22 13:41:02 web postfix/smtpd[77]: hello', ['postfix/smtpd', '77', 'hello']],
    ['Nov 22 13:41:02 web /[77]: hello', ['/', '77', 'hello']],
    ['Nov 22 13:41:02 web /usr/sbin/[77]: hello', ['/usr/sbin/', '77', 'hello']],
    // RFC 5424
    ['<38>1 2026-11-22T13:41:02.123Z web sshd 77 - - hello', hello],
    ['<38>1 2026-11-22T13:41:02.123Z web sshd 77 - - \ufeffhello', hello],
    ['<38>1 2026-11-22T13:41:02.123Z web sshd 77 - -  hello', hello],
    ['<38>1 2026-11-22T13:41:02.123Z web sshd - ID47 - hello', ['sshd', '', 'hello']],
    ['<38>1 2026-11-22T13:41:02.123Z web sshd 77 - [a b="x] \\" y"][c] hello', hello],
    ['<38>1 2026-11-22T13:41:02.123Z web app 1 - [a b="] sshd[77]: x"] hello', ['app', '1', 'hello']],
    ['<38>1 2026-11-22T13:41:02.123Z web sshd 77 - [a b="x] hello', null],
    ['<38>1 2026-11-22T13:41:02.123Z web sshd[77]: hello', null],
    ['<38>1 2026-11-22T13:41:02.123Z web sshd 77 - -', null],
    ['2026-11-22T13:41:02.123Z web sshd 77 - - hello', null],
  ]
  const reader = new LineReader()
  reader.reference = reference
  for (const [line, expected] of cases) {
    const bytes = Buffer.from(`${line}\n`)
    const { time, syslog } = reader.block(bytes, bytes.toString('latin1'), 0).head(0, bytes.length - 1)
    assert.ok(time !== null, line)
    assert.equal(syslog && [syslog.program, syslog.pid, syslog.message], expected, line)
  }
})

test('the number of a host is no year', () => {
  const line = 'Nov 22 13:41:02 2001:db8::1 sshd[77]: hello'
  const reader = new LineReader()
  reader.reference = reference
  const { time, syslog } = reader.block(Buffer.from(`${line}\n`), `${line}\n`, 0).head(0, line.length)
  assert.is(new Date(time ?? 0).getFullYear(), 2026)
  assert.is(syslog?.program, 'sshd')
})

test('odd bytes stay text', () => {
  const bytes = Buffer.from([0x61, 0x00, 0xff, 0xc3, 0x28, 0xe2, 0x82, 0x0a])
  const head = new LineReader().block(bytes, bytes.toString('latin1'), 0).head(0, 7)
  assert.is(head.line, 'a\0\ufffd\ufffd(\ufffd')
  assert.not(head.ascii)
})

test('who waits hears of each line before it is matched', () => {
  const spans: [number, number][] = []
  const bytes = Buffer.from('one\ntwo\n')
  const progress = { line: (start: number, end: number) => void spans.push([start, end]) }
  const block = new LineReader().block(bytes, bytes.toString('latin1'), 100, progress)
  block.head(4, 7)
  assert.equal(spans, [[104, 108]])
})

test('a line that is too long is passed over wherever a chunk begins', () => {
  const long = 'x'.repeat(maxLineBytes + 1)
  const most = 'y'.repeat(maxLineBytes)
  assert.equal(cutLines('a\nb\nc', false), {
    segments: [{ start: 0, end: 4 }],
    consumed: 4,
    insideLine: false,
    lines: 2,
    skipped: 0,
  })
  assert.equal(cutLines('', false), { segments: [], consumed: 0, insideLine: false, lines: 0, skipped: 0 })
  assert.equal(cutLines('rest\na\n', true), {
    segments: [{ start: 5, end: 7 }],
    consumed: 7,
    insideLine: false,
    lines: 2,
    skipped: 0,
  })
  assert.equal(cutLines('rest', true), { segments: [], consumed: 4, insideLine: true, lines: 0, skipped: 0 })
  assert.equal(cutLines(most, false), { segments: [], consumed: 0, insideLine: false, lines: 0, skipped: 0 })
  assert.equal(cutLines(`${most}\n`, false).skipped, 0)
  assert.equal(cutLines(`a\n${long}`, false), {
    segments: [{ start: 0, end: 2 }],
    consumed: long.length + 2,
    insideLine: true,
    lines: 1,
    skipped: 1,
  })
  const around = cutLines(`a\n${long}\nb\n`, false)
  assert.equal(around.segments, [
    { start: 0, end: 2 },
    { start: long.length + 3, end: long.length + 5 },
  ])
  assert.equal([around.lines, around.skipped, around.insideLine], [3, 1, false])
})

test.run()
