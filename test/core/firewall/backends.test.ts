import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import type { Entry } from '../../../core/firewall/admission.ts'
import { BackendError, type Backend } from '../../../core/firewall/backend.ts'
import type { WirePorts } from '../../../core/firewall/messages.ts'
import { NftablesBackend } from '../../../core/firewall/nftables.ts'
import { parsePrefix, prefixParts } from '../../../core/address.ts'
import { suite } from '../../suite.ts'
import { startBackend, type BackendProcess } from './backend-process.ts'
import { elementsOf, eventually, makeNamespace, must, type Namespace } from './namespace.ts'

const test = suite('firewall backends', 'root', 'nft', 'ip', 'perl')

const all: WirePorts = { protocol: 'all', ports: [] }
const ssh: WirePorts = { protocol: 'tcp', ports: [22] }
const both: WirePorts = { protocol: 'tcp+udp', ports: [53, 5060] }
const many: WirePorts = { protocol: 'udp', ports: Array.from({ length: 300 }, (_, place) => place * 200) }

let space: Namespace
let processes: BackendProcess[] = []

test.before(() => {
  space = makeNamespace()
})
test.before.each(() => void space.run('nft', 'flush', 'ruleset'))
test.after.each(async () => {
  for (const each of processes) await each.stop()
  processes = []
})
test.after(() => space.remove())

function nft(setSize?: number): Backend {
  const command = [...space.inside, '/usr/sbin/nft']
  return new NftablesBackend({ command, ...(setSize === undefined ? {} : { setSize }) })
}

function netlink(setSize?: number): Backend {
  const started = startBackend(space, setSize === undefined ? {} : { setSize })
  processes.push(started)
  return started
}

function entry(text: string, ports = all, seconds: number | null = 600): Entry {
  const { bytes, length, family } = prefixParts(must(parsePrefix(text)))
  const endsAt = seconds === null ? null : performance.now() + seconds * 1000
  return { ports, family, length, address: Buffer.from(bytes).toString('hex'), endsAt }
}

const ruleset = () => space.run('nft', 'list', 'ruleset')
const sets = () => [...ruleset().matchAll(/^\tset (\S+)/gm)].map(([, name]) => name).toSorted()
const rules = () => [...ruleset().matchAll(/drop$/gm)].length

/** The times that the elements of a set were given, in whole minutes. */
function minutes(set: string): number[] {
  const listed = space.run('nft', 'list', 'set', 'inet', 'bailiff', set)
  const units = { h: 60, m: 1, s: 1 / 60 } as Readonly<Record<string, number>>
  const times = [...listed.matchAll(/timeout ((?:\d+[hms])+)/g)].map(([, time]) => must(time))
  const inMinutes = (time: string) =>
    [...time.matchAll(/(\d+)([hms])/g)].reduce(
      (sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0),
      0,
    )
  return times.map((time) => Math.round(inMinutes(time))).toSorted((a, b) => a - b)
}

test('netlink: of one address is told what concerns it, with its end', async () => {
  const firewall = netlink()
  await firewall.declare([all, ssh, many])
  await firewall.add([
    ...Array.from({ length: 3000 }, (_, place) => entry(`10.0.${place >> 8}.${place & 255}`)),
    entry('10.0.3.7', ssh, 60),
    entry('10.0.3.8', ssh),
    entry('10.0.0.0/16', ssh, null),
    entry('10.1.0.0/16', many),
    entry('2001:db8::/64', many, 1200),
    entry('2001:db8::1', ssh),
  ])
  const around = async (text: string) => {
    const held = (await firewall.around?.(entry(text).address)) ?? []
    const left = ({ endsAt }: Entry) => (endsAt === null ? null : Math.round((endsAt - performance.now()) / 10_000))
    return held.map((each) => [each.address, each.length, each.ports.protocol, left(each)]).toSorted()
  }
  assert.equal(await around('10.0.3.7'), [
    ['0a000000', 16, 'tcp', null],
    ['0a000307', 32, 'all', 60],
    ['0a000307', 32, 'tcp', 6],
  ])
  assert.equal(await around('10.2.0.0'), [])
  assert.equal(await around('2001:db8::1'), [
    ['20010db8000000000000000000000000', 64, 'udp', 120],
    ['20010db8000000000000000000000001', 128, 'tcp', 60],
  ])
  space.run('nft', 'flush', 'ruleset')
  assert.equal(await around('10.0.3.7'), [])
})

