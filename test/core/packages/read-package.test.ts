import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import { InvalidPackage, readPackage } from '../../../core/packages/read-package.ts'
import { suite } from '../../suite.ts'
import { packageJson, provided } from './made-packages.ts'

const test = suite('manifests')

const withCapabilities = (capabilities: object) => packageJson({}, { provides: [provided({ capabilities })] })

test('a manifest is read, with what it may leave out', () => {
  const { name, version, manifest } = readPackage(packageJson(), 'package.json')
  assert.equal([name, version], ['bailiff-plugin-edge', '1.0.0'])
  assert.equal(manifest.provides, [provided()])
  const filters = readPackage(packageJson({}, { provides: undefined, filters: './filters/' }), 'package.json')
  assert.equal(filters.manifest, { api: 1, provides: [], filters: 'filters' })
  const all = {
    hosts: ['*', 'a.example.net', 'a.example.net:443', '[2001:db8::1]:443'],
    files: { read: ['/srv/a', '/srv/b/'], write: [] },
    programs: ['/usr/bin/x'],
    secrets: ['EDGE_TOKEN'],
    firewall: true,
  }
  assert.equal(readPackage(withCapabilities(all), 'x').manifest.provides[0]?.capabilities, all)
  const peers = {
    peerDependencies: { bailiff: '^0.1.0', zod: '^4', other: '1' },
    peerDependenciesMeta: { other: { optional: true } },
  }
  assert.equal(readPackage(packageJson(peers), 'x').peers, ['zod@^4'])
  const tabs = JSON.stringify(JSON.parse(packageJson()), null, '\t')
  assert.equal(readPackage(tabs, 'x'), readPackage(packageJson(), 'x'))
})

test('all that is wrong is told, each with its place', () => {
  const text = JSON.stringify(
    {
      name: 'Edge',
      version: '1',
      bailiff: { api: 1, provides: [{ kind: 'acton', name: 'Edge', module: 'x.ts' }], mor: 1 },
    },
    null,
    2,
  )
  try {
    readPackage(text, '/p/package.json')
    assert.unreachable()
  } catch (error) {
    const { problems } = error as InvalidPackage
    assert.equal(problems.map(({ where }) => [where?.file, where?.option]).toSorted(), [
      ['/p/package.json', 'bailiff.mor'],
      ['/p/package.json', 'bailiff.provides[0].kind'],
      ['/p/package.json', 'bailiff.provides[0].module'],
      ['/p/package.json', 'bailiff.provides[0].name'],
      ['/p/package.json', 'keywords'],
      ['/p/package.json', 'version'],
    ])
    assert.ok(
      problems.every(
        ({ kind, where }) => kind === 'data' && (where?.line !== undefined || where?.option === 'keywords'),
      ),
    )
  }
})

test('capabilities that nobody could understand are refused', () => {
  for (const [capabilities, message] of [
    [{ hosts: ['http://a.example.net'] }, /hosts\[0\]|must be a host/],
    [{ hosts: ['a b'] }, /must be a host/],
    [{ hosts: ['*.example.net'] }, /must be a host/],
    [{ files: { read: ['srv/a'] } }, /must be an absolute path/],
    [{ files: { write: ['/srv/../etc/'] } }, /must be an absolute path/],
    [{ files: { write: ['/srv/*'] } }, /must be an absolute path/],
    [{ programs: ['sh'] }, /absolute path of a program/],
    [{ programs: ['/bin/'] }, /absolute path of a program/],
    [{ secrets: ['NODE_OPTIONS'] }, /none that changes how programs start/],
    [{ secrets: ['LD_PRELOAD'] }, /none that changes how programs start/],
    [{ firewall: 'yes' }, /firewall|true or false|boolean/],
    [{ net: ['*'] }, /unknown option "net"/],
  ] as const)
    assert.throws(() => readPackage(withCapabilities(capabilities), 'x'), message)
  assert.throws(
    () =>
      readPackage(
        packageJson({}, { provides: [provided({ kind: 'notifier', capabilities: { firewall: true } })] }),
        'x',
      ),
    /only an action has the firewall/,
  )
})

test('paths of modules and filters stay in the package', () => {
  for (const path of [
    '/x.mjs',
    '../x.mjs',
    'a/../../x.mjs',
    'a//x.mjs',
    'a\\x.mjs',
    './../x.mjs',
    'x.ts',
    'x',
    '.',
    'a/./x.mjs',
    'file:///x.mjs',
  ])
    assert.throws(
      () => readPackage(packageJson({}, { provides: [provided({ module: path })] }), 'x'),
      /must be a path in the package/,
    )
  for (const path of ['/x', '..', 'a/..', '', './..'])
    assert.throws(() => readPackage(packageJson({}, { filters: path }), 'x'), /must be a folder in the package/)
})

test('whatever stands in a package.json, it is read or refused in words', () => {
  const read = (text: string) => {
    try {
      readPackage(text, 'package.json')
    } catch (error) {
      assert.instance(error, InvalidPackage)
      assert.ok((error as InvalidPackage).problems.length > 0)
    }
  }
  fc.assert(fc.property(fc.string(), read))
  fc.assert(fc.property(fc.json({ maxDepth: 40 }), read))
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('api', 'provides', 'filters', 'x'), (value, key) =>
      read(packageJson({}, { [key]: value })),
    ),
  )
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('kind', 'name', 'module', 'options', 'capabilities'), (value, key) =>
      read(packageJson({}, { provides: [provided({ [key]: value })] })),
    ),
  )
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom('name', 'version', 'keywords', 'dependencies', 'peerDependencies', 'description'),
      (value, key) => read(packageJson({ [key]: value })),
    ),
  )
})

test.run()
