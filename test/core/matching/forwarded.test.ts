import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { parsePrefix, PrefixSet, type Prefix } from '../../../core/address.ts'
import { clientBehind } from '../../../core/matching/forwarded.ts'
import { createLogScanner } from '../../../core/matching/scan.ts'
import type { CompiledFilter } from '../../../core/plugin.ts'
import regexp from '../../../matchers/regexp/index.ts'
import structured from '../../../matchers/structured/index.ts'
import { filterOf } from '../../matchers/structured/found-lines.ts'
import { suite } from '../../suite.ts'

const test = suite('clients behind proxies')

const proxies = ['10.0.0.0/8', '198.51.100.10', '2001:db8:ffff::/48'].map((text) => parsePrefix(text)!)
const [client, victim] = ['192.0.2.7', '203.0.113.9']

/** Whom a match of the filter in the line means, with these proxies trusted. */
function meant(filter: CompiledFilter, text: string, trusted: readonly Prefix[] = proxies): string | null {
  return reader(filter, trusted)(text)
}

function reader(filter: CompiledFilter, trusted: readonly Prefix[] = proxies): (text: string) => string | null {
  const jails = [{ jail: 'a', filter, proxies: trusted }]
  const scanner = createLogScanner({ jails, engines: [structured, regexp] })
  const chunk = { log: 'x', jails: ['a'], arrivedAt: 0, live: true, undatedAt: 0, insideLine: false }
  return (text) => scanner.scan({ ...chunk, data: Buffer.from(`${text}\n`) }).matches[0]?.address ?? null
}

const json = (address: string) => filterOf(`format: json\nmatch: { bad: true }\naddress: ${address}\n`)
const line = (fields: object) => JSON.stringify({ bad: true, ...fields })

test('a chain is walked from its near end, as far as trusted proxies wrote it', () => {
  const cases: [chain: string[], meant: string | null][] = [
    [[client], client],
    [[`${victim}, ${client}`], client],
    [[victim, client], client],
    [[client, '10.0.0.1'], client],
    [[`${victim}, ${client}, 10.0.0.2`, '10.0.0.1'], client],
    [[`${client},10.0.0.2,10.1.1.1:443`, '[2001:db8:ffff::1]:80'], client],
    [[`10.0.0.3, ${client}`, '10.0.0.1'], client],
    [[`${victim}, unknown`, '10.0.0.1'], '10.0.0.1'],
    [[`${victim}, `, '10.0.0.1'], victim],
    [['10.0.0.3, 10.0.0.2', '10.0.0.1'], '10.0.0.3'],
    [[`${victim}, _hidden`, '10.0.0.1'], '10.0.0.1'],
    [[`for=${victim}, for="[2001:db8::7]:80";proto=https`, '10.0.0.1'], '2001:db8::7'],
    [[`for=${victim};for=${client}`, '10.0.0.1'], '10.0.0.1'],
    [[`for=${victim};${' '.repeat(400)}`, '10.0.0.1'], victim],
    [[`for=${victim};${' '.repeat(60_000)}x`, '10.0.0.1'], '10.0.0.1'],
    [['nobody'], null],
    [[], null],
  ]
  for (const [chain, expected] of cases)
    assert.is(clientBehind(chain, new PrefixSet(proxies)), expected, chain.join(' | '))
})

test('whatever a peer sends, the one that counts is written by a trusted proxy', () => {
  const sent = fc
    .array(fc.constantFrom(victim, '10.0.0.1', ', ', ',', 'for=', '"', ';', '[', ']', ':80', 'x', ' ', '::1'), {
      maxLength: 12,
    })
    .map((parts) => parts.join(''))
  const meantIn = reader(json('[http_x_forwarded_for, remote_addr]'))
  fc.assert(
    fc.property(sent, fc.integer({ min: 0, max: 2 }), (header, hops) => {
      // Each proxy appends whom it hears; the peer itself talks to the service or to the first proxy.
      const chain = [header, ...[client, '10.0.0.5', '10.0.0.6'].slice(0, hops)]
        .filter((part) => part !== '')
        .join(', ')
      const remote = [client, '10.0.0.5', '10.0.0.6'][hops]
      assert.is(meantIn(line({ http_x_forwarded_for: chain, remote_addr: remote })), client, chain)
    }),
    { numRuns: 2000 },
  )
})

