/** Every character against Python: its classes, and which others it matches when case is ignored. */
import { execFileSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import { ignoringCase, spaceRanges } from '../../../../core/matching/character-sets.ts'
import { characterNamed } from '../../../../core/matching/character-names.ts'
import type { CharacterRange } from '../../../../core/matching/pattern-tree.ts'
import { lowerCase, unicodeDigits, unicodeWord } from '../../../../core/matching/unicode-tables.ts'
import { suite } from '../../../suite.ts'

const test = suite('characters as Python knows them', 'python3')

interface Known {
  readonly version: string
  readonly word: readonly CharacterRange[]
  readonly digit: readonly CharacterRange[]
  readonly space: readonly CharacterRange[]
  readonly lower: readonly (readonly [code: number, lower: number])[]
  /** For each character that has a case: all that it matches. */
  readonly same: readonly (readonly [code: number, same: readonly number[]])[]
}

const program = `
import _sre, json, re, unicodedata
every = ''.join(chr(code) for code in range(0x110000))
def ranges(expression):
    return [{'from': one.start(), 'to': one.end() - 1} for one in re.finditer(expression, every)]
lower = [(code, _sre.unicode_tolower(code)) for code in range(0x110000) if _sre.unicode_tolower(code) != code]
cased = sorted({code for pair in lower for code in pair} | {code for code in range(0x110000) if _sre.unicode_iscased(code)})
text = ''.join(map(chr, cased))
same = [(code, [ord(c) for c in re.findall('(?i)' + re.escape(chr(code)), text)]) for code in cased]
print(json.dumps(dict(version=unicodedata.unidata_version, word=ranges(r'\\w+'), digit=ranges(r'\\d+'),
  space=ranges(r'\\s+'), lower=lower, same=same)))
`

test('letters, digits and white space are those of Python 3.11', () => {
  const known = askPython()
  // A Python with a newer Unicode knows more of them.
  if (known.version !== '14.0.0') return
  assert.equal(unicodeWord, known.word)
  assert.equal(unicodeDigits, known.digit)
  assert.equal(spaceRanges, known.space)
})

test('every character matches the same others when case is ignored', () => {
  const known = askPython()
  if (known.version !== '14.0.0') return
  for (const [code, lower] of known.lower) assert.is(lowerCase(code), lower)
  for (const [code, same] of known.same) {
    const ours = ignoringCase([{ from: code, to: code }], false).flatMap(({ from, to }) =>
      Array.from({ length: to - from + 1 }, (_, index) => from + index),
    )
    assert.equal(ours, same, `U+${code.toString(16)}`)
  }
  assert.ok(known.same.length > 2000)
})

test('every name of a character is known, and no other', () => {
  const program = `
import json, unicodedata
names = [(unicodedata.name(chr(code), None), code) for code in range(0x110000)]
print(json.dumps([unicodedata.unidata_version, [pair for pair in names if pair[0]]]))
`
  const answer = execFileSync('python3', ['-c', program], { encoding: 'utf8', maxBuffer: 1 << 28 })
  const [version, names] = JSON.parse(answer) as [string, [name: string, code: number][]]
  if (version !== '14.0.0') return
  // Reading all names for each of them would take minutes.
  for (const [name, code] of names.filter((_, index) => index % 397 === 0)) assert.is(characterNamed(name), code, name)
  const others = {
    'line feed': 10,
    'EM DASH': 0x2014,
    NBSP: 0xa0,
    'HANGUL SYLLABLE A': 0xc544,
    'hangul syllable hih': 0xd7a3,
  }
  for (const [name, code] of Object.entries(others)) assert.is(characterNamed(name), code, name)
  for (const none of ['', 'NO SUCH', 'CJK UNIFIED IDEOGRAPH-0041', 'HANGUL SYLLABLE Q'])
    assert.is(characterNamed(none), null)
})

test.run()

function askPython(): Known {
  return JSON.parse(execFileSync('python3', ['-c', program], { encoding: 'utf8', maxBuffer: 1 << 28 })) as Known
}
