/** The dates that services write, each as it stands in a line of its log, and what is left of the line for patterns. */
import * as assert from 'uvu/assert'
import { LineReader } from '../../../core/matching/lines.ts'
import { suite } from '../../suite.ts'

const test = suite('dates of services')
/** A day after the lines. */
const reference = Date.UTC(2026, 10, 23, 13)
/** 2026-11-22 13:41:02 UTC. */
const moment = Date.UTC(2026, 10, 22, 13, 41, 2)
const hour = 3_600_000
const utc = { patterns: null, timezone: 'UTC' }

/** What, the line, milliseconds after `moment` (null: it has no date), and the line without its date. */
type Case = [service: string, line: string, after: number | null, undated: string]

const access = '192.0.2.7 - - [] "GET / HTTP/1.1" 200 12'

const cases: Case[] = [
  ['nginx error', '2026/11/22 13:41:02 [error] 123#123: *1 x', 0, '[error] 123#123: *1 x'],
  ['nginx access', '192.0.2.7 - - [22/Nov/2026:13:41:02 +0000] "GET / HTTP/1.1" 200 12', 0, access],
  ['access log, other zone', '192.0.2.7 - - [22/Nov/2026:14:41:02 +0100] "GET / HTTP/1.1" 200 12', 0, access],
  [
    'access log with user',
    '2001:db8::7 - a b [22/Nov/2026:13:41:02 +0000] "GET / HTTP/1.1" 200 1',
    0,
    '2001:db8::7 - a b [] "GET / HTTP/1.1" 200 1',
  ],
  [
    'access log of virtual hosts',
    'www.example.org:443 192.0.2.7 - - [22/Nov/2026:13:41:02 +0000] "GET / HTTP/1.1" 200 1',
    0,
    'www.example.org:443 192.0.2.7 - - [] "GET / HTTP/1.1" 200 1',
  ],
  [
    'access log of names',
    'host.example.net - - [22/Nov/2026:13:41:02 +0000] "GET /" 200 1',
    0,
    'host.example.net - - [] "GET /" 200 1',
  ],
  [
    'lighttpd',
    '192.0.2.7 www.example.org - [22/Nov/2026:13:41:02 +0000] "GET /" 200 1',
    0,
    '192.0.2.7 www.example.org - [] "GET /" 200 1',
  ],
  ['own format', '192.0.2.7 [22/Nov/2026:13:41:02 +0000] 200 "GET /"', 0, '192.0.2.7 [] 200 "GET /"'],
  ['forwarded for', '"192.0.2.7" - - [22/Nov/2026:13:41:02 +0000] "GET /" 200', 0, '"192.0.2.7" - - [] "GET /" 200'],
  [
    'Python and Django',
    '192.0.2.7 - - [22/Nov/2026 13:41:02] "GET / HTTP/1.1" 200 -',
    0,
    '192.0.2.7 - - [] "GET / HTTP/1.1" 200 -',
  ],
  ['Kerio', '[22/Nov/2026 13:41:02] IP address 192.0.2.7 x', 0, '[] IP address 192.0.2.7 x'],
  [
    'Proxmox',
    '::ffff:192.0.2.7 - - [22/11/2026:13:41:02 +0000] "POST /api2/json/access/ticket HTTP/1.1" 401 -',
    0,
    '::ffff:192.0.2.7 - - [] "POST /api2/json/access/ticket HTTP/1.1" 401 -',
  ],
  [
    'Proxmox, a day that could be a month',
    '::ffff:192.0.2.7 - - [02/11/2026:13:41:02 +0000] "POST / HTTP/1.1" 401 -',
    -20 * 24 * hour,
    '::ffff:192.0.2.7 - - [] "POST / HTTP/1.1" 401 -',
  ],
  [
    'HAProxy',
    '192.0.2.7:33317 [22/Nov/2026:13:41:02.655] http-in static/srv1 10/0/30/69/109 200',
    655,
    '192.0.2.7:33317 [] http-in static/srv1 10/0/30/69/109 200',
  ],
  ['CUPS', 'E [22/Nov/2026:13:41:02 +0000] [Client 1] x', 0, 'E [] [Client 1] x'],
  ['Apache error', '[Sun Nov 22 13:41:02.123456 2026] [core:error] [pid 1] x', 123, '[] [core:error] [pid 1] x'],
  ['Apache 2.2 error', '[Sun Nov 22 13:41:02 2026] [error] [client 192.0.2.7] x', 0, '[] [error] [client 192.0.2.7] x'],
  ['exim', '2026-11-22 13:41:02 login authenticator failed x', 0, 'login authenticator failed x'],
  ['exim with pid', '2026-11-22 13:41:02 [123] x', 0, '[123] x'],
  ['exim with zone', '2026-11-22 14:41:02 +0100 [123] x', 0, '[123] x'],
  ['exim with milliseconds', '2026-11-22 13:41:02.123 x', 123, 'x'],
  ['MySQL 5.5', '261122 13:41:02 [Warning] x', 0, '[Warning] x'],
  ['MySQL 5.5 in the morning', '261122  9:41:02 [Warning] x', -4 * hour, '[Warning] x'],
  ['MySQL 8', '2026-11-22T13:41:02.123456Z 10 [Note] x', 123, '10 [Note] x'],
  ['MariaDB', '2026-11-22 13:41:02 10 [Warning] x', 0, '10 [Warning] x'],
  ['MariaDB in the morning', '2026-11-22  9:41:02 10 [Warning] x', -4 * hour, '10 [Warning] x'],
  ['PostgreSQL', '2026-11-22 13:41:02.123 UTC [123] u@d FATAL:  x', 123, '[123] u@d FATAL:  x'],
  ['PostgreSQL, CET', '2026-11-22 14:41:02 CET [123] x', 0, '[123] x'],
  ['PostgreSQL, a zone without name', '2026-11-22 10:41:02.123 -03 [123] x', 123, '[123] x'],
  [
    'PostgreSQL of Amazon',
    '2026-11-22 13:41:02 UTC:192.0.2.7(123):u@d:[1]:FATAL:  x',
    0,
    ':192.0.2.7(123):u@d:[1]:FATAL:  x',
  ],
  ['PostgreSQL with seconds', '1795354862.123 [123] FATAL:  x', 123, '[123] FATAL:  x'],
  ['Asterisk', '[2026-11-22 13:41:02] NOTICE[123][C-1]: x', 0, '[] NOTICE[123][C-1]: x'],
  ['Asterisk with milliseconds', '[2026-11-22 13:41:02.123] NOTICE[123]: x', 123, '[] NOTICE[123]: x'],
  ['Asterisk of old', '[Nov 22 13:41:02] NOTICE[123]: x', 0, '[] NOTICE[123]: x'],
  ['FreeSWITCH', '2026-11-22 13:41:02.123456 [WARNING] sofia_reg.c:1 x', 123, '[WARNING] sofia_reg.c:1 x'],
  ['FreeSWITCH 1.10', '2026-11-22 13:41:02.123456 99.97% [WARNING] x', 123, '99.97% [WARNING] x'],
  ['named', '22-Nov-2026 13:41:02.123 client @0x7f 192.0.2.7#1: x', 123, 'client @0x7f 192.0.2.7#1: x'],
  ['Tomcat', '22-Nov-2026 13:41:02.123 INFO [main] x', 123, 'INFO [main] x'],
  ['Roundcube', '[22-Nov-2026 14:41:02 +0100]: <x> IMAP Error', 0, '[]: <x> IMAP Error'],
  ['PHP', '[22-Nov-2026 14:41:02 Europe/Berlin] PHP Warning:  x', 0, '[] PHP Warning:  x'],
  ['PHP in UTC', '[22-Nov-2026 13:41:02 UTC] PHP Warning:  x', 0, '[] PHP Warning:  x'],
  ['ProFTPD', '2026-11-22 13:41:02,123 host proftpd[1] x', 123, 'host proftpd[1] x'],
  [
    'vsftpd',
    'Sun Nov 22 13:41:02 2026 [pid 1] FAIL LOGIN: Client "192.0.2.7"',
    0,
    '[pid 1] FAIL LOGIN: Client "192.0.2.7"',
  ],
  ['vsftpd on a day with one digit', 'Sun Nov  1 13:41:02 2026 [pid 1] x', -21 * 24 * hour, '[pid 1] x'],
  ['OpenVPN 2.4', 'Sun Nov 22 13:41:02 2026 192.0.2.7:1 TLS Error: x', 0, '192.0.2.7:1 TLS Error: x'],
  ['OpenVPN', '2026-11-22 13:41:02 192.0.2.7:1 TLS Error: x', 0, '192.0.2.7:1 TLS Error: x'],
  ['FreeRADIUS', 'Sun Nov 22 13:41:02 2026 : Auth: x', 0, ': Auth: x'],
  ['squid', '1795354862.123     12 192.0.2.7 TCP_DENIED/403 x', 123, '12 192.0.2.7 TCP_DENIED/403 x'],
  ['squid cache', '2026/11/22 13:41:02| x', 0, '| x'],
  [
    'MongoDB',
    '{"t":{"$date":"2026-11-22T13:41:02.123+00:00"},"s":"I"}',
    123,
    '{"t":{"$date":"2026-11-22T13:41:02.123+00:00"},"s":"I"}',
  ],
  ['MongoDB of old', '2026-11-22T13:41:02.123+0000 I ACCESS   [conn1] x', 123, 'I ACCESS   [conn1] x'],
  ['Dovecot', '2026-11-22 13:41:02 auth: Info: x', 0, 'auth: Info: x'],
  ['Dovecot as usual', 'Nov 22 13:41:02 auth: Info: x', 0, 'auth: Info: x'],
  ['gunicorn', '[2026-11-22 14:41:02 +0100] [1] [INFO] x', 0, '[] [1] [INFO] x'],
  ['Python logging', '2026-11-22 13:41:02,123 - name - INFO - x', 123, '- name - INFO - x'],
  [
    'Gitea',
    '2026/11/22 13:41:02 ...routers/web/auth/auth.go:199:SignInPost() [I] x',
    0,
    '...routers/web/auth/auth.go:199:SignInPost() [I] x',
  ],
  ['GitLab, svlogd', '2026-11-22_13:41:02.12345 x', 123, 'x'],
  ['Ruby', 'I, [2026-11-22T13:41:02.123456 #1]  INFO -- : x', 123, 'I, [#1]  INFO -- : x'],
  ['Grafana of old', 't=2026-11-22T13:41:02+0000 lvl=eror msg="x"', 0, 't=2026-11-22T13:41:02+0000 lvl=eror msg="x"'],
  [
    'Grafana',
    'logger=context userId=0 uname= t=2026-11-22T13:41:02.123456789Z level=info msg="x"',
    123,
    'logger=context userId=0 uname= t=2026-11-22T13:41:02.123456789Z level=info msg="x"',
  ],
  ['Traefik', 'time="2026-11-22T13:41:02Z" level=error msg="x"', 0, 'time="2026-11-22T13:41:02Z" level=error msg="x"'],
  [
    'Caddy',
    '{"level":"info","ts":1795354862.1239,"logger":"x"}',
    123,
    '{"level":"info","ts":1795354862.1239,"logger":"x"}',
  ],
  ['Caddy on a terminal', '2026/11/22 13:41:02.123\tINFO\tx', 123, 'INFO\tx'],
  [
    'Nextcloud',
    '{"reqId":"x","level":2,"time":"2026-11-22T13:41:02+00:00","user":"--"}',
    0,
    '{"reqId":"x","level":2,"time":"2026-11-22T13:41:02+00:00","user":"--"}',
  ],
  [
    'Docker',
    '{"log":"x \\"time\\":1","stream":"stdout","time":"2026-11-22T13:41:02.123456789Z"}',
    123,
    '{"log":"x \\"time\\":1","stream":"stdout","time":"2026-11-22T13:41:02.123456789Z"}',
  ],
  ['pino', '{"level":30,"time":1795354862123,"msg":"x"}', 123, '{"level":30,"time":1795354862123,"msg":"x"}'],
  [
    'Vaultwarden',
    '[2026-11-22 13:41:02.123][vaultwarden::api::identity][ERROR] x',
    123,
    '[][vaultwarden::api::identity][ERROR] x',
  ],
  ['Jellyfin', '[2026-11-22 14:41:02.123 +01:00] [INF] [1] x', 123, '[] [INF] [1] x'],
  ['ejabberd', '2026-11-22 13:41:02.123 [warning] <0.1.0>@x', 123, '[warning] <0.1.0>@x'],
  ['ejabberd, newer', '2026-11-22 14:41:02.123456+01:00 [warning] <0.1.0>@x', 123, '[warning] <0.1.0>@x'],
  ['TAI64N', '@400000006b02f0f80754d4c0 x', 123, 'x'],
  ['compact', '20261122T134102.123Z x', 123, 'x'],
  ['compact with colons', '20261122 13:41:02 x', 0, 'x'],
  ['American', '11/22/2026:13:41:02 x', 0, 'x'],
  ['American halves of the day', '11/22/2026 1:41:02 PM x', 0, 'x'],
  ['American, a day that could be a month', '11/02/2026 1:41:02 PM x', -20 * 24 * hour, 'x'],
  ['American with a colon', '11/02/2026:13:41:02 x', -20 * 24 * hour, 'x'],
  ['day first', '02/11/2026 13:41:02 x', -20 * 24 * hour, 'x'],
  ['day first, dots', '22.11.2026 13:41:02 x', 0, 'x'],
  ['month first where it can be nothing else', '11/22/2026 13:41:02.123 x', 123, 'x'],
  ['day first, dashes, short year', '22-11-26 13:41:02 x', 0, 'x'],
  ['Java logging', 'Nov 22, 2026 1:41:02 PM org.example x', 0, 'org.example x'],
  ['Java in the first hour', 'Nov 22, 2026 12:41:02 AM org.example x', -13 * hour, 'org.example x'],
  ['Cisco', 'Nov 22 2026 13:41:02: %ASA-6 x', 0, ': %ASA-6 x'],
  ['year first', '2026 Nov 22 13:41:02 host x: y', 0, 'host x: y'],
  ['stunnel', '2026.11.22 13:41:02 LOG5[1]: x', 0, 'LOG5[1]: x'],
  ['monit', '[UTC Nov 22 13:41:02] error : x', 0, '[] error : x'],
  ['ASSP', 'Nov-22-26 13:41:02 x', 0, 'x'],
  ['mail date', 'Sun, 22 Nov 2026 14:41:02 +0100 x', 0, 'x'],
  ['date(1)', 'Sun Nov 22 14:41:02 CET 2026 x', 0, 'x'],
  ['dropbear by itself', '[123] Nov 22 13:41:02 Bad password', 0, '[123] Bad password'],
  ['NSD', '[2026-11-22 13:41:02.123] nsd[1]: x', 123, '[] nsd[1]: x'],
  ['unbound', '[1795354862] unbound[1:0] info: x', 0, '[] unbound[1:0] info: x'],
  [
    'audit',
    'type=USER_LOGIN msg=audit(1795354862.123:456): pid=1',
    123,
    'type=USER_LOGIN msg=audit(1795354862.123:456): pid=1',
  ],
  ['Mumble', '<W>2026-11-22 13:41:02.123 1 => x', 123, '1 => x'],
  ['journalctl -o short-full', 'Sun 2026-11-22 13:41:02 UTC host x[1]: y', 0, 'host x[1]: y'],
  ['time of day alone', '13:41:02 x', null, '13:41:02 x'],
  ['uptime of a kernel', '[ 1234.567890] x', null, '[ 1234.567890] x'],
  ['number', '1234567 x', null, '1234567 x'],
]

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
