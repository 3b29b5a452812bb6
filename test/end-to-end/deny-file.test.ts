/** The lists of `deny-file`, read by a real nginx and a real HAProxy, in a network namespace of their own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { ActionPlugin } from '../../core/plugin.ts'
import { ActionTester } from '../../core/testing/action-tester.ts'
import denyFile from '../../plugins/actions/deny-file.ts'
import { makeNamespace, type Namespace } from '../core/firewall/namespace.ts'
import { suite, which } from '../suite.ts'
import { stop, waitFor } from './processes.ts'

const plugin = denyFile as ActionPlugin
const clients = ['192.0.2.7', '192.0.2.8', '198.51.100.9', '2001:db8::7', '2001:db8:1::9'] as const
const servers = { v4: '192.0.2.1', v6: '2001:db8::1' }

/** A program that keeps clients out by a list, and how it is told that the list changed. */
interface Proxy {
  readonly format: string
  readonly config: (folder: string, list: string) => string
  readonly start: (file: string) => string[]
  readonly reload: (file: string, folder: string) => string[]
}

const nginx = (format: string, before: (list: string) => string, inside: (list: string) => string): Proxy => ({
  format,
  config: (
    folder,
    list,
  ) => `daemon off; user root; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http { access_log off; ${before(list)}
  server { listen ${servers.v4}:8080; listen [${servers.v6}]:8080; ${inside(list)} location / { try_files /nothing =404; } } }\n`,
  start: (file) => [which('nginx') ?? 'nginx', '-c', file],
  reload: (file) => [which('nginx') ?? 'nginx', '-c', file, '-s', 'reload'],
})

const haproxy = (format: string, rule: (list: string) => string): Proxy => ({
  format,
  config: (_, list) => `defaults\n mode http\n timeout client 5s\n timeout connect 5s\n timeout server 5s
frontend web\n bind ${servers.v4}:8080\n bind ${servers.v6}:8080
 http-request deny deny_status 403 if ${rule(list)}\n http-request return status 404\n`,
  start: (file) => [which('haproxy') ?? 'haproxy', '-W', '-p', `${file}.pid`, '-f', file],
  reload: (file) => ['/bin/sh', '-c', `kill -USR2 "$(cat ${file}.pid)"`],
})

const nothing = () => ''
const proxies: readonly [name: string, needs: 'nginx' | 'haproxy', proxy: Proxy][] = [
  ['nginx by deny', 'nginx', nginx('nginx', nothing, (list) => `include ${list};`)],
  [
    'nginx by geo',
    'nginx',
    nginx(
      'nginx-geo',
      (list) => `geo $banned { default 0; include ${list}; }`,
      () => 'if ($banned) { return 403; }',
    ),
  ],
  ['HAProxy by acl', 'haproxy', haproxy('haproxy', (list) => `{ src -f ${list} }`)],
  ['HAProxy by map', 'haproxy', haproxy('haproxy-map', (list) => `{ src,map_ip(${list}) -m found }`)],
]

for (const [name, program, proxy] of proxies) {
  const test = suite(`deny-file and ${name}`, 'root', 'ip', program)
  let folder: string
  let namespace: Namespace
  let child: ChildProcess | undefined

  test.before(() => {
    folder = mkdtempSync(join(tmpdir(), 'bailiff-deny-'))
    namespace = makeNamespace()
    for (const address of [...clients, ...Object.values(servers)])
      namespace.run('ip', 'address', 'add', address, 'dev', 'lo', ...(address.includes(':') ? ['nodad'] : []))
  })
  test.after(async () => {
    if (child !== undefined) await stop(child)
    namespace.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  /** What each client is answered. */
  const answers = (): Record<string, string> => {
    const script = `const http = require('node:http')
      for (const from of ${JSON.stringify(clients)}) {
        const host = from.includes(':') ? '${servers.v6}' : '${servers.v4}'
        http.get({ host, port: 8080, localAddress: from, agent: false }, (answer) => {
          answer.resume(); console.log(from, answer.statusCode)
        }).on('error', (error) => console.log(from, error.code))
      }`
    const [first = '', ...words] = [...namespace.inside, process.execPath, '-e', script]
    const { stdout } = spawnSync(first, words, { encoding: 'utf8', timeout: 20_000 })
    return Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')),
    )
  }
  const expected = (...banned: string[]) =>
    Object.fromEntries(clients.map((client) => [client, banned.includes(client) ? '403' : '404']))
  const isSo = (wanted: Record<string, string>) => {
    const found = answers()
    return clients.every((client) => found[client] === wanted[client])
  }

  test('who is banned is denied, who is unbanned gets through, of both families and of networks', async () => {
    const list = join(folder, 'denied')
    const file = join(folder, 'proxy.conf')
    writeFileSync(file, proxy.config(folder, list))
    const [first = '', ...words] = namespace.inside
    const options = { path: list, format: proxy.format, reload: ['/bin/true'], pause: 0 }
    const before = await ActionTester.start(plugin, { options })
    assert.is((await before.sync('192.0.2.8')).outcome, 'done')
    child = spawn(first, [...words, ...proxy.start(file)], { stdio: 'ignore' })
    await waitFor('the list of the start', () => isSo(expected('192.0.2.8')))

    const inside = [which(first) ?? first, ...words, ...proxy.reload(file, folder)]
    const tester = await ActionTester.start(plugin, { options: { ...options, reload: inside } })
    assert.is((await tester.sync()).outcome, 'done')
    await waitFor('nobody banned', () => isSo(expected()))
    assert.is((await tester.ban('192.0.2.7', '198.51.100.0/24', '2001:db8:1::/64')).outcome, 'done')
    await waitFor('the bans', () => isSo(expected('192.0.2.7', '198.51.100.9', '2001:db8:1::9')))
    assert.is((await tester.unban('192.0.2.7', '2001:db8:1::/64')).outcome, 'done')
    await waitFor('the unbans', () => isSo(expected('198.51.100.9')))
    assert.is((await tester.ban('2001:db8::7')).outcome, 'done')
    await waitFor('one more', () => isSo(expected('198.51.100.9', '2001:db8::7')))
  })
  test.run()
}
