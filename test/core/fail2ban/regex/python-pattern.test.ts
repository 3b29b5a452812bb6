/** Expressions against Python's own `re`: what it refuses, and the spans of all groups of what it finds. */
import * as assert from 'uvu/assert'
import { Machine } from '../../../../core/fail2ban/regex/machine.ts'
import { compilePython, type PythonMatch, type PythonPattern } from '../../../../core/fail2ban/regex/python-pattern.ts'
import { BailiffError } from '../../../../core/errors.ts'
import { PatternError } from '../../../../core/matching/pattern-error.ts'
import { parsePattern, pythonSyntax } from '../../../../core/matching/pattern-parser.ts'
import { children, type PatternNode } from '../../../../core/matching/pattern-tree.ts'
import { suite } from '../../../suite.ts'
import { bentExpression, chanceExpression, chanceText, seededDice, type Dice } from './chance-expressions.ts'
import { bentText, textOf } from './texts-of-patterns.ts'
import { RealPython, type Span, type Trial, type Verdict } from './real-python.ts'

const test = suite('expressions of Python', 'python3')
const place = { list: 'failregex', index: 0 } as const

/** Written by hand: what the two languages do differently, each with texts that show it. */
const facts: readonly (readonly [pattern: string, ...texts: string[]])[] = [
  ['(?:(a)|b)*', 'ab', 'ba', 'aab', ''],
  ['(?:(a)|(b))+', 'ab', 'aba'],
  ['(?:(a)|b)*\\1', 'aba', 'abb', 'b'],
  ['(a)?b\\1', 'b', 'aba', 'ab'],
  ['(?:|a)+', 'a', ''],
  ['(?:a|(?=b)(c)?)*b', 'aab', 'b'],
  ['(a*)*', 'aa', 'b', ''],
  ['(a*)+?b', 'aab'],
  ['^(<)?(\\w+@\\w+(?:\\.\\w+)+)(?(1)>|$)', '<u@h.de>', 'u@h.de', '<u@h.de', 'u@h.de>'],
  ['(?P<q>[\'"])?a(?(q)(?P=q)|b)', '"a"', 'ab', '\'a"', 'a'],
  ['(?(2)x|y)(a)(b)', 'yab', 'xab'],
  ['(?:(?(1)x|y)(a))+', 'yaxa', 'yaya'],
  ['(a(?(1)b|c))', 'ac', 'ab'],
  ['(?i)(k)\\1', 'kK', 'k\u212a', 'ks'],
  ['(?ai)k\\u017f', 'K\u017f', '\u212a\u017f'],
  ['(?i)straße|ǆ', 'STRAßE', 'straẞe', 'ǅ', 'Ǆ'],
  ['(?i)[^k]', 'K', '\u212a', 'a'],
  ['(?i:a)(?-i:b)(?i-s:c.)', 'ABC\n', 'AbCd', 'abcd'],
  ['a$', 'a', 'a\n', 'a\n\n', 'ab'],
  ['(?m)a$', 'a\nb', 'b\na'],
  ['a\\Z', 'a', 'a\n'],
  ['(?:^a$\\n?)+', 'a\n', 'a'],
  ['\\s+$', 'a \n', 'a\n', 'a'],
  ['(a$)|b', 'a\n', 'ab'],
  ['\\B', '', 'a', '.'],
  ['\\b', '', 'a', 'é', '\u0301'],
  ['^.$', '😀', 'ab', '\u2028', '\r', '\n'],
  ['[^a]', '😀', 'a'],
  ['(?!a)', '😀', 'a'],
  ['\\w+', 'é٣²', 'ー', 'a\u0301', '_', '𝒳'],
  ['(?ai)[𐐀-𐐧é-\\U00010000]|[𐑀-𐑏]', '𐐨', '𐐀', 'µ', 'É', '𐐘', '\u212a'],
  ['(?a)\\w+|\\s', 'é1', '\x1c', '\xa0'],
  ['\\d+', '٣1', '²', '①'],
  ['\\s', '\x1c', '\ufeff', '\x85', '\u180e'],
  ['(?>a|ab)c', 'abc', 'ac'],
  ['(?:a|ab)*+c', 'abc', 'aac'],
  ['a{,2}b', 'aaab', 'b'],
  ['a{2}{', 'aa{', 'a{2}{'],
  ['(?x) a b # c \\\n d\n [ ]', 'ab ', 'abd '],
  ['(?#a\\)b)c', 'c', 'b)c'],
  ['(?<=(?:ab|cd))e', 'abe', 'ae'],
  ['(a)(?<=\\1)b', 'ab'],
  ['(?<!a|b)c', 'ac', 'c', '😀c'],
  ['(?=(a+))a*b\\1', 'baaabac', 'aba'],
  ['(?=(a))?b', 'b', 'ab'],
  ['(?!(a))b', 'b'],
  ['\\x41\\u0042\\U00000043\\104\\0', 'ABCD\0'],
  ['[]a]+[^]a]', ']ab', 'ba'],
  ['a{1000}', 'a'.repeat(1001), 'a'.repeat(999)],
  ['(?P<ä>a)(?P=ä)', 'aa'],
  ['\\N{EM DASH}[\\N{digit zero}-\\N{DIGIT NINE}]', '\u20147', '-7'],
]

