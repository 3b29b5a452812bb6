import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { compilePattern } from '../../../core/matching/filters.ts'
import { PatternError } from '../../../core/matching/pattern-error.ts'
import { shippedFilter, shippedFilters } from '../../config/scan-text.ts'
import { suite } from '../../suite.ts'

const test = suite('linear patterns')

const place = { list: 'prefregex', index: 0 } as const
const cases: readonly [pattern: string, reason: string | null][] = [
  ['^bad login of .* from <ADDR>$', null],
  ['^(?:a|b)+ [^"]*"<ADDR>", <F-USER>\\S{1,16}</F-USER>$', null],
  ['^from \\[(?:IPv6:)?<ADDR>\\]$', null],
  ['^(?!good).* from <ADDR>$', 'a look-around'],
  ['^(a|b)\\1 from <ADDR>$', 'a back-reference'],
  ['^(?>a|b) from <ADDR>$', 'an atomic group'],
  ['^a++ from <ADDR>$', 'a possessive count'],
  ['^.{0,17} from <ADDR>$', 'counts like {0,17} that are too large, alone or multiplied'],
  ['^(?:a{5} ){4}from <ADDR>$', 'counts like {0,17} that are too large, alone or multiplied'],
  ['from <ADDR>', 'an address without a blank, quote or bracket around it'],
  ['^from <ADDR>:\\d+$', null],
  ['^from <ADDR>: .*$', null],
  ['^from <ADDR>(?::\\d+)?$', 'an address without a blank, quote or bracket around it'],
]

test('why a pattern is not linear', () => {
  for (const [pattern, reason] of cases) assert.is(compilePattern(pattern, place).backtracking, reason, pattern)
})

test('what is called linear, and nothing else, the linear engine of V8 takes', async () => {
  const shipped = (await Promise.all(shippedFilters().map(shippedFilter))).flatMap((filter) => [
    ...[filter, ...Object.values(filter.modes)].flatMap((part) => [...part.failregex, ...part.ignoreregex]),
    ...(filter.prefregex === null ? [] : [filter.prefregex]),
  ])
  const patterns = [...cases.map(([pattern]) => pattern), ...shipped.map(({ text }) => text)]
  for (const { text, backtracking, taken } of askV8(patterns)) assert.is(backtracking === null, taken, text)
})

test('no pattern of chance is called linear that the engine refuses', () => {
  // V8 simplifies some before the engine sees them (`(?=a){0,4}` is nothing), so it may take more.
  const answers = askV8(chancePatterns())
  for (const { text, backtracking, taken } of answers) if (backtracking === null) assert.ok(taken, text)
  assert.ok(answers.some(({ backtracking }) => backtracking === null) && answers.some(({ taken }) => !taken))
})

test.run()

/** Patterns of every kind of node, those that compile. */
function chancePatterns(): string[] {
  const atom = fc.constantFrom('a', '.', '[^b]', '\\w', '\\b', '<ADDR>', ' ', '"', '(?:x|y)', '(z)', '(?=q)', '(?m:^)')
  const count = fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{0,4}', '{3,}', '{9,17}', '*?', '{20,}')
  const part = fc.tuple(atom, count).map((some) => some.join(''))
  const sequence = fc.array(part, { minLength: 1, maxLength: 4 }).map((some) => some.join(''))
  const nested = fc.tuple(sequence, sequence, count).map(([first, second, times]) => `${first}(?:${second})${times}`)
  return fc.sample(nested, { seed: 7, numRuns: 400 }).filter((pattern) => {
    try {
      compilePattern(pattern, place)
      return true
    } catch (error) {
      if (error instanceof PatternError) return false
      throw error
    }
  })
}

/** Compiles the patterns, and asks V8 in a process of its own: the flag changes what it does for the whole process. */
function askV8(patterns: readonly string[]): { text: string; backtracking: string | null; taken: boolean }[] {
  const compiled = patterns.map((pattern) => compilePattern(pattern, place))
  const script = `
    const taken = (source) => { try { new RegExp(source, 'l'); return true } catch { return false } }
    console.log(JSON.stringify(JSON.parse(require('fs').readFileSync(0, 'utf8')).map(taken)))`
  const words = ['--enable-experimental-regexp-engine', '-e', script]
  const input = JSON.stringify(compiled.map(({ ascii }) => ascii))
  const taken = JSON.parse(execFileSync(process.execPath, words, { input, encoding: 'utf8' })) as boolean[]
  return compiled.map(({ text, backtracking }, index) => ({ text, backtracking, taken: taken[index] === true }))
}
