import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { importViolations, nameViolations, pluginViolations, privateWords, reachViolations } from './structure-rules.ts'
import { suite } from './suite.ts'

const test = suite('structure')
const root = fileURLToPath(new URL('../../', import.meta.url))
const files = sourceFiles()
const tree = new Map(
  files
    .filter((file) => /^(?:core|plugins|matchers)\/.*\.(?:ts|m?js)$/.test(file))
    .map((file) => [file, readFileSync(join(root, file), 'utf8')]),
)

test('rooms, plugins and matchers meet only through the contracts', () => {
  assert.equal(importViolations(tree), [])
})

test('workers and the firewall helper load nothing that is not theirs', () => {
  assert.equal(reachViolations(tree), [])
})

test('a plugin is named as its file, and has a test of its name', () => {
  assert.equal(pluginViolations(files), [])
})

test('the name of a file says what is in it', () => {
  assert.equal(nameViolations(files), [])
})

test('nothing names a place of one machine, or a registry', () => {
  // This test and its rules name what they look for.
  const others = files.filter((file) => !file.startsWith('test/structure') && statSync(join(root, file)).size < 4 << 20)
  assert.equal(
    others.flatMap((file) => privateWords(file, readFileSync(join(root, file), 'utf8'))),
    [],
  )
})

test('a forbidden import is found', () => {
  const cases: [file: string, text: string, found: string[]][] = [
    ['core/judging/a.ts', "import { x } from '../store/b.ts'", ['core/judging/a.ts imports core/store/b.ts']],
    ['core/judging/a.ts', "import type { X } from '../store/b.ts'", ['core/judging/a.ts imports core/store/b.ts']],
    ['core/judging/a.ts', "import {\n  x,\n  y,\n} from '../agent.ts'", ['core/judging/a.ts imports core/agent.ts']],
    ['core/judging/a.ts', "export * from '../store/b.ts'", ['core/judging/a.ts imports core/store/b.ts']],
    ['core/judging/a.ts', "import '../store/b.ts'", ['core/judging/a.ts imports core/store/b.ts']],
    ['core/judging/a.ts', "const x = await import('../store/b.ts')", ['core/judging/a.ts imports core/store/b.ts']],
    ['core/judging/a.ts', "import { x } from './b.ts'\nimport { y } from '../events.ts'\nimport z from 'zod'", []],
    ['core/judging/a.ts', "// import { x } from '../store/b.ts'\nconst from = 'x'", []],
    ['core/judging/deep/a.ts', "import { x } from '../b.ts'\nimport { y } from '../../errors.ts'", []],
    ['core/agent.ts', "import { x } from './store/b.ts'\nimport { y } from './judging/a.ts'", []],
    ['core/cli/run.ts', "import { x } from '../store/b.ts'", []],
    ['core/plugin.ts', "import { x } from './store/b.ts'", ['core/plugin.ts imports core/store/b.ts']],
    ['plugins/actions/a.ts', "import { x } from './b.ts'", ['plugins/actions/a.ts imports plugins/actions/b.ts']],
    ['plugins/actions/a.ts', "import { x } from '../../core/jails.ts'", ['plugins/actions/a.ts imports core/jails.ts']],
    ['plugins/actions/a.ts', "import { x } from '../../core/plugin.ts'\nimport { z } from 'zod'", []],
    ['plugins/actions/a.ts', "import { x } from './a/part.ts'", []],
    ['plugins/actions/a/part.ts', "import { x } from './other.ts'\nimport { y } from '../../../core/plugin.ts'", []],
    [
      'plugins/actions/a.ts',
      "import { x } from '../../core/errors.ts'",
      ['plugins/actions/a.ts imports core/errors.ts'],
    ],
    [
      'plugins/actions/a/part.ts',
      "import { x } from '../b/part.ts'",
      ['plugins/actions/a/part.ts imports plugins/actions/b/part.ts'],
    ],
    [
      'plugins/actions/b.ts',
      "import { x } from './a/part.ts'",
      ['plugins/actions/b.ts imports plugins/actions/a/part.ts'],
    ],
    ['plugins/examples/a/b.mjs', "import { x } from 'bailiff/plugin'\nimport { y } from './c.mjs'", []],
    [
      'plugins/examples/a/b.mjs',
      "import { x } from '../../../core/plugin.ts'",
      ['plugins/examples/a/b.mjs imports core/plugin.ts'],
    ],
    [
      'plugins/examples/a/b.mjs',
      "import { x } from '../b/c.mjs'",
      ['plugins/examples/a/b.mjs imports plugins/examples/b/c.mjs'],
    ],
    ['matchers/a/b.ts', "import { x } from '../c/index.ts'", ['matchers/a/b.ts imports matchers/c/index.ts']],
    ['matchers/a/b.ts', "import { x } from './c.ts'", []],
    ['matchers/a/b.ts', "import { x } from '../../test/suite.ts'", ['matchers/a/b.ts imports test/suite.ts']],
    ['core/store/b.ts', "import { x } from '../../../elsewhere.ts'", ['core/store/b.ts imports ../elsewhere.ts']],
    [
      'core/firewall/nftables-json/a.ts',
      "import { x } from '../../errors.ts'",
      ['core/firewall/nftables-json/a.ts imports core/errors.ts'],
    ],
  ]
  for (const [file, text, found] of cases) assert.equal(importViolations(new Map([[file, text]])), found, text)
})