for (const [kind, backend] of [
  ['nft', nft],
  ['netlink', netlink],
] as const) {
  test(`${kind}: declaring makes a set a family and a rule a set, and keeps what is there`, async () => {
    const firewall = backend()
    await firewall.declare([all, ssh])
    assert.equal(sets(), ['all_v4', 'all_v6', 'tcp_22_v4', 'tcp_22_v6'])
    assert.is(rules(), 4)
    await firewall.add([entry('198.51.100.1'), entry('2001:db8::1', ssh)])
    await firewall.declare([all, ssh])
    await firewall.declare([many])
    assert.is(rules(), 6)
    assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.1'])
    assert.equal(elementsOf(space, 'tcp_22_v6'), ['2001:db8::1'])
  })

  test(`${kind}: ports of both protocols have one set a family and a rule a protocol, which the other backend knows`, async () => {
    const long: WirePorts = { ...many, protocol: 'tcp+udp' }
    const firewall = backend()
    await firewall.declare([both, long])
    const [hashed4, hashed6, ...spelled] = sets().toSorted((a, b) => (b?.length ?? 0) - (a?.length ?? 0))
    assert.equal(spelled, ['tcpudp_53_5060_v4', 'tcpudp_53_5060_v6'])
    assert.match(`${hashed4} ${hashed6}`, /^tcpudp_h[0-9a-f]{32}_v4 tcpudp_h[0-9a-f]{32}_v6$/)
    for (const protocol of ['tcp', 'udp'])
      assert.match(ruleset(), `${protocol} dport { 53, 5060 } ip6 saddr @tcpudp_53_5060_v6`)
    assert.is(rules(), 8)
    await firewall.add([entry('198.51.100.1', both), entry('198.51.100.0/24', long)])
    const before = space.run('nft', '-a', 'list', 'chain', 'inet', 'bailiff', 'drop_banned')
    const other = kind === 'nft' ? netlink() : nft()
    await other.declare([both, long])
    assert.is(space.run('nft', '-a', 'list', 'chain', 'inet', 'bailiff', 'drop_banned'), before)
    assert.equal(
      (await other.list())
        .map(({ ports, length }) => [ports, length])
        .toSorted(([, a], [, b]) => Number(a) - Number(b)),
      [
        [long, 24],
        [both, 32],
      ],
    )
    await other.sync([entry('198.51.100.3', both)])
    assert.is(rules(), 8)
    assert.equal(elementsOf(space, 'tcpudp_53_5060_v4'), ['198.51.100.3'])
  })

  test(`${kind}: another life of the helper keeps sets that it did not declare, until it syncs`, async () => {
    const before = backend()
    await before.declare([all, ssh, many])
    await before.add([entry('198.51.100.1', ssh), entry('198.51.100.2', many), entry('198.51.100.0/24', ssh)])
    const after = backend()
    await after.declare([all])
    assert.is(rules(), 7)
    const listed = await after.list()
    assert.equal(listed.map(({ ports }) => ports.ports.length).toSorted(), [1, 1, 300])
    await after.sync([entry('198.51.100.3')])
    assert.equal(sets(), ['all_v4', 'all_v6'])
    assert.is(rules(), 2)
    assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.3'])
  })

  test(`${kind}: sets for prefixes are made when they are needed and go when they are empty`, async () => {
    const firewall = backend()
    await firewall.declare([all])
    await firewall.add([entry('198.51.100.0/24'), entry('2001:db8::/64'), entry('2001:db8:1::/48', ssh)])
    assert.equal(sets(), ['all_v4', 'all_v4_24', 'all_v6', 'all_v6_64', 'tcp_22_v6_48'])
    await firewall.sync([entry('2001:db8::/64')])
    assert.equal(sets(), ['all_v4', 'all_v6', 'all_v6_64'])
  })

  test(`${kind}: an add renews the time, longer and shorter and for ever`, async () => {
    const firewall = backend()
    await firewall.declare([all])
    for (const [given, shown] of [
      [600, [10]],
      [3600, [60]],
      [60, [1]],
      [null, []],
      [120, [2]],
    ] as const) {
      await firewall.add([entry('198.51.100.1', all, given)])
      assert.equal(minutes('all_v4'), shown)
      assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.1'])
    }
    // New and known ones in one batch, and one that comes twice.
    await firewall.add([entry('198.51.100.2'), entry('198.51.100.1'), entry('198.51.100.2', all, 60)])
    assert.equal(minutes('all_v4'), [1, 10])
  })

  test(`${kind}: an add for the same time again begins it anew`, async () => {
    const firewall = backend()
    const end = async () => Number((await firewall.list())[0]?.endsAt)
    await firewall.declare([all])
    await firewall.add([entry('198.51.100.1')])
    const before = await end()
    // The lists of nft have whole seconds.
    await sleep(4000)
    await firewall.add([entry('198.51.100.1')])
    assert.ok((await end()) - before > 2000)
  })

  test(`${kind}: what is not there, or has just expired, does not keep the rest from being removed`, async () => {
    const firewall = backend()
    await firewall.declare([all])
    await firewall.add([entry('198.51.100.1', all, 1), entry('198.51.100.2'), entry('198.51.100.3')])
    assert.ok(await eventually(() => !elementsOf(space, 'all_v4').includes('198.51.100.1')))
    await firewall.del([
      entry('198.51.100.1'),
      entry('198.51.100.2'),
      entry('198.51.100.9'),
      entry('2001:db8::/64', ssh),
    ])
    assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.3'])
  })

  test(`${kind}: a sync makes exactly this, and a second one changes nothing`, async () => {
    const firewall = backend()
    await firewall.declare([all, ssh])
    await firewall.add([entry('198.51.100.1'), entry('198.51.100.2', all, 60), entry('198.51.100.3', ssh)])
    const wanted = [entry('198.51.100.2'), entry('198.51.100.4'), entry('2001:db8::1', ssh, null)]
    await firewall.sync(wanted)
    assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.2', '198.51.100.4'])
    assert.equal(minutes('all_v4'), [10, 10])
    assert.equal(elementsOf(space, 'tcp_22_v4'), [])
    assert.equal(elementsOf(space, 'tcp_22_v6'), ['2001:db8::1'])
    // The number of a rule changes when the rule is made again, so the same numbers mean that nothing was done.
    const handles = () => space.run('nft', '-a', 'list', 'chain', 'inet', 'bailiff', 'drop_banned')
    const before = handles()
    await firewall.sync(wanted)
    assert.is(handles(), before)
  })

  test(`${kind}: rules and sets that somebody took away come back`, async () => {
    const firewall = backend()
    await firewall.declare([all, ssh])
    const wanted = [entry('198.51.100.1', all, null), entry('198.51.100.0/24', ssh, null)]
    await firewall.sync(wanted)
    const good = ruleset()
    const whole = () => ruleset() === good
    for (const damage of [
      ['flush', 'ruleset'],
      ['delete', 'table', 'inet', 'bailiff'],
      ['flush', 'chain', 'inet', 'bailiff', 'drop_banned'],
      ['flush', 'set', 'inet', 'bailiff', 'all_v4'],
      ['delete', 'element', 'inet', 'bailiff', 'all_v4', '{ 198.51.100.1 }'],
      ['insert', 'rule', 'inet', 'bailiff', 'drop_banned', 'accept'],
      ['add', 'chain', 'inet', 'bailiff', 'foreign', '{ type filter hook input priority 0; policy drop; }'],
      ['add', 'set', 'inet', 'bailiff', 'foreign', '{ type inet_service; }'],
      ['add', 'counter', 'inet', 'bailiff', 'foreign'],
      ['add', 'table', 'inet', 'bailiff', '{ flags dormant; }'],
    ]) {
      space.run('nft', ...damage)
      assert.not.ok(whole(), damage.join(' '))
      await firewall.sync(wanted)
      assert.ok(whole(), `${damage.join(' ')}\n${ruleset()}`)
    }
  })

  test(`${kind}: a table of another shape is replaced, and the bans in its good sets stay`, async () => {
    space.run('nft', 'add', 'table', 'inet', 'bailiff')
    space.run('nft', 'add', 'chain', 'inet', 'bailiff', 'drop_banned')
    space.run('nft', 'add', 'set', 'inet', 'bailiff', 'all_v4', '{ type ipv6_addr; }')
    space.run('nft', 'add', 'set', 'inet', 'bailiff', 'tcp_22_v4', '{ type ipv4_addr; size 1048576; flags timeout; }')
    space.run('nft', 'add', 'element', 'inet', 'bailiff', 'tcp_22_v4', '{ 198.51.100.7 timeout 1h }')
    const firewall = backend()
    await firewall.declare([all])
    assert.equal(sets(), ['all_v4', 'all_v6', 'tcp_22_v4'])
    assert.is(rules(), 3)
    assert.equal(elementsOf(space, 'tcp_22_v4'), ['198.51.100.7'])
    await firewall.add([entry('198.51.100.1')])
    assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.1'])
  })

  test(`${kind}: an add finds out that the table is gone and makes it again`, async () => {
    const firewall = backend()
    await firewall.declare([all, ssh])
    space.run('nft', 'flush', 'ruleset')
    await firewall.add([entry('198.51.100.1')])
    assert.equal(sets(), ['all_v4', 'all_v6', 'tcp_22_v4', 'tcp_22_v6'])
    space.run('nft', 'flush', 'ruleset')
    await firewall.del([entry('198.51.100.1')])
    space.run('nft', 'flush', 'ruleset')
    assert.equal(await firewall.list(), [])
  })

  test(`${kind}: the tables of others are left alone`, async () => {
    space.run('nft', 'add', 'table', 'ip', 'bailiff')
    space.run('nft', 'add', 'set', 'ip', 'bailiff', 'all_v4', '{ type ipv4_addr; flags interval; }')
    space.run('nft', 'add', 'table', 'inet', 'filter')
    space.run('nft', 'add', 'chain', 'inet', 'filter', 'drop_banned')
    const before = ruleset()
    const firewall = backend()
    await firewall.declare([all])
    await firewall.sync([entry('198.51.100.1')])
    space.run('nft', 'delete', 'table', 'inet', 'bailiff')
    assert.is(ruleset(), before)
  })

  test(`${kind}: a full set fails the batch by its name, and what is in it can still be renewed and removed`, async () => {
    const firewall = backend(2)
    const failure = async (work: Promise<unknown>) =>
      work.then(
        () => 'none',
        (error: unknown) => (error instanceof BackendError ? error.code : String(error)),
      )
    await firewall.declare([all])
    await firewall.add([entry('198.51.100.1'), entry('198.51.100.2')])
    assert.is(await failure(firewall.add([entry('2001:db8::1'), entry('198.51.100.3')])), 'set-full')
    assert.equal(elementsOf(space, 'all_v6'), [])
    assert.is(await failure(firewall.add([entry('198.51.100.1', all, 3600)])), 'none')
    assert.equal(minutes('all_v4'), [10, 60])
    assert.is(await failure(firewall.del([entry('198.51.100.9'), entry('198.51.100.1')])), 'none')
    assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.2'])
    const three = [entry('198.51.100.2'), entry('198.51.100.4'), entry('198.51.100.5')]
    assert.is(await failure(firewall.sync(three)), 'set-full')
    assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.2'])
    assert.is(await failure(firewall.sync(three.slice(1))), 'none')
  })
}

test('the machine has no nft, or nft has no rights: that is said', async () => {
  const code = async (command: string[]) =>
    new NftablesBackend({ command }).declare([all]).then(
      () => 'none',
      (error: unknown) => (error instanceof BackendError ? error.code : String(error)),
    )
  assert.is(await code(['/nowhere/nft']), 'no-nft')
  const without = ['setpriv', '--reuid=65534', '--clear-groups', '--bounding-set=-all', '/usr/sbin/nft']
  assert.is(await code([...space.inside, ...without]), 'no-permission')
})

test.run()
