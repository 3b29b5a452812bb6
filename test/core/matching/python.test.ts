/** The emitted expressions against Python's own `re`: the same matches, the same groups. */
import { spawnSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { compilePattern } from '../../../core/matching/filters.ts'
import { PatternError } from '../../../core/matching/pattern-error.ts'
import { suite } from '../../suite.ts'

const test = suite('patterns as Python reads them', 'python3')

/** A pattern and the texts it is tried on. */
interface Trial {
  readonly pattern: string
  readonly texts: readonly string[]
}

/** For each text: null, or the groups by name (null: took no part). An error of Python is a text. */
type Verdict = string | (Record<string, string | null> | null)[]

const seed = 20_260_101

/** Named groups fill tags; a tag cannot stand twice here because Python has no such thing. */
const atom = (depth: number): fc.Arbitrary<string> => {
  const leaf = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'ab', 'A', '1', ' ', '\\.', '-', '_', ']', '{', '}', '/', '"') },
    { weight: 2, arbitrary: fc.constantFrom('.', '\\d', '\\w', '\\s', '\\D', '\\W', '\\S') },
    { weight: 2, arbitrary: fc.constantFrom('[ab]', '[^a]', '[a-c1]', '[]a]', '[^]a]', '[\\w.]', '[^\\s-]', '[\\W_]') },
    {
      weight: 1,
      arbitrary: fc.constantFrom('[^\\W1]', '[^\\D]', '[\\D\\s]', '[\\S]', '[a\\-z]', '[\\x41-\\x43]', '[é-ü]'),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom('é', '\\u00e9', '\\x61', '\\141', '\\t', '😀', 'ß', '(?#c)', '\\\\', '\\$'),
    },
  )
  if (depth === 0) return leaf
  const inner = alternatives(depth - 1)
  return fc.oneof(
    { weight: 5, arbitrary: leaf },
    { weight: 2, arbitrary: inner.map((text) => `(?:${text})`) },
    { weight: 2, arbitrary: inner.map((text) => `(${text})`) },
    { weight: 3, arbitrary: inner.map((text) => `(?P<NAME>${text})`) },
    { weight: 1, arbitrary: inner.map((text) => `(?>${text})`) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom('=', '!'), inner).map(([sign, text]) => `(?${sign}${text})`) },
    { weight: 1, arbitrary: fc.constantFrom('(?<=a)', '(?<!a)', '(?<=[ab]1)', '(?<!\\w)', '(?<=a|b)', '(?<=^)') },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom('i', 's', 'a', 'i-s', '-i', 'm'), inner).map(([f, t]) => `(?${f}:${t})`),
    },
    { weight: 2, arbitrary: fc.constantFrom('«\\N»', '«\\N»', '«(?(N)a|b)»', '«(?(N)\\d)»', '«(?(N)|.)»') },
  )
}

const assertion = fc.constantFrom('^', '$', '\\b', '\\B', '\\A', '\\Z')

const quantified = (depth: number) =>
  fc.oneof({ weight: 12, arbitrary: repeated(depth) }, { weight: 1, arbitrary: assertion })

const repeated = (depth: number) =>
  fc
    .tuple(
      atom(depth),
      fc.constantFrom('', '', '', '', '*', '+', '?', '{2}', '{1,}', '{,2}', '{1,3}', '{', '{a}'),
      fc.constantFrom('', '', '', '?', '+'),
    )
    .map(([item, quantifier, kind]) =>
      /^([*+?]|\{\d*,?\d*\})$/.test(quantifier) ? item + quantifier + kind : item + quantifier,
    )

function alternatives(depth: number): fc.Arbitrary<string> {
  const sequence = fc.array(quantified(depth), { minLength: 1, maxLength: 4 }).map((items) => items.join(''))
  return fc.array(sequence, { minLength: 1, maxLength: 3 }).map((branches) => branches.join('|'))
}

const pattern = fc
  .tuple(fc.constantFrom('', '', '', '', '(?i)', '(?s)', '(?x)', '(?a)', '(?m)', '(?is)'), alternatives(2))
  .map(([flags, body]) => flags + numbered(body))

const asciiLetter = fc.constantFrom('a', 'b', 'A', 'B', 'c', '1', '2', ' ', '.', '-', '_', ']', '{', '"', '\t', '\x1c')
const letter = fc.oneof(
  { weight: 4, arbitrary: asciiLetter },
  {
    weight: 1,
    arbitrary: fc.constantFrom('é', 'É', 'ß', '٣', '²', '\u2003', '\x85', '😀', 'ー', '\u0301', 'K', '\u2028'),
  },
)
const text = fc
  .oneof(fc.array(asciiLetter, { minLength: 1, maxLength: 8 }), fc.array(letter, { minLength: 1, maxLength: 8 }))
  .map((letters) => letters.join(''))