/** What Python refuses. */
const refused = String.raw`
  ( ) [ a** *a ^* a{2,1} \q [\q] \8 (?P<1>a) (?P<a>b)(?P<a>c) (?P=a) (?<=a*)b (?<=a|bc)d (a\1) (?<=(a)\1) (?(1)a|b) (?(0)a)
  (?(x)a) (a)(?(1)a|b|c) [z-a] [\w-a] a(?i) (?i (?-i) (?i-i:a) (?a-u:b) (?au) (?a)(?u) (?L)a (?z) (?<n>a) (?P>a) (?#a
  \x4 \u123 \U00110000 \400 [\400] a{4294967295} (?t)a* a|(?i)b (?:a)(?i) a{1}{2} a*?? \N{NO} \N{EM \N (?i-:a)( (?P<a (?(1 a\
`
  .trim()
  .split(/\s+/)

test('what the two languages do differently comes out as in Python', async () => {
  const trials = facts.map(([pattern, ...texts]) => ({ pattern, texts }))
  await compare(trials, (trial, verdict) => {
    if (!('found' in verdict)) assert.unreachable(`Python refuses ${trial.pattern}`)
  })
})

test('what Python refuses is refused, with its place', async () => {
  await compare(
    refused.map((pattern) => ({ pattern, texts: [] })),
    (trial, verdict) => {
      assert.ok('refused' in verdict, trial.pattern)
      const error = refusalOf(trial)
      assert.ok(error !== null && error.position >= 0 && error.position <= trial.pattern.length, trial.pattern)
    },
  )
})

test('expressions of chance are refused or match as Python says, with the spans of all groups', async () => {
  const counts = { found: 0, refused: 0, own: 0 }
  for (let block = 0; block < 3; block++) {
    const trials = Array.from({ length: 350 }, (_, index) => chanceTrial(block * 350 + index))
    await compare(trials, (trial, verdict) => {
      if ('refused' in verdict) counts.refused++
      if (!('found' in verdict)) return
      counts.found += verdict.found.filter((one) => one !== null).length
      if (compiled(trial).ownMachine !== null) counts.own++
    })
  }
  assert.ok(counts.found > 4000 && counts.refused > 120 && counts.own > 80, JSON.stringify(counts))
})

