import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { configTexts, mayName } from '../../../core/settings/config-texts.ts'
import { suite } from '../../suite.ts'

const test = suite('config-texts')
const folder = mkdtempSync(join(tmpdir(), 'bailiff-texts-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const places = (...names: string[]) => ({
  configFolders: names.map((name) => join(folder, name)),
  state: '/none',
  control: '/none',
})

test('the first configuration that is there counts, with what is added to it', () => {
  assert.equal(configTexts(places('a', 'b')), { folder: join(folder, 'a'), texts: [] })
  mkdirSync(join(folder, 'b/conf.d'), { recursive: true })
  writeFileSync(join(folder, 'b/bailiff.yaml'), 'jails: {}')
  assert.equal(configTexts(places('a', 'b')), { folder: join(folder, 'b'), texts: ['jails: {}'] })
  writeFileSync(join(folder, 'b/conf.d/x.yaml'), 'control: /x')
  assert.equal(configTexts(places('a', 'b')).texts, ['jails: {}', 'control: /x'])
})

test('what cannot be read may say anything', () => {
  mkdirSync(join(folder, 'c/bailiff.yaml'), { recursive: true })
  assert.is(configTexts(places('c', 'b')).texts, null)
  assert.ok(mayName('x', configTexts(places('c', 'b'))))
})

test('a word is certainly not there only where YAML has no way left to write it', () => {
  const cases: [text: string, word: string, may: boolean][] = [
    ['', 'control', false],
    ['jails: { sshd: on }', 'control', false],
    ['jails: { sshd: on }', 'sshd', true],
    ['control: /x', 'control', true],
    ['"control": /x', 'control', true],
    [String.raw`"\x63ontrol": /x`, 'control', true],
    ["'con''trol': /x", "con'trol", true],
    ['? two\n  words\n: 1', 'two words', true],
    ['jails: {}', 'two words', true],
    ['# control', 'control', true],
  ]
  for (const [text, word, may] of cases) assert.is(mayName(word, { folder, texts: [text] }), may, text)
})

test.run()
