import * as assert from 'uvu/assert'
import * as fc from 'fast-check'
import { banPrograms } from '../../../core/host-look/ban-programs.ts'
import { clockKeeping, inContainer } from '../../../core/host-look/clock-keeping.ts'
import { otherFirewalls } from '../../../core/host-look/firewalls.ts'
import { HostTree } from '../../../core/host-look/host-tree.ts'
import { listeningPorts } from '../../../core/host-look/listening.ts'
import { ownSession } from '../../../core/host-look/own-session.ts'
import { runningProcesses } from '../../../core/host-look/processes.ts'
import { known } from '../../../core/host-look/service-signs.ts'
import { findServices } from '../../../core/host-look/services.ts'
import { configuredSshPorts } from '../../../core/host-look/ssh-ports.ts'
import { FilterLibrary } from '../../../core/settings/filter-library.ts'
import { builtInFilters } from '../../../core/settings/places.ts'
import { suite } from '../../suite.ts'
import { fakeHost } from './fake-host.ts'

const test = suite('host look')

test('every filter of the catalogue is a filter', async () => {
  const names = await new FilterLibrary([builtInFilters]).names()
  const unknown = known.flatMap(({ filters, more = [] }) => [...filters, ...more]).filter((name) => !names.has(name))
  assert.equal(unknown, [])
})

test('a process goes by its own name, that of its program, and that of its script', () => {
  const host = fakeHost({
    'proc/5/comm': 'python3\n',
    'proc/5/exe': '-> /usr/bin/python3.11',
    'proc/5/cmdline': '/usr/bin/python3\0/usr/bin/fail2ban-server\0-xf\0start',
    'proc/5/status': 'Name:\tx\nUid:\t0\t0\t0\t0\n',
    'proc/6/comm': 'nginx\n',
    'proc/6/cmdline': 'nginx: worker process',
    'proc/7/cmdline': '',
    'proc/sys/comm': 'no process',
  })
  const processes = runningProcesses(host)
  assert.equal(
    processes.map(({ pid, names }) => [pid, names]),
    [
      [5, ['python3', 'python3.11', 'fail2ban-server']],
      [6, ['nginx']],
    ],
  )
  assert.equal(
    banPrograms(host, processes).map(({ name, running }) => [name, running]),
    [['Fail2ban', true]],
  )
})

test('processes of containers are not services of the host', () => {
  const host = fakeHost({
    'proc/self/ns/pid': '-> pid:[1]',
    'proc/5/comm': 'nginx\n',
    'proc/5/ns/pid': '-> pid:[2]',
    'proc/6/comm': 'sshd\n',
    'proc/6/ns/pid': '-> pid:[1]',
    'usr/sbin/nginx/': '',
  })
  assert.equal(
    runningProcesses(host).map(({ pid }) => pid),
    [6],
  )
})

const tcp = (rows: readonly string[]) =>
  `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n${rows.map((row) => `   0: ${row}`).join('\n')}\n`
const listening = (address: string, port: number, inode: number, state = '0A') =>
  `${address}:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1`

test('ports are those that the service listens on for others', () => {
  const host = fakeHost({
    'proc/self/net/tcp': tcp([
      listening('00000000', 2222, 11),
      listening('0100007F', 6010, 12),
      listening('00000000', 45_000, 13),
      listening('0A000001', 22, 14, '01'),
      listening('00000000', 99, 15),
    ]),
    'proc/self/net/tcp6': tcp([
      listening('00000000000000000000000000000000', 2223, 16),
      listening('00000000000000000000000001000000', 7000, 17),
    ]),
    ...Object.fromEntries([11, 12, 13, 14, 16, 17].map((inode) => [`proc/8/fd/${inode}`, `-> socket:[${inode}]`])),
  })
  assert.equal(listeningPorts(host, [{ pid: 8, names: [], command: '', uid: 0 }]), [2222, 2223])
  assert.equal(listeningPorts(host, [{ pid: 9, names: [], command: '', uid: 0 }]), [])
})

test('what a session of sshd forwards is no port of sshd', () => {
  const net = { 'proc/self/net/tcp': tcp([listening('00000000', 8080, 1), listening('00000000', 22, 2)]) }
  const host = fakeHost({
    ...net,
    'usr/sbin/sshd': '',
    'proc/5/comm': 'sshd\n',
    'proc/5/cmdline': 'sshd: alice@pts/0',
    'proc/5/fd/3': '-> socket:[1]',
    'proc/6/comm': 'sshd\n',
    'proc/6/cmdline': 'sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups',
    'proc/6/fd/3': '-> socket:[2]',
  })
  assert.equal(findServices(host, runningProcesses(host))[0]?.ports, [22])
})

