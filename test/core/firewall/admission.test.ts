import * as assert from 'uvu/assert'
import { parsePrefix, prefixParts } from '../../../core/address.ts'
import { Admission } from '../../../core/firewall/admission.ts'
import { Breadth } from '../../../core/firewall/breadth.ts'
import type { WireEntry } from '../../../core/firewall/messages.ts'
import { withAddresses } from './never-banned-places.ts'
import { suite } from '../../suite.ts'

const test = suite('firewall admission')
const all = { protocol: 'all', ports: [] } as const

function wire(text: string, seconds: number | null = 60): WireEntry {
  const prefix = parsePrefix(text)
  if (prefix === null) throw new Error(text)
  const { bytes, length } = prefixParts(prefix)
  return [0, Buffer.from(bytes).toString('hex'), length, seconds]
}

const own = ['203.0.113.7/24', '2001:db9:1::7/64', 'fe80::7/64']
const admission = () => new Admission(withAddresses(() => own))

/** As an entry of a sync, in which wide ones may come at any time. */

const judge = (entry: WireEntry) => {
  const answer = admission().admit(entry, all, 0, new Breadth())
  return typeof answer === 'string' ? answer : 'admitted'
}

test('prefixes: what may be banned and what never', () => {
  const cases: [prefix: string, answer: string][] = [
    ['192.0.2.1', 'admitted'],
    ['192.0.2.0/24', 'admitted'],
    ['9.0.0.0/8', 'admitted'],
    ['8.0.0.0/7', 'wide'],
    ['2001:db8::1', 'admitted'],
    ['2001:db8::/64', 'admitted'],
    ['2400::/19', 'admitted'],
    ['2400::/18', 'wide'],
    ['127.0.0.1', 'special'],
    ['127.255.255.255', 'special'],
    ['127.0.0.0/8', 'special'],
    ['128.0.0.1', 'admitted'],
    ['0.0.0.0', 'special'],
    ['169.254.169.254', 'special'],
    ['169.0.0.0/8', 'special'],
    ['224.0.0.251', 'special'],
    ['239.255.255.255', 'special'],
    ['240.0.0.1', 'admitted'],
    ['255.255.255.255', 'special'],
    ['255.255.255.0/24', 'special'],
    ['::', 'special'],
    ['::1', 'special'],
    ['::2', 'admitted'],
    ['fe80::1', 'special'],
    ['febf::1', 'special'],
    ['fec0::1', 'admitted'],
    ['fe00::/19', 'admitted'],
    ['ff02::1', 'special'],
  ]
  for (const [prefix, answer] of cases) assert.is(judge(wire(prefix)), answer, prefix)
})

test('bytes, lengths and times are checked', () => {
  const cases: [entry: WireEntry, answer: string][] = [
    [[0, 'c0000201', 31, 60], 'host-bits'],
    [[0, 'c0000200', 23, 60], 'admitted'],
    [[0, 'c0000300', 23, 60], 'host-bits'],
    [[0, 'c0000201', 33, 60], 'length'],
    [[0, 'c0000201', 128, 60], 'length'],
    [[0, 'c0000201', 0, 60], 'length'],
    [[0, '00000000', 0, 60], 'length'],
    [[0, `20010db8${'0'.repeat(24)}`, 129, 60], 'length'],
    [[0, `20010db8${'0'.repeat(24)}`, 32, 60], 'admitted'],
    [[0, `20010db8${'0'.repeat(23)}1`, 127, 60], 'host-bits'],
    [[0, `${'0'.repeat(20)}ffffc0000201`, 128, 60], 'special'],
    [[0, 'c0000201', 32, 0], 'time'],
    [[0, 'c0000201', 32, 1], 'admitted'],
    [[0, 'c0000201', 32, null], 'admitted'],
    [[0, 'c0000201', 32, 10 * 365 * 24 * 3600], 'admitted'],
    [[0, 'c0000201', 32, 11 * 365 * 24 * 3600], 'time'],
  ]
  for (const [entry, answer] of cases) assert.is(judge(entry), answer, JSON.stringify(entry))
  assert.is(admission().admit(wire('192.0.2.1'), undefined, 0), 'undeclared')
})

