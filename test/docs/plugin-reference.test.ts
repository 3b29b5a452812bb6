import { spawnSync } from 'node:child_process'
import { readFileSync, symlinkSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { manifestSchema } from '../../core/packages/manifest-schema.ts'
import { readPackage } from '../../core/packages/read-package.ts'
import * as plugin from '../../core/plugin.ts'
import * as testing from '../../core/testing/index.ts'
import { temporaryFolder } from '../core/cli/agent-process.ts'
import { suite } from '../suite.ts'
import { referenceText, wholePackage } from './reference-text.ts'

const test = suite('plugin reference')
const root = fileURLToPath(new URL('../../../', import.meta.url))

test('it is what the declarations say (else: npm run docs)', () => {
  const same = readFileSync(join(root, 'docs/plugin-reference.md'), 'utf8') === referenceText(join(root, 'dist'))
  assert.ok(same, 'docs/plugin-reference.md is of other declarations: npm run docs')
})

test('it has every name that there is', () => {
  const reference = readFileSync(join(root, 'docs/plugin-reference.md'), 'utf8')
  for (const name of [...Object.keys(plugin), ...Object.keys(testing)])
    assert.ok(reference.includes(`### ${name}\n`), name)
  assert.is(plugin.apiVersion, 1)
})

test('the package that it shows is accepted, and has all that a manifest can have', () => {
  const { manifest } = readPackage(JSON.stringify(wholePackage), 'package.json')
  assert.equal(manifest, wholePackage.bailiff)
  const shape = manifestSchema.shape
  assert.equal(Object.keys(wholePackage.bailiff).toSorted(), Object.keys(shape).toSorted())
  const [plugin] = wholePackage.bailiff.provides
  const provided = shape.provides.unwrap().element.shape
  assert.equal(Object.keys(plugin ?? {}).toSorted(), Object.keys(provided).toSorted())
  const capabilities = provided.capabilities.unwrap().shape
  assert.equal(Object.keys(plugin?.capabilities ?? {}).toSorted(), Object.keys(capabilities).toSorted())
})

test('plugins and their tests are checked by the compiler against the declarations of the package', () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true })
  symlinkSync(root, join(folder, 'node_modules/bailiff'))
  symlinkSync(join(root, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'))
  symlinkSync(join(root, 'node_modules/undici-types'), join(folder, 'node_modules/undici-types'))
  const right = `import { defineAction, RetryLater, apiVersion, type ActionBan } from 'bailiff/plugin'
import { actionChecks, registerChecks, ActionTester } from 'bailiff/testing'
import test from 'node:test'
const edge = defineAction<{ url: string }>({
  async ban(ban: ActionBan, host) { await fetch(host.options.url + ban.prefix, { signal: host.signal }) },
  unban({ prefix }) { if (prefix.length > apiVersion) throw new RetryLater(5) },
})
registerChecks(actionChecks(edge as never, { options: { url: 'x' } }), test)
export default edge
export const tester = ActionTester.start(edge as never)
`
  const compile = (text: string) => {
    writeFileSync(join(folder, 'edge.ts'), text)
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const words = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', 'edge.ts']
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...words], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 100_000,
    })
    return { status, stdout }
  }
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
  assert.equal(compile(right), { status: 0, stdout: '' })
  const wrong = compile(right.replace('ban.prefix,', 'ban.prefx,'))
  assert.is.not(wrong.status, 0)
  assert.match(wrong.stdout, 'prefx')
})

test.run()
