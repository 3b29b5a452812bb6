/** Small functions of the reader give what those of the installed Fail2ban give, for made-up texts of all kinds. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { BailiffError } from '../../../../core/errors.ts'
import { OptionSyntaxError, splitList, splitOptions, splitWords } from '../../../../core/fail2ban/tree/option-syntax.ts'
import type { CommandValue } from '../../../../core/fail2ban/tree/command.ts'
import { pathsOf } from '../../../../core/fail2ban/tree/path-pattern.ts'
import { prettyLiteral } from '../../../../core/fail2ban/tree/pretty-literal.ts'
import { pythonJson, pythonLiteral, strip, wholeNumber } from '../../../../core/fail2ban/tree/python-text.ts'
import { shellWords } from '../../../../core/fail2ban/tree/shell-words.ts'
import { substituteTags } from '../../../../core/fail2ban/tree/tags.ts'
import { timeText } from '../../../../core/fail2ban/tree/time-text.ts'
import { comparedIs } from '../../../compared-fail2ban.ts'
import { suite } from '../../../suite.ts'
import { RealReader } from './real-reader.ts'

const test = suite('functions of the real reader', 'fail2ban-regex')
const runs = { numRuns: Number(process.env.BAILIFF_RUNS ?? 400) }

let real: RealReader
test.before(() => {
  real = new RealReader()
})
test.after(() => real.end())

/** Texts made of pieces that mean something to what reads them. */
const textOf = (...pieces: string[]) =>
  fc
    .array(
      fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...pieces) }, fc.string({ unit: 'binary', maxLength: 2 })),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(''))

/** Which characters are letters depends on the Unicode that a program knows; planes get new ones, these have theirs. */
function hasOldLetters(text: string): boolean {
  return !/[^\0-\uffff\u{1d400}-\u{1d7ff}\u{1f600}]/u.test(text)
}

/** For each text: both give the same, or both refuse it. */
async function same(name: string, texts: fc.Arbitrary<string>, ours: (text: string) => unknown) {
  await fc.assert(
    fc.asyncProperty(texts.filter(isWellFormed), async (text) => {
      assert.equal(
        outcomeOf(() => ours(text)),
        refusalOr(await real.ask(name, text)),
        JSON.stringify(text),
      )
    }),
    runs,
  )
}

const times = textOf(
  '1',
  '30',
  '0',
  '1.5',
  '.5',
  ' ',
  '\n',
  's',
  'sec',
  'm',
  'min',
  'mm',
  'h',
  'hou',
  'd',
  'da',
  'w',
  'wee',
  'mo',
  'month',
  'months',
  'y',
  'Year',
  'D',
  '+',
  '-',
  '*',
  '/',
  '//',
  '%',
  '**',
  '(',
  ')',
  'e',
  'x',
  '_',
  '1d',
  '2w ',
  '10m',
  '-1',
)
test('time text', () =>
  same(
    'time',
    times.filter((text) => !/[^\\n -~]|\*\*[^a-z]*[^a-z]*\d\d|[&|^~@<>=!,#\\:;[\]{}'"]|\bj\b/.test(text)),
    (text) => timeText(text),
  ))

const names = comparedIs('1.1.1') ? 'families' : 'plain'
const options = textOf(
  'name',
  '[',
  ']',
  'a=',
  'b-c=',
  'd.e=',
  'b',
  '1',
  '"',
  "'",
  ',',
  ' ',
  '\n',
  '=',
  'x y',
  'a="b,c"',
  "b='d]e'",
  '][',
  '] [',
  'é',
  '𝒳',
).filter(hasOldLetters)
test('a name with options', () =>
  same('options', options, (text) => {
    const { name, options: given } = splitOptions(text, names)
    return [name, [...given]]
  }))
test('a list of names with options', () => same('list', options, (text) => splitList(text, names)))
test('words of a list', () =>
  same('words', textOf('a', '192.0.2.7', ',', ' ', '\n', '\t', '\x1f', '\u2003'), (text) =>
    splitWords(text, comparedIs('1.1.0')),
  ))
test('words of a shell', () =>
  same('shell', textOf('a', 'B=c', ' ', '\t', '\n', '"', "'", '\\', '+', '#', ';'), shellWords))
// Which characters are letters depends on the Unicode that a program knows; of these it is settled.
const settled = (text: string) => !/[^\0-\u02ff\u200b\u0663\u{1d7d9}\u{1f600}\u{e0001}]/u.test(text)
test('whole numbers', () =>
  same(
    'int',
    textOf('1', '0', '23', '-', '+', '_', ' ', '.', '٣', '𝟙', '\u00a0', '99999999999999999999').filter(settled),
    (text) => {
      const number = wholeNumber(text)
      if (number === null) throw new OptionSyntaxError()
      return Number(number)
    },
  ))
test('white space', () =>
  same('strip', textOf('a', ' ', '\u0085', '\ufeff', '\u001c', '\u180e', '\u2028', '\u3000'), strip))
test('what Python prints of a text', () =>
  same(
    'literal',
    textOf('a', "'", '"', '\\', '\n', '\t', '\u007f', '\u00ad', '\u200b', 'é', '😀', '\u{e0001}', '\u00a0').filter(
      settled,
    ),
    pythonLiteral,
  ))

const word = fc.string({ unit: fc.constantFrom('a', '\\', "'", 'é', '"', '😀'), maxLength: 700 })
const longText = fc
  .array(fc.tuple(word, fc.constantFrom(' ', '\n', '\t ', '\r\n', '\u2003', '')), { maxLength: 5 })
  .map((parts) => parts.flat().join(''))
const nested = fc.letrec<{ list: CommandValue[]; value: CommandValue }>((tie) => ({
  list: fc.array(tie('value'), { maxLength: 5 }),
  value: fc.oneof({ maxDepth: 3 }, longText, fc.constantFrom(true, null, 5), tie('list')),
}))
test('what Python prints of long lists', () =>
  fc.assert(
    fc.asyncProperty(nested.list, async (list) => {
      assert.equal({ value: prettyLiteral(list) }, await real.ask('pretty', list), JSON.stringify(list))
    }),
    runs,
  ))

test('what Python writes as JSON', () =>
  fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'binary' }).filter(isWellFormed)),
      async (table) => {
        assert.equal({ value: pythonJson(new Map(Object.entries(table))) }, await real.ask('json', table))
      },
    ),
    runs,
  ))

