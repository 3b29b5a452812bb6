import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { usualSource } from '../../../core/settings/usual-source.ts'
import type { PluginUse } from '../../../core/settings/plugin-use.ts'
import { suite } from '../../suite.ts'
import { temporaryFolder } from '../cli/agent-process.ts'

const test = suite('usual source')

const now = Date.now()
const hour = 3600_000
const journald = { 'run/systemd/journal/socket': 0, 'usr/bin/journalctl': 10_000 }
const rsyslog = { 'run/systemd/journal/syslog': 100, 'run/rsyslogd.pid': 100 }
const sshd = [{ journal: { units: ['ssh.service'] } }, '/var/log/auth.log', '/var/log/secure']
const nginx = ['/var/log/nginx/*error.log', '/usr/local/nginx/logs/error.log']

/** Hours since each file of a host was written, what may be read there, what is, and what is said of it. */
const hosts: Record<string, [files: Record<string, number>, sources: typeof sshd, read: string, why: RegExp]> = {
  'Debian 12, Debian 13': [journald, sshd, 'journal', /^the journal of systemd has its lines$/],
  'Debian 12 with rsyslog': [
    { ...journald, ...rsyslog, 'var/log/auth.log': 0.5 },
    sshd,
    '/var/log/auth.log',
    /auth.log is written to; the journal may have the same/,
  ],
  'Ubuntu, off for a week': [
    { ...journald, ...rsyslog, 'var/log/auth.log': 170 },
    sshd,
    '/var/log/auth.log',
    /is written to/,
  ],
  'Debian 12 that was Debian 11, without rsyslog now': [
    { ...journald, 'var/log/auth.log': 5000 },
    sshd,
    'journal',
    /^the journal/,
  ],
  'rsyslog sends all elsewhere and writes nothing': [
    { ...journald, ...rsyslog, 'var/log/auth.log': 5000 },
    sshd,
    'journal',
    /^the journal/,
  ],
  'Red Hat': [
    { ...journald, 'run/rsyslogd.pid': 30, 'var/log/secure': 2 },
    sshd,
    '/var/log/secure',
    /secure is written to/,
  ],
  'rsyslog just installed, nothing written yet': [
    { ...journald, ...rsyslog, 'var/log/syslog': 0 },
    sshd,
    'journal',
    /^the journal/,
  ],
  'a container with a syslog daemon': [
    { 'run/syslogd.pid': 1, 'var/log/auth.log': 1 },
    sshd,
    '/var/log/auth.log',
    /is written to; no journald runs$/,
  ],
  'a container without any': [
    { 'var/log/dpkg.log': 1 },
    sshd,
    '/var/log/auth.log',
    /auth.log is not there; no journald runs; .*secure is not there/,
  ],
  'a container with an old log': [
    { 'var/log/secure': 5000 },
    sshd,
    '/var/log/secure',
    /last written to on 20\d\d-.*; no journald runs/,
  ],
  'journald without journalctl': [
    { 'run/systemd/journal/socket': 1, 'var/log/x': 1 },
    sshd,
    '/var/log/auth.log',
    /auth.log is not there; journald runs, but there is no journalctl/,
  ],
  'no folder for any': [{}, sshd, 'journal', /^no journald runs; .*auth.log is not there; .*secure is not there/],
  'nginx of Debian': [
    { ...journald, 'var/log/nginx/access.log': 1, 'var/log/nginx/error.log': 1 },
    nginx,
    '/var/log/nginx/*error.log',
    /error.log is written to$/,
  ],
  'nginx of Debian, without an error for months': [
    { ...journald, 'var/log/nginx/error.log': 5000 },
    nginx,
    '/var/log/nginx/*error.log',
    /last written/,
  ],
  'nginx of Debian, not started yet': [
    { 'var/log/nginx/other': 1 },
    nginx,
    '/var/log/nginx/*error.log',
    /is not there/,
  ],
  'a service that logs seldom, and not to the journal': [
    { ...journald, 'var/log/app/app.log': 200 },
    [{ journal: { units: ['app.service'] } }, '/var/log/app/app.log'],
    '/var/log/app/app.log',
    /is written to; the journal may/,
  ],
  'a service that logs to the journal since it was set up anew': [
    { ...journald, 'var/log/app/app.log': 5000 },
    [{ journal: { units: ['app.service'] } }, '/var/log/app/app.log'],
    'journal',
    /^the journal/,
  ],
  'nginx built by hand': [
    { 'usr/local/nginx/logs/error.log': 1 },
    nginx,
    '/usr/local/nginx/logs/error.log',
    /written to; .*nginx\/\*error.log is not there/,
  ],
  'nginx built by hand, not started yet': [
    { 'usr/local/nginx/logs/x': 1, 'var/log/x': 1 },
    nginx,
    '/usr/local/nginx/logs/error.log',
    /is not there/,
  ],
}

test('of the usual sources one is read, the one that this host has', () => {
  for (const [name, [files, sources, read, why]] of Object.entries(hosts)) {
    const root = temporaryFolder()
    for (const [path, hours] of Object.entries(files)) {
      const file = join(root, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, '')
      utimesSync(file, (now - hours * hour) / 1000, (now - hours * hour) / 1000)
    }
    const found = usualSource(sources.map(use), { root, now })
    assert.is(
      found?.use.plugin === 'file' ? (found.use.options as { path: string }).path : found?.use.plugin,
      read,
      `${name}: ${found?.why}`,
    )
    assert.match(found?.why ?? '', why, name)
    rmSync(root, { recursive: true })
  }
})

test('where none is named there is none, and one alone is taken', () => {
  assert.is(usualSource([]), null)
  assert.is(usualSource([use({ journal: {} })], { root: '/nonexistent', now })?.use.plugin, 'journal')
  assert.is(usualSource([use('/nonexistent/x.log')], { root: '/nonexistent', now })?.use.plugin, 'file')
})

test.run()

function use(given: string | { journal: object }): PluginUse {
  const where = { file: 'x.yaml' }
  if (typeof given !== 'string')
    return { kind: 'source', plugin: 'journal', options: given.journal, where, optionsAt: {} }
  return { kind: 'source', plugin: 'file', options: { path: given }, where, optionsAt: {} }
}
