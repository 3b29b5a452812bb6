import * as assert from 'uvu/assert'
import { addressBytes, parsePrefix, prefixParts, type Address } from '../../../core/address.ts'
import { BannedSources } from '../../../core/firewall/banned-sources.ts'
import { readConnection } from '../../../core/firewall/conntrack-program.ts'
import type { WirePorts } from '../../../core/firewall/messages.ts'
import { suite } from '../../suite.ts'
import { must } from './namespace.ts'

const test = suite('firewall banned sources')

const all: WirePorts = { protocol: 'all', ports: [] }
const web: WirePorts = { protocol: 'tcp', ports: [80, 443] }
const dns: WirePorts = { protocol: 'udp', ports: [53] }

function banning(...bans: [prefix: string, ports: WirePorts][]): BannedSources {
  const sources = new BannedSources()
  for (const [text, ports] of bans) {
    const { bytes, family, length } = prefixParts(must(parsePrefix(text)))
    sources.add({ address: Buffer.from(bytes).toString('hex'), family, length, ports, endsAt: null })
  }
  return sources
}

const digits = (address: string) => Buffer.from(addressBytes(must(parsePrefix(address)) as Address)).toString('hex')

test('connections are found by prefix, protocol and the port they were opened to', () => {
  const sources = banning(
    ['192.0.2.1', web],
    ['192.0.2.1', dns],
    ['192.0.2.3', { protocol: 'tcp+udp', ports: [5060] }],
    ['198.51.100.0/24', all],
    ['2001:db8:0:7::/64', web],
    ['2001:db8::1', all],
  )
  const cases: [source: string, protocol: number, port: number | null, banned: boolean][] = [
    ['192.0.2.1', 6, 80, true],
    ['192.0.2.1', 6, 443, true],
    ['192.0.2.1', 6, 53, false],
    ['192.0.2.1', 17, 53, true],
    ['192.0.2.1', 17, 80, false],
    ['192.0.2.1', 1, null, false],
    ['192.0.2.2', 6, 80, false],
    ['192.0.2.3', 6, 5060, true],
    ['192.0.2.3', 17, 5060, true],
    ['192.0.2.3', 17, 5061, false],
    ['192.0.2.3', 132, 5060, false],
    ['192.0.2.3', 1, null, false],
    ['198.51.100.255', 6, 1, true],
    ['198.51.100.0', 1, null, true],
    ['198.51.101.0', 6, 1, false],
    ['2001:db8:0:7:ffff::', 6, 80, true],
    ['2001:db8:0:8::', 6, 80, false],
    ['2001:db8::1', 58, null, true],
    ['2001:db8::2', 58, null, false],
  ]
  for (const [source, protocol, port, banned] of cases)
    assert.is(sources.has({ source: digits(source), protocol, port }), banned, `${source} ${protocol} ${port}`)
})

test('a few single addresses are told, so that others need not be looked at', () => {
  const cases: [prefixes: string[], few: string[] | null][] = [
    [[], []],
    [['192.0.2.1'], ['192.0.2.1']],
    [
      ['192.0.2.1', '2001:db8::1', '192.0.2.2'],
      ['192.0.2.1', '192.0.2.2', '2001:db8::1'],
    ],
    [['192.0.2.1', '192.0.2.0/24'], null],
    [['2001:db8::/64'], null],
    [Array.from({ length: 9 }, (_, n) => `192.0.2.${n}`), null],
  ]
  for (const [prefixes, few] of cases) {
    const sources = banning(...prefixes.map((prefix): [string, WirePorts] => [prefix, web]))
    assert.equal(sources.few(), few?.map(digits) ?? null, prefixes.join(' '))
  }
})

test('the lines of the program conntrack', () => {
  const source = digits('192.0.2.1')
  const cases: [line: string, found: ReturnType<typeof readConnection>][] = [
    [
      'tcp      6 431999 ESTABLISHED src=192.0.2.1 dst=192.0.2.2 sport=49002 dport=8080 src=10.0.0.2 dst=192.0.2.1 sport=80 dport=49002 [ASSURED] mark=0 use=1',
      { source, protocol: 6, port: 8080 },
    ],
    [
      'udp      17 29 src=2001:db8::1 dst=2001:db8::2 sport=5 dport=53 [UNREPLIED] src=2001:db8::2 dst=2001:db8::1 sport=53 dport=5 mark=0 use=1',
      { source: digits('2001:db8::1'), protocol: 17, port: 53 },
    ],
    [
      'icmp     1 29 src=192.0.2.1 dst=192.0.2.2 type=8 code=0 id=7 src=192.0.2.2 dst=192.0.2.1 type=0 code=0 id=7 mark=0 use=1',
      { source, protocol: 1, port: null },
    ],
    [
      'unknown  47 599 src=192.0.2.1 dst=192.0.2.2 src=192.0.2.2 dst=192.0.2.1 mark=0 use=1',
      { source, protocol: 47, port: null },
    ],
    ['conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.', null],
    ['tcp 6 1 src=office dst=192.0.2.2 sport=1 dport=2', null],
    ['', null],
  ]
  for (const [line, found] of cases) assert.equal(readConnection(line), found, line)
})

test.run()
