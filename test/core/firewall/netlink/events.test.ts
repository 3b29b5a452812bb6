import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { Entry } from '../../../../core/firewall/admission.ts'
import type { ForeignChange } from '../../../../core/firewall/backend.ts'
import type { WirePorts } from '../../../../core/firewall/messages.ts'
import { suite } from '../../../suite.ts'
import { startBackend, type BackendProcess } from '../backend-process.ts'
import { elementsOf, eventually, makeNamespace, type Namespace } from '../namespace.ts'

const test = suite('netlink events', 'root', 'nft', 'ip', 'perl')

const all: WirePorts = { protocol: 'all', ports: [] }
const many: WirePorts = { protocol: 'udp', ports: Array.from({ length: 300 }, (_, place) => place * 200) }

let space: Namespace
let firewall: BackendProcess
let heard: ForeignChange[] = []

test.before(() => {
  space = makeNamespace()
})
test.before.each(async () => {
  space.run('nft', 'flush', 'ruleset')
  heard = []
  firewall = startBackend(space)
  await firewall.declare([all, many])
  firewall.watch?.((change) => heard.push(change))
  // A call behind it, so that it has begun.
  await firewall.list()
})
test.after.each(() => firewall.stop())
test.after(() => space.remove())

const entry = (number: number, ports = all, endsAt: number | null = null): Entry => {
  return { ports, family: 4, length: 32, address: (0xc6336400 + number).toString(16), endsAt }
}
const nft = (...words: string[]) => space.run('nft', ...words)

/** What was told, when there is as much as this. */
async function told(count: number): Promise<readonly ForeignChange[]> {
  await eventually(() => heard.length >= count)
  return heard
}

/** Something foreign that is always told: whatever came before it would have been told by then. */
async function nothingBut(marker: ForeignChange['kind']): Promise<void> {
  nft('add', 'counter', 'inet', 'bailiff', 'marker')
  assert.equal(
    (await told(1)).map(({ kind }) => kind),
    [marker],
  )
}

test('an element that somebody removes is told by its entry', async () => {
  await firewall.add([entry(1), entry(2), entry(3, many)])
  nft('delete', 'element', 'inet', 'bailiff', 'all_v4', '{ 198.51.100.2 }')
  assert.equal(await told(1), [{ kind: 'removed', entries: [entry(2)] }])
  const [udp] = [...nft('list', 'ruleset').matchAll(/udp_h\w+_v4/g)].map(([name]) => name)
  nft('flush', 'set', 'inet', 'bailiff', udp ?? '')
  assert.equal((await told(2)).slice(1), [{ kind: 'removed', entries: [entry(3, many)] }])
})

test('everything else that somebody does to the table is told as a change', async () => {
  const damages = [
    ['add', 'element', 'inet', 'bailiff', 'all_v4', '{ 198.51.100.9 }'],
    ['add', 'rule', 'inet', 'bailiff', 'drop_banned', 'accept'],
    ['flush', 'chain', 'inet', 'bailiff', 'drop_banned'],
    ['add', 'set', 'inet', 'bailiff', 'foreign', '{ type inet_service; }'],
    ['add', 'chain', 'inet', 'bailiff', 'foreign'],
    ['add', 'table', 'inet', 'bailiff', '{ flags dormant; }'],
    ['delete', 'table', 'inet', 'bailiff'],
  ]
  for (const [place, damage] of damages.entries()) {
    nft(...damage)
    assert.equal((await told(place + 1)).at(place), { kind: 'changed' }, damage.join(' '))
  }
})

test('a flush of everything is one change', async () => {
  await firewall.add([entry(1)])
  nft('flush', 'ruleset')
  assert.equal(await told(1), [{ kind: 'changed' }])
})

test('our own changes, and the time that is over, are not told', async () => {
  await firewall.add([entry(1), entry(2, all, performance.now() + 1000)])
  await firewall.add([entry(1, all, performance.now() + 60_000)])
  await firewall.del([entry(1), entry(7)])
  await firewall.sync([entry(4), entry(5)])
  await firewall.declare([{ protocol: 'tcp', ports: [22] }])
  await firewall.sync([])
  await firewall.add([entry(2, all, performance.now() + 1000)])
  assert.ok(await eventually(() => elementsOf(space, 'all_v4').length === 0))
  await nothingBut('changed')
})

test('what others do in their own tables is not told', async () => {
  nft('add', 'table', 'ip', 'bailiff')
  nft('add', 'set', 'ip', 'bailiff', 'all_v4', '{ type ipv4_addr; }')
  nft('add', 'element', 'ip', 'bailiff', 'all_v4', '{ 198.51.100.1 }')
  nft('delete', 'element', 'ip', 'bailiff', 'all_v4', '{ 198.51.100.1 }')
  nft('add', 'table', 'inet', 'bailiff2')
  nft('delete', 'table', 'inet', 'bailiff2')
  await nothingBut('changed')
})

test('a long change of our own that nobody could read all events of is not told', async () => {
  const long = Array.from({ length: 60_000 }, (_, number): Entry => ({
    ...entry(0),
    address: (0x0b000000 + number).toString(16).padStart(8, '0'),
  }))
  await firewall.sync(long)
  await firewall.sync([])
  await nothingBut('changed')
})

test('a long foreign change is told, whether its events could be read or not', async () => {
  nft('add', 'table', 'ip', 'other')
  nft('add', 'set', 'ip', 'other', 'long', '{ type ipv4_addr; }')
  await firewall.add([entry(1)])
  const elements = Array.from(
    { length: 60_000 },
    (_, number) => `11.${number >> 16}.${(number >> 8) & 255}.${number & 255}`,
  )
  const file = join(tmpdir(), `bailiff-${process.pid}-events.nft`)
  writeFileSync(
    file,
    `add element ip other long { ${elements.join(',')} }\ndelete element inet bailiff all_v4 { 198.51.100.1 }\n`,
  )
  try {
    nft('-f', file)
  } finally {
    rmSync(file)
  }
  const [first] = await told(1)
  assert.ok(first?.kind === 'lost' || first?.kind === 'removed', JSON.stringify(first))
})

test.run()