// Options that use each other in a circle, more than once each, grow for ever in the real program: that is not asked.
const around = fc.constantFrom('', 'a', 'b', '<', '>', '<a', ' ', 'x', '<HOST>', '<known/a>')
const withTags = (tags: string[], most: number) =>
  fc.array(fc.oneof(around, fc.constantFrom(...tags)), { maxLength: most }).map((parts) => parts.join(''))
const inCircle = fc
  .tuple(around, fc.constantFrom('<a>', '<b>', '<c>', '<aa>', '<ab>', 'a', '<a'), around)
  .map((parts) => parts.join(''))
const tables = fc.oneof(
  fc.record({ a: inCircle, b: inCircle, c: inCircle, aa: inCircle, ab: inCircle }, { requiredKeys: [] }),
  fc.record(
    {
      a: withTags(['<b>', '<c>', '<<c>>', '<a<ab>>', '<a?x>'], 6),
      b: withTags(['<c>', '<ab>', '<a<ab>>', '<c<ab>>'], 6),
      'a?x': withTags(['<c>', '<ab>'], 6),
      c: withTags(['<aa>', '<ab>', '<a<ab>'], 6),
      aa: withTags(['<ab>'], 6),
      ab: around,
    },
    { requiredKeys: [] },
  ),
)
test('tags', () =>
  fc.assert(
    fc.asyncProperty(tables, fc.subarray(['a', 'b', 'HOST']), async (table, ignore) => {
      const ours = outcomeOf(() =>
        Object.fromEntries(
          substituteTags(new Map(Object.entries(table)), {
            ignore: new Set(ignore),
            otherwise: () => null,
            whereIs: () => undefined,
          }),
        ),
      )
      assert.equal(ours, refusalOr(await real.ask('tags', table, ignore)), JSON.stringify(table))
    }),
    runs,
  ))

test('patterns of paths', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-glob-'))
  try {
    for (const name of ['a', 'b', 'ab', '.h', 'a]', 'a-b', '[a]', 'x.log', 'y.log.1', 'é.log'])
      writeFileSync(join(folder, name), '')
    mkdirSync(join(folder, 'in/ner'), { recursive: true })
    writeFileSync(join(folder, 'in/ner/a'), '')
    symlinkSync('nothing', join(folder, 'dangling'))
    const pieces = fc.constantFrom(
      '*',
      '?',
      '**',
      '[a-b]',
      '[!a]',
      '[]a]',
      '[b-a]',
      '[',
      ']',
      'a',
      'b',
      '.',
      '/',
      'in',
      'ner',
      '-',
      'é',
      'x.log',
      '[^a]',
      '[[]',
      'dangling',
      '\\',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 6 }), async (parts) => {
        const pattern = `${folder}/${parts.join('')}`
        assert.equal({ value: pathsOf(pattern) }, await real.ask('glob', pattern), pattern)
      }),
      runs,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()

const refused = 'refused'

function outcomeOf(make: () => unknown): unknown {
  try {
    return { value: make() }
  } catch (error) {
    if (error instanceof OptionSyntaxError) return error.message || refused
    if (error instanceof BailiffError) return refused
    throw error
  }
}

/** Of refusals only those of options have words that programs see. */
function refusalOr(answer: Awaited<ReturnType<RealReader['ask']>>): unknown {
  if (!('error' in answer)) return answer
  return /syntax/.test(answer.error) && answer.error.startsWith('ValueError: ')
    ? answer.error.slice('ValueError: '.length)
    : refused
}

/** Python takes no unpaired surrogate from JSON and back. */
function isWellFormed(text: string): boolean {
  return !/\p{Cs}/u.test(text)
}
