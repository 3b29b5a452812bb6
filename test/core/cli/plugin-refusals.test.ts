import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { packageFolder, packageJson, provided, tarball, tarballFile } from '../packages/made-packages.ts'
import { ok, pluginPlace } from './plugin-bed.ts'

const test = suite('bailiff plugin: refusals', 'npm')

test('a module by itself is no package, and it is said how it is used', async () => {
  const { plugin, folder } = pluginPlace()
  writeFileSync(join(folder, 'edge.mjs'), 'export default {}')
  const { code, stderr } = await plugin('add', join(folder, 'edge.mjs'))
  assert.is(code, 64)
  assert.match(
    stderr,
    /is a plugin by itself, and no package.*\n +.*named by its path in bailiff\.yaml, as in also: \[\//,
  )
})

test('what is wrong with a package is told with its place and what to do, and nothing is installed', async () => {
  const { plugin, packages } = pluginPlace()
  const cases: [files: Record<string, string>, message: RegExp][] = [
    [{ 'package.json': '{"name":"x","version":"1.0.0"}' }, /there is no manifest \(the field "bailiff"\)/],
    [
      { 'package.json': packageJson({ keywords: ['bailif-plugin'] }) },
      /"keywords" lacks bailiff-plugin.*it has "bailif-plugin"/,
    ],
    [
      { 'package.json': packageJson({}, { api: 7 }) },
      /version 7 of the plugin API, and this Bailiff has 1\.?\n +update Bailiff/,
    ],
    [
      { 'package.json': packageJson({}, { provides: [provided({ kind: 'akshun' })] }) },
      /bailiff\.provides\[0\]\.kind: must be .*not "akshun"/,
    ],
    [
      { 'package.json': packageJson({}, { provides: [provided({ capabilites: {} })] }) },
      /unknown option "capabilites"; did you mean capabilities\?/,
    ],
    [
      { 'package.json': packageJson({}, { provides: [provided({ module: '../x.mjs' })] }) },
      /module: must be a path in the package/,
    ],
    [
      { 'package.json': packageJson({}, { provides: [provided({ module: 'gone.mjs' })] }) },
      /the module "gone\.mjs" of the action edge is not in the package\n.*npm pack --dry-run/,
    ],
    [
      { 'package.json': packageJson({}, { provides: [provided({ options: { type: 'array' } })] }) },
      /options: must be a JSON Schema with "type": "object"/,
    ],
    [{ 'package.json': packageJson({}, { provides: [] }) }, /has neither plugins \(provides\) nor filters/],
    [
      { 'package.json': packageJson({}, { provides: [], filters: 'filters' }) },
      /no filter \(\.yaml\) is in the folder "filters"/,
    ],
    [
      { 'package.json': packageJson({ dependencies: { x: 'file:../x' } }) },
      /depends on "x" as "file:\.\.\/x": only versions of a registry/,
    ],
    [{ 'package.json': packageJson({ engines: { node: '>=99' } }) }, /EBADENGINE/],
  ]
  for (const [files, message] of cases) {
    const { code, stdout, stderr } = await plugin('add', tarballFile(tarball({ 'edge.mjs': '', ...files })), '--yes')
    assert.is(code, 65, stderr)
    assert.is(stdout, '')
    assert.match(stderr, message)
    assert.not.match(stderr, /\n +at /)
  }
  assert.equal(readdirSync(packages), [])
})

test('what is no package, or is not there, is told', async () => {
  const { plugin } = pluginPlace()
  const cases: [what: string, code: number, message: string][] = [
    ['./none.tgz', 66, 'there is no tarball and no folder "./none.tgz"'],
    ['--registry=x', 64, 'unknown option'],
    ['a b', 64, '"a b" is no name of a package'],
    ['edge@git+ssh://x', 64, 'is no name of a package'],
    [tarballFile(Buffer.from('no tarball')), 65, 'no package that can be installed: it cannot be unpacked'],
  ]
  for (const [what, code, message] of cases) {
    const ended = await plugin('add', what, '--yes')
    assert.is(ended.code, code, ended.stderr)
    assert.match(ended.stderr, message)
  }
  assert.match((await plugin('remove', 'edge')).stderr, 'no package "edge" is installed; none is')
})

test('two commands do not change the plugins at once, and one that was killed does not keep others from it', async () => {
  const { plugin, packages } = pluginPlace()
  ok(await plugin('add', packageFolder(), '--yes'))
  writeFileSync(join(packages, '.changing'), `${process.pid}\n`)
  mkdirSync(join(packages, '.staging-0123456789ab'))
  const { code, stderr } = await plugin('remove', 'edge')
  assert.is(code, 75)
  assert.match(stderr, `the process ${process.pid} changes the plugins just now`)
  writeFileSync(join(packages, '.changing'), '4194999\n')
  mkdirSync(join(packages, 'kept'))
  ok(await plugin('remove', 'edge'))
  assert.equal(readdirSync(packages).toSorted(), ['installed.json', 'kept'])
})

test.run()
