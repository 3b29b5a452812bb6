import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { scratch } from '../settings/scratch.ts'
import { bailiff } from './agent-process.ts'

const test = suite('bailiff config dump')
const folder = scratch({
  'jail.conf': `[sshd]
enabled = yes
filter =
maxretry = 99999999999999999999
ignorecommand = it's \x1b \u202e "this"
[off]
filter = none
`,
  'fail2ban.conf': '[Thread]\nstacksize = 64\n',
})
const dump = (...words: string[]) => bailiff(['config', 'dump', '--fail2ban', folder, ...words])

test('lists as Python writes them', async () => {
  const { code, stdout, stderr } = await dump()
  assert.equal([code, stderr], [0, ''])
  assert.is(
    stdout,
    `['set', 'thread', {'stacksize': 64}]
['set', 'syslogsocket', 'auto']
['set', 'loglevel', 'INFO']
['set', 'logtarget', '/var/log/fail2ban.log']
['set', 'allowipv6', 'auto']
['set', 'dbfile', '/var/lib/fail2ban/fail2ban.sqlite3']
['set', 'dbmaxmatches', None]
['set', 'dbpurgeage', '1d']
['add', 'sshd', 'auto']
['set', 'sshd', 'maxretry', 99999999999999999999]
['set', 'sshd', 'ignorecommand', 'it\\'s \\x1b \\u202e "this"']
['start', 'sshd']
`,
  )
})

test('JSON, in which nothing is lost', async () => {
  const { code, stdout } = await dump('--json')
  assert.is(code, 0)
  assert.match(stdout, /\["set", "sshd", "maxretry", 99999999999999999999\]/)
  assert.not.match(stdout, /(?!\n)\p{Cc}|\u202e/u)
  const commands = JSON.parse(stdout) as unknown[]
  assert.equal(commands[0], ['set', 'thread', { stacksize: 64 }])
  assert.equal(commands.at(-2), ['set', 'sshd', 'ignorecommand', `it's \x1b \u202e "this"`])
})

test('a jail that is broken: the others are printed, the error says where, the exit code tells', async () => {
  const text = await dump('--all')
  assert.is(text.code, 78)
  assert.match(
    text.stdout,
    /\['config-error', "Jail 'off' skipped, because of wrong configuration: Unable to read the filter 'none'"\]\n\['start', 'sshd'\]/,
  )
  assert.match(text.stderr, /jail\.conf:7: \[off\] filter: jail "off" is left out: the filter "none" cannot be read/)
  const { error } = JSON.parse((await dump('off', '--json')).stderr) as { error: { where: unknown; exitCode: number } }
  assert.equal(error.where, { file: join(folder, 'jail.conf'), line: 7, option: '[off] filter' })
  assert.is(error.exitCode, 78)
})

test('no configuration of Fail2ban', async () => {
  const { code, stdout, stderr } = await bailiff(['config', 'dump', '--fail2ban', join(folder, 'nothing')])
  assert.equal([code, stdout], [66, ''])
  assert.match(stderr, /there is no such folder/)
})

test.run()
