import * as assert from 'uvu/assert'
import { parsePrefix } from '../../../core/address.ts'
import { startFirewall, type FirewallHelper } from '../../../core/firewall/client.ts'
import type { FirewallEntry, Ports } from '../../../core/plugin.ts'
import { suite } from '../../suite.ts'
import {
  connect,
  elementsOf,
  eventually,
  join,
  listen,
  makeNamespace,
  must,
  silent,
  type Attempt,
  type Namespace,
} from './namespace.ts'

/** The same for both ways to the kernel. */
const backends = ['netlink', 'nft'] as const

const all: Ports = { protocol: 'all', ports: [] }
const ssh: Ports = { protocol: 'tcp', ports: [2222] }
const web: Ports = { protocol: 'tcp', ports: [8080, 8443] }

for (const backend of backends) {
  const test = suite(`firewall traffic through ${backend}`, 'root', 'nft', 'ip', 'perl')

  let server: Namespace
  let clients: Namespace
  let firewall: FirewallHelper
  /** What is to be undone, also where the beginning failed half-way. */
  const undo: (() => unknown)[] = []

  test.before(async () => {
    server = makeNamespace()
    undo.push(server.remove)
    clients = makeNamespace()
    undo.push(clients.remove)
    const addresses = [
      '10.99.0.2/16',
      '10.99.0.3/16',
      '10.99.7.7/16',
      'fd99::2/48',
      'fd99::3/48',
      'fd99:0:0:7::7/48',
      'fd99:0:0:7:ffff::7/48',
      'fd99:0:0:6::7/48',
      'fd99:0:0:8::7/48',
    ]
    join(server, ['10.99.0.1/16', 'fd99::1/48'], clients, addresses)
    undo.push(await listen(server, [2222, 8080, 9000]))
    firewall = await startFirewall({ log: silent, command: server.inside, backend })
    undo.push(() => firewall.stop())
    await firewall.declare([all, ssh, web])
    // The first packets over new interfaces get lost while the neighbours are being found.
    const everybody = addresses.map((address) => to(address.replace(/\/.*/, ''), 2222))
    assert.ok(await eventually(() => connect(clients, everybody).every(Boolean)))
  })
  test.before.each(async () => {
    await firewall.sync([])
  })
  test.after(async () => {
    for (const step of undo.toReversed()) await step()
  })

  /** Checks which of the attempts come about, all at once. */
  function expect(expected: [attempt: Attempt, connects: boolean][]): void {
    const found = connect(
      clients,
      expected.map(([attempt]) => attempt),
    )
    const told = ([{ from, port }]: [Attempt, boolean], answer: boolean) => `${from} to ${port}: ${answer}`
    assert.equal(
      expected.map((each, place) => told(each, found[place] ?? false)),
      expected.map((each) => told(each, each[1])),
    )
  }

  test('without bans everybody connects', () => {
    expect(['10.99.0.2', '10.99.7.7', 'fd99::2', 'fd99:0:0:7::7'].map((from) => [to(from, 2222), true]))
  })

  test('a banned address is kept from all ports, its neighbour from none', async () => {
    await firewall.add([entry('10.99.0.2', all), entry('fd99::2', all)])
    expect([
      [to('10.99.0.2', 2222), false],
      [to('10.99.0.2', 8080), false],
      [to('10.99.0.3', 2222), true],
      [to('fd99::2', 2222), false],
      [to('fd99::2', 8080), false],
      [to('fd99::3', 2222), true],
    ])
  })

  test('a ban by ports keeps from those ports alone', async () => {
    await firewall.add([entry('10.99.0.2', ssh), entry('fd99::2', web), entry('10.99.7.7', web)])
    expect([
      [to('10.99.0.2', 2222), false],
      [to('10.99.0.2', 8080), true],
      [to('10.99.7.7', 8080), false],
      [to('10.99.7.7', 2222), true],
      [to('fd99::2', 8080), false],
      [to('fd99::2', 2222), true],
      [to('fd99::3', 8080), true],
    ])
  })

  test('a ban by ports of both protocols keeps from those', async () => {
    const sip: Ports = { protocol: 'tcp+udp', ports: [2222, 8443] }
    await firewall.declare([sip])
    await firewall.add([entry('10.99.0.2', sip)])
    expect([
      [to('10.99.0.2', 2222), false],
      [to('10.99.0.2', 8080), true],
      [to('10.99.0.3', 2222), true],
    ])
  })

  test('a banned prefix covers its addresses and no others', async () => {
    await firewall.add([entry('10.99.7.0/24', all), entry('fd99:0:0:7::/64', ssh)])
    expect([
      [to('10.99.7.7', 2222), false],
      [to('10.99.0.2', 2222), true],
      [to('fd99:0:0:7::7', 2222), false],
      [to('fd99:0:0:7:ffff::7', 2222), false],
      // The networks just below and above it.
      [to('fd99:0:0:6::7', 2222), true],
      [to('fd99:0:0:8::7', 2222), true],
      [to('fd99:0:0:7::7', 8080), true],
      [to('fd99::2', 2222), true],
    ])
  })

  test('a removed ban lets the address in again', async () => {
    await firewall.add([entry('10.99.0.2', all)])
    expect([[to('10.99.0.2', 2222), false]])
    await firewall.del([entry('10.99.0.2', all)])
    expect([[to('10.99.0.2', 2222), true]])
  })

  test('a ban ends by itself', async () => {
    await firewall.add([entry('10.99.0.2', all, 2), entry('10.99.0.3', all)])
    assert.equal(elementsOf(server, 'all_v4'), ['10.99.0.2', '10.99.0.3'])
    assert.ok(await eventually(() => !elementsOf(server, 'all_v4').includes('10.99.0.2')))
    expect([
      [to('10.99.0.2', 2222), true],
      [to('10.99.0.3', 2222), false],
    ])
  })

  test('a published port is covered by the port that the client used', async () => {
    server.run('nft', 'add', 'table', 'ip', 'docker')
    server.run('nft', 'add', 'chain', 'ip', 'docker', 'nat', '{ type nat hook prerouting priority dstnat; }')
    server.run('nft', 'add', 'rule', 'ip', 'docker', 'nat', 'tcp', 'dport', '8443', 'dnat', 'to', '10.99.0.1:9000')
    expect([
      [to('10.99.0.2', 8443), true],
      [to('10.99.0.2', 9000), true],
    ])
    await firewall.add([entry('10.99.0.2', web)])
    expect([
      [to('10.99.0.2', 8443), false],
      [to('10.99.0.2', 9000), true],
      [to('10.99.0.3', 8443), true],
    ])
    server.run('nft', 'delete', 'table', 'ip', 'docker')
  })

  test.run()
}

function entry(text: string, ports: Ports, seconds = 600): FirewallEntry {
  return { prefix: must(parsePrefix(text)), ports, until: Date.now() + seconds * 1000 }
}

const to = (from: string, port: number): Attempt => ({ from, to: from.includes(':') ? 'fd99::1' : '10.99.0.1', port })
