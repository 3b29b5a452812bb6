import { generateKeyPairSync } from 'node:crypto'
import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { askRegistryKeys } from '../../../core/packages/registry-keys.ts'
import { suite } from '../../suite.ts'
import { edgeModule, LocalRegistry, packageFolder, packageJson } from '../packages/made-packages.ts'
import { writeConfig } from './agent-process.ts'
import { ok, pluginPlace } from './plugin-bed.ts'

const test = suite('bailiff plugin: whom to trust', 'npm')
const name = 'bailiff-plugin-edge'
const hourMs = 3_600_000

const release = (version: string) => ({ 'package.json': packageJson({ version }), 'edge.mjs': edgeModule })

test('a version that has just been published is refused until somebody says otherwise', async () => {
  const registry = await LocalRegistry.start()
  const { plugin, folder } = pluginPlace(registry.env)
  try {
    registry.publish(release('1.0.0'))
    registry.publish(release('1.0.1'), Date.now() - 5 * hourMs - 60_000)
    const { code, stderr } = await plugin('add', 'edge', '--yes')
    assert.is(code, 75)
    assert.match(stderr, `${name} 1.0.1 was published 5 h ago, and versions younger than 3 days are not installed`)
    assert.match(stderr, '--any-age; an older version: bailiff plugin add edge@1.0.0')
    ok(await plugin('add', 'edge@1.0.0', '--yes'))
    const update = await plugin('update')
    assert.is(update.code, 75)
    assert.match(update.stdout, `${name} 1.0.0 stays: ${name} 1.0.1 was published 5 h ago`)
    assert.match(ok(await plugin('update', '--any-age')), 'installed bailiff-plugin-edge 1.0.1')
    writeConfig(folder, 'release_age: 4h\njails: {}\n')
    registry.publish(release('1.0.2'), Date.now() - 5 * hourMs)
    ok(await plugin('update'))
    writeConfig(folder, 'release_age: off\njails: {}\n')
    registry.publish(release('1.0.3'), Date.now())
    ok(await plugin('update'))
    writeConfig(folder, 'release_age: soon\njails: {}\n')
    assert.match((await plugin('update')).stderr, /"soon" is not a length of time/)
  } finally {
    registry.stop()
  }
})

test('a signature of the registry holds, or the package is refused', async () => {
  const registry = await LocalRegistry.start()
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const told = (expires: string | null) => [
    { keyid: 'SHA256:one', keytype: 'ecdsa-sha2-nistp256', scheme: 'ecdsa-sha2-nistp256', key, expires },
  ]
  const ask = () =>
    askRegistryKeys(registry.url, { name, version: '1.0.0', integrity: registry.integrity(`${name}@1.0.0`) })
  const refused = async () => ask().then(() => '', String)
  try {
    registry.publish(release('1.0.0'))
    assert.equal(await ask(), { state: 'unknown', why: 'the registry tells no keys' })
    registry.keys = told(null)
    assert.equal(await ask(), { state: 'none' })
    registry.sign(`${name}@1.0.0`, 'SHA256:one', privateKey)
    assert.equal(await ask(), { state: 'signed' })
    // It expired after the package was published, or before.
    registry.keys = told('2025-06-01T00:00:00.000Z')
    assert.equal(await ask(), { state: 'signed' })
    registry.keys = told('2024-06-01T00:00:00.000Z')
    assert.match(await refused(), /with a key that had expired/)
    registry.keys = told(null)
    registry.sign(`${name}@1.0.0`, 'SHA256:one', privateKey, `${name}@1.0.0:sha512-other`)
    assert.match(await refused(), /the signature of bailiff-plugin-edge@1\.0\.0 is wrong/)
    registry.sign(`${name}@1.0.0`, 'SHA256:one', other.privateKey)
    assert.match(await refused(), /is wrong/)
    registry.sign(`${name}@1.0.0`, 'SHA256:two', privateKey)
    assert.match(await refused(), /with a key that the registry does not have/)
    registry.keys = [{ keyid: 'SHA256:two', key: 'no key at all', expires: null }]
    assert.match(await refused(), /is wrong/)

    // As a person meets it: npm finds the keys, or we do.
    const { plugin } = pluginPlace(registry.env)
    registry.keys = told(null)
    registry.sign(`${name}@1.0.0`, 'SHA256:one', other.privateKey)
    const forged = await plugin('add', 'edge', '--yes')
    assert.is(forged.code, 65, forged.stdout + forged.stderr)
    assert.match(forged.stderr, /signature of bailiff-plugin-edge.* is wrong/)
    registry.sign(`${name}@1.0.0`, 'SHA256:one', privateKey)
    assert.match(ok(await plugin('add', 'edge', '--yes')), /signature +signed by the registry/)
  } finally {
    registry.stop()
  }
})

test('verify names the files that differ', async () => {
  const { plugin } = pluginPlace()
  ok(await plugin('add', packageFolder({ 'more.txt': 'x' }), '--yes'))
  const { installed } = JSON.parse(ok(await plugin('info', 'edge', '--json'))) as { installed: { folder: string } }
  appendFileSync(join(installed.folder, 'edge.mjs'), '// evil')
  writeFileSync(join(installed.folder, 'new\u001b.mjs'), 'x')
  rmSync(join(installed.folder, 'more.txt'))
  const { code, stdout } = await plugin('verify')
  assert.is(code, 65)
  assert.match(stdout, /node_modules\/bailiff-plugin-edge\/edge\.mjs was changed/)
  assert.match(stdout, /new\\x1b\.mjs was added/)
  assert.match(stdout, /more\.txt is gone/)
})

test.run()