test('the front of an expression ends where the rest of the line begins, with the same groups', () => {
  const counts = { lines: 0, found: 0 }
  for (let seed = 0; seed < 1500; seed++) {
    const dice = seededDice(seed)
    const pattern = `^(?P<first>${chanceExpression(dice)})(?P<rest>.+)$`
    if (refusalOf({ pattern, texts: [] }) !== null) continue
    const whole = compiled({ pattern, texts: [] })
    const front = whole.front('rest')
    assert.ok(front, pattern)
    const texts = Array.from({ length: 6 }, () => textOf(treeOf({ pattern, texts: [] }), dice).slice(0, 60))
    for (const text of [...texts, chanceText(dice)]) {
      const line = `${text.replace(/[^\0-\x7f]|\n/g, 'x')}\n`
      const [found, begun] = [searchOrNothing(whole, line), searchOrNothing(front, line)]
      counts.lines++
      if (found === null) assert.is(begun, null, `${pattern} in ${line}`)
      else {
        assert.equal(line.slice((begun?.end ?? 0) - 1, -1), found.named.at(-1), `${pattern} in ${line}`)
        assert.equal(begun?.named, found.named.slice(0, -1), `${pattern} in ${line}`)
        counts.found++
      }
    }
  }
  assert.ok(counts.found > 2000, JSON.stringify(counts))
})

test('only an expression that ends in all the rest of a line has a front', () => {
  const front = (pattern: string) => compiled({ pattern, texts: [] }).front('rest')
  for (const pattern of ['a(?P<rest>.+)$', '(?P<a>a)(?P<rest>(?:.+))$']) assert.ok(front(pattern), pattern)
  for (const pattern of [
    'a(?P<rest>.+)',
    'a(?P<rest>.*)$',
    'a(?P<rest>.+?)$',
    'a(?P<rest>\\S+)$',
    'a(?P<other>.+)$',
    '(?s)a(?P<rest>.+)$',
    '(?m)a(?P<rest>.+)$',
    'a(?P<rest>.+)\\Z',
    'a|b(?P<rest>.+)$',
    'a(?P<rest>.+)b$',
  ])
    assert.is(front(pattern), null, pattern)
})

test('a search that does not end is given up, and says so', () => {
  for (const pattern of ['^(?:(?:a|a)b?)*c$', '(?i)(x*)\\1(?:(?:a|a)b?)*c']) {
    const machine = new Machine(parsePattern(pattern, place, pythonSyntax), 1)
    try {
      machine.search('a'.repeat(64))
      assert.unreachable('it ends')
    } catch (error) {
      assert.instance(error, BailiffError)
      assert.match((error as BailiffError).message, 'without an end')
    }
    assert.is(machine.search('b'), null, 'the next text is searched')
  }
})

test('no text is too long for the machine', () => {
  const machine = new Machine(parsePattern('^(?:(a)|(b))*c', place, pythonSyntax), 2)
  assert.is(machine.search('ab'.repeat(50_000)), null)
  assert.equal(machine.search(`${'ab'.repeat(50_000)}c`), [
    [0, 100_001],
    [99_998, 99_999],
    [99_999, 100_000],
  ])
})

test.run()

/** Null also where it is given up. */
function searchOrNothing(pattern: PythonPattern, line: string): PythonMatch | null {
  try {
    return pattern.search(line, true)
  } catch (error) {
    if (error instanceof BailiffError) return null
    throw error
  }
}

function chanceTrial(seed: number): Trial {
  const dice = seededDice(seed)
  const expression = chanceExpression(dice)
  const pattern = dice(5) === 0 ? bentExpression(expression, dice) : expression
  const multiline = dice(8) === 0
  const texts = Array.from({ length: 8 }, () => chanceText(dice))
  return { pattern, multiline, texts: [...texts, ...textsAlong({ pattern, multiline, texts }, dice)] }
}

/** Texts that go along the pattern, some of them bent. */
function textsAlong(trial: Trial, dice: Dice): string[] {
  if (refusalOf(trial) !== null) return []
  return Array.from({ length: 5 }, (_, index) => {
    const text = textOf(treeOf(trial), dice).slice(0, 60)
    return index % 2 === 0 ? text : bentText(text, dice)
  })
}

