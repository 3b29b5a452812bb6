import { readdirSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { edgeModule, LocalRegistry, packageJson, provided, tarball } from '../packages/made-packages.ts'
import { bailiff, writeConfig } from './agent-process.ts'
import { ok, pluginPlace } from './plugin-bed.ts'

const test = suite('bailiff plugin: registry', 'npm')

test('names come from the registry, with what they depend on, and updates that ask for more are asked again', async () => {
  const registry = await LocalRegistry.start()
  const { folder, config, packages, plugin } = pluginPlace(registry.env)
  const release = (version: string, capabilities: object, more: object = {}) =>
    registry.publish({
      'package.json': packageJson(
        {
          version,
          dependencies: { 'left-over': '^1.0.0' },
          peerDependencies: { bailiff: '^0.1.0', peer: '1' },
          ...more,
        },
        { provides: [provided({ capabilities })] },
      ),
      'edge.mjs': edgeModule,
    })
  try {
    registry.publish({ 'package.json': '{"name":"left-over","version":"1.0.1"}', 'index.js': '' })
    registry.publish({ 'package.json': '{"name":"peer","version":"1.0.1"}', 'index.js': '' })
    release('1.0.0', { hosts: ['a.example.net'] })
    assert.match(ok(await plugin('info', 'edge')), 'bailiff-plugin-edge 1.0.0  (not installed)')
    const added = ok(await plugin('add', 'edge', '--yes'))
    assert.match(added, 'needs      2 other packages')
    assert.match(added, /signature +(?!signed)/)
    assert.match(ok(await plugin('update')), 'bailiff-plugin-edge 1.0.0 is the newest')

    // The same or less is taken at once.
    release('1.0.1', { hosts: ['a.example.net:443'] })
    assert.match(ok(await plugin('update', 'edge')), 'installed bailiff-plugin-edge 1.0.1')
    // The old one stays until the next change, for an agent that runs it.
    assert.is(readdirSync(packages).filter((name) => /\.tree-\w+$/.test(name)).length, 2)

    release('1.1.0', { hosts: ['a.example.net:443', 'b.example.net'], firewall: true })
    const refused = await plugin('update')
    assert.is(refused.code, 64)
    assert.match(refused.stdout, 'bailiff-plugin-edge 1.0.1 stays')
    assert.match(refused.stdout, 'action edge: firewall; action edge: host b.example.net. With --yes it is installed')
    assert.match(ok(await plugin('list')), /^edge +1\.0\.1 /m)
    const accepted = ok(await plugin('update', '--yes'))
    assert.match(accepted, 'bailiff-plugin-edge 1.0.1 -> 1.1.0')
    assert.match(accepted, '  +   may talk to b.example.net\n')
    assert.match(accepted, '      may talk to a.example.net:443\n')

    // Neither what the registry forges nor what it takes back is taken.
    release('1.2.0', {})
    registry.forge(
      'bailiff-plugin-edge@1.2.0',
      tarball({ 'package.json': packageJson({ version: '1.2.0' }), 'edge.mjs': 'evil' }),
    )
    const forged = await plugin('update', '--yes')
    assert.is.not(forged.code, 0)
    assert.match(forged.stdout, /1\.1\.0 stays: .*(?:EINTEGRITY|integrity)/i)
    release('1.0.9', {})
    assert.match((await plugin('update', '--yes')).stdout, 'only 1.0.9 is offered, which is older')
    assert.match(ok(await plugin('verify')), 'whole    edge 1.1.0')
    ok(await plugin('add', 'edge@1.0.0', '--yes'))
    assert.match(ok(await plugin('list')), /^edge +1\.0\.0 /m)

    release('2.0.0', {}, { dependencies: { gone: '^1.0.0' } })
    const failed = await plugin('update', '--yes')
    assert.match(failed.stdout, /1\.0\.0 stays: npm cannot install bailiff-plugin-edge/)
    writeConfig(folder, `jails: { a: { filter: sshd, source: ${folder}/log, actions: [{ edge: { path: /x } }] } }\n`)
    ok(await bailiff(['check', '--config', config]))
    assert.match((await plugin('add', 'edgy', '--yes')).stderr, 'the registry has no package bailiff-plugin-edgy')
    assert.match((await plugin('add', 'edge@9.0.0', '--yes')).stderr, 'has no version "9.0.0"')
  } finally {
    registry.stop()
  }
})

test.run()
