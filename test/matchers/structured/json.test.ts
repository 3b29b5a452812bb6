import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { listedEndpoints, parseEndpoint } from '../../../core/address.ts'
import { compilePattern } from '../../../core/matching/filters.ts'
import { LineReader } from '../../../core/matching/lines.ts'
import type { CompiledFilter, FieldCheck, FieldRule, FoundLine, Structure } from '../../../core/plugin.ts'
import { fieldPath } from '../../../core/settings/structure.ts'
import structured from '../../../matchers/structured/index.ts'
import { suite } from '../../suite.ts'
import { holdsPlainly, parsed, valueAt } from '../../../core/testing/fields-of-json.ts'

const test = suite('structured: JSON')

const regex = (text: string): FieldCheck => ({
  type: 'regex',
  pattern: compilePattern(text, { list: 'regex', index: 0 }),
})
const equal = (...texts: string[]): FieldCheck => ({ type: 'equal', texts })

/** Conditions of every type on fields that random lines have. */
const checks: FieldCheck[] = [
  equal('x'),
  equal('ab', 'x y', 'é'),
  equal('1'),
  equal('0'),
  equal('true', '100'),
  equal(''),
  { type: 'prefix', texts: ['a', '/w'] },
  { type: 'suffix', texts: ['b', '"'] },
  { type: 'contains', texts: ['x', 'wp-'] },
  { type: 'contains', texts: ['wp-login'] },
  { type: 'range', min: 1, max: 400 },
  { type: 'range', min: null, max: 0.5 },
  { type: 'exists', exists: true },
  { type: 'exists', exists: false },
  { type: 'not', of: equal('x') },
  { type: 'any', of: [equal('x'), { type: 'range', min: 5, max: 5 }] },
  {
    type: 'all',
    of: [
      { type: 'prefix', texts: ['a'] },
      { type: 'not', of: { type: 'suffix', texts: ['b'] } },
    ],
  },
  regex('^a.*b$'),
  regex('x y|wp-login\\.php'),
  regex('^\\w+$'),
]
const paths = ['a', 'b', 'a.b', 'a.b.0', 'a.0', 'a\\.b', 'é', 'a.b.c', '', '0', '__proto__', 'a"b'].map(fieldPath)

const texts = fc.oneof(
  fc.constantFrom(
    'x',
    'ab',
    'x y',
    'é',
    '',
    '1',
    '0',
    '/wp-login.php',
    'a\nb',
    '","a":"x',
    '\\',
    '"',
    '\ud800',
    '𝒳',
    '"}',
    '\0',
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
)
const keys = fc.constantFrom('a', 'b', 'a.b', 'é', 'c', '0', '', '__proto__', 'a"b', 'ab')
const scalars = fc.oneof(
  texts.map((text) => ({ text: spelled(text) })),
  fc
    .constantFrom('0', '-0', '1', '5', '100', '1e2', '1.0', '0.50', '-1E+0', '4e-1', 'true', 'false', 'null', '1e999')
    .map((text) => ({ text })),
)
/** Spellings that are no JSON. */
const broken = fc.constantFrom(
  '01',
  '1.',
  '.5',
  '+1',
  'tru',
  'nul',
  "'a'",
  '"\\x"',
  '"\\u12"',
  '"\t"',
  '"',
  '',
  '-',
  '1e',
  'NaN',
  '[1,]',
  '{"a":1,}',
  '{a:1}',
  '[1}',
  '{"a" 1}',
  '\u00a01',
)

test('every condition says what it says of JSON.parse, on random and hostile lines', () => {
  const value = fc.letrec<{ value: { text: string } }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { arbitrary: scalars, weight: 40 },
      { arbitrary: broken.map((text) => ({ text })), weight: 1 },
      {
        arbitrary: fc
          .array(tie('value'), { maxLength: 3 })
          .map((all) => ({ text: `[ ${all.map((one) => one.text).join(' ,')}]` })),
        weight: 12,
      },
      {
        arbitrary: fc.array(fc.tuple(keys, tie('value')), { maxLength: 5 }).map((pairs) => ({ text: mapOf(pairs) })),
        weight: 18,
      },
    ),
  })).value
  const lines = fc.array(fc.tuple(keys, value), { maxLength: 6 }).map(mapOf)
  const rules = fc
    .array(fc.record({ field: fc.constantFrom(...paths), check: fc.constantFrom(...checks) }), {
      minLength: 1,
      maxLength: 3,
    })
    .map((conditions): FieldRule => ({ text: '', conditions }))
  fc.assert(
    fc.property(fc.array(lines, { maxLength: 6 }), fc.array(rules, { minLength: 1, maxLength: 4 }), (some, asked) => {
      const usable = some.filter((line) => !line.includes('\n'))
      const filters = asked.map((rule) => filterOf({ match: [rule] }))
      const expected = usable.flatMap((line, number) =>
        asked.flatMap((rule, filter) => (holdsPlainly(rule, utf8(line)) ? [[number, filter]] : [])),
      )
      assert.equal(foundIn(filters, usable), expected, usable.join('\n'))
    }),
    { numRuns: 3000, seed: 7 },
  )
})