test('the addresses of this machine are never banned, alone or inside a prefix', () => {
  const cases: [prefix: string, answer: string][] = [
    ['203.0.113.7', 'own'],
    ['203.0.113.6/31', 'own'],
    ['203.0.113.0/24', 'own'],
    ['203.128.0.0/9', 'admitted'],
    ['203.0.0.0/8', 'own'],
    ['203.0.113.8', 'admitted'],
    ['203.0.113.8/29', 'admitted'],
    ['203.0.113.255', 'broadcast'],
    ['203.0.113.128/25', 'broadcast'],
    ['203.0.113.254', 'admitted'],
    ['2001:db9:1::7', 'own'],
    ['2001:db9:1::/64', 'own'],
    ['2001:db9::/32', 'own'],
    ['2001:db9:1:1::/64', 'admitted'],
    ['2001:db9:1::8', 'admitted'],
  ]
  for (const [prefix, answer] of cases) assert.is(judge(wire(prefix)), answer, prefix)
})

test('an IPv6 prefix that stands for IPv4 is judged as that', () => {
  const cases: [prefix: string, answer: string][] = [
    ['64:ff9b::c633:6401', 'admitted'],
    ['64:ff9b::cb00:7107', 'own'],
    ['64:ff9b::cb00:7100/120', 'own'],
    ['64:ff9b::cb00:71ff', 'broadcast'],
    ['64:ff9b::7f00:1', 'special'],
    ['64:ff9b::900:0/104', 'admitted'],
    ['64:ff9b::800:0/103', 'translated'],
    ['64:ff9b::/96', 'translated'],
    ['64:ff9b::/64', 'translated'],
    ['64:ff9b::/32', 'translated'],
    ['64:ff80::/25', 'translated'],
    // A translator's prefix of 96, 64, 56 and 48 bits.
    ['64:ff9b:1::c633:6401', 'admitted'],
    ['64:ff9b:1::cb00:7107', 'own'],
    ['64:ff9b:1:7::cb00:7107', 'own'],
    ['64:ff9b:1:0:cb:71:700:0', 'own'],
    ['64:ff9b:1:cb:0:7107::', 'own'],
    ['64:ff9b:1:cb00:71:700::', 'own'],
    ['64:ff9b:1:9:9::/104', 'admitted'],
    ['64:ff9b:1::/64', 'translated'],
    ['64:ff9b:1::/48', 'translated'],
    ['64:ff9b:2::/48', 'admitted'],
    ['::ffff:0:c633:6401', 'admitted'],
    ['::ffff:0:cb00:7107', 'own'],
    ['::ffff:0:0:0/96', 'translated'],
    ['::ffff:0:0:0/80', 'translated'],
    ['2002:c633:6401::/48', 'admitted'],
    ['2002:c633:6401::1', 'admitted'],
    ['2002:cb00:7107::/48', 'own'],
    ['2002:cb00:7107::1', 'own'],
    ['2002:cb00:7100::/40', 'own'],
    ['2002:900::/24', 'admitted'],
    ['2002:800::/23', 'translated'],
    ['2002::/19', 'translated'],
    ['2003::/19', 'admitted'],
  ]
  for (const [prefix, answer] of cases) assert.is(judge(wire(prefix)), answer, prefix)
  const judging = admission()
  assert.is(judging.refuses({ address: `0064ff9b${'0'.repeat(16)}cb007107`, length: 128 }, 0), 'own')
})

test('until a sync has gone through nothing wide is added, and again after one that failed', async () => {
  const judging = admission()
  const asked = () =>
    ['9.0.0.0/8', '192.0.2.0/24', '2001:db8::/48', '192.0.2.1', '2001:db8::1', '2001:db8::/64'].map((prefix) => {
      const answer = judging.admit(wire(prefix), all, 0)
      return typeof answer === 'string' ? answer : 'admitted'
    })
  const before = [...Array.from({ length: 3 }, () => 'unsynced'), ...Array.from({ length: 3 }, () => 'admitted')]
  assert.equal(asked(), before)
  const fails = () => Promise.reject(new Error('no'))
  await judging.replace(new Breadth(), fails).catch(() => {})
  assert.equal(asked(), before)
  await judging.replace(new Breadth(), async () => assert.equal(asked(), before))
  assert.equal(
    asked(),
    Array.from({ length: 6 }, () => 'admitted'),
  )
  await judging.replace(new Breadth(), fails).catch(() => {})
  assert.equal(asked(), before)
})

