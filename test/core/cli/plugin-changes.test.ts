import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import {
  edgeModule,
  packageFolder,
  packageJson,
  provided,
  tar,
  tarball,
  tarballFile,
} from '../packages/made-packages.ts'
import { AgentProcess, bailiff, writeConfig } from './agent-process.ts'
import { ok, pluginPlace } from './plugin-bed.ts'

const test = suite('bailiff plugin: changes', 'npm')

test('files that were changed are noticed by verify and by each start, and adding it again mends it', async () => {
  const { plugin, config, folder } = pluginPlace()
  const made = packageFolder()
  ok(await plugin('add', made, '--yes'))
  writeConfig(folder, `jails: { a: { filter: sshd, source: ${folder}/log, actions: [{ edge: { path: /x } }] } }\n`)
  const { plugins: [module] = [], installed } = JSON.parse(ok(await plugin('info', 'edge', '--json'))) as {
    plugins: { module: string }[]
    installed: { folder: string }
  }
  const file = join(installed.folder, module?.module ?? '')
  const changes: (() => void)[] = [
    () => writeFileSync(file, `${readFileSync(file, 'utf8')}\n`),
    () => writeFileSync(join(installed.folder, 'more.mjs'), ''),
    () => symlinkSync('/etc/passwd', join(installed.folder, 'link')),
  ]
  for (const change of changes) {
    change()
    assert.match(ok(await plugin('verify'), 65), 'changed  edge 1.0.0')
    const { code, stdout } = await bailiff(['check', '--config', config])
    assert.is(code, 78)
    assert.match(stdout, /bailiff-plugin-edge 1\.0\.0 is not used: files below .* are not those that were installed/)
    assert.match(stdout, `"bailiff plugin add ${made}" installs it anew`)
  }
  ok(await plugin('add', made, '--yes'))
  assert.match(ok(await plugin('verify')), 'whole    edge 1.0.0')
  assert.is((await bailiff(['check', '--config', config])).code, 0)
})

test('what a tarball says of modes is not taken over, and a mode that changes is noticed', async () => {
  const { plugin } = pluginPlace()
  const entries = Object.entries({ 'package.json': packageJson(), 'edge.mjs': edgeModule, su: 'x', run: 'x' })
  const modes: Readonly<Record<string, string>> = { su: '0004755', run: '0000777', 'edge.mjs': '0006666' }
  const all = entries.map(([path, text]) => ({ path: `package/${path}`, text, mode: modes[path] ?? '0000644' }))
  ok(await plugin('add', tarballFile(gzipSync(tar(all))), '--yes'))
  const { installed } = JSON.parse(ok(await plugin('info', 'edge', '--json'))) as { installed: { folder: string } }
  const root = join(installed.folder, 'node_modules/bailiff-plugin-edge')
  const mode = (name: string) =>
    (statSync(join(existsSync(root) ? root : installed.folder, name)).mode & 0o7777).toString(8)
  assert.equal(['package.json', 'edge.mjs', 'su', 'run'].map(mode), ['644', '644', '755', '755'])
  assert.match(ok(await plugin('verify')), 'whole    edge 1.0.0')
  chmodSync(join(existsSync(root) ? root : installed.folder, 'su'), 0o4755)
  assert.match(ok(await plugin('verify'), 65), /changed  edge 1\.0\.0: .*it has the mode 4755/)
})

test('a grant that somebody wrote into the lock file is noticed', async () => {
  const { plugin, folder } = pluginPlace()
  ok(await plugin('add', packageFolder(), '--yes'))
  const lock = join(folder, 'state/packages/installed.json')
  writeFileSync(lock, readFileSync(lock, 'utf8').replace('"capabilities": {}', '"capabilities": { "hosts": ["*"] }'))
  assert.match(
    ok(await plugin('verify'), 65),
    /changed  edge 1\.0\.0: .*installed\.json lets its action edge do what its manifest does not say/,
  )
})

