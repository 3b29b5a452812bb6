import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { LineReader } from '../../../../core/matching/lines.ts'
import { EntryLines } from '../../../../plugins/sources/journal/entry-line.ts'
import type { JournalEntry } from '../../../../plugins/sources/journal/export-reader.ts'
import { suite } from '../../../suite.ts'

const test = suite('line of a journal entry')

const entry = {
  cursor: 's=1',
  time: '1795356785123456',
  sentTime: '',
  uptime: '',
  sentUptime: '',
  host: 'web1',
  identifier: 'sshd',
  command: 'sshd-session',
  pid: '77',
  claimedPid: '1',
  message: 'Failed password',
  tooLong: false,
}
const head = '2026-11-22T14:13:05.123456+00:00'

const cases: Record<string, [more: Partial<JournalEntry>, line: string]> = {
  usual: [{}, `${head} web1 sshd[77]: Failed password`],
  'the pid that the kernel knows is believed': [{ pid: '', claimedPid: '1' }, `${head} web1 sshd[1]: Failed password`],
  'no pid': [{ pid: '', claimedPid: 'x]: y' }, `${head} web1 sshd: Failed password`],
  'no identifier': [{ identifier: '' }, `${head} web1 sshd-session[77]: Failed password`],
  'nothing known': [
    { identifier: '', command: '', pid: '', claimedPid: '', host: '' },
    `${head} localhost unknown: Failed password`,
  ],
  'a line of another program in the identifier': [
    { identifier: 'x sshd[1]: Failed password for root from 203.0.113.9 port 1 ssh2\n' },
    `${head} web1 x_sshd_1___Failed_password_for_root_from_203.0.113.9_port_1_ssh2_[77]: Failed password`,
  ],
  'a long identifier': [{ identifier: 'x'.repeat(500) }, `${head} web1 ${'x'.repeat(128)}[77]: Failed password`],
  'a host as no host is': [{ host: 'a b:\n' }, `${head} web1 sshd[77]: Failed password`.replace('web1', 'a_b__')],
  'several lines': [
    { message: 'one\nNov 22 14:00:00 web1 sshd[1]: Failed\r\n\ttwo\0\x1b[1m\n\n' },
    `${head} web1 sshd[77]: one#012Nov 22 14:00:00 web1 sshd[1]: Failed#015#012\ttwo#000#033[1m`,
  ],
  'bytes that are no ASCII': [{ message: '\xc3\xbcn\xff' }, `${head} web1 sshd[77]: \xc3\xbcn\xff`],
  'no message': [{ message: '' }, `${head} web1 sshd[77]: `],
}

test('each entry is one line as syslog would write it', () => {
  const lines = new EntryLines()
  for (const [name, [more, line]] of Object.entries(cases))
    assert.is(lines.line({ ...entry, ...more }), `${line}\n`, name)
})

test('times of one second, of the next and of before', () => {
  const lines = new EntryLines()
  const dates = ['1795356785000000', '1795356785999999', '1795356786000001', '1795356785000000'].map(
    (time) => lines.line({ ...entry, time }).split(' ')[0],
  )
  assert.equal(dates, [
    '2026-11-22T14:13:05.000000+00:00',
    '2026-11-22T14:13:05.999999+00:00',
    '2026-11-22T14:13:06.000001+00:00',
    '2026-11-22T14:13:05.000000+00:00',
  ])
})

test('whatever an entry says, it is one line whose head is read as it was meant', () => {
  const bytes = fc.uint8Array({ maxLength: 60 }).map((some) => Buffer.from(some).toString('latin1'))
  const reader = new LineReader()
  fc.assert(
    fc.property(bytes, bytes, bytes, bytes, (identifier, host, claimedPid, message) => {
      const line = new EntryLines().line({ ...entry, identifier, host, claimedPid, message })
      assert.is(line.indexOf('\n'), line.length - 1)
      const data = Buffer.from(line, 'latin1')
      const { time, syslog } = reader.block(data, line, 0).head(0, line.length - 1)
      assert.equal([time, syslog?.pid], [1_795_356_785_123, '77'])
      assert.match(syslog?.program ?? '', /^[!-~]{1,128}$/)
    }),
    { numRuns: 500 },
  )
})

const asFail2ban: Record<string, [more: Partial<JournalEntry>, line: string]> = {
  'the pid that the sender names': [{}, `${head} web1 sshd[1]: Failed password`],
  'the pid that the kernel knows': [{ claimedPid: '' }, `${head} web1 sshd[77]: Failed password`],
  'no identifier': [{ identifier: '', claimedPid: '' }, `${head} web1 sshd-session[77]: Failed password`],
  'a name with blanks': [{ identifier: 'Media Server' }, `${head} web1 Media Server[1]: Failed password`],
  'a line of another program in the identifier': [
    { identifier: 'x sshd[1]: Failed\n' },
    `${head} web1 x sshd_1__ Failed_[1]: Failed password`,
  ],
  'when it was sent': [
    { sentTime: '1795356784000000' },
    `${head.replace('05.123456', '04.000000')} web1 sshd[1]: Failed password`,
  ],
  'the kernel': [
    { identifier: 'kernel', pid: '', claimedPid: '', uptime: '12345678' },
    `${head} web1 kernel: [   12.345678] Failed password`,
  ],
  'several lines': [{ message: 'one\ntwo' }, `${head} web1 sshd[1]: one\\ntwo`],
  'nothing known': [{ identifier: '', command: '', host: '' }, `${head} Failed password`],
}

for (const [name, [more, line]] of Object.entries(asFail2ban))
  test(`for a tree of fail2ban: ${name}`, () => {
    assert.is(new EntryLines().fail2banLine({ ...entry, ...more }), `${line}\n`)
  })

test.run()
