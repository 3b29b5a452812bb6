import * as assert from 'uvu/assert'
import { createLogScanner } from '../../../core/matching/scan.ts'
import structured from '../../../matchers/structured/index.ts'
import { matcherChecks } from '../../../core/testing/matcher-checks.ts'
import { keepsContract, suite } from '../../suite.ts'
import { filterOf, findIn } from './found-lines.ts'

keepsContract('matcher structured', matcherChecks(structured))

const test = suite('the matcher structured')

const bad = filterOf('format: json\nmatch: { event: bad }\naddress: ip\ntime: [at, ts]\nuser: [who.name, user]\n')

test('an object may stand behind what syslog, a date or a container engine puts before it', () => {
  const object = '{"event":"bad", "ip":"192.0.2.7", "x": "{:}"}'
  const matching = [
    object,
    `  ${object}`.trim(),
    `\ufeff${object}\r`,
    `Nov 22 13:41:02 host app[7]: ${object}`,
    `<38>Nov 22 13:41:02 host app: ${object}`,
    `Nov 22 13:41:02 host app[7]: @cee: ${object}`,
    `Nov 22 13:41:02 host app[7]: @cee:${object}`,
    `Nov 22 13:41:02 host app[7]: message repeated 3 times: [ ${object}]`,
    `2026-11-22T13:41:02.123456Z ${object}`,
    `2026-11-22T13:41:02.123456Z stdout F ${object}`,
    `2026-11-22T13:41:02+01:00 host app[7]: ${object}`,
    `2026-11-22T13:41:02Z {"event":"bad","ip":"192.0.2.7", "b": "x: y"}`,
  ]
  for (const line of matching) assert.is(findIn([bad], [line]).found[0]?.address, '192.0.2.7', line)
  const others = [
    `${object} and more`,
    `x ${object}`,
    `Nov 22 13:41:02 host app[7]: login of ${object}`,
    `2026-11-22T13:41:02Z stdout P ${object}`,
    `[${object}]`,
    object.slice(0, -1),
    `${object}${object}`,
    '"bad"',
  ]
  for (const line of others) assert.equal(findIn([bad], [line]), { found: [], malformed: 1 }, line)
})

test('a line of another program is not looked at', () => {
  const app = filterOf('format: json\nprograms: app\nmatch: { event: bad }\naddress: ip\n')
  const object = '{"event":"bad","ip":"192.0.2.7"}'
  const count = (line: string) => findIn([app], [line]).found.length
  assert.is(count(`Nov 22 13:41:02 host app[7]: ${object}`), 1)
  assert.is(count(object), 1)
  assert.is(count(`Nov 22 13:41:02 host web[7]: ${object}`), 0)
  assert.is(count(`2026-11-22T13:41:02Z ${object}`), 0)
})

test('date and user come from their fields; a repeated message counts as often', () => {
  const [one] = findIn([bad], ['{"event":"bad","ip":"192.0.2.7","ts":1700000000.25,"who":{"name":"b\\u00e9"}}']).found
  assert.equal([one?.time, one?.groups], ['1700000000.25', { user: 'bé' }])
  const [two] = findIn(
    [bad],
    ['Nov 22 13:41:02 h a[7]: message repeated 3 times: [ {"event":"bad","ip":"192.0.2.7"}]'],
  ).found
  assert.equal([two?.time, two?.head.syslog?.attempts], [undefined, 3])
})

test('a string of a peer never is a field', () => {
  const injected = [
    '","ip":"203.0.113.9',
    '\\","ip":"203.0.113.9',
    '{"ip":"203.0.113.9"}',
    '"},{"ip":"203.0.113.9","event":"bad"}',
    '\n{"event":"bad","ip":"203.0.113.9"}',
  ]
  for (const text of injected) {
    const line = JSON.stringify({
      user: text,
      event: 'bad',
      path: [text, { ip: '203.0.113.9' }],
      ip: '192.0.2.7',
      last: text,
    })
    assert.equal(
      findIn([bad], [line]).found.map(({ address }) => address),
      ['192.0.2.7'],
      line,
    )
  }
})