test('what a worker or the helper reaches is found', () => {
  const worker = new Map([
    ['core/matching/worker.ts', "import { scan } from './scan.ts'\nimport type { J } from '../judging/judge.ts'"],
    ['core/matching/scan.ts', "import { parse } from '../address.ts'\nimport { x } from '../errors.ts'"],
    ['core/address.ts', "import { isIP } from 'node:net'"],
    ['core/errors.ts', ''],
  ])
  assert.equal(reachViolations(worker), [])
  worker.set('core/errors.ts', "import { get } from 'node:http'")
  assert.equal(reachViolations(worker), ['core/matching/worker.ts reaches node:http through core/errors.ts'])
  worker.set('core/errors.ts', "import { ban } from './judging/judge.ts'")
  assert.equal(reachViolations(worker), [
    'core/matching/worker.ts reaches core/judging/judge.ts through core/errors.ts',
  ])
  assert.equal(reachViolations(new Map([['matchers/a/index.ts', "import net from 'node:net'"]])), [
    'matchers/a/index.ts reaches node:net through matchers/a/index.ts',
  ])
  const helper = (text: string) => reachViolations(new Map([['core/firewall/main.ts', text]]))
  assert.equal(
    helper("import { x } from './messages.ts'\nimport { y } from '../address.ts'\nimport fs from 'node:fs'"),
    [],
  )
  assert.equal(helper("import type { x } from '../plugin.ts'"), [])
  assert.equal(helper("import { x } from '../plugin.ts'"), [
    'core/firewall/main.ts reaches core/plugin.ts through core/firewall/main.ts',
  ])
  assert.equal(helper("import pino from 'pino'"), ['core/firewall/main.ts reaches pino through core/firewall/main.ts'])
})

test('a plugin without a test, and a bad name, are found', () => {
  assert.equal(pluginViolations(['plugins/actions/command.ts', 'test/plugins/actions/command.test.ts']), [])
  assert.equal(pluginViolations(['plugins/actions/command.ts', 'test/plugins/notifiers/command.test.ts']), [
    'plugins/actions/command.ts has no test',
  ])
  assert.is(pluginViolations(['plugins/actions/webHook.ts']).length, 2)
  assert.is(pluginViolations(['plugins/actions/a/b.ts']).length, 2)
  assert.equal(
    pluginViolations(['plugins/actions/a.ts', 'plugins/actions/a/b.ts', 'test/plugins/actions/a.test.ts']),
    [],
  )
  assert.is(pluginViolations(['plugins/sinks/a.ts', 'test/plugins/sinks/a.test.ts']).length, 1)
  for (const name of [
    'core/utils.ts',
    'core/store/types.ts',
    'test/helpers/a.ts',
    'core/JailManager.ts',
    'core/base.test.ts',
    'core/a_b.ts',
  ])
    assert.is(nameViolations([name]).length, 1, name)
  assert.equal(
    nameViolations(['core/wanted-set.ts', 'test/core/wanted-set.test.ts', 'README.md', 'core/type-names.ts']),
    [],
  )
})

test('a place of one machine is found', () => {
  for (const text of [
    `cd ${['', 'work', 'main'].join('/')}`,
    `"${['', 'work'].join('/')}"`,
    `https://${'registry'}.npmjs.org/x`,
    '"resolved": "https://x.test/a.tgz"',
  ])
    assert.is(privateWords('a', text).length, 1, text)
  for (const text of ['/etc/work/x', './work/x', 'the work/life', '/workers', '/work-around', 'https://example.org'])
    assert.equal(privateWords('a', text), [], text)
})

test.run()

/** All files of the checkout but what is installed, built or private to git. */
function sourceFiles(): string[] {
  const skipped = /^(?:node_modules|dist[^/]*|coverage|\.git|\.demo)$/
  const walk = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      // In a further worktree of git `.git` is a file.
      if (skipped.test(entry.name)) return []
      if (entry.isDirectory()) return walk(path)
      return entry.isFile() && !entry.name.endsWith('.tgz') ? [path] : []
    })
  return walk('').toSorted()
}
