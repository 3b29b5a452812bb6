import * as assert from 'uvu/assert'
import { compileFilter, type FilterSource } from '../../../core/matching/filters.ts'
import { LineReader } from '../../../core/matching/lines.ts'
import type { CompiledFilter, FoundLine } from '../../../core/plugin.ts'
import regexp from '../../../matchers/regexp/index.ts'
import { matcherChecks } from '../../../core/testing/matcher-checks.ts'
import { keepsContract, suite } from '../../suite.ts'

keepsContract('matcher regexp', matcherChecks(regexp))

const test = suite('the matcher regexp')

const filters = [
  filter({ programs: ['sshd'], failregex: ['^Failed .* from <HOST>$', '^(?:Bad|Very bad) thing from <HOST>$'] }),
  filter({ failregex: ['"GET <F-PATH>\\S+</F-PATH>" from <HOST>$'], ignoreregex: ['/ok"'] }),
  filter({ failregex: ['(?i)alarm.*<HOST>', '^<HOST> knocks'] }),
  filter({ prefregex: '^app: <F-CONTENT>.*</F-CONTENT>$', failregex: ['<HOST>', '^no <ADDR>'] }),
]

test('it takes every filter', () => {
  assert.equal(regexp.compile(filters).took, [0, 1, 2, 3])
  assert.equal(regexp.compile([]).took, [])
})

test('several filters find their lines in order, each line once', () => {
  const log = 'app: 192.0.2.1\n192.0.2.2 knocks\nx\napp: ALARM 192.0.2.3\nFailed x from 192.0.2.4\n'
  assert.equal(
    found(filters, log).map(({ filter: index, rule, address }) => [index, rule, address]),
    [
      [3, 0, '192.0.2.1'],
      [2, 1, '192.0.2.2'],
      [2, 0, '192.0.2.3'],
      [3, 0, '192.0.2.3'],
      [0, 0, '192.0.2.4'],
    ],
  )
})

test('the first failregex that matches wins, the first group of a name that is not empty too', () => {
  const one = filter({
    failregex: ['^a (?:<F-X>1?</F-X>)(?:<F-X>2?</F-X>)(?:<F-Y>3</F-Y>)? <HOST>', '^a .*<HOST>'],
  })
  const groups = (line: string) => found([one], `${line}\n`).map(({ rule, groups: captured }) => [rule, captured])
  assert.equal(groups('a 12 192.0.2.1'), [[0, { x: '1' }]])
  assert.equal(groups('a 23 192.0.2.1'), [[0, { x: '2', y: '3' }]])
  assert.equal(groups('a  192.0.2.1'), [[0, { x: '' }]])
  assert.equal(groups('a 4 192.0.2.1'), [[1, {}]])
})

test.run()

function filter(source: Partial<FilterSource>): CompiledFilter {
  return compileFilter({ name: 'test', programs: null, prefregex: null, failregex: [], ignoreregex: [], ...source })
}

function found(some: readonly CompiledFilter[], log: string): FoundLine[] {
  const bytes = Buffer.from(log)
  const lines: FoundLine[] = []
  regexp.compile(some).scan(new LineReader().block(bytes, bytes.toString('latin1'), 0), (one) => void lines.push(one))
  return lines
}
