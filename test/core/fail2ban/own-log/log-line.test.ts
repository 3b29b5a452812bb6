/** Lines of the log against Debian's fail2ban, running. */
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { lengthText } from '../../../../core/fail2ban/own-log/length-text.ts'
import { readLoggedBan, type LoggedBan } from '../../../../core/fail2ban/own-log/log-events.ts'
import { formatOf, logLine, timeText, usualFormat, type LogEntry } from '../../../../core/fail2ban/own-log/log-line.ts'
import { suite } from '../../../suite.ts'
import { askFail2ban } from './running-fail2ban.ts'

const test = suite('log of fail2ban')
const compared = suite('log of fail2ban, compared', 'fail2ban-regex')

const entry: LogEntry = {
  time: new Date(2026, 10, 22, 13, 41, 2, 7).getTime(),
  logger: 'fail2ban.actions',
  level: 'NOTICE',
  message: '[sshd] Ban 192.0.2.7',
}

const lengths = `import json, sys
from fail2ban.server.mytime import MyTime
print(json.dumps([str(MyTime.seconds2str(each)) for each in json.load(sys.stdin)]))`

const formatted = `import json, sys, logging
from fail2ban.helpers import getVerbosityFormat
levels = {'NOTICE': 25, 'INFO': 20, 'WARNING': 30}
logging.addLevelName(25, 'NOTICE')
lines = []
for each in json.load(sys.stdin):
    form = each['format'] or getVerbosityFormat(1, addtime=each['datetime'], padding=each['padding'])
    record = logging.LogRecord(each['logger'], levels[each['level']], '', 0, each['message'], None, None)
    record.created = each['time'] / 1000
    record.msecs = each['time'] % 1000
    record.process = each['pid']
    lines.append(logging.Formatter(form).format(record))
print(json.dumps(lines))`

test('a line as it always is', () => {
  assert.is(
    logLine(entry),
    `2026-11-22 13:41:02,007 fail2ban.actions        [${process.pid}]: NOTICE  [sshd] Ban 192.0.2.7\n`,
  )
  assert.is(timeText(entry.time), '2026-11-22 13:41:02')
})

test('nothing in a message makes a second line or reaches a terminal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (message) => {
      const line = logLine({ ...entry, message })
      assert.is(line.indexOf('\n'), line.length - 1)
      assert.not.match(line.slice(0, -1), /[\p{Cc}\p{Zl}\p{Zp}]/u)
    }),
  )
})

test('what it says of bans is read back', () => {
  const cases: [message: string, found: Pick<LoggedBan, 'type' | 'id'> | null][] = [
    ['Ban 192.0.2.7', { type: 'ban', id: '192.0.2.7' }],
    ['Restore Ban 2001:db8::1', { type: 'held', id: '2001:db8::1' }],
    ["Reban 192.0.2.7, action 'iptables'", { type: 'held', id: '192.0.2.7' }],
    ['Unban 192.0.2.7', { type: 'unban', id: '192.0.2.7' }],
    ['192.0.2.7 already banned', { type: 'held', id: '192.0.2.7' }],
    ['Found 192.0.2.7 - 2026-11-22 13:41:02', null],
    ['Ignore 192.0.2.7 by ip', null],
    ['Increase Ban 192.0.2.7 (2 # 2h -> 2026-11-22 15:41:02)', null],
    ['Ban', null],
  ]
  for (const [message, found] of cases) {
    const line = logLine({ ...entry, message: `[my-jail] ${message}` }).trimEnd()
    const { time } = entry
    assert.equal(readLoggedBan(line), found && { ...found, jail: 'my-jail', time }, line)
    const syslog = `Nov 22 13:41:02 host ${logLine({ ...entry, message: `[my-jail] ${message}` }, formatOf({ datetime: false, padding: false })).trimEnd()}`
    assert.equal(readLoggedBan(syslog), found && { ...found, jail: 'my-jail', time: null }, syslog)
  }
  assert.is(readLoggedBan(''), null)
  // What a peer wrote stands in lines of other loggers only.
  assert.is(readLoggedBan(logLine({ ...entry, logger: 'fail2ban.filter', message: '[x] Ban 192.0.2.7' })), null)
})

compared('lengths of time', () => {
  const fixed = [0, 1, 59, 60, 3594, 3595, 3600, 86_369, 86_370, 86_399, 604_799, 604_800, 31_535_999, 31_536_000]
  const seconds = [...fixed, ...fc.sample(fc.nat(3 * 31_536_000), 3000), ...fc.sample(fc.nat(700_000), 3000)]
  const theirs = askFail2ban<string[]>(lengths, seconds)
  for (const [index, each] of seconds.entries()) assert.is(lengthText(each), theirs[index], String(each))
})

compared('lines in all formats', () => {
  const formats = [null, '%(asctime)s %(levelname)s: %(message)s', '%(name)-10.8s|%(levelno)s|%(process)d|%(message)s']
  const given = formats.flatMap((format) =>
    [true, false].flatMap((datetime) =>
      [true, false].map((padding) => ({ ...entry, format, datetime, padding, pid: process.pid })),
    ),
  )
  const theirs = askFail2ban<string[]>(formatted, given)
  for (const [index, { format, ...how }] of given.entries())
    assert.is(logLine(entry, format ?? formatOf(how)), `${theirs[index]}\n`)
  assert.is(formatOf({ datetime: true, padding: true }), usualFormat)
})

test.run()
compared.run()
