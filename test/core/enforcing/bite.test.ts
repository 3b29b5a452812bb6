import * as assert from 'uvu/assert'
import { parsePrefix } from '../../../core/address.ts'
import { Bite } from '../../../core/enforcing/bite.ts'
import { likelyCause, parseConnections, type Circumstances } from '../../../core/enforcing/likely-cause.ts'
import type { Ban } from '../../../core/events.ts'
import { suite } from '../../suite.ts'

const test = suite('bite')

const noon = Date.UTC(2026, 10, 22, 12)

function banOf(prefix: string, more: Partial<Ban> = {}): Ban {
  const ports = { protocol: 'tcp', ports: [22] } as const
  const base = { jail: 'sshd', ports, since: noon, until: null, count: 1, failures: 5, lines: [] }
  return { ...base, prefix: parsePrefix(prefix)!, ...more }
}

test('the second line that comes ten seconds after the ban held is an alarm, once an hour', () => {
  const missed: string[] = []
  const bite = new Bite(({ prefix }) => void missed.push(prefix))
  const ban = banOf('192.0.2.1')
  bite.confirmed(ban, noon + 5000)
  for (const at of [0, 5000, 10_000, 14_999]) bite.line(ban, noon + at, 'x')
  assert.equal(bite.report('sshd'), { lines: 0, last: null })
  bite.line(ban, noon + 15_000, 'x')
  assert.equal(missed, [], 'one line may be a connection that timed out')
  bite.line(ban, noon + 16_000, 'x')
  for (let i = 0; i < 100; i++) bite.line(ban, noon + 20_000 + i * 1000, 'x')
  assert.equal(missed, ['192.0.2.1'])
  assert.equal(bite.report('sshd'), { lines: 102, last: '192.0.2.1' })
  bite.line(ban, noon + 3_700_000, 'x')
  assert.is(missed.length, 2)
})

test('one late line of each of many addresses is none', () => {
  const bite = new Bite(() => assert.unreachable())
  for (let i = 0; i < 200; i++) bite.line(banOf(`192.0.2.${i}`), noon + 60_000, 'x')
  assert.is(bite.report('sshd').lines, 200)
})

test('the likely cause', () => {
  const here: Circumstances = { hostname: 'web1.example.net', connections: [{ port: 2222, peer: '192.0.2.1' }] }
  const line = (host: string) => `Nov 22 12:00:00 ${host} sshd[7]: Failed password`
  const cases: [string, Ban, string, Circumstances, RegExp][] = [
    ['another host', banOf('192.0.2.1'), line('web2'), here, /written on the host web2/],
    ['a private address', banOf('172.17.0.1'), line('web1'), here, /private network/],
    ['another port', banOf('192.0.2.1'), line('web1'), here, /connected to port 2222, and the ban covers only tcp 22/],
    [
      'connected all the same',
      banOf('192.0.2.1', { ports: { protocol: 'all', ports: [] } }),
      line('web1.example.net'),
      here,
      /connected all the same/,
    ],
    [
      'a web server behind something',
      banOf('198.51.100.1', { ports: { protocol: 'tcp', ports: [80, 443] } }),
      '198.51.100.1 - - [22/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 404',
      here,
      /CDN/,
    ],
    ['not here at all', banOf('2001:db8::/64'), line('web1'), here, /proxy or a tunnel/],
  ]
  for (const [what, ban, text, now, expected] of cases) assert.match(likelyCause(ban, text, now), expected, what)
})

test('open connections are read from the tables of the kernel', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:08AE 010200C0:D431 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0`
  assert.equal(parseConnections(table), [{ port: 2222, peer: '192.0.2.1' }])
  const six =
    '   0: B80D0120000000000000000001000000:0016 B80D0120000000000000000002000000:8D3C 01 00000000:00000000 00:0 0'
  assert.equal(parseConnections(six), [{ port: 22, peer: '2001:0db8:0000:0000:0000:0000:0000:0002' }])
  assert.equal(parseConnections('\0\xff nonsense'), [])
})

test.run()
