import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { BailiffError, describeError } from '../../../core/errors.ts'
import { parseYaml } from '../../../core/settings/yaml-file.ts'
import { suite } from '../../suite.ts'

const test = suite('yaml file')

test('values are plain and every part knows its place', () => {
  const tree = parseYaml('a: 1\njails:\n  sshd: on\n  web:\n    list: [x, 2]\n', 'f.yaml')
  assert.equal(tree.value, { a: 1, jails: { sshd: 'on', web: { list: ['x', 2] } } })
  assert.equal(tree.where('jails', 'sshd'), { file: 'f.yaml', line: 3, column: 9, option: 'jails.sshd' })
  assert.equal(tree.whereKey('jails', 'sshd'), { file: 'f.yaml', line: 3, column: 3, option: 'jails.sshd' })
  assert.equal(tree.where('jails', 'web', 'list', 1), {
    file: 'f.yaml',
    line: 5,
    column: 15,
    option: 'jails.web.list[1]',
  })
  // The nearest place that is known stands for what is not there.
  assert.equal(tree.where('jails', 'web', 'other'), { file: 'f.yaml', line: 4, column: 3, option: 'jails.web.other' })
  assert.equal(tree.at('jails', 'web').where('list', 0).option, 'jails.web.list[0]')
  assert.is(tree.at('jails', 'none', 'deeper').value, undefined)
})

test('an empty file is an empty map', () => {
  for (const text of ['', '\n', '# only a comment\n', '---\n']) assert.equal(parseYaml(text, 'f').value, {})
})

test('keys are what was written', () => {
  assert.equal(parseYaml('404: a\n08: b\ntrue: c\n~: d\n', 'f').keys(), ['404', '08', 'true', '~'])
})

test('what is refused has a place', () => {
  const nested = `${'['.repeat(40)}${']'.repeat(40)}`
  const cases: [text: string, message: RegExp][] = [
    ['a: 1\na: 2\n', /^f:2:1: not valid YAML: map keys must be unique/],
    ['a: "x\n', /^f:2:1: not valid YAML/],
    ['a: [1, 2\nb: 3\n', /^f:\d+:\d+: not valid YAML/],
    ['a:\n\t- 1\n', /^f:2:1: a tab cannot indent/],
    ['a: &x 1\nb: *x\n', /^f:2:4: aliases are not read: write the value out instead of \*x/],
    ['a: 1\n---\nb: 2\n', /^f:2:1: one document a file/],
    ['a: !!js/function x\n', /^f:1:4: not valid YAML: unresolved tag/],
    ['[a, b]: 1\n', /^f:1:1: a key must be plain text/],
    ['{a: 1}: 1\n', /^f:1:1: a key must be plain text/],
    ['ok: 1\n__proto__: { x: 1 }\n', /^f:2:1: a key cannot be called __proto__/],
    [`a:\n  ${nested}`, /^f:2:\d+: nested deeper than 32 levels/],
    [nested, /nested deeper/],
    ['- '.repeat(10_000), /nested deeper/],
    ['? '.repeat(10_000), /nested deeper/],
    ['{a: '.repeat(10_000), /nested deeper/],
    [Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), /^f:\d+:\d+: nested deeper/],
    ['['.repeat(200_000), /nested deeper/],
    ['x'.repeat((1 << 20) + 1), /^f: larger than 1 MiB/],
  ]
  for (const [text, message] of cases) {
    let thrown: unknown
    try {
      parseYaml(text, 'f')
    } catch (error) {
      thrown = error
    }
    assert.instance(thrown, BailiffError, text.slice(0, 40))
    assert.match(describeError(thrown), message)
  }
})

test('aliases cannot multiply', () => {
  const bomb = ['a0: &a0 [x, x]', ...Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`)]
  assert.throws(() => parseYaml(bomb.join('\n'), 'f'), /aliases are not read/)
})

test('no text makes it fail in another way, nor changes what objects are', () => {
  const piece = fc.constantFrom(
    'a',
    ':',
    ' ',
    '\n',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '&x',
    '*x',
    '!',
    '|',
    '>',
    '#',
    '__proto__',
    '\t',
    '?',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece, { maxLength: 40 }).map((parts) => parts.join('')),
      ),
      (text) => {
        try {
          const tree = parseYaml(text, 'f')
          for (const place of tree.places()) assert.ok((place.at.line ?? 0) >= 1)
        } catch (error) {
          assert.instance(error, BailiffError)
        }
        assert.is(Object.keys(Object.prototype).length, 0)
      },
    ),
    { numRuns: 500 },
  )
})

test.run()
