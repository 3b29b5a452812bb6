import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { BailiffError, describeError } from '../../../core/errors.ts'
import { findConfig } from '../../../core/settings/find-config.ts'
import { suite } from '../../suite.ts'
import { scratch } from './scratch.ts'

const test = suite('find config')
const moduleUrl = new URL('../../../core/settings/find-config.js', import.meta.url).href

async function refusal(file: string | undefined, folders: readonly string[] = []): Promise<BailiffError> {
  try {
    await findConfig(file, folders)
  } catch (error) {
    assert.instance(error, BailiffError, String(error))
    return error as BailiffError
  }
  throw new Error('nothing was refused')
}

test('the given file, or the first folder that has one', async () => {
  const folder = scratch({ 'a/other.yaml': 'x: 1', 'b/bailiff.yaml': 'b: 1', 'c/bailiff.yaml': 'c: 1' })
  const folders = ['a', 'b', 'c'].map((name) => join(folder, name))
  assert.equal(await findConfig(undefined, folders), { file: join(folder, 'b/bailiff.yaml'), text: 'b: 1' })
  assert.equal(await findConfig(join(folder, 'c/bailiff.yaml'), folders), {
    file: join(folder, 'c/bailiff.yaml'),
    text: 'c: 1',
  })
})

test('no folder above is looked at, and no other name', async () => {
  const folder = scratch({ 'bailiff.yaml': 'above: 1', 'a/b/.bailiffrc': 'x: 1', 'a/b/bailiff.json': '{}' })
  const error = await refusal(undefined, [join(folder, 'a/b')])
  assert.is(error.kind, 'no-input')
  assert.match(error.message, join(folder, 'a/b'))
  assert.match(error.hint ?? '', '--config')
})

test('an empty file is an empty text', async () => {
  const folder = scratch({ 'bailiff.yaml': ' \n' })
  assert.equal(await findConfig(undefined, [folder]), { file: join(folder, 'bailiff.yaml'), text: '' })
})

test('any name will do for a given file, but programs are never run', async () => {
  const folder = scratch({ 'x.conf': 'a: 1', 'x.json': '{"a": 1}', noending: 'a: 1' })
  for (const name of ['x.conf', 'x.json', 'noending'])
    assert.match((await findConfig(join(folder, name), [])).text, 'a', name)
  for (const ending of ['js', 'cjs', 'mjs', 'ts']) {
    const trap = scratch({ [`x.${ending}`]: "require('fs').writeFileSync(__filename + '.ran', '')" })
    const error = await refusal(join(trap, `x.${ending}`))
    assert.match(error.message, /data, not a program/)
    assert.not(existsSync(join(trap, `x.${ending}.ran`)))
  }
})

test('what cannot be read says why', async () => {
  const folder = scratch({ 'package.yaml': 'bailiff: { a: 1 }' })
  mkdirSync(join(folder, 'folder.yaml'))
  assert.match(describeError(await refusal(join(folder, 'none.yaml'))), /none\.yaml: .*there is no such file/)
  assert.is((await refusal(join(folder, 'none.yaml'))).kind, 'no-input')
  assert.match(describeError(await refusal(join(folder, 'folder.yaml'))), /it is a folder/)
  assert.match(describeError(await refusal(join(folder, 'package.yaml'))), /cannot be called "package"/)
})

test('nothing is imported by $import', async () => {
  const folder = scratch({
    'bailiff.yaml': '$import: [./evil.js, ./other.yaml]\na: 1',
    'evil.js': "require('fs').writeFileSync(__dirname + '/ran', '')",
    'other.yaml': 'b: 1',
  })
  assert.is((await findConfig(undefined, [folder])).text, '$import: [./evil.js, ./other.yaml]\na: 1')
  assert.not(existsSync(join(folder, 'ran')))
})

// cosmiconfig itself would obey each of these in the working directory.
const traps: readonly [name: string, text: string][] = [
  ['.config/config.js', "require('fs').writeFileSync(process.env.RAN, ''); module.exports = { cosmiconfig: {} }"],
  ['.config/config.cjs', "require('fs').writeFileSync(process.env.RAN, ''); module.exports = { cosmiconfig: {} }"],
  ['package.json', '{"cosmiconfig": {"searchPlaces": ["stolen.yaml"], "mergeSearchPlaces": false}}'],
  ['package.yaml', 'cosmiconfig: { loaders: { ".yaml": x } }'],
  ['.config/config.json', '{"cosmiconfig": {"searchPlaces": ["stolen.yaml"]}}'],
  ['.config/config.yaml', 'cosmiconfig: { searchStrategy: global }'],
]

for (const [name, text] of traps) {
  test(`the working directory is not looked at: ${name}`, () => {
    const folder = scratch({ [name]: text, 'etc/bailiff.yaml': 'right: 1', 'stolen.yaml': 'wrong: 1' })
    const ran = join(folder, 'ran')
    const script = `
      const { findConfig } = await import(${JSON.stringify(moduleUrl)})
      const { text } = await findConfig(undefined, [${JSON.stringify(join(folder, 'etc'))}])
      console.log(text, process.cwd())`
    const output = inFolder(folder, script, { RAN: ran })
    assert.is(output, `right: 1 ${folder}\n`)
    assert.not(existsSync(ran))
  })
}

test('the trap would spring without the precaution', () => {
  const folder = scratch({
    '.config/config.js': "require('fs').writeFileSync(process.env.RAN, ''); module.exports = {}",
  })
  const ran = join(folder, 'ran')
  const cosmiconfig = import.meta.resolve('cosmiconfig')
  inFolder(folder, `(await import(${JSON.stringify(cosmiconfig)})).cosmiconfig('bailiff')`, { RAN: ran })
  assert.ok(existsSync(ran))
})

test('a working directory that is gone does no harm', () => {
  const folder = scratch({ 'etc/bailiff.yaml': 'right: 1', 'gone/x': '' })
  const script = `
    import { rmSync } from 'node:fs'
    rmSync(${JSON.stringify(join(folder, 'gone'))}, { recursive: true })
    const { findConfig } = await import(${JSON.stringify(moduleUrl)})
    console.log((await findConfig(undefined, [${JSON.stringify(join(folder, 'etc'))}])).text)`
  assert.is(inFolder(join(folder, 'gone'), script, {}), 'right: 1\n')
})

test.run()

/** Runs a module in a process of its own, with this working directory. Returns what it printed. */
function inFolder(cwd: string, script: string, env: Readonly<Record<string, string>>): string {
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 30_000,
  })
}
