import * as assert from 'uvu/assert'
import { parseAddress } from '../../../core/address.ts'
import { writeKey } from '../../../core/address-words.ts'
import { hasNetwork, networkOf, Networks } from '../../../core/judging/networks.ts'
import { suite } from '../../suite.ts'

const test = suite('networks')

test('the network of an address', () => {
  assert.is(networkOf(parseAddress('2001:db8:1:2:3:4:5:6')!), '2001:db8:1:2::/64')
  const words = new Uint32Array(4)
  writeKey(parseAddress('2001:db8:1:2:3:4:5:6')!, words)
  assert.is(hasNetwork(words, 0), true)
  for (const many of [
    '::1',
    '::ffff:0:192.0.2.1',
    '64:ff9b::192.0.2.1',
    '64:ff9b:1:2::1',
    '2001:0:53aa:64c::1',
    '192.0.2.1',
  ]) {
    assert.is(networkOf(parseAddress(many)!), null, many)
    writeKey(parseAddress(many)!, words)
    assert.is(hasNetwork(words, 0), false, many)
  }
  assert.is(networkOf(parseAddress('2001:1::1')!), '2001:1::/64')
  assert.is(networkOf(parseAddress('192.0.2.1')!), null)
  assert.is(networkOf(parseAddress('::ffff:192.0.2.1')!), null)
})

test('of too many networks the one with the fewest failures is given up, and the bound holds', () => {
  const networks = new Networks({ maxretry: 3, findtimeMs: 1000 }, 100)
  const fail = (net: number, host: number) => {
    const address = parseAddress(`2001:db8:0:${net.toString(16)}::${host}`)!
    const words = new Uint32Array(4)
    writeKey(address, words)
    return networks.add(words, 0, 0, 1)
  }
  for (let host = 1; host <= 5; host++) assert.is(fail(1, host), 0)
  for (let net = 2; net < 5000; net++) {
    assert.is(fail(net, 1), 0)
    assert.ok(networks.size <= 100)
  }
  assert.is(fail(1, 6), 6)
})

test.run()
