import * as assert from 'uvu/assert'
import { optionIssues } from '../../../../core/testing/option-checks.ts'
import {
  inWords,
  journalctlWords,
  options,
  type JournalOptions,
} from '../../../../plugins/sources/journal/journalctl-words.ts'
import { suite } from '../../../suite.ts'

const test = suite('words for journalctl')

test('conditions on the journal are its own', () => {
  const cases: [given: object, words: string[]][] = [
    [{}, []],
    [{ units: 'ssh' }, ['_SYSTEMD_UNIT=ssh.service']],
    [{ units: ['ssh.service', 'sshd.socket'] }, ['_SYSTEMD_UNIT=ssh.service', '_SYSTEMD_UNIT=sshd.socket']],
    [{ units: ['ssh@.service'] }, ['_SYSTEMD_SLICE=system-ssh.slice']],
    [{ units: ['open-vpn@.service'] }, ['_SYSTEMD_SLICE=system-open\\x2dvpn.slice']],
    [{ units: ['postgresql@15-main.service'] }, ['_SYSTEMD_UNIT=postgresql@15-main.service']],
    [{ identifiers: ['sshd', 'x y'] }, ['SYSLOG_IDENTIFIER=sshd', 'SYSLOG_IDENTIFIER=x y']],
    [{ matches: ['_UID=0', '+', '_COMM=sshd'] }, ['_UID=0', '+', '_COMM=sshd']],
    [{ matches: ['+', '+'] }, []],
    [
      { units: ['ssh.service', 'ssh@.service'], identifiers: ['sshd'], matches: ['_UID=0', '_UID=1', '+', 'A=b'] },
      [
        ['_SYSTEMD_UNIT=ssh.service', 'SYSLOG_IDENTIFIER=sshd', '_UID=0', '_UID=1', '+'],
        ['_SYSTEMD_UNIT=ssh.service', 'SYSLOG_IDENTIFIER=sshd', 'A=b', '+'],
        ['_SYSTEMD_SLICE=system-ssh.slice', 'SYSLOG_IDENTIFIER=sshd', '_UID=0', '_UID=1', '+'],
        ['_SYSTEMD_SLICE=system-ssh.slice', 'SYSLOG_IDENTIFIER=sshd', 'A=b'],
      ].flat(),
    ],
  ]
  for (const [given, words] of cases) {
    const all = journalctlWords(options.parse(given), { since: '@1' })
    assert.equal(all.slice(all.indexOf('--since=@1') + 1), words, JSON.stringify(given))
  }
})

test('where and from when', () => {
  const given: JournalOptions = { directory: '/var/log/remote', namespace: 'web', priority: 'info' }
  const words = journalctlWords(given, { cursor: 's=1;i=2' })
  for (const word of [
    '--directory=/var/log/remote',
    '--namespace=web',
    '--priority=info',
    '--cursor=s=1;i=2',
    '--follow',
  ])
    assert.ok(words.includes(word), word)
  assert.not(words.some((word) => word.startsWith('--since')))
  assert.is(inWords({ ...given, units: ['a.service', 'b.service'] }), '/var/log/remote,web a.service,b.service')
})

test('what journalctl would take for something else is refused with a word', async () => {
  const cases: [given: object, wrong: RegExp | null][] = [
    [{ units: ['ssh.service'], since: '-2h', file: '/a.journal' }, null],
    [{ units: [] }, /./],
    [{ units: ['a b'] }, /name of a unit/],
    [{ units: ['--since'] }, null],
    [{ matches: ['--vacuum-time=1s'] }, /FIELD=value/],
    [{ matches: ['/usr/sbin/sshd'] }, /FIELD=value/],
    [{ matches: ['_UID'] }, /FIELD=value/],
    [{ matches: ['lower=x'] }, /FIELD=value/],
    [{ namespace: 'a/b' }, /namespace/],
    [{ namespace: '*' }, null],
    [{ priority: 'loud' }, /./],
    [{ directory: 'x' }, /absolute/],
    [{ directory: '/x', file: '/y' }, /either/],
    [{ unit: 'ssh.service' }, /./],
  ]
  for (const [given, wrong] of cases) {
    const issues = (await optionIssues(options, given)).join('; ')
    if (wrong === null) assert.is(issues, '', JSON.stringify(given))
    else assert.match(issues, wrong, JSON.stringify(given))
  }
})

test.run()
