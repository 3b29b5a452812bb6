import * as assert from 'uvu/assert'
import { trySamples } from '../../core/filter-samples.ts'
import { compileFilter } from '../../core/matching/filters.ts'
import { defineFilter } from '../../core/settings/filter-file.ts'
import { inMode } from '../../core/settings/filter-modes.ts'
import { parseYaml } from '../../core/settings/yaml-file.ts'
import regexp from '../../matchers/regexp/index.ts'
import { suite } from '../suite.ts'

const test = suite('filter samples')

/** What is told of a filter in a mode: line and sentence. */
function tell(yaml: string, mode = 'normal'): string[] {
  const definition = defineFilter(parseYaml(yaml, 'f.yaml'), 'f', [])
  assert.ok(definition)
  const filter = inMode(definition, mode, { file: 'f.yaml' })
  const compiled = compileFilter({
    name: 'f',
    programs: filter.programs,
    prefregex: null,
    failregex: filter.failregex.map(({ text }) => text),
    ignoreregex: filter.ignoreregex.map(({ text }) => text),
  })
  const { problems, tried } = trySamples(filter, compiled, [regexp])
  assert.ok(tried > 0)
  return problems.map(({ where, message }) => `${where?.line}: ${message.replace('in mode ', '')}`)
}

const filter = `failregex:
  - '^bad <F-USER>\\w+</F-USER> from <ADDR>$'
modes: { more: { failregex: ['^worse from <ADDR>$'] } }
samples:
`

test('lines that do what the filter promises say nothing', () => {
  const good = `${filter}
  match:
    - { line: 'bad joe from 192.0.2.1', address: 192.0.2.1, user: joe }
    - { line: 'worse from 2001:db8::1', address: '2001:db8:0::1', modes: [more] }
  pass: ['good joe from 192.0.2.1']
  hostile:
    - { line: 'bad joe from 192.0.2.1', address: 192.0.2.1 }
    - { line: 'bad joe from 192.0.2.1 from 192.0.2.2', address: null }
    - { line: 'bad joe from 192.0.2.1 from 192.0.2.2', address: 192.0.2.2 }
`
  assert.equal(tell(good), [])
  assert.equal(tell(good, 'more'), [])
})

test('every kind of broken promise is found, at its line', () => {
  const broken = `${filter}
  match:
    - { line: 'bed joe from 192.0.2.1', address: 192.0.2.1 }
    - { line: 'bad joe from 192.0.2.1', address: 192.0.2.2 }
    - { line: 'bad joe from 192.0.2.1', address: 192.0.2.1, user: jim }
    - { line: 'worse from 192.0.2.1', address: 192.0.2.1 }
  pass: ['bad joe from 192.0.2.1']
  hostile:
    - { line: 'bad joe from 192.0.2.1', address: null }
    - { line: 'bad joe from 192.0.2.1', address: 192.0.2.9 }
`
  assert.equal(tell(broken), [
    '7: normal of f, this sample does not match: "bed joe from 192.0.2.1"',
    '8: normal of f, this sample tells of 192.0.2.1 instead of 192.0.2.2, by failregex 1: "bad joe from 192.0.2.1"',
    '9: normal of f, this sample tells of the user "joe" instead of "jim", by failregex 1: "bad joe from 192.0.2.1"',
    '10: normal of f, this sample does not match: "worse from 192.0.2.1"',
    '11: normal of f, this sample tells of 192.0.2.1 by failregex 1, and must not match: "bad joe from 192.0.2.1"',
    '13: normal of f, this sample tells of 192.0.2.1 by failregex 1, and must not match: "bad joe from 192.0.2.1"',
    '14: normal of f, this sample tells of 192.0.2.1 by failregex 1, and may only of 192.0.2.9: "bad joe from 192.0.2.1"',
  ])
  assert.is(tell(broken, 'more').length, 6)
})

test.run()
