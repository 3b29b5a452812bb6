import * as assert from 'uvu/assert'
import { describeError, type BailiffError } from '../../../core/errors.ts'
import { defineFilter, type FilterSettings } from '../../../core/settings/filter-file.ts'
import { inMode } from '../../../core/settings/filter-modes.ts'
import { fieldPath } from '../../../core/settings/structure.ts'
import { parseYaml } from '../../../core/settings/yaml-file.ts'
import { suite } from '../../suite.ts'

const test = suite('filters of structured lines')

function read(yaml: string): { filter: FilterSettings | undefined; problems: string[] } {
  const problems: BailiffError[] = []
  const filter = defineFilter(parseYaml(yaml, 'f.yaml'), 'f', problems)
  return { filter: filter && inMode(filter, 'normal', filter.where), problems: problems.map(describeError) }
}

/** The conditions of the first rule, by field. */
function checks(match: string): unknown {
  const { filter, problems } = read(`format: json\naddress: ip\nmatch: ${match}\n`)
  assert.equal(problems, [])
  return Object.fromEntries(
    (filter?.structure?.match[0]?.conditions ?? []).map(({ field, check }) => [field.key, check]),
  )
}

test('paths: dots lead down, an escaped one belongs to the key', () => {
  const cases: [text: string, key: string, steps: string[]][] = [
    ['a', 'a', ['a']],
    ['a.b.0', 'a.b.0', ['a', 'b', '0']],
    ['a\\.b.c', 'a.b.c', ['a.b', 'c']],
    ['a\\\\.b', 'a\\.b', ['a\\', 'b']],
    ['a\\b', 'a\\b', ['a\\b']],
    ['', '', ['']],
    ['a.', 'a.', ['a', '']],
  ]
  for (const [text, key, steps] of cases) assert.equal(fieldPath(text), { key, steps }, text)
})

test('conditions', () => {
  assert.equal(checks('{ a: x, b: 401, c: true, d: 0.5 }'), {
    a: { type: 'equal', texts: ['x'] },
    b: { type: 'equal', texts: ['401'] },
    c: { type: 'equal', texts: ['true'] },
    d: { type: 'equal', texts: ['0.5'] },
  })
  assert.equal(checks('{ a: [x, 2, { prefix: y }], b: { min: 400, max: 499 }, c: { prefix: [p, q], suffix: s } }'), {
    a: {
      type: 'any',
      of: [
        { type: 'equal', texts: ['x', '2'] },
        { type: 'prefix', texts: ['y'] },
      ],
    },
    b: { type: 'range', min: 400, max: 499 },
    c: {
      type: 'all',
      of: [
        { type: 'prefix', texts: ['p', 'q'] },
        { type: 'suffix', texts: ['s'] },
      ],
    },
  })
  assert.equal(checks('{ a: { not: [x, y] }, b: { exists: false }, c: { min: 1, not: 5 }, d: { contains: z } }'), {
    a: { type: 'not', of: { type: 'equal', texts: ['x', 'y'] } },
    b: { type: 'exists', exists: false },
    c: {
      type: 'all',
      of: [
        { type: 'range', min: 1, max: null },
        { type: 'not', of: { type: 'equal', texts: ['5'] } },
      ],
    },
    d: { type: 'contains', texts: ['z'] },
  })
  const { filter } = read("format: logfmt\naddress: ip\nmatch: [{ a: { regex: '^x' } }, { b: y }]\n")
  assert.is(filter?.structure?.match.length, 2)
})

test('a header in which proxies speak is no field of the address beside others', () => {
  const fields = (more: string) => {
    const { structure } = read(`format: json\nmatch: { a: b }\n${more}\n`).filter ?? {}
    return [structure?.address, structure?.forwarded].map((paths) => paths?.map(({ key }) => key))
  }
  assert.equal(fields('address: [http_x_forwarded_for, remote_addr]'), [['remote_addr'], ['http_x_forwarded_for']])
  assert.equal(fields('address: [request.client_ip, request.remote_ip]'), [
    ['request.client_ip', 'request.remote_ip'],
    [],
  ])
  assert.equal(fields('address: headers.X-Forwarded-For.0'), [['headers.X-Forwarded-For'], []])
  assert.equal(fields('address: remote\nforwarded: [h.Fwd.1, via]'), [['remote'], ['h.Fwd', 'via']])
})

test('what is wrong is told at its place', () => {
  const head = 'format: json\naddress: ip\n'
  const cases: [yaml: string, problem: RegExp][] = [
    [
      `${head}match: { a: { prefx: x } }`,
      /^f\.yaml:3:15: match\.a\.prefx: unknown option "prefx"; did you mean prefix\?/,
    ],
    [`${head}match: { a: ~ }`, /match\.a: is empty; a field that is missing or null is \{ exists: false \}/],
    [`${head}match: { a: [] }`, /match\.a: is an empty list/],
    [`${head}match: { a: {} }`, /match\.a: is an empty map/],
    [`${head}match: {}`, /match: must be a map of fields .* but is an empty map/],
    [
      `${head}match: x`,
      /match: must be a map of fields to what they must be, like \{ status: 401 \}, but is the text "x"/,
    ],
    [`${head}match: [{ a: b }, 5]`, /match\[1\]: must be a map of fields/],
    [`${head}match: { a: { min: x } }`, /match\.a\.min: must be a number, but is the text "x"/],
    [`${head}match: { a: { min: 5, max: 4 } }`, /match\.a\.max: is less than min, 5/],
    [`${head}match: { a: { exists: 1 } }`, /match\.a\.exists: must be true or false, but is the number 1/],
    [`${head}match: { a: { contains: '' } }`, /match\.a\.contains: is empty, so every text would do/],
    [`${head}match: { a: { regex: 5 } }`, /match\.a\.regex: must be a pattern, but is the number 5/],
    [`${head}match: { a: 12345678901234567890 }`, /match\.a: 12345678901234567000 has too many digits/],
    [head, /the filter "f" has no match/],
    [
      `${head}match: { a: b }\nfailregex: x <ADDR>`,
      /^f\.yaml:4:1: failregex: is only for lines of plain text\n .*match and ignore/,
    ],
    [
      'failregex: x <ADDR>\naddress: ip',
      /^f\.yaml:2:1: address: is only for fields of structured lines\n .*add format: json/,
    ],
    [`failregex: x <ADDR>\nmodes: { more: { match: { a: b } } }`, /modes\.more\.match: is only for fields/],
    ['format: xml\nmatch: { a: b }\naddress: ip', /format: must be json or logfmt, not "xml"/],
    [`${head}match: { a: b }\nmodes: { more: { match: { a: { not: ~ } } } }`, /modes\.more\.match\.a\.not: is empty/],
  ]
  for (const [yaml, problem] of cases) {
    const { problems } = read(yaml)
    assert.match(problems.join('\n'), problem, yaml)
    assert.is(problems.length, 1, problems.join('\n'))
  }
})

test.run()
