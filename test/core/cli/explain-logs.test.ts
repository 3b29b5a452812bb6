import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { LineExplanation } from '../../../core/explaining/line-explanation.ts'
import { journalFile } from '../../plugins/sources/journald.ts'
import { suite } from '../../suite.ts'
import { bailiff, temporaryFolder, writeConfig } from './agent-process.ts'

const test = suite('explain an address by the logs that name it')
const journalTest = suite('explain an address by the journal', 'systemd-journald', 'systemd-journal-remote')

const at = (ago: number) => new Date(Date.now() - ago).toISOString()
const failed = (address: string, ago: number) =>
  `${at(ago)} web sshd[77]: Failed password for root from ${address} port 4711 ssh2\n`

async function causeOf(config: string, address: string): Promise<readonly (string | undefined)[]> {
  const { stdout, stderr, code } = await bailiff(['explain', '--config', config, '--json', address])
  assert.is(code, 0, stderr)
  const { cause, lastLine, verdict } = JSON.parse(stdout) as {
    cause: string
    verdict: string
    lastLine: { log: string; explanation: LineExplanation } | null
  }
  assert.match(verdict, `${address} is not banned`)
  return [cause, lastLine?.explanation.jail ?? undefined, lastLine?.log]
}

test('logs that a pattern means are looked through, and so is what stands before the last line', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'a'))
  mkdirSync(join(folder, 'b'))
  const [one, two] = [join(folder, 'a/auth.log'), join(folder, 'b/auth.log')]
  const closed = `${at(7_100_000)} web sshd[77]: Connection closed by authenticating user root 192.0.2.7 port 4711 [preauth]\n`
  writeFileSync(one, failed('192.0.2.7', 7_200_000) + closed)
  writeFileSync(two, failed('192.0.2.8', 7_200_000) + failed('192.0.2.80', 0) + failed('2192.0.2.8', 0))
  const config = writeConfig(folder, `jails: { sshd: { source: './*/auth.log' } }\n`)
  assert.equal(await causeOf(config, '192.0.2.7'), ['too-old', 'sshd', one])
  assert.equal(await causeOf(config, '192.0.2.8'), ['too-old', 'sshd', two])
  assert.equal(await causeOf(config, '192.0.2.9'), ['unknown', undefined, undefined])
})

test('of several logs that line counts which a jail would match; one that is off is better than none', async () => {
  const folder = temporaryFolder()
  const [auth, app] = [join(folder, 'auth.log'), join(folder, 'app.log')]
  writeFileSync(auth, failed('192.0.2.7', 7_200_000))
  writeFileSync(app, `${at(0)} refused 192.0.2.7\n${at(0)} refused 192.0.2.8\n${at(0)} hello 192.0.2.7\n`)
  const config = writeConfig(
    folder,
    `jails:
  sshd: { source: ./auth.log }
  app: { enabled: off, source: ./app.log, filter: { failregex: ['^refused <ADDR>$'] } }
`,
  )
  assert.equal(await causeOf(config, '192.0.2.7'), ['too-old', 'sshd', auth])
  assert.equal(await causeOf(config, '192.0.2.8'), ['jail-off', 'app', app])
})

test('a line that would count and that nobody has counted is told', async () => {
  const folder = temporaryFolder()
  const auth = join(folder, 'auth.log')
  writeFileSync(auth, failed('192.0.2.7', 0))
  const config = writeConfig(folder, 'jails: { sshd: { source: ./auth.log } }\n')
  assert.equal(await causeOf(config, '192.0.2.7'), ['not-counted', 'sshd', auth])
})

journalTest('entries of a journal are looked through as lines of a file are', async () => {
  const folder = temporaryFolder()
  const entry = (address: string, message: string) => ({
    _SYSTEMD_UNIT: 'ssh.service',
    _HOSTNAME: 'web1',
    _PID: '77',
    SYSLOG_IDENTIFIER: 'sshd',
    MESSAGE: `${message} ${address} port 4711 ssh2`,
  })
  const journal = journalFile([
    entry('192.0.2.7', 'Failed password for root at'),
    entry('192.0.2.8', 'Failed password for root from'),
    entry('192.0.2.8', 'Accepted password for joe from'),
  ])
  const source = `{ journal: { file: [${journal}], units: [ssh.service] } }`
  const config = writeConfig(folder, `jails: { sshd: { source: ${source} } }\n`)
  const log = `the journal (${journal} ssh.service)`
  assert.equal(await causeOf(config, '192.0.2.7'), ['failregex', 'sshd', log])
  assert.equal(await causeOf(config, '192.0.2.8'), ['not-counted', 'sshd', log])
  assert.equal(await causeOf(config, '192.0.2.9'), ['unknown', undefined, undefined])
})

test.run()
journalTest.run()