test('512 sets beside those for single addresses, and the next is refused', () => {
  const judging = admission()
  const sync = new Breadth()
  const ask = (list: number, prefix: string) => {
    const answer = judging.admit(wire(prefix), { protocol: 'tcp', ports: [list] }, 0, sync)
    return typeof answer === 'string' ? answer : 'admitted'
  }
  for (let list = 0; list < 256; list++)
    for (const prefix of ['198.51.100.0/24', '2001:db8::/64']) assert.is(ask(list, prefix), 'admitted')
  assert.is(ask(7, '198.51.0.0/16'), 'sets')
  assert.is(ask(256, '198.51.101.0/24'), 'sets')
  assert.is(ask(7, '198.51.101.0/24'), 'admitted')
  assert.is(ask(7, '198.51.100.1'), 'admitted')
})

test('the addresses of this machine are read again, but not for every entry', () => {
  let reads = 0
  const changing = new Admission(withAddresses(() => [`198.51.100.${++reads}/32`]))
  const ask = (text: string, now: number) => changing.admit(wire(text), all, now)
  assert.is(ask('198.51.100.1', 0), 'own')
  assert.is.not(ask('198.51.100.2', 100), 'own')
  assert.is(reads, 1)
  assert.is(ask('198.51.100.2', 60_000), 'own')
  assert.is.not(ask('198.51.100.1', 60_001), 'own')
})

test('an entry ends so many seconds from now, or never', () => {
  const judging = admission()
  assert.equal(judging.admit(wire('192.0.2.0/24', 60), all, 5000, new Breadth()), {
    ports: all,
    family: 4,
    length: 24,
    address: 'c0000200',
    endsAt: 65_000,
  })
  const forever = judging.admit(wire('192.0.2.1', null), all, 5000)
  assert.is(typeof forever === 'object' ? forever.endsAt : forever, null)
})

test('whatever could be in the kernel may be removed', () => {
  const judging = admission()
  for (const prefix of ['127.0.0.1', '8.0.0.0/7', '::1']) {
    assert.is(typeof judging.release(wire(prefix, 0), all), 'object', prefix)
  }
  assert.is(judging.release([0, 'c0000201', 31, 0], all), 'host-bits')
})

test('whom the agent spares is not banned, and its other checks stay as they are', () => {
  const judging = admission()
  let changes = 0
  judging.onChange(() => changes++)
  const answer = (text: string) => {
    const found = judging.admit(wire(text), all, 0, new Breadth())
    return typeof found === 'string' ? found : 'admitted'
  }
  judging.spare([])
  assert.is(changes, 0)
  judging.spare([wire('192.0.2.8/29'), wire('2001:db8::1')].map(([, address, length]) => [address, length] as const))
  assert.is(changes, 1)
  const cases: [prefix: string, answer: string][] = [
    ['192.0.2.9', 'allowed'],
    ['192.0.2.0/24', 'allowed'],
    ['2001:db8::/64', 'allowed'],
    ['192.0.2.1', 'admitted'],
    ['2001:db8::2', 'admitted'],
    ['127.0.0.1', 'special'],
    ['203.0.113.7', 'own'],
    ['8.0.0.0/7', 'wide'],
  ]
  for (const [prefix, expected] of cases) assert.is(answer(prefix), expected, prefix)
  // Nobody is let in who was kept out for another reason, and removing works as ever.
  judging.spare([['cb007107', 32]])
  assert.is(answer('203.0.113.7'), 'own')
  assert.is(typeof judging.release(wire('203.0.113.7'), all), 'object')
  judging.spare([])
  assert.is(answer('192.0.2.9'), 'admitted')
})

test.run()
