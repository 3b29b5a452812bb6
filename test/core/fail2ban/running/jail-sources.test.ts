import * as assert from 'uvu/assert'
import { sourcesOf } from '../../../../core/fail2ban/running/jail-sources.ts'
import { readTree } from '../../../../core/fail2ban/tree/tree.ts'
import { suite } from '../../../suite.ts'
import { scratch } from '../../settings/scratch.ts'

const test = suite('sources of jails')

const journals: [backend: string, options: object][] = [
  ['systemd', {}],
  ['systemd[journalflags=1]', {}],
  ['systemd[journalpath=/var/log/journal/other]', { directory: '/var/log/journal/other' }],
  [
    'systemd[journalfiles="/a/system.journal, /a/user-*.journal"]',
    { file: ['/a/system.journal', '/a/user-*.journal'] },
  ],
  ["systemd[journalfiles='/a/x.journal /a/y.journal', rotated=on]", { file: ['/a/x.journal', '/a/y.journal'] }],
  ['SYSTEMD[namespace=other]', { namespace: 'other' }],
]

for (const [backend, options] of journals)
  test(`the journal by ${backend}`, async () => {
    const folder = scratch({
      'jail.conf': `[one]\nenabled = 1\nfilter = f\nbackend = ${backend}\n`,
      'filter.d/f.conf': '[Definition]\nfailregex = <HOST>\njournalmatch = _COMM=a _UID=0\n  _COMM=b\n',
    })
    const { jails } = await readTree(folder)
    const [jail] = jails
    assert.ok(jail)
    const matches = ['_COMM=a', '_UID=0', '+', '_COMM=b']
    assert.equal(
      sourcesOf(jail, () => ({ file: 'x' })),
      [{ plugin: 'journal', options: { matches, ...options, form: 'fail2ban' } }],
    )
  })

test.run()
