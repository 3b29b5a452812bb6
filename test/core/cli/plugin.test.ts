import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { edgeModule, packageFolder, packageJson, provided, tarball, tarballFile } from '../packages/made-packages.ts'
import { code, madeModule } from '../wasm-matcher/made-module.ts'
import { bailiff, temporaryFolder, writeConfig, type Ended } from './agent-process.ts'
import { offline, ok, pluginPlace } from './plugin-bed.ts'

const test = suite('bailiff plugin', 'npm')

const asking = packageJson({}, { provides: [provided({ capabilities: { hosts: ['edge.example.net:443'] } })] })

test('a folder is installed when it is consented to, listed, told of and removed', async () => {
  const { plugin, packages } = pluginPlace()
  const made = packageFolder({ 'package.json': asking })
  const refused = await plugin('add', made)
  assert.is(refused.code, 64)
  assert.match(refused.stderr, 'action edge: code; action edge: host edge.example.net:443. With --yes it is installed')
  assert.equal(readdirSync(packages), [])

  const added = ok(await plugin('add', made, '--yes'))
  assert.match(added, 'bailiff-plugin-edge 1.0.0\n')
  assert.match(added, '      may talk to edge.example.net:443\n')
  assert.match(added, 'also: [{ edge: { path: PATH } }]')
  assert.match(ok(await plugin('list')), /^edge +1\.0\.0 +action edge +\/\S+ +whole$/m)
  const told = JSON.parse(ok(await plugin('info', 'edge', '--json'))) as { plugins: { capabilities: object }[] }
  assert.equal(told.plugins[0]?.capabilities, { hosts: ['edge.example.net:443'] })
  assert.match(ok(await plugin('info', 'bailiff-plugin-edge')), 'option path (needed)')
  assert.match(ok(await plugin('add', made)), 'installed already, and its files are whole')

  assert.match(ok(await plugin('remove', 'edge')), 'removed bailiff-plugin-edge 1.0.0')
  assert.equal(readdirSync(packages), ['installed.json'])
  assert.match((await plugin('info', 'edge')).stderr, /cannot be fetched|has no package/)
  assert.match(ok(await plugin('list')), 'no package is installed')
})

test('a tarball of "plugin pack" is installed and bans through the configuration', async () => {
  const { plugin, config, folder } = pluginPlace()
  const made = packageFolder({
    'package.json': `{\n\t"name": "bailiff-plugin-edge",\n\t"version": "1.2.3",\n\t"bailiff": { "provides": [{ "kind": "action", "name": "edge", "module": "./edge.mjs" }] }\n}\n`,
    'edge.mjs': edgeModule.replace(
      'export default {',
      "export default { options: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },",
    ),
  })
  const packed = JSON.parse(ok(await inFolder(folder, ['pack', made]))) as { tarball: string; written: string[] }
  assert.equal(packed.written, ['keywords', 'bailiff.api', 'bailiff.provides[0].options'])
  assert.match(readFileSync(join(made, 'package.json'), 'utf8'), '\n\t"keywords"')
  ok(await plugin('add', packed.tarball, '--yes'))
  // What the module says counts, also when it says something else than before.
  const module = join(made, 'edge.mjs')
  writeFileSync(module, readFileSync(module, 'utf8').replace("'string' }", "'string', minLength: 1 }"))
  const again = JSON.parse(ok(await inFolder(temporaryFolder(), ['pack', made]))) as { written: string[] }
  assert.equal(again.written, ['bailiff.provides[0].options'])
  assert.match(readFileSync(join(made, 'package.json'), 'utf8'), '"minLength": 1')
  assert.equal((JSON.parse(ok(await inFolder(temporaryFolder(), ['pack', made]))) as typeof again).written, [])

  const cases: [use: string, problem: RegExp | null][] = [
    [`{ edge: { path: ${folder}/out } }`, null],
    [`{ bailiff-plugin-edge: { path: ${folder}/out } }`, null],
    [`{ edge/edge: { path: ${folder}/out } }`, null],
    [`{ edge: { pth: ${folder}/out } }`, /unknown option "pth"; did you mean path\?/],
    ['edge', /edge does not accept its options: path: is missing/],
    ['edgy', /there is no action "edgy"; did you mean edge\?.*\n.*bailiff plugin add edgy/],
    ['something-else', /there is no action "something-else"; there are .*, edge\b/],
    ['edge/other', /"edge\/other" is no action: bailiff-plugin-edge has the action edge/],
  ]
  for (const [use, problem] of cases) {
    writeConfig(folder, `jails: { a: { filter: sshd, source: ${folder}/log, actions: [${use}] } }\n`)
    const { code, stdout } = await bailiff(['check', '--config', config])
    if (problem === null) assert.is(code, 0, stdout)
    else assert.match(stdout, problem)
  }
  writeConfig(folder, `jails: { a: { filter: sshd, source: ${folder}/log, actions: [memory], notifiers: [edge] } }\n`)
  assert.match(
    (await bailiff(['check', '--config', config])).stdout,
    '"edge" is no notifier: bailiff-plugin-edge has the action edge',
  )
})

