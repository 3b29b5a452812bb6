/** A port of the host that leads to a container, as Docker publishes it: by translation, before routing. */
import * as assert from 'uvu/assert'
import { parsePrefix } from '../../../core/address.ts'
import { startFirewall, type FirewallHelper } from '../../../core/firewall/client.ts'
import type { FirewallEntry, Ports } from '../../../core/plugin.ts'
import { suite } from '../../suite.ts'
import { connect, eventually, join, makeNamespace, must, silent, type Attempt, type Namespace } from './namespace.ts'
import { listenAndSend, openStreams, type Streams } from './streams.ts'

const test = suite('firewall published ports', 'root', 'nft', 'ip', 'conntrack')

const ssh: Ports = { protocol: 'tcp', ports: [22] }
const web: Ports = { protocol: 'tcp', ports: [8080] }
const all: Ports = { protocol: 'all', ports: [] }

/** Two attackers and a bystander, by family. */
const people = [
  ['10.98.0.2', '10.98.0.3'],
  ['fd98::2', 'fd98::3'],
] as const

let host: Namespace
let clients: Namespace
let container: Namespace
let firewall: FirewallHelper
const undo: (() => unknown)[] = []

test.before(async () => {
  host = namespace()
  clients = namespace()
  container = namespace()
  join(host, ['10.98.0.1/16', 'fd98::1/64'], clients, ['10.98.0.2/16', '10.98.0.3/16', 'fd98::2/64', 'fd98::3/64'])
  join(container, ['10.97.0.2/24', 'fd97::2/64'], host, ['10.97.0.1/24', 'fd97::1/64'])
  container.run('ip', 'route', 'add', 'default', 'via', '10.97.0.1')
  container.run('ip', '-6', 'route', 'add', 'default', 'via', 'fd97::1')
  forward(host)
  host.run(
    'nft',
    `table inet docker {
      chain publish {
        type nat hook prerouting priority dstnat
        tcp dport 8080 fib daddr type local dnat ip to 10.97.0.2:80
        tcp dport 8080 fib daddr type local dnat ip6 to [fd97::2]:80
      }
      chain hide {
        type nat hook postrouting priority srcnat
        ip saddr 10.97.0.0/24 oifname "v0" masquerade
      }
      chain forward {
        type filter hook forward priority filter
        ct state established,related accept
      }
    }`,
  )
  undo.push(await listenAndSend(container, [80]), await listenAndSend(host, [22]))
  firewall = await startFirewall({ log: silent, command: host.inside })
  undo.push(() => firewall.stop())
  await firewall.declare([all, ssh, web])
  const everybody = people.flat().flatMap((from) => [to(from, 8080), to(from, 22)])
  assert.ok(await eventually(() => connect(clients, everybody).every(Boolean)))
})
test.before.each(() => firewall.sync([]).then(() => {}))
test.after(async () => {
  for (const step of undo.toReversed()) await step()
})

function namespace(): Namespace {
  const made = makeNamespace()
  undo.push(made.remove)
  return made
}

function forward(namespace: Namespace): void {
  const program = `
    const { writeFileSync } = require('node:fs')
    for (const path of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding']) writeFileSync('/proc/sys/net/' + path, '1')`
  namespace.run(process.execPath, '-e', program)
}

const to = (from: string, port: number): Attempt => ({ from, to: from.includes(':') ? 'fd98::1' : '10.98.0.1', port })

function entry(address: string, ports: Ports): FirewallEntry {
  return { prefix: must(parsePrefix(address)), ports, until: Date.now() + 600_000 }
}

/** The tracked connections from an address to a port, as it was before translation. */
function tracked(from: string, port: number): number {
  const listed = host.run('conntrack', '-L', '-f', from.includes(':') ? 'ipv6' : 'ipv4', '-s', from, '-p', 'tcp')
  return listed.split('\n').filter((line) => line.match(/dport=(\d+)/)?.[1] === String(port)).length
}

/** Whether the stream at `stopped` brings nothing any more while the one at `flowing` goes on. */
async function stops(streams: Streams, stopped: number, flowing: number): Promise<boolean> {
  for (let tries = 0; tries < 20; tries++) {
    const before = [...streams.bytes]
    const wanted = must(before[flowing]) + 150
    assert.ok(await eventually(() => must(streams.bytes[flowing]) >= wanted))
    if (streams.bytes[stopped] === before[stopped]) return true
  }
  return false
}

for (const [attacker, bystander] of people) {
  test(`a ban of the published port stops new and established connections, of ${attacker} alone`, async () => {
    const streams = await openStreams(clients, [to(attacker, 8080), to(bystander, 8080), to(attacker, 22)])
    try {
      assert.ok(tracked(attacker, 8080) > 0)
      await firewall.add([entry(attacker, web)])
      assert.ok(await eventually(() => tracked(attacker, 8080) === 0))
      assert.ok(await stops(streams, 0, 1))
      assert.equal(connect(clients, [to(attacker, 8080), to(bystander, 8080), to(attacker, 22)]), [false, true, true])
      // Nobody else was cut, and nothing else.
      assert.ok(tracked(bystander, 8080) > 0)
      assert.ok(tracked(attacker, 22) > 0)
      assert.not(await stopsSoon(streams, 2))
    } finally {
      await streams.stop()
    }
  })

  test(`a ban of port 22 leaves the published port alone, for ${attacker}`, async () => {
    const streams = await openStreams(clients, [to(attacker, 22), to(attacker, 8080)])
    try {
      await firewall.add([entry(attacker, ssh)])
      assert.ok(await eventually(() => tracked(attacker, 22) === 0))
      assert.ok(await stops(streams, 0, 1))
      assert.equal(connect(clients, [to(attacker, 22), to(attacker, 8080)]), [false, true])
    } finally {
      await streams.stop()
    }
  })

  test(`a ban of the network, for all ports, cuts everything of ${attacker}, also when a sync brings it`, async () => {
    const streams = await openStreams(clients, [to(attacker, 8080), to(attacker, 22)])
    try {
      await firewall.sync([entry(attacker.includes(':') ? 'fd98::2/127' : '10.98.0.2/31', all)])
      assert.ok(await eventually(() => tracked(attacker, 8080) + tracked(attacker, 22) === 0))
      assert.equal(connect(clients, [to(attacker, 8080), to(attacker, 22)]), [false, false])
    } finally {
      await streams.stop()
    }
  })
}

test.run()

/** Whether a stream brings nothing for a while. */
async function stopsSoon(streams: Streams, place: number): Promise<boolean> {
  const before = must(streams.bytes[place])
  return !(await eventually(() => must(streams.bytes[place]) > before + 150))
}
