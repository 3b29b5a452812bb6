import * as assert from 'uvu/assert'
import { Breadth } from '../../../core/firewall/breadth.ts'
import type { WirePorts } from '../../../core/firewall/messages.ts'
import { suite } from '../../suite.ts'

const test = suite('firewall breadth')

const all: WirePorts = { protocol: 'all', ports: [] }
const ssh: WirePorts = { protocol: 'tcp', ports: [22] }

function prefix(address: string, length: number, ports = all, endsAt: number | null = null) {
  return { address, length, ports, family: address.length === 8 ? 4 : 6, endsAt } as const
}

/** The n-th /8. */
const eighth = (n: number, ports = all, endsAt: number | null = null) =>
  prefix(`${n.toString(16).padStart(2, '0')}000000`, 8, ports, endsAt)

const addMany = (breadth: Breadth, from: number, to: number, endsAt: number | null = null) => {
  for (let n = from; n < to; n++) assert.ok(breadth.add(eighth(n, all, endsAt), 0), `${n}`)
}

test('a quarter of IPv4 and no more', () => {
  const breadth = new Breadth()
  addMany(breadth, 0, 64)
  assert.not(breadth.add(eighth(64), 0))
  assert.not(breadth.add(prefix('50000000', 23), 0))
  // What is in force may be renewed, and banned for other ports as well.
  assert.ok(breadth.add(eighth(3), 0))
  assert.ok(breadth.add(eighth(3, ssh), 0))
  // Narrow prefixes and the other family do not suffer.
  assert.ok(breadth.add(prefix('50000000', 24), 0))
  assert.ok(breadth.add(prefix('50000001', 32), 0))
  assert.ok(breadth.add(prefix(`2400${'0'.repeat(28)}`, 19), 0))
})

test('131 072 /32s of IPv6, a quarter of what registries have given out, whatever their widths', () => {
  const breadth = new Breadth()
  const nth = (length: number) => (n: number) =>
    prefix(((0x24n << 120n) | (BigInt(n) << BigInt(128 - length))).toString(16).padStart(32, '0'), length)
  for (let n = 0; n < 15; n++) assert.ok(breadth.add(nth(19)(n), 0), `${n}`)
  for (let n = 15 * 8192; n < 16 * 8192; n++) assert.ok(breadth.add(nth(32)(n), 0), `${n}`)
  assert.not(breadth.add(nth(19)(16), 0))
  assert.not(breadth.add(nth(32)(17 * 8192), 0))
  assert.not(breadth.add(prefix(`fc00${'0'.repeat(28)}`, 39), 0))
  assert.ok(breadth.add(prefix(`fc00${'0'.repeat(28)}`, 48), 0))
  assert.ok(breadth.add(eighth(9), 0))
})

test('what stands for IPv4 counts as IPv4', () => {
  const behind = [
    (n: string) => prefix(`0064ff9b${'0'.repeat(16)}${n}000000`, 104),
    (n: string) => prefix(`0064ff9b0001${'0'.repeat(12)}${n}000000`, 104),
    (n: string) => prefix(`${'0'.repeat(16)}ffff0000${n}000000`, 104),
    (n: string) => prefix(`2002${n}`.padEnd(32, '0'), 24),
  ]
  for (const made of behind) {
    const breadth = new Breadth()
    addMany(breadth, 1, 64)
    assert.ok(breadth.add(made('50'), 0))
    assert.not(breadth.add(made('51'), 0))
    assert.not(breadth.add(eighth(81), 0))
    breadth.remove(made('50'))
    assert.ok(breadth.add(eighth(81), 0))
  }
})

test('what is removed makes room, once it is in no set', () => {
  const breadth = new Breadth()
  addMany(breadth, 0, 64)
  assert.ok(breadth.add(eighth(0, ssh), 0))
  breadth.remove(eighth(0))
  assert.not(breadth.add(eighth(64), 0))
  breadth.remove(eighth(0))
  breadth.remove(eighth(200))
  assert.not(breadth.add(eighth(64), 0))
  breadth.remove(eighth(0, ssh))
  assert.ok(breadth.add(eighth(64), 0))
  assert.not(breadth.add(eighth(65), 0))
})

test('what is over makes room', () => {
  const breadth = new Breadth()
  addMany(breadth, 0, 63)
  addMany(breadth, 63, 64, 5000)
  assert.not(breadth.add(eighth(64), 4000))
  assert.not(breadth.add(eighth(64), 4999))
  assert.ok(breadth.add(eighth(64), 6000))
  assert.not(breadth.add(eighth(65), 9000))
})

test('so many wide prefixes are remembered and no more', () => {
  const breadth = new Breadth()
  const nth = (n: number) => prefix((n * 2 * 256).toString(16).padStart(8, '0'), 23)
  for (let n = 0; n < 131_072; n++) assert.ok(breadth.add(nth(n), 0))
  assert.not(breadth.add(nth(131_072), 0))
  assert.ok(breadth.add(nth(7), 0))
})

test.run()