/** Asks Python about the trials, and compares what it says with ours; then lets `look` at each. */
async function compare(trials: readonly Trial[], look: (trial: Trial, verdict: Verdict) => void): Promise<void> {
  const python = new RealPython()
  try {
    const [verdicts, bug] = [await python.ask(trials), await python.hasPossessiveBug()]
    trials.forEach((trial, index) => {
      const verdict = verdicts[index] ?? { slow: true }
      if ('refused' in verdict) assert.ok(refusalOf(trial), `${trial.pattern}: Python says ${verdict.refused}`)
      if ('found' in verdict && !(bug && hasPossessive(treeOf(trial)))) compareFound(trial, verdict)
      look(trial, verdict)
    })
  } finally {
    python.end()
  }
}

function compareFound(trial: Trial, { names, groups, found }: Extract<Verdict, { found: unknown }>): void {
  const [named, all] = [compiled(trial), compiled(trial, true)]
  assert.equal(named.names, names, trial.pattern)
  assert.is(named.groups, groups, trial.pattern)
  const machine = new Machine(treeOf(trial), groups)
  trial.texts.forEach((text, index) => {
    const told = `${trial.multiline ? '(?m)' : ''}${trial.pattern} in ${JSON.stringify(text)}`
    const spans = found[index] ?? null
    assert.equal(machine.search(text), spans, `machine: ${told}`)
    assert.equal(all.spans(text), spans, `V8 with all groups: ${told}`)
    compareNamed(named, treeOf(trial), text, spans, told)
  })
}

function compareNamed(
  pattern: PythonPattern,
  tree: PatternNode,
  text: string,
  spans: readonly Span[] | null,
  told: string,
) {
  const match = pattern.search(text)
  assert.is(pattern.test(text), match !== null, told)
  const [whole] = spans ?? []
  assert.equal(match && [match.start, match.end], whole ?? null, told)
  if (match === null) return
  const texts = groupNumbers(tree).map((number) => {
    const span = spans?.[number]
    return span ? text.slice(...span) : undefined
  })
  assert.equal(match.named, texts, told)
  const first = pattern.firstCharacters
  assert.ok(first === null || first.includes(text[0] ?? 'none'), `${first}: ${told}`)
  const begins = pattern.begins ?? ['']
  assert.ok(
    begins.some((begin) => text.startsWith(begin)),
    `${begins.join(', ')}: ${told}`,
  )
  const found = text.slice(match.start, match.end)
  assert.ok(found.includes(pattern.laterLiteral ?? ''), `${pattern.laterLiteral}: ${told}`)
  for (const name of pattern.filled) assert.ok(match.named[pattern.names.indexOf(name)], `${name}: ${told}`)
  const literals = pattern.literals ?? ['']
  assert.ok(
    literals.some((literal) => text.slice(match.start, match.end).includes(literal)),
    `${literals.join(', ')}: ${told}`,
  )
}

/** The numbers of the groups that have a name. */
function groupNumbers(node: PatternNode): number[] {
  const own = node.type === 'group' && node.tag !== null ? [node.number] : []
  return [...own, ...children(node).flatMap(groupNumbers)]
}

function hasPossessive(node: PatternNode): boolean {
  return (node.type === 'repeat' && node.kind === 'possessive') || children(node).some(hasPossessive)
}

function treeOf({ pattern, multiline = false }: Trial): PatternNode {
  return parsePattern(pattern, place, { ...pythonSyntax, multiline })
}

function compiled({ pattern, multiline = false }: Trial, allGroups = false): PythonPattern {
  return compilePython(pattern, { place, multiline, allGroups })
}

function refusalOf(trial: Trial): PatternError | null {
  try {
    compiled(trial)
    return null
  } catch (error) {
    if (error instanceof PatternError) return error
    throw error
  }
}