test('an update says of a tarball and a folder that a newer one is added by its path', async () => {
  const { plugin } = pluginPlace()
  const made = packageFolder()
  ok(await plugin('add', made, '--yes'))
  const updated = ok(await plugin('update'))
  assert.match(updated, `bailiff-plugin-edge 1.0.0 stays: it came from a folder, and ${made} still has this version`)
  const file = tarballFile(tarball({ 'package.json': packageJson(), 'edge.mjs': edgeModule }))
  ok(await plugin('add', file, '--yes'))
  assert.match(ok(await plugin('update', 'edge')), /it came from a tarball, and .*\n.*bailiff plugin add \.\/NAME\.tgz/)
})

test('an agent bans by the action of a package, and takes an update over at a reload', async () => {
  const { plugin, folder } = pluginPlace()
  const provides = [provided({ capabilities: { files: { write: [join(folder, 'out')] } } })]
  const made = packageFolder({ 'package.json': packageJson({}, { provides }) })
  ok(await plugin('add', made, '--yes'))
  const log = join(folder, 'log')
  writeFileSync(log, '')
  const jail = `{ source: ${log}, filter: { failregex: ['^bad <ADDR>$'] }, maxretry: 1, actions: [{ edge: { path: ${folder}/out } }] }`
  const config = writeConfig(folder, `jails: { a: ${jail} }\n`)
  const out = () => (existsSync(join(folder, 'out')) ? readFileSync(join(folder, 'out'), 'utf8') : '')
  const agent = new AgentProcess(['run', '--config', config])
  try {
    await agent.shows('watching: a')
    writeFileSync(log, 'bad 192.0.2.7\n', { flag: 'a' })
    await agent.shows(/ban.*192\.0\.2\.7/)
    assert.is(out(), 'function ban 192.0.2.7\n')
    writeFileSync(join(made, 'package.json'), packageJson({ version: '1.1.0' }, { provides }))
    writeFileSync(join(made, 'edge.mjs'), edgeModule.replace(' ban ', ' BAN '))
    ok(await plugin('update'))
    ok(await bailiff(['reload', '--config', config]))
    writeFileSync(log, 'bad 192.0.2.8\n', { flag: 'a' })
    await agent.shows(/ban.*192\.0\.2\.8/)
    assert.match(out(), 'function BAN 192.0.2.8\n')
  } finally {
    await agent.end('SIGKILL')
  }
})

test('a version whose module does not load is not installed, and the one before stays', async () => {
  const { plugin } = pluginPlace()
  ok(await plugin('add', packageFolder(), '--yes'))
  const next = (module: string) =>
    packageFolder({ 'package.json': packageJson({ version: '1.1.0' }), 'edge.mjs': module })
  const cases: [module: string, said: RegExp][] = [
    [
      'export default {\n  ban() {},\n  unban( {},\n}\n',
      /bailiff-plugin-edge\/edge\.mjs:4: the plugin does not load: /,
    ],
    [
      "\nimport 'not-there'\nexport default {}\n",
      /edge\.mjs: the plugin does not load: Cannot find package 'not-there'/,
    ],
    ['\nthrow new Error("no")\n', /edge\.mjs:2: the plugin does not load: no/],
    ['export default { notify() {} }\n', /edge\.mjs: no action: .*it looks like a notifier/],
    ['process.exit(3)\n', /edge\.mjs: the plugin edge brings its host down: it ended with exit code 3/],
  ]
  for (const [module, said] of cases) {
    const { code, stderr } = await plugin('add', next(module), '--yes')
    assert.match(stderr, said)
    assert.match(stderr, 'nothing was installed')
    assert.not.match(stderr, '.staging')
    assert.is(code, 65)
    assert.match(ok(await plugin('list')), 'edge  1.0.0')
  }
  assert.match(ok(await plugin('verify')), 'whole    edge 1.0.0')
})

test('a lock file that others may write is not believed', async () => {
  const { plugin, packages } = pluginPlace()
  ok(await plugin('add', packageFolder(), '--yes'))
  chmodSync(join(packages, 'installed.json'), 0o666)
  const { code, stderr } = await plugin('list')
  assert.is(code, 78)
  assert.match(stderr, 'somebody else could have changed it')
  chmodSync(join(packages, 'installed.json'), 0o644)
  writeFileSync(join(packages, 'installed.json'), '{"version":1,"packages":[{"name":"../../x"}]}')
  assert.match((await plugin('list')).stderr, 'the list of installed plugins is damaged')
})

test.run()
