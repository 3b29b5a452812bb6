import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import type { BailiffError } from '../../../core/errors.ts'
import { findPackaged } from '../../../core/packages/find-plugin.ts'
import type { ActionPlugin } from '../../../core/plugin.ts'
import { Registry } from '../../../core/registry.ts'
import { InstalledPackages } from '../../../core/settings/installed-packages.ts'
import { hashTree } from '../../../core/settings/package-tree.ts'
import { lockName, lockText, type LockedPackage } from '../../../core/settings/plugin-lock.ts'
import type { PluginKind, PluginUse } from '../../../core/settings/plugin-use.ts'
import { suite } from '../../suite.ts'
import { temporaryFolder } from '../cli/agent-process.ts'

const test = suite('plugins of packages by name')

/** A plugin folder with packages of these plugins, `KIND NAME`, each with the same module. */
async function installed(packages: Readonly<Record<string, readonly string[]>>, given: Partial<LockedPackage> = {}) {
  const folder = temporaryFolder()
  const entries: LockedPackage[] = []
  for (const [name, provided] of Object.entries(packages)) {
    const tree = `${name.replace('/', '+')}-1.0.0.tree-000000000000`
    const module = join(folder, tree, 'node_modules', name, 'all.mjs')
    mkdirSync(dirname(module), { recursive: true })
    writeFileSync(
      module,
      "export default { ban() {}, unban() {}, notify() {}, start() {}, capabilities: ['firewall'] }\n",
    )
    const plugins = provided.map((text) => {
      const [kind = '', plugin = ''] = text.split(' ')
      return { kind: kind as PluginKind, name: plugin, module: 'all.mjs', capabilities: {} }
    })
    const { plugins: provides = plugins } = given
    writeFileSync(join(dirname(module), 'package.json'), JSON.stringify({ name, bailiff: { provides } }))
    entries.push({
      name,
      version: '1.0.0',
      description: '',
      api: 1,
      integrity: 'sha512-x',
      folder: tree,
      from: { type: 'tarball', spec: '/x.tgz' },
      signature: '',
      installed: '',
      installScripts: [],
      filters: null,
      jails: null,
      tree: (await hashTree(join(folder, tree))).hash,
      plugins,
      ...given,
    })
  }
  writeFileSync(join(folder, lockName), lockText(entries))
  return new InstalledPackages(folder)
}

const use = (kind: PluginKind, plugin: string, options: unknown = {}): PluginUse => ({
  kind,
  plugin,
  options,
  where: { file: 'bailiff.yaml', line: 7 },
  optionsAt: {},
})

/** `PACKAGE name`, `none`, or what was said. */
async function found(kind: PluginKind, plugin: string, packages: InstalledPackages): Promise<string> {
  try {
    const one = await findPackaged(kind, use(kind, plugin), packages)
    return one === null ? 'none' : `${one.package} ${one.name}`
  } catch (error) {
    const { message, hint } = error as BailiffError
    return `${message}; ${hint}`
  }
}

test('a name means one plugin, or several and is refused, or none', async () => {
  const packages = await installed({
    'bailiff-plugin-edge': ['action edge', 'notifier edge'],
    'bailiff-plugin-cloud': ['action ban', 'action purge', 'source logs'],
    'bailiff-plugin-other': ['action purge', 'action edge'],
    '@scope/bailiff-plugin': ['action edge', 'action web'],
    '@scope/bailiff-plugin-web': ['action web'],
    edge: ['source edge'],
  })
  const cases: [kind: PluginKind, name: string, found: RegExp][] = [
    ['action', 'edge', /^bailiff-plugin-edge edge$/],
    ['notifier', 'edge', /^bailiff-plugin-edge edge$/],
    ['source', 'edge', /^edge edge$/],
    ['action', 'module:edge', /^"module:edge" is no action: edge has the source edge; /],
    ['action', 'bailiff-plugin-edge', /^bailiff-plugin-edge edge$/],
    ['action', 'other/edge', /^bailiff-plugin-other other-edge$/],
    ['source', 'cloud', /^bailiff-plugin-cloud cloud-logs$/],
    ['source', 'logs', /^bailiff-plugin-cloud cloud-logs$/],
    ['action', 'cloud', /^"cloud" may be several actions; .*bailiff-plugin-cloud\/ban or bailiff-plugin-cloud\/purge/],
    ['action', 'cloud/purge', /^bailiff-plugin-cloud cloud-purge$/],
    [
      'action',
      'purge',
      /^"purge" may be several actions; .*bailiff-plugin-cloud\/purge or bailiff-plugin-other\/purge/,
    ],
    ['action', '@scope/edge', /^@scope\/bailiff-plugin scope-edge$/],
    [
      'action',
      '@scope/web',
      /^"@scope\/web" may be several actions; .*@scope\/bailiff-plugin-web\/web or @scope\/bailiff-plugin\/web/,
    ],
    ['action', '@scope/bailiff-plugin/web', /^@scope\/bailiff-plugin scope-web$/],
    ['action', '@scope', /^"@scope" may be several actions/],
    [
      'notifier',
      'cloud',
      /^"cloud" is no notifier: bailiff-plugin-cloud has the action ban, the action purge, the source logs; /,
    ],
    ['action', 'nobody', /^none$/],
    ['action', '__proto__', /^none$/],
    ['action', '../edge', /^none$/],
  ]
  for (const [kind, name, expected] of cases)
    assert.match(await found(kind, name, packages), expected, `${kind} ${name}`)
})

test('options that the manifest does not have are refused without its code', async () => {
  const packages = await installed({ 'bailiff-plugin-edge': ['action edge'] })
  try {
    await findPackaged('action', use('action', 'edge', { url: 'x' }), packages)
    assert.unreachable()
  } catch (error) {
    assert.match((error as BailiffError).message, 'edge does not accept its options: it has no options')
    assert.equal((error as BailiffError).where, { file: 'bailiff.yaml', line: 7 })
  }
})

test('a plugin for another version of the API is not loaded', async () => {
  const packages = await installed({ 'bailiff-plugin-edge': ['action edge'] }, { api: 9 })
  assert.match(await found('action', 'edge', packages), /written for version 9 of the plugin API; .*update Bailiff/)
})

test('a module has the firewall only where somebody consented to it', async () => {
  const has = async (packages: InstalledPackages) => {
    const { plugin } = await new Registry().loadPlugin('action', use('action', 'edge'), packages)
    return (plugin as ActionPlugin).capabilities ?? []
  }
  assert.equal(await has(await installed({ 'bailiff-plugin-edge': ['action edge'] })), [])
  const plugin = {
    kind: 'action',
    name: 'edge',
    module: 'all.mjs',
    capabilities: { firewall: true },
  } as const
  assert.equal(await has(await installed({ 'bailiff-plugin-edge': [] }, { plugins: [plugin] })), ['firewall'])
})

test('a built-in plugin comes before one of a package', async () => {
  const packages = await installed({ 'bailiff-plugin-memory': ['action memory'] })
  const { packaged } = await new Registry().loadPlugin('action', use('action', 'memory'), packages)
  assert.is(packaged, null)
})

test.run()