test('a matcher that takes options is packed when the manifest says which', async () => {
  const packed = async (options: number[] | undefined, manifest: object) => {
    const provides = [{ kind: 'matcher', name: 'odd', module: 'odd.wasm', ...manifest }]
    const folder = packageFolder({ 'package.json': packageJson({ files: ['odd.wasm'] }, { provides }), 'odd.wasm': '' })
    writeFileSync(join(folder, 'odd.wasm'), madeModule(options === undefined ? {} : { options }))
    return inFolder(temporaryFolder(), ['pack', folder])
  }
  const schema = { options: { type: 'object', properties: { least: { type: 'integer' } } } }
  const refused = await packed(code.number(0), {})
  assert.is(refused.code, 65)
  assert.match(refused.stderr, /odd\.wasm takes options \(configure\), and the manifest says that it has none/)
  assert.match(refused.stderr, 'bailiff.provides[0].options')
  ok(await packed(code.number(0), schema))
  ok(await packed(undefined, {}))
  const unreadable = await packed(undefined, { options: { type: 'object', properties: { least: { type: 'numbr' } } } })
  assert.match(unreadable.stderr, /Unsupported type: numbr; a type of a JSON Schema is string, number/)
})

test('scripts of installation do not run, and are told of', async () => {
  const { plugin, folder } = pluginPlace()
  const scripts = Object.fromEntries(
    ['preinstall', 'install', 'postinstall', 'prepare', 'prepack'].map((name) => [name, `touch ${folder}/ran`]),
  )
  const files = { 'package.json': packageJson({ scripts }), 'edge.mjs': edgeModule }
  for (const what of [packageFolder(files), tarballFile(tarball(files))])
    assert.match(
      ok(await plugin('add', what, '--yes')),
      /scripts +bailiff-plugin-edge: .*not run here|installed already/,
    )
  assert.not.ok(existsSync(join(folder, 'ran')))
})

test('a module is loaded by adding it, after the consent, and by nothing else', async () => {
  const { plugin, folder } = pluginPlace()
  const ran = join(folder, 'ran')
  const provides = [provided({ capabilities: { files: { write: [ran] } } })]
  const made = packageFolder({
    'package.json': packageJson({}, { provides }),
    'edge.mjs': `import { writeFileSync } from 'node:fs'\nwriteFileSync('${ran}', '')\nexport default { ban() {}, unban() {} }\n`,
  })
  ok(await plugin('info', made))
  ok(await plugin('add', made), 64)
  assert.not.ok(existsSync(ran))
  ok(await plugin('add', made, '--yes'))
  assert.ok(existsSync(ran))
  rmSync(ran)
  for (const words of [['list'], ['info', 'edge'], ['verify'], ['update']]) ok(await plugin(...words))
  assert.is((await bailiff(['check', '--config', join(folder, 'bailiff.yaml')])).code, 0)
  assert.not.ok(existsSync(ran))
})

test.run()

/** Runs `bailiff plugin … --json` in a folder. */
function inFolder(folder: string, words: readonly string[]): Promise<Ended> {
  const before = process.cwd()
  process.chdir(folder)
  try {
    return bailiff(['plugin', ...words, '--json'], '', offline)
  } finally {
    process.chdir(before)
  }
}
