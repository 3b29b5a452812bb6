import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { bailiff, temporaryFolder } from './agent-process.ts'

const test = suite('setup')
const folder = temporaryFolder()

/** A host of these files; a name that ends in `/` is a folder. */
function makeHost(files: Readonly<Record<string, string>>): { readonly root: string; readonly config: string } {
  const root = mkdtempSync(join(folder, 'host-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, `${name}x`)), { recursive: true })
    if (!name.endsWith('/')) writeFileSync(join(root, name), text)
  }
  return { root, config: join(root, 'etc/bailiff/bailiff.yaml') }
}

const server = {
  'usr/sbin/sshd': '',
  'proc/77/comm': 'sshd\n',
  'proc/77/cmdline': 'sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups',
  'etc/ssh/sshd_config': '#Port 22\nPort 2222\nListenAddress 192.0.2.1:2200 # inside\n',
  'var/log/auth.log': 'x\n',
  'run/rsyslogd.pid': '1',
  'usr/sbin/nginx': '',
  'var/log/nginx/access.log': '',
  'usr/sbin/squid': '',
}

const setup = (host: { root: string; config: string }, ...words: string[]) =>
  bailiff(['setup', '--root', host.root, '--config', host.config, ...words])

test('only what is there is switched on, with its reason', async () => {
  const host = makeHost(server)
  const { code, stdout } = await setup(host, '--yes')
  assert.is(code, 0, stdout)
  const yaml = readFileSync(host.config, 'utf8')
  assert.match(yaml, '\n  sshd: { ports: [22, 2200, 2222] }\n')
  assert.match(yaml, 'OpenSSH: it runs as process 77; /var/log/auth.log is written to')
  assert.match(yaml, '\n  nginx-http-auth: on\n')
  assert.match(yaml, '\n  # squid: on # Squid: there is /usr/sbin/squid, but it neither runs nor has a log\n')
  assert.not.match(yaml, /apache|postfix|dovecot/)
  assert.is(statSync(host.config).mode & 0o077 & ~0o040, 0)
  const checked = await bailiff(['check', '--config', host.config])
  assert.is(checked.code, 0, checked.stdout)
})

test('that the log of the system is written to says nothing of a program that is only installed', async () => {
  const monit = { ...server, 'usr/bin/monit': '', 'var/log/syslog': 'x\n' }
  const host = makeHost(monit)
  assert.is((await setup(host, '--yes')).code, 0)
  assert.match(readFileSync(host.config, 'utf8'), /\n {2}# monit: on # Monit: there is \/usr\/bin\/monit, but/)
  const running = makeHost({ ...monit, 'proc/9/comm': 'monit\n' })
  assert.is((await setup(running, '--yes')).code, 0)
  assert.match(readFileSync(running.config, 'utf8'), '\n  monit: on\n')
})

test('nothing is written without a yes', async () => {
  for (const [words, code] of [
    [['--dry-run'], 0],
    [['--json'], 0],
    [[], 64],
  ] as const) {
    const host = makeHost(server)
    const done = await setup(host, ...words)
    assert.is(done.code, code, done.stderr)
    assert.is(existsSync(dirname(host.config)), false, words.join(' '))
  }
})

test('what is there is never changed, and what it lacks is told', async () => {
  const own = 'jails:\n  sshd: on\n'
  const host = makeHost({ ...server, 'etc/bailiff/bailiff.yaml': own })
  const done = await setup(host, '--yes')
  assert.is(done.code, 0)
  assert.match(done.stdout, 'is there already and is not changed. It has no jail for:\n  nginx-http-auth: on')
  assert.is(readFileSync(host.config, 'utf8'), own)
  assert.is(existsSync(`${host.config}.proposed`), false)
  assert.is((await setup(host, '--yes', '--beside')).code, 0)
  assert.match(readFileSync(`${host.config}.proposed`, 'utf8'), 'nginx-http-auth: on')
  const again = await setup(host, '--yes', '--beside')
  assert.is(again.code, 73)
  assert.match(again.stderr, 'is there already and is not changed')
  assert.is(readFileSync(host.config, 'utf8'), own)
})

test('a link to nowhere and a broken configuration are not changed either', async () => {
  const host = makeHost({ ...server, 'etc/bailiff/': '' })
  symlinkSync(join(host.root, 'elsewhere'), host.config)
  assert.is((await setup(host, '--yes')).code, 0)
  assert.is(existsSync(join(host.root, 'elsewhere')), false)
  const broken = makeHost({ ...server, 'etc/bailiff/bailiff.yaml': 'jails: [\n' })
  const done = await setup(broken, '--yes')
  assert.match(done.stdout, 'It is not right')
  assert.is(readFileSync(broken.config, 'utf8'), 'jails: [\n')
})

test('other ban programs are told, and how to change over', async () => {
  const host = makeHost({ ...server, 'proc/5/comm': 'fail2ban-server\n', 'usr/bin/fail2ban-server': '' })
  const { stdout } = await setup(host, '--yes', '--observe')
  assert.match(stdout, 'Fail2ban bans here already')
  assert.match(stdout, 'systemctl disable --now fail2ban')
  assert.match(readFileSync(host.config, 'utf8'), '\nobserve: true\n')
})

test('the address of the own session is proposed, and written only when asked for', async () => {
  const env = { SSH_CONNECTION: '198.51.100.7 4711 192.0.2.1 22' }
  for (const [words, expected] of [
    [[], /\n# ignoreip:\n# {3}- 198\.51\.100\.7 /],
    [['--ignore-session'], /\nignoreip:\n {2}- 198\.51\.100\.7 /],
  ] as const) {
    const host = makeHost(server)
    const done = await bailiff(['setup', '--root', host.root, '--config', host.config, '--yes', ...words], '', env)
    assert.match(done.stdout, 'You are logged in from 198.51.100.7')
    assert.match(readFileSync(host.config, 'utf8'), expected)
  }
})

test('a host with nothing gets a configuration that is right and switches nothing on', async () => {
  const host = makeHost({ 'etc/': '' })
  const { code, stdout } = await setup(host, '--yes', '--json')
  assert.is(code, 0, stdout)
  const outcome = JSON.parse(stdout) as { written: string; jails: unknown[]; yaml: string }
  assert.is(outcome.written, host.config)
  assert.equal(outcome.jails, [])
  assert.match(outcome.yaml, 'jails: {}')
})

test('names that others chose reach neither the terminal nor the file as control bytes', async () => {
  const host = makeHost({ ...server, 'proc/9/comm': 'nginx\n', 'proc/9/cmdline': 'nginx\0\u001b[31mred' })
  const { stdout } = await setup(host, '--yes')
  assert.is(/\p{Cc}/u.test((stdout + readFileSync(host.config, 'utf8')).replaceAll('\n', '')), false)
})

test.run()