test('a service is there that runs, is switched on or is installed, and none that only left its unit', () => {
  const wants = 'etc/systemd/system/multi-user.target.wants'
  const host = fakeHost({
    [`${wants}/nginx.service`]: '-> /lib/systemd/system/nginx.service',
    'usr/sbin/nginx': '',
    [`${wants}/squid.service`]: '-> /lib/systemd/system/squid.service',
    'usr/sbin/vsftpd': '',
    'proc/5/comm': 'dovecot\n',
    'run/systemd/system/': '',
  })
  assert.equal(
    findServices(host, runningProcesses(host)).map(({ name, active }) => [name, active]),
    [
      ['nginx', true],
      ['Dovecot', true],
      ['vsftpd', false],
    ],
  )
})

test('ports of sshd', () => {
  const cases: [file: string, text: string, ports: number[]][] = [
    ['etc/ssh/sshd_config', '#Port 22\n', []],
    ['etc/ssh/sshd_config', 'Port 2222 # x\nport=22\n', [22, 2222]],
    ['etc/ssh/sshd_config', 'ListenAddress [2001:db8::1]:2200\nListenAddress 192.0.2.1\n', [2200]],
    ['etc/ssh/sshd_config', 'Port 0\nPort 99999\nPort x\nPortAny 5\n', []],
    ['etc/ssh/sshd_config.d/a.conf', 'Port 24\n', [24]],
    ['etc/ssh/sshd_config.d/a.bak', 'Port 24\n', []],
    ['etc/systemd/system/ssh.socket.d/x.conf', '[Socket]\nListenStream=\nListenStream=0.0.0.0:2022\n', [2022]],
  ]
  for (const [file, text, ports] of cases) assert.equal(configuredSshPorts(fakeHost({ [file]: text })), ports, text)
})

test('other firewalls', () => {
  const host = fakeHost({
    'etc/ufw/ufw.conf': 'ENABLED=yes\n',
    'proc/5/comm': 'dockerd\n',
    'proc/self/net/ip_tables_names': 'filter\n',
  })
  const names = (tree: HostTree) => otherFirewalls(tree, runningProcesses(tree)).map(({ name }) => name)
  assert.equal(names(host), ['ufw', 'Docker', 'iptables'])
  assert.equal(names(fakeHost({ 'etc/ufw/ufw.conf': 'ENABLED=no\n' })), [])
})

test('the own session is that of sshd, also behind sudo', () => {
  const host = fakeHost({
    'proc/30/environ': 'HOME=/root\0',
    'proc/30/status': 'PPid:\t20\n',
    'proc/20/environ': 'A=1\0SSH_CONNECTION=2001:db8::7 4711 2001:db8::1 22\0',
    'proc/20/status': 'PPid:\t1\n',
    'proc/40/status': 'PPid:\t40\n',
  })
  assert.is(ownSession(host, {}, 30), '2001:db8::7')
  assert.is(ownSession(host, { SSH_CONNECTION: '192.0.2.7 1 192.0.2.1 22' }, 30), '192.0.2.7')
  assert.is(ownSession(host, { SSH_CONNECTION: '127.0.0.1 1 127.0.0.1 22' }, 1), null)
  assert.is(ownSession(host, {}, 40), null)
  assert.is(ownSession(host, {}, 99), null)
})

test('the clock', () => {
  assert.is(clockKeeping(fakeHost({}), []).state, 'nobody')
  assert.is(clockKeeping(fakeHost({ 'run/systemd/timesync/synchronized': '' }), []).state, 'synchronised')
  const host = fakeHost({ 'proc/5/comm': 'chronyd\n', '.dockerenv': '' })
  assert.equal(clockKeeping(host, runningProcesses(host)), { state: 'running', by: 'chronyd' })
  assert.is(inContainer(host), true)
})

test('whatever stands in the files of a host, looking at it does not throw', () => {
  const paths = [
    'etc/ssh/sshd_config',
    'proc/5/comm',
    'proc/5/cmdline',
    'proc/self/net/tcp',
    'proc/5/environ',
    'proc/5/status',
    'etc/ufw/ufw.conf',
  ]
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.string({ unit: 'binary' }), (path, text) => {
      const host = fakeHost({ 'proc/5/comm': 'sshd', [path]: text.startsWith('-> ') ? '' : text })
      const processes = runningProcesses(host)
      findServices(host, processes)
      otherFirewalls(host, processes)
      ownSession(host, {}, 5)
    }),
    { numRuns: 100 },
  )
})

test.run()