test('a header of the peer counts only behind a trusted proxy, however its field is named or ordered', () => {
  const named = [
    'http_x_forwarded_for',
    'X-Forwarded-For',
    'x_real_ip',
    'forwarded',
    'cf_connecting_ip',
    'True-Client-IP',
    'xff',
    'upstream.http_x_forwarded_for',
  ]
  for (const name of named) {
    const direct = line({ remote: client, [name]: victim })
    const proxied = line({ remote: '10.0.0.1', [name]: client })
    for (const fields of [`['${name}', remote]`, `[remote, '${name}']`, `remote\nforwarded: '${name}'`]) {
      assert.is(meant(json(fields), direct), client, fields)
      assert.is(meant(json(fields), direct, []), client, fields)
      assert.is(meant(json(fields), proxied), client, fields)
      assert.is(meant(json(fields), proxied, []), '10.0.0.1', fields)
    }
  }
})

test('any list of fields is a chain for who trusts proxies, and the first that has an address for who does not', () => {
  const filter = json('[via, peer]')
  assert.is(meant(filter, line({ via: victim, peer: client })), client)
  assert.is(meant(filter, line({ via: client, peer: '10.0.0.1' })), client)
  assert.is(meant(filter, line({ via: client, peer: '10.0.0.1' }), []), client)
  assert.is(meant(filter, line({ via: '-', peer: client }), []), client)
  assert.is(meant(filter, line({ via: client, peer: '' })), client)
  assert.is(meant(filter, line({ via: client })), client)
  assert.is(meant(filter, line({ via: 'x', peer: 'y' }), []), null)
})

test('a header alone is read from its end, and whole', () => {
  for (const fields of [
    'http_x_forwarded_for',
    'request.headers.X-Forwarded-For',
    'request.headers.X-Forwarded-For.0',
  ]) {
    const given = fields.startsWith('http')
      ? (list: string[]) => line({ http_x_forwarded_for: list.join(', ') })
      : (list: string[]) => line({ request: { headers: { 'X-Forwarded-For': list, 'X-Forwarded-For.0': victim } } })
    assert.is(meant(json(fields), given([victim, client])), client, fields)
    assert.is(meant(json(fields), given([victim, client]), []), client, fields)
    assert.is(meant(json(fields), given([victim, client, '10.0.0.9'])), client, fields)
  }
  // nginx writes a dash, Caddy nothing, where no such header came.
  const both = json('[http_x_forwarded_for, remote_addr]')
  for (const empty of ['-', '', null, [], {}])
    assert.is(meant(both, line({ http_x_forwarded_for: empty, remote_addr: client })), client)
  assert.is(meant(both, line({ http_x_forwarded_for: client })), null, 'nobody knows who said it')
})

test('a captured address may be that of a proxy', () => {
  const filter = filterOf("format: json\nmatch: { msg: { regex: 'bad login from <ADDR>' } }\nforwarded: xff\n")
  assert.is(meant(filter, line({ msg: 'bad login from 10.0.0.1', xff: `${victim}, ${client}` })), client)
  assert.is(meant(filter, line({ msg: `bad login from ${client}`, xff: victim })), client)
})

test('lines of text name the header by <F-FORWARDED>', () => {
  const filter = filterOf('failregex: \'^<ADDR> - \\S+ "POST [^"]*" 401 "<F-FORWARDED>[^"]*</F-FORWARDED>"$\'\n')
  const text = (peer: string, header: string) => `${peer} - - "POST /login" 401 "${header}"`
  assert.is(meant(filter, text('10.0.0.1', `${victim}, ${client}`)), client)
  assert.is(meant(filter, text('10.0.0.1', `${victim}, ${client}`), []), '10.0.0.1')
  assert.is(meant(filter, text(client, victim)), client)
  assert.is(meant(filter, text('10.0.0.1', '-')), '10.0.0.1')
})

test('jails that share a filter may trust different proxies', () => {
  const filter = json('[http_x_forwarded_for, remote_addr]')
  const jails = [
    { jail: 'a', filter, proxies },
    { jail: 'b', filter },
  ]
  const data = Buffer.from(`${line({ http_x_forwarded_for: client, remote_addr: '10.0.0.1' })}\n`)
  const scanner = createLogScanner({ jails, engines: [structured, regexp] })
  const { matches } = scanner.scan({
    log: 'x',
    jails: ['a', 'b'],
    data,
    arrivedAt: 0,
    live: true,
    undatedAt: 0,
    insideLine: false,
  })
  assert.equal(
    matches.map(({ jail, address }) => [jail, address]),
    [
      ['a', client],
      ['b', '10.0.0.1'],
    ],
  )
})

test.run()