test('damaged lines match exactly when they are still JSON', () => {
  const line = `{"a":{"b":[1,2.5e-3,true,null,{"c":"x\\u0041\\n"}]},"ip":"192.0.2.1","b":"x"}`
  const filter = filterOf({ match: [{ text: '', conditions: [{ field: fieldPath('b'), check: equal('x') }] }] })
  const damage = fc.record({
    at: fc.nat(line.length),
    cut: fc.nat(3),
    put: fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', ' ', '0', 'x', '\u0001'),
  })
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (all) => {
      const damaged = all.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), line)
      const object = parsed(damaged)
      const ip = object === undefined ? undefined : [valueAt(object, fieldPath('ip'))].flat().join(',')
      const named = ip !== undefined && parseEndpoint(listedEndpoints(ip).at(-1) ?? '') !== null
      const holds = named && object !== undefined && valueAt(object, fieldPath('b')) === 'x'
      assert.is(foundIn([filter], [damaged], false).length, holds ? 1 : 0, damaged)
    }),
    { numRuns: 3000, seed: 3 },
  )
})

test('a control character in a list is no JSON, whatever is asked of the list', () => {
  const line = '{"ip":"192.0.2.1","b":["x","\t"]}'
  for (const check of [equal('x'), equal('y'), { type: 'not', of: equal('y') } as const]) {
    assert.equal(
      foundIn([filterOf({ match: [{ text: '', conditions: [{ field: fieldPath('b'), check }] }] })], [line]),
      [],
    )
  }
})

test('as deep as a line can be', () => {
  const filter = filterOf({ match: [{ text: '', conditions: [{ field: fieldPath('b'), check: equal('x') }] }] })
  const deep = (open: string, close: string, times: number) =>
    `{"y":${open.repeat(times)}1${close.repeat(times)},"ip":"192.0.2.1","b":"x"}`
  assert.is(foundIn([filter], [deep('[', ']', 32_000)]).length, 1)
  assert.is(foundIn([filter], [deep('{"y":', '}', 10_000)]).length, 1)
  assert.is(foundIn([filter], [deep('[', ']', 32_000).replace(']', '')]).length, 0)
})

test('whole numbers are compared as they stand, all others as JavaScript writes them', () => {
  const cases: [value: string, text: string, holds: boolean][] = [
    ['1700000000123456789', '1700000000123456789', true],
    ['1700000000123456788', '1700000000123456789', false],
    ['-0', '0', true],
    ['401.0', '401', true],
    ['4.01e2', '401', true],
    ['"401"', '401', true],
    ['"401.0"', '401', false],
  ]
  for (const [value, text, holds] of cases) {
    const filter = filterOf({ match: [{ text: '', conditions: [{ field: fieldPath('n'), check: equal(text) }] }] })
    assert.is(foundIn([filter], [`{"ip":"192.0.2.1","n":${value}}`]).length, holds ? 1 : 0, value)
  }
})

test('a block of many lines has the same matches as the lines alone', () => {
  const filter = filterOf({
    match: [{ text: '', conditions: [{ field: fieldPath('b'), check: { type: 'contains', texts: ['wp-login'] } }] }],
  })
  const line = fc.constantFrom(
    '{"ip":"192.0.2.1","b":"/wp-login"}',
    '{"ip":"192.0.2.1","b":"\\/wp\\u002dlogi\\u006E"}',
    '{"ip":"192.0.2.1","b":"/wp-logi"}',
    'wp-login',
    '',
    '{"b":"wp-login"}',
    '\ufeff{"ip":"192.0.2.1","b":"é wp-login"}\r',
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 9 }), (lines) => {
      const alone = lines.flatMap((one, number) => foundIn([filter], [one]).map(() => [number, 0]))
      assert.equal(foundIn([filter], lines), alone)
    }),
    { numRuns: 2000 },
  )
})

test.run()

/** A JSON string with some characters as escapes, though they need none. */
function spelled(text: string): string {
  return JSON.stringify(text)
    .replace(/\//g, (slash) => (text.length % 2 === 0 ? `\\${slash}` : slash))
    .replace(/[p]/g, () => '\\u0070')
}

function mapOf(pairs: readonly (readonly [string, { text: string }])[]): string {
  return `{${pairs.map(([key, { text }]) => `${JSON.stringify(key)} : ${text}`).join(', ')}}`
}

/** What is left of a text in a log: lone surrogates have no bytes. */
function utf8(text: string): string {
  return Buffer.from(text).toString()
}

function filterOf(structure: Pick<Structure, 'match'>): CompiledFilter {
  return {
    name: 'test',
    programs: null,
    prefregex: null,
    failregex: [],
    ignoreregex: [],
    structure: {
      format: 'json',
      ignore: [],
      address: [fieldPath('ip')],
      forwarded: [],
      time: [],
      user: [],
      ...structure,
    },
  }
}

/** Line and filter of each match. Lines without the field get one that nobody asks for, so that all have an address. */
function foundIn(filters: readonly CompiledFilter[], lines: readonly string[], addressed = true): number[][] {
  const all = lines.map((line) =>
    !addressed || line.includes('"ip"')
      ? line
      : line.replace(/^\{ *(\}?)/, (_, close: string) => (close === '' ? '{"ip":"192.0.2.1",' : '{"ip":"192.0.2.1"}')),
  )
  const bytes = Buffer.from(all.map((line) => `${line}\n`).join(''))
  const found: FoundLine[] = []
  structured.compile(filters).scan(new LineReader().block(bytes, bytes.toString('latin1'), 0), (one) => found.push(one))
  return found.map(({ start, filter }) => [bytes.subarray(0, start).filter((byte) => byte === 10).length, filter])
}
