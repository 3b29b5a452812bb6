/** Whom a real helper refuses to ban: routes of its own namespace, and an /etc of its own. */
import * as assert from 'uvu/assert'
import { parsePrefix } from '../../../core/address.ts'
import { startFirewall, type FirewallHelper } from '../../../core/firewall/client.ts'
import { refusalReasons, type RefusalReason } from '../../../core/firewall/messages.ts'
import type { FirewallEntry, Logger, Ports } from '../../../core/plugin.ts'
import { suite } from '../../suite.ts'
import { elementsOf, eventually, makeNamespace, must, silent, type Namespace } from './namespace.ts'

const test = suite('firewall refusals', 'root', 'nft', 'ip', 'perl')

const all: Ports = { protocol: 'all', ports: [] }

/** In a mount namespace of its own: an /etc with nothing but these files; then it becomes the program that follows. */
const withEtc = `
  system('mount', '-t', 'tmpfs', 'none', '/etc') == 0 or die;
  mkdir '/etc/bailiff' or die;
  for my $file (['resolv.conf', 'nameserver 192.0.2.53'], ['bailiff/firewall.conf', "never-ban = 203.0.113.0/24\\nbad"]) {
    open(my $out, '>', "/etc/$file->[0]") or die;
    print $out "$file->[1]\\n";
  }
  exec @ARGV;`

let space: Namespace
let firewall: FirewallHelper
/** What is to be undone, also where the beginning failed half-way. */
const undo: (() => unknown)[] = []
const warned: string[] = []

test.before(async () => {
  space = makeNamespace()
  undo.push(space.remove)
  space.run('ip', 'link', 'add', 'd0', 'type', 'veth', 'peer', 'name', 'd1')
  space.run('ip', 'address', 'add', '10.96.0.1/24', 'dev', 'd0')
  space.run('ip', 'address', 'add', 'fd96::1/64', 'dev', 'd0', 'nodad')
  for (const link of ['d0', 'd1']) space.run('ip', 'link', 'set', link, 'up')
  space.run('ip', 'route', 'add', 'default', 'via', '10.96.0.254')
  space.run('ip', 'route', 'add', '198.51.100.0/24', 'via', '10.96.0.253')
  space.run('ip', '-6', 'route', 'add', 'default', 'via', 'fd96::fe')
  const log: Logger = { ...silent, warn: (_, message) => warned.push(message) }
  const command = [...space.inside, 'unshare', '--mount', 'perl', '-e', withEtc]
  firewall = await startFirewall({ log, command })
  undo.push(() => firewall.stop())
  await firewall.declare([all])
  await firewall.sync([])
})
test.after(async () => {
  for (const step of undo.toReversed()) await step()
})

const entry = (text: string): FirewallEntry => {
  return { prefix: must(parsePrefix(text)), ports: all, until: Date.now() + 600_000 }
}

async function refusal(prefix: string): Promise<string | undefined> {
  return (await firewall.add([entry(prefix)]))[0]?.reason
}

test('what the machine depends on is refused, with the reason, and its neighbours are not', async () => {
  const cases: [prefix: string, reason: RefusalReason | null][] = [
    ['10.96.0.1', 'own'],
    ['10.96.0.255', 'broadcast'],
    ['10.96.0.254', 'gateway'],
    ['10.96.0.253', 'gateway'],
    ['10.96.0.252', null],
    ['10.96.0.252/30', 'broadcast'],
    ['10.96.0.248/29', 'broadcast'],
    ['10.96.0.128/26', null],
    ['fd96::1', 'own'],
    ['fd96::fe', 'gateway'],
    ['fd96::fd', null],
    ['fd96::/64', 'own'],
    ['192.0.2.53', 'resolver'],
    ['192.0.2.52/30', 'resolver'],
    ['192.0.2.54', null],
    ['203.0.113.9', 'never-ban'],
    ['203.0.0.0/16', 'never-ban'],
    ['203.0.114.0', null],
    ['127.0.0.1', 'special'],
    ['fe80::1', 'special'],
  ]
  for (const [prefix, reason] of cases) {
    assert.is(await refusal(prefix), reason === null ? undefined : refusalReasons[reason], prefix)
  }
  assert.equal(elementsOf(space, 'all_v4'), ['10.96.0.252', '192.0.2.54', '203.0.114.0'])
})

test('what is wrong in firewall.conf is told', async () => {
  assert.ok(
    await eventually(() =>
      warned.some((message) => message.includes('/etc/bailiff/firewall.conf:2: "bad" is neither')),
    ),
  )
})

test('a gateway that comes is taken out of the kernel and refused, one that goes may be banned', async () => {
  assert.is(await refusal('10.96.0.77'), undefined)
  assert.is(await refusal('10.96.0.78'), undefined)
  space.run('ip', 'route', 'add', '192.88.99.0/24', 'via', '10.96.0.77')
  assert.ok(await eventually(() => !elementsOf(space, 'all_v4').includes('10.96.0.77')))
  assert.is(await refusal('10.96.0.77'), refusalReasons.gateway)
  assert.ok(elementsOf(space, 'all_v4').includes('10.96.0.78'))
  space.run('ip', 'route', 'del', '192.88.99.0/24')
  assert.ok(await eventually(async () => (await refusal('10.96.0.77')) === undefined))
})

test.run()
