import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import { fullName, isPackageName, means, readings, shortName } from '../../../core/settings/package-names.ts'
import { suite } from '../../suite.ts'

const test = suite('names of packages')

test('a short name stands for the package that Babel would take', () => {
  for (const [short, full] of [
    ['edge', 'bailiff-plugin-edge'],
    ['@scope/edge', '@scope/bailiff-plugin-edge'],
    ['@scope', '@scope/bailiff-plugin'],
    ['@scope/', '@scope/bailiff-plugin'],
    ['bailiff-plugin-edge', 'bailiff-plugin-edge'],
    ['bailiff-plugin', 'bailiff-plugin'],
    ['bailiff-plugins', 'bailiff-plugin-bailiff-plugins'],
    ['@scope/bailiff-plugin', '@scope/bailiff-plugin'],
    ['@scope/bailiff-plugin-edge', '@scope/bailiff-plugin-edge'],
    ['module:edge', 'edge'],
    ['module:@scope/edge', '@scope/edge'],
  ] as const)
    assert.is(fullName(short), full, short)
})

test('the short name of a package means it and is the shortest', () => {
  for (const [full, short] of [
    ['bailiff-plugin-edge', 'edge'],
    ['@scope/bailiff-plugin-edge', '@scope/edge'],
    ['@scope/bailiff-plugin', '@scope'],
    ['bailiff-plugin', 'module:bailiff-plugin'],
    ['edge', 'module:edge'],
    ['bailiff-plugin-bailiff-plugin', 'module:bailiff-plugin-bailiff-plugin'],
  ] as const) {
    assert.is(shortName(full), short, full)
    assert.ok(means(short, full), full)
  }
  assert.not.ok(means('module:edge', 'bailiff-plugin-edge'))
  assert.not.ok(means('edge', '@scope/bailiff-plugin-edge'))
})

const word = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,12}$/)
const name = fc.oneof(
  word,
  fc.tuple(word, word).map(([scope, rest]) => `@${scope}/${rest}`),
  word.map((rest) => `bailiff-plugin-${rest}`),
  fc.tuple(word, word).map(([scope, rest]) => `@${scope}/bailiff-plugin-${rest}`),
)

test('every package has a short name, which means it', () => {
  fc.assert(
    fc.property(name, (full) => {
      assert.ok(means(shortName(full), full), full)
      assert.is(fullName(shortName(full)), full)
    }),
  )
})

test('what is no name of a package is never one, whatever it is', () => {
  for (const given of [
    '',
    '.',
    '..',
    '../x',
    '/etc',
    'a/b',
    '@a/b/c',
    '-x',
    '@-',
    'A',
    'a b',
    'a\nb',
    'node_modules',
    '--yes',
  ])
    assert.not.ok(isPackageName(given), given)
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (given) => {
      assert.ok(!isPackageName(given) || !/(?:^|\/)\.|[\s\\]|\/.*\//.test(given))
    }),
  )
})

test('a name with a slash may be a package, or a part of one', () => {
  assert.equal(readings('edge'), [{ name: 'edge', part: null }])
  assert.equal(readings('@scope/edge'), [
    { name: '@scope/edge', part: null },
    { name: '@scope', part: 'edge' },
  ])
})

test.run()