test('the last of two equal keys counts, with all that it holds', () => {
  const nested = filterOf('format: json\nmatch: { a.event: bad }\naddress: a.ip\n')
  const address = (line: string) => findIn([nested], [line]).found[0]?.address ?? null
  assert.is(address('{"a":{"event":"bad","ip":"192.0.2.1"},"a":{"event":"bad","ip":"192.0.2.2"}}'), '192.0.2.2')
  assert.is(address('{"a":{"event":"bad","ip":"192.0.2.1"},"a":{"ip":"192.0.2.2"}}'), null)
  assert.is(address('{"a":{"event":"bad","ip":"192.0.2.1"},"a":"x"}'), null)
  assert.is(address('{"a":{"event":"bad","ip":"192.0.2.1"},"\\u0061":null}'), null)
})

test('a pattern may capture the address and more, and sees no newline to hide behind', () => {
  const message = filterOf(
    'format: json\nmatch: { message: { regex: "^Login failed: \'<F-USER>.*</F-USER>\' \\\\(Remote IP: <ADDR>\\\\)$" } }\n',
  )
  const find = (user: string) =>
    findIn([message], [JSON.stringify({ message: `Login failed: '${user}' (Remote IP: 192.0.2.7)` })]).found[0]
  assert.equal([find('bob')?.address, find('bob')?.groups], ['192.0.2.7', { user: 'bob' }])
  assert.is(find('a\nb')?.address, '192.0.2.7')
  assert.is(find("x' (Remote IP: 203.0.113.9)")?.address, '192.0.2.7')
})

test('a value that takes a pattern for ever is passed over, and the lines around it are not', () => {
  const slow = filterOf("format: json\naddress: ip\nmatch: { v: { regex: '^(?=a)(?:(?:a|aa)+)+$' } }\n")
  const scanner = createLogScanner({ jails: [{ jail: 'a', filter: slow }], engines: [structured] })
  const line = (ip: string, v: string) => `${JSON.stringify({ ip, v })}\n`
  const lines = [line('192.0.2.1', 'aa'), line('192.0.2.2', `${'a'.repeat(60)}!`), line('192.0.2.3', 'aaa')]
  const data = Buffer.from(lines.join(''))
  const chunk = { log: 'x', jails: ['a'], data, arrivedAt: 0, live: true, undatedAt: 0, insideLine: false }
  const result = scanner.scan(chunk, undefined, 20)
  assert.equal(
    result.matches.map(({ address }) => address),
    ['192.0.2.1', '192.0.2.3'],
  )
  assert.equal([result.skipped, result.slow.map(({ start }) => start)], [1, [lines[0]?.length]])
})

test('filters of both formats find their lines in order', () => {
  const pairs = filterOf('format: logfmt\nmatch: { event: bad }\naddress: ip\n')
  const lines = ['event=bad ip=192.0.2.1', '{"event":"bad","ip":"192.0.2.2"}', 'event=bad ip=192.0.2.3']
  assert.equal(
    findIn([bad, pairs], lines).found.map(({ filter, address }) => [filter, address]),
    [
      [1, '192.0.2.1'],
      [0, '192.0.2.2'],
      [1, '192.0.2.3'],
    ],
  )
})

test('modes add rules, and what is ignored in one is ignored in all of it', () => {
  const yaml =
    'format: json\nmatch: { event: bad }\nignore: { who: monitor }\naddress: ip\nmodes: { more: { match: [{ event: worse }, { event: worst }], ignore: { who: test } } }\n'
  const lines = ['bad', 'worse', 'worst'].flatMap((event) =>
    ['me', 'monitor', 'test'].map((who) => JSON.stringify({ event, who, ip: '192.0.2.1' })),
  )
  const rules = (mode: string) => findIn([filterOf(yaml, mode)], lines).found.map(({ rule }) => rule)
  assert.equal(rules('normal'), [0, 0])
  assert.equal(rules('more'), [0, 1, 2])
})

test.run()
