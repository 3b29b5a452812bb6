import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { parseAddress } from '../../../core/address.ts'
import { broadcastOf, readResolvers, readRoutes4, readRoutes6 } from '../../../core/firewall/system-addresses.ts'
import { suite } from '../../suite.ts'
import { must } from './namespace.ts'

const test = suite('firewall system addresses')

const header = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT'
const row4 = (gateway: string, flags: string) => `eth0\t00000000\t${gateway}\t${flags}\t0\t0\t0\t00000000\t0\t0\t0  `

test('next hops of IPv4, in the byte order of the machine', () => {
  const cases: [rows: string[], found: string[]][] = [
    [[], []],
    [[header, row4('010200C0', '0003')], ['192.0.2.1']],
    [[header, row4('010200C0', '0001')], []],
    [[header, row4('00000000', '0003')], []],
    [
      [row4('010200C0', '0003'), row4('010200C0', '0003'), row4('FE6433C6', '0003')],
      ['192.0.2.1', '198.51.100.254'],
    ],
    [[row4('010200C', '0003'), row4('010200C0', 'xx'), 'eth0\t1', '', 'garbage \u0000'], []],
  ]
  for (const [rows, found] of cases) assert.equal(readRoutes4(rows.join('\n'), false), found, rows.join('\n'))
  assert.equal(readRoutes4(row4('C0000201', '0003'), true), ['192.0.2.1'])
})

test('next hops of IPv6', () => {
  const zero = '0'.repeat(32)
  const row = (gateway: string, flags: string) =>
    `${zero} 00 ${zero} 00 ${gateway} 00000400 00000002 00000000 ${flags}     eth0`
  const hop = '20010db8000000000000000000000001'
  assert.equal(readRoutes6([row(hop, '00000003'), row(hop, '00450003')].join('\n')), ['2001:db8::1'])
  assert.equal(readRoutes6(row(`fe80${'0'.repeat(27)}1`, '00000003')), ['fe80::1'])
  for (const none of [row(hop, '00000001'), row(zero, '00000003'), row(hop.slice(1), '00000003'), `${zero} 00`, ''])
    assert.equal(readRoutes6(none), [], none)
})

test('name servers', () => {
  const text = [
    '# nameserver 192.0.2.9',
    'nameserver 192.0.2.53',
    '  nameserver\t2001:db8::53 ',
    'nameserver fe80::1%eth0',
    'nameserver 192.0.2.53',
    'nameserver ns.example.net',
    'nameserver 010.1.1.1',
    'nameserver',
    'nameservers 192.0.2.7',
    'search example.net 192.0.2.8',
  ]
  assert.equal(readResolvers(text.join('\n')), ['192.0.2.53', '2001:db8::53', 'fe80::1'])
})

test('broadcast addresses', () => {
  const cases: [address: string, length: number, broadcast: string | null][] = [
    ['192.0.2.7', 24, '192.0.2.255'],
    ['192.0.2.7', 29, '192.0.2.7'],
    ['10.1.2.3', 8, '10.255.255.255'],
    ['10.1.2.3', 20, '10.1.15.255'],
    ['10.1.2.3', 30, '10.1.2.3'],
    ['10.1.2.3', 31, null],
    ['10.1.2.3', 32, null],
    ['10.1.2.3', 0, null],
    ['10.1.2.3', Number.NaN, null],
    ['2001:db8::1', 64, null],
  ]
  for (const [address, length, broadcast] of cases)
    assert.is(broadcastOf(must(parseAddress(address)), length), broadcast, `${address}/${length}`)
})

test('no text makes a reader throw, and what comes out is addresses', () => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((some) => Buffer.from(some).toString('latin1'))
  const words = fc
    .array(
      fc.oneof(
        fc.constantFrom('nameserver', '0003', '00000003', '010200C0', '0'.repeat(32), 'f'.repeat(32), '::', '\n', '\t'),
        fc.string({ maxLength: 9 }),
      ),
      { maxLength: 60 },
    )
    .map((some) => some.join(' '))
  const property = fc.property(fc.oneof(bytes, words), (text) => {
    for (const read of [readRoutes4, readRoutes6, readResolvers])
      for (const found of read(text)) assert.is(parseAddress(found), found)
  })
  fc.assert(property, { numRuns: 5000 })
})

test.run()
