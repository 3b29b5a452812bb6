import * as assert from 'uvu/assert'
import { describeError } from '../../../core/errors.ts'
import { filterOf } from '../../matchers/structured/found-lines.ts'
import { suite } from '../../suite.ts'

const test = suite('structures')

function refusal(yaml: string): string {
  try {
    filterOf(yaml)
  } catch (error) {
    return describeError(error)
  }
  return ''
}

test('every rule finds exactly one address', () => {
  const regex = (field: string, pattern: string) => `${field}: { regex: '${pattern}' }`
  const cases: [yaml: string, refused: RegExp | null][] = [
    ['address: ip\nmatch: { a: b }', null],
    [`match: { ${regex('a', 'x <ADDR>')} }`, null],
    [`match: { a: [{ regex: 'x <ADDR>' }, { regex: 'y <ADDR>' }] }`, null],
    [`address: ip\nmatch: { a: [{ regex: 'x <ADDR>' }, y] }`, null],
    ['match: { a: b }', /filter\.yaml: nothing says where the address is: .*\n.*address: remote_addr/],
    [`match: { a: [{ regex: 'x <ADDR>' }, y] }`, /nothing says where the address is/],
    [`match: [{ ${regex('a', 'x <ADDR>')} }, { a: y }]`, /nothing says where the address is: \{"a":"y"\}/],
    [`match: { ${regex('a', 'x <ADDR>')}, ${regex('b', 'y <ADDR>')} }`, /two conditions capture an address/],
    [`match: { ${regex('a', 'x <ADDR>')}, b: { not: { regex: '<ADDR>' } } }`, /captures no address: leave <ADDR> out/],
    [`address: ip\nmatch: { ${regex('a', 'x (')} }`, /^filter\.yaml:3:\d+: match\.a\.regex: regex, character 3: /],
    [`match: { ${regex('a', '<ADDR> <ADDR>')} }`, /match\.a\.regex: .*may leave the address unset, or find two/],
  ]
  for (const [yaml, refused] of cases) {
    const message = refusal(`format: json\n${yaml}\n`)
    if (refused === null) assert.is(message, '', yaml)
    else assert.match(message, refused, yaml)
  }
})

test.run()
