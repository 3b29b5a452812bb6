/** A real nginx, attacked from outside as scanners do it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { suite, which } from '../suite.ts'
import { createNetwork, outside, victim, type Network } from './network.ts'
import { stop, waitFor } from './processes.ts'
import { inKernel, withAgent } from './running-agent.ts'

const test = suite('nginx, end to end', 'root', 'ip', 'nft', 'nginx')
const sender = fileURLToPath(new URL('./send-requests.js', import.meta.url))
const port = 8080

/** What scanners send that is no HTTP, or none that nginx takes; each is answered with 400. */
const bad = [
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  '\x03\x00\x00/*\xe0\x00\x00\x00\x00\x00Cookie: mstshash=Administr\r\n\r\n',
  'SSH-2.0-Go\r\n\r\n',
  'GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n',
  'CONNECT mail.example.com:25 HTTP/1.1\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  'GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /" 400 0 HTTP/1.1\r\nHost: a\r\nUser-Agent: "192.0.2.250"\r\nContent-Length: x\r\n\r\n',
  `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic ${btoa('192.0.2.250 - [x] "y":z')}\r\nContent-Length: x\r\n\r\n`,
  '*1\r\n$4\r\nINFO\r\n\r\n',
]
const good = ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'GET /nothing HTTP/1.1\r\nHost: 400\r\nUser-Agent: " 400 0\r\n\r\n']

let folder: string
let network: Network
let nginx: ChildProcess

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-nginx-'))
  network = createNetwork('nginx')
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; user root; pid ${folder}/pid; error_log ${folder}/error.log;
    events {}
    http {
      access_log ${folder}/access.log;
      server { listen ${port}; listen [::]:${port}; location = / { return 200 "here\\n"; } location / { return 404; } }
    }\n`,
  )
  const [program = '', ...words] = [...network.inVictim, which('nginx') ?? 'nginx']
  nginx = spawn(program, [...words, '-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'inherit' })
  await waitFor('nginx', () => send(outside.v4(39), good)[0]?.startsWith('HTTP/1.1 200') === true)
})
test.after(async () => {
  await stop(nginx)
  network.close()
  rmSync(folder, { recursive: true, force: true })
})

/** How nginx answers each. */
function send(from: string, texts: readonly string[]): string[] {
  const to = from.includes(':') ? victim.v6 : victim.v4
  const encoded = texts.map((text) => Buffer.from(text, 'latin1').toString('base64'))
  const [program = '', ...words] = [...network.inOutside, process.execPath, sender, from, to, String(port), ...encoded]
  return spawnSync(program, words, { encoding: 'utf8', timeout: 60_000 }).stdout.trim().split('\n')
}

test('whoever sends what is no HTTP is banned, by each kind of it, and nobody else', () => {
  const yaml = `state: ${folder}/state
control: ${folder}/control.sock
user: root
defaults: { findtime: 10m, maxretry: 1, bantime: 1h }
jails:
  nginx-bad-request: { source: ${folder}/access.log, ports: [${port}] }
`
  return withAgent({ folder, inVictim: network.inVictim }, yaml, async (agent) => {
    const innocent = outside.v4(30)
    for (const answer of send(innocent, good)) assert.match(answer, /^HTTP\/1\.1 (?:200|404) /)
    for (const [index, text] of bad.entries())
      assert.match(send(outside.v4(index), [text])[0] ?? '', /^HTTP\/1\.1 400 /, JSON.stringify(text))
    send(outside.v6(20), [bad[0] ?? ''])
    const attackers = [...bad.map((_, index) => outside.v4(index)), outside.v6(20)].toSorted()
    await waitFor('the bans', () =>
      attackers.every((address) => inKernel({ inVictim: network.inVictim }).includes(address)),
    )
    assert.equal(
      inKernel({ inVictim: network.inVictim }).toSorted(),
      attackers,
      readFileSync(join(folder, 'access.log'), 'latin1'),
    )
    assert.equal(send(outside.v4(0), good.slice(0, 1)), ['timeout'])
    assert.match(send(innocent, good)[0] ?? '', /200/)
    assert.is((await agent.jail('nginx-bad-request')).failures, attackers.length)
  })
})

test.run()
