import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { table, type Cell } from '../../../core/cli/table.ts'
import { cutToWidth, textWidth } from '../../../core/cli/text-width.ts'
import { suite } from '../../suite.ts'

const test = suite('tables')

test('what a text takes on a terminal', () => {
  const cases: [text: string, columns: number][] = [
    ['', 0],
    ['plain text', 10],
    ['grüße', 5],
    ['日本語', 6],
    ['e\u0301', 1],
    ['a\u200bb', 2],
    ['🎉', 2],
    ['👩‍👩‍👧', 2],
    ['ｆｕｌｌ', 8],
    ['한국', 4],
    ['…', 1],
  ]
  for (const [text, columns] of cases) assert.is(textWidth(text), columns, JSON.stringify(text))
})

test('a text is cut between characters, with a sign that it was', () => {
  const cases: [text: string, columns: number, cut: string][] = [
    ['short', 5, 'short'],
    ['longer', 5, 'long…'],
    ['日本語', 6, '日本語'],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
    ['👩‍👩‍👧👩‍👩‍👧', 3, '👩‍👩‍👧…'],
    ['x', 0, ''],
    ['xy', 1, '…'],
  ]
  for (const [text, columns, cut] of cases) assert.is(cutToWidth(text, columns), cut)
})

test('columns are as wide as they need, numbers to the right', () => {
  assert.is(
    table(
      ['JAIL', 'BANNED'],
      [
        ['sshd', 3],
        ['nginx-botsearch', 12],
      ],
      Infinity,
    ),
    'JAIL             BANNED\nsshd                  3\nnginx-botsearch      12',
  )
})

test('the widest texts give way, numbers and narrow columns never', () => {
  const rows = [['sshd', 123_456_789, '/var/log/a/very/long/path/to/some.log', 'reading']]
  assert.equal(table(['JAIL', 'LINES', 'LOG', 'STATE'], rows, 44).split('\n'), [
    'JAIL  LINES      LOG                 STATE',
    'sshd  123456789  /var/log/a/very/l…  reading',
  ])
})

test('no control byte, no line too long, nothing lost where there is room: whatever stands in the cells', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 30 })
  const cell = fc.oneof<fc.Arbitrary<Cell>[]>(text, fc.nat(), fc.string({ unit: 'binary', maxLength: 20 }))
  const rows = fc.array(fc.tuple(cell, cell, cell), { maxLength: 6 })
  fc.assert(
    fc.property(rows, fc.integer({ min: 40, max: 120 }), (given, columns) => {
      const lines = table(['ONE', 'TWO', 'THREE'], given, columns).split('\n')
      assert.is(lines.length, given.length + 1)
      for (const line of lines) {
        assert.ok(textWidth(line) <= columns, `${textWidth(line)} > ${columns}: ${line}`)
        assert.not.match(line, /\p{Cc}/u)
      }
      assert.not.match(table(['ONE', 'TWO', 'THREE'], given, Infinity), /\p{Cc}(?<!\n)/u)
    }),
  )
})

test.run()
