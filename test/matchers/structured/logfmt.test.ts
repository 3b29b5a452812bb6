import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { unescapeLogfmt } from '../../../matchers/structured/logfmt-reader.ts'
import { suite } from '../../suite.ts'
import { filterOf, findIn } from './found-lines.ts'

const test = suite('structured: logfmt')

const filter = filterOf(
  "format: logfmt\nmatch: { level: [error, warn], msg: { regex: '^(?:bad|worse) login\\b.*$' } }\naddress: [remote, ip]\ntime: [t, ts]\nuser: user\n",
)

test('lines as services write them', () => {
  const cases: [line: string, address: string | null][] = [
    ['t=2026-11-22T13:41:02Z level=error msg="bad login" remote=192.0.2.7', '192.0.2.7'],
    ['time="2026-11-22T13:41:02Z" level=warn msg="worse login: a=\\"b\\"" remote="192.0.2.7:4711"', '192.0.2.7:4711'],
    ['level=error msg="bad login" remote="[2001:db8::7]:80" uname=', '[2001:db8::7]:80'],
    ['level="error" msg="bad login" ip=2001:db8::7 retry', '2001:db8::7'],
    ['level=error  \t msg="bad login" url=/a?b=c&d remote=192.0.2.7 \r', '192.0.2.7'],
    ['level=error msg="bad login \\u00e9 é" remote=192.0.2.7', '192.0.2.7'],
    ['Nov 22 13:41:02 h app[7]: level=error msg="bad login" remote=192.0.2.7', '192.0.2.7'],
    ['2026-11-22T13:41:02Z level=error msg="bad login" remote=192.0.2.7', '192.0.2.7'],
    ['2026-11-22T13:41:02Z stderr F level=error msg="bad login" remote=192.0.2.7', '192.0.2.7'],
    ['level=info msg="bad login" remote=192.0.2.7', null],
    ['level=error msg=bad remote=192.0.2.7', null],
    ['level=error msg="bad login" remote=', null],
    ['level=error msg="bad login" remote', null],
    ['msg="level=error remote=192.0.2.7 bad login"', null],
    // The quote stays open: the line was cut, or is none.
    ['level=error remote=192.0.2.7 msg="bad login', null],
    ['level=error remote=192.0.2.7 msg="bad login\\"', null],
    ['level=error remote=192.0.2.7 msg="bad login"x', null],
    ['level=error remote=192.0.2.7 msg="bad login" a"b=c', null],
    ['level=error remote=192.0.2.7 msg="bad login" =c', null],
    // Sentences that hold pairs.
    ['Invalid user level=error msg="bad login" remote=192.0.2.7', null],
    ['Nov 22 13:41:02 h sshd[7]: Invalid user level=error msg="bad login" remote=192.0.2.7 from 192.0.2.9', null],
  ]
  for (const [line, address] of cases) assert.is(findIn([filter], [line]).found[0]?.address ?? null, address, line)
})

test('a line that names two addresses in one field names none', () => {
  const lines = [
    'level=error msg="bad login" remote=192.0.2.7 uri=/x remote=203.0.113.9',
    'level=error remote=203.0.113.9 msg="bad login" remote=192.0.2.7',
  ]
  assert.equal(findIn([filter], lines), { found: [], malformed: 2 })
  const same = 'level=info level=error msg=x msg="bad login" remote=192.0.2.7 remote=192.0.2.7'
  assert.is(findIn([filter], [same]).found.length, 1, 'other fields: the last one counts')
})

test('what stands in quotes never is a field, whatever it is', () => {
  const text = fc
    .array(fc.constantFrom(' remote=203.0.113.9', '"', '\\', 'x', ' ', '=', 'level=info', '\n', '\t', 'é', '\u0001'), {
      maxLength: 8,
    })
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(text, text, (user, agent) => {
      const line = `level=error user=${goQuoted(user)} msg=${goQuoted(`bad login ${agent}`)} remote=192.0.2.7`
      const [found] = findIn([filter], [line]).found
      assert.is(found?.address, '192.0.2.7', line)
      assert.is(found?.groups.user ?? '', user, line)
    }),
    { numRuns: 3000 },
  )
})

test('a word that is spelled with escapes is found as well', () => {
  const login = filterOf('format: logfmt\nmatch: { path: { prefix: /wp-login } }\naddress: ip\n')
  for (const path of [
    '/wp-login.php',
    '"/wp-login"',
    '"/wp-\\x6cogin"',
    '"\\u002fwp-lo\\u0067in"',
    '"\\/wp\\U0000002Dlogin"',
  ])
    assert.is(findIn([login], [`path=${path} ip=192.0.2.7`]).found.length, 1, path)
  for (const path of ['/wp-logi', '"/wp-\\\\x6cogin"', '/x/wp-login'])
    assert.is(findIn([login], [`path=${path} ip=192.0.2.7`]).found.length, 0, path)
})

test('escapes of Go and JSON', () => {
  const cases: [inside: string, text: string][] = [
    ['a\\"b\\\\c', 'a"b\\c'],
    ['\\a\\b\\f\\n\\r\\t\\v\\/', '\x07\b\f\n\r\t\v/'],
    ['\\x41\\u00e9\\U0001F600', 'Aé😀'],
    ['\\U00110000\\q\\x4', '\\U00110000\\q\\x4'],
  ]
  for (const [inside, text] of cases) assert.is(unescapeLogfmt(inside), text)
})

test.run()

/** As `strconv.Quote` of Go writes a text. */
function goQuoted(text: string): string {
  const escaped = text
    .replace(/["\\]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll('\u0001', '\\x01')
  return `"${escaped}"`
}