test('generated patterns match what Python says, and capture the same', () => {
  const trials = fc.sample(fc.record({ pattern, texts: fc.array(text, { minLength: 8, maxLength: 8 }) }), {
    seed,
    numRuns: 3000,
  })
  let compared = 0
  let refused = 0
  const verdicts = askPython(trials)
  trials.forEach((trial, index) => {
    const ours = judge(trial)
    const theirs = verdicts[index]
    if (typeof ours === 'string') refused++
    if (typeof theirs === 'string') {
      assert.type(ours, 'string', `Python refuses ${trial.pattern}: ${theirs}`)
    } else if (typeof ours !== 'string') {
      compared++
      assert.equal(ours, theirs, `${trial.pattern} on ${JSON.stringify(trial.texts)}`)
    }
  })
  assert.ok(compared > trials.length / 4, `${compared} compared, ${refused} refused`)
})

test('every literal and first character that was derived stands in what matches', () => {
  const trials = fc.sample(fc.record({ pattern, texts: fc.array(text, { minLength: 8, maxLength: 8 }) }), {
    seed: seed + 1,
    numRuns: 3000,
  })
  let checked = 0
  for (const trial of trials) {
    const compiled = compileOrRefuse(trial.pattern)
    if (typeof compiled === 'string') continue
    for (const one of trial.texts) {
      if (!regexpFor(compiled, one).test(one)) continue
      for (const literals of [compiled.literals ?? [''], ...compiled.otherLiterals])
        assert.ok(
          literals.some((literal) => one.includes(literal)),
          `${trial.pattern} ${one}: ${literals}`,
        )
      if (compiled.firstCharacters !== null)
        assert.ok(compiled.firstCharacters.includes(one[0] ?? ''), `${trial.pattern} ${one}`)
      checked++
    }
  }
  assert.ok(checked > 1000, `${checked} checked`)
})

test.run()

/** Gives each name a number, and makes each reference go to the last group that is closed there, if there is one. */
function numbered(body: string): string {
  const open: number[] = []
  const closed: number[] = []
  let count = 0
  const token = /\\[^]|\[\^?\]?(?:\\[^]|[^\]])*\]|«([^»]*)»|\(\?\(|\((\?P<NAME>)?(\?)?|\)/gu
  return body.replaceAll(
    token,
    (whole, reference: string | undefined, name: string | undefined, special: string | undefined) => {
      if (reference !== undefined) return closed.length > 0 ? reference.replace('N', String(closed.at(-1))) : 'a'
      if (whole === ')') {
        const number = open.pop() ?? 0
        if (number > 0) closed.push(number)
      } else if (whole.startsWith('(')) {
        open.push(special ? 0 : ++count)
        if (name) return `(?P<n${count}>`
      }
      return whole
    },
  )
}

function judge({ pattern: source, texts }: Trial): Verdict {
  const compiled = compileOrRefuse(source)
  if (typeof compiled === 'string') return compiled
  return texts.map((one) => {
    const found = regexpFor(compiled, one).exec(one)
    if (!found) return null
    return Object.fromEntries(
      compiled.groups.flatMap((name, index) => (name === null ? [] : [[name, found[index + 1] ?? null]])),
    )
  })
}

function compileOrRefuse(source: string) {
  try {
    return compilePattern(source, { list: 'failregex', index: 0 })
  } catch (error) {
    if (error instanceof PatternError) return error.message
    throw error
  }
}

function regexpFor(compiled: { ascii: string; unicode: string; flags: string }, one: string): RegExp {
  return [...one].every((character) => character < '\x80')
    ? new RegExp(compiled.ascii, compiled.flags)
    : new RegExp(compiled.unicode, `${compiled.flags}u`)
}

function askPython(trials: readonly Trial[]): Verdict[] {
  const program = `
import json, re, sys, warnings
warnings.simplefilter('ignore')
def verdict(trial):
    try:
        compiled = re.compile(trial['pattern'])
    except re.error as error:
        return str(error)
    found = [compiled.search(text) for text in trial['texts']]
    return [None if one is None else one.groupdict() for one in found]
print(json.dumps([verdict(trial) for trial in json.load(sys.stdin)]))
`
  const run = spawnSync('python3', ['-c', program], {
    input: JSON.stringify(trials),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  assert.is(run.status, 0, run.stderr)
  return JSON.parse(run.stdout) as Verdict[]
}
