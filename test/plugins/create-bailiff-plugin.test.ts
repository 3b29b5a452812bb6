import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import { bailiff, temporaryFolder } from '../core/cli/agent-process.ts'
import { offline, ok } from '../core/cli/plugin-bed.ts'
import { has, suite } from '../suite.ts'
import { create, creator, root, run } from './created-project.ts'

const test = suite('create-bailiff-plugin', 'npm')

interface Name {
  readonly folder: string
  readonly packageName: string
  readonly pluginName: string
}

const { parseName } = (await import(pathToFileURL(join(creator, 'project-name.js')).href)) as {
  readonly parseName: (given: string) => Name
}

test('the compiler has nothing to say against its JavaScript', async () => {
  ok(await run([process.execPath, join(root, 'node_modules/typescript/bin/tsc'), '-p', creator], root))
})

test('what a name means', () => {
  const cases: [given: string, folder: string, packageName: string, pluginName: string][] = [
    ['edge', 'edge', 'bailiff-plugin-edge', 'edge'],
    ['edge/', 'edge', 'bailiff-plugin-edge', 'edge'],
    ['bailiff-plugin-edge', 'bailiff-plugin-edge', 'bailiff-plugin-edge', 'edge'],
    ['./boxes/my-box2', 'boxes/my-box2', 'bailiff-plugin-my-box2', 'my-box2'],
    ['@me/edge', 'edge', '@me/bailiff-plugin-edge', 'edge'],
    ['@me/bailiff-plugin-edge', 'bailiff-plugin-edge', '@me/bailiff-plugin-edge', 'edge'],
  ]
  for (const [given, folder, packageName, pluginName] of cases)
    assert.equal(parseName(given), { folder: join(process.cwd(), folder), packageName, pluginName }, given)
  for (const wrong of ['', ' ', '/', 'Edge', 'my_box', '2box', 'a b', '-x', 'x-', 'a--b', '@me', '@/x', '@me/../x'])
    assert.throws(() => parseName(wrong), /is no name/, wrong)
})

test('whatever stands for a name, it is a good one or is refused in words that a terminal can show', () => {
  const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.stringMatching(/^(@[a-z]*\/)?[a-z0-9-]*$/))
  fc.assert(
    fc.property(texts, (given) => {
      try {
        const { packageName, pluginName } = parseName(given)
        return (
          /^(?:@[a-z0-9~][a-z0-9._~-]*\/)?bailiff-plugin-[a-z0-9-]+$/.test(packageName) &&
          packageName.endsWith(pluginName)
        )
      } catch (error) {
        return (error as Error).name === 'UsageError' && !/[\p{Cc}\u2028\u2029]/u.test((error as Error).message)
      }
    }),
    { numRuns: 2000 },
  )
})

test('what it cannot do it says, and writes nothing', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'full'))
  writeFileSync(join(folder, 'full/mine'), 'mine')
  writeFileSync(join(folder, 'file'), '')
  const cases: [words: string[], code: number, message: string][] = [
    [[], 64, 'the name is not said'],
    [['edge'], 64, '--kind is not said'],
    [['edge', '--kind', 'action'], 64, '--language is not said'],
    [['edge', 'more', '--kind', 'content'], 64, 'one name is enough'],
    [['edge', '--kind', 'acts'], 64, 'there are action, notifier, source, matcher'],
    [['edge', '--kind', 'act'], 64, 'did you mean action?'],
    [['edge', '--kind', 'action', '--language', 'yaml'], 64, 'no template of an action in YAML'],
    [['edge', '--knd', 'action'], 64, "Unknown option '--knd'"],
    [['Edge', '--kind', 'content'], 64, 'for example: edge'],
    [['edge', '--kind', 'content', '--bailiff', 'nowhere.tgz'], 66, 'neither a tarball nor a checkout'],
    [['full', '--kind', 'content'], 73, 'is not empty'],
    [['file', '--kind', 'content'], 73, 'is no folder'],
    [['server', '--kind', 'action', '--language', 'js'], 64, 'cannot be called "server"'],
  ]
  for (const [words, code, message] of cases) {
    const ended = await create(folder, ...words)
    assert.is(ended.code, code, words.join(' '))
    assert.match(ended.stderr, message)
    assert.is(ended.stdout, '')
  }
  assert.equal(readdirSync(folder).toSorted(), ['file', 'full'])
  assert.is(readFileSync(join(folder, 'full/mine'), 'utf8'), 'mine')
})

test('an empty folder is filled; --json tells what was written; Bailiff comes from where it is said', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'edge'))
  writeFileSync(join(folder, 'bailiff-0.1.0.tgz'), '')
  const devDependency = (project: string) => {
    const text = readFileSync(join(folder, project, 'package.json'), 'utf8')
    return (JSON.parse(text) as { devDependencies: { bailiff: string } }).devDependencies.bailiff
  }
  const words = ['--kind', 'action', '--language', 'typescript', '--json']
  const told = JSON.parse(ok(await create(folder, 'edge', ...words))) as { package: string; files: string[] }
  assert.is(told.package, 'bailiff-plugin-edge')
  assert.ok(told.files.includes('.gitignore') && told.files.includes('.github/workflows/test.yml'))
  for (const file of told.files) {
    assert.ok(existsSync(join(folder, 'edge', file)), file)
    assert.not.match(file + readFileSync(join(folder, 'edge', file), 'utf8'), 'nameless')
  }
  assert.is(devDependency('edge'), '^0.1.0')
  ok(await create(folder, 'a', ...words, '--bailiff', './bailiff-0.1.0.tgz'))
  assert.is(devDependency('a'), 'file:../bailiff-0.1.0.tgz')
  // Out of a checkout it is that checkout, which is packed, for npm would build one that it links.
  ok(await run([process.execPath, join(creator, 'main.js'), 'b', ...words], folder))
  assert.is(devDependency('b'), 'file:bailiff-0.1.0.tgz')
  const listed = ok(await run(['tar', 'tzf', 'b/bailiff-0.1.0.tgz'], folder))
  assert.match(listed, 'package/dist/core/plugin.js')
  // What was packed has the creator, too, and can be packed again.
  ok(await run(['tar', 'xzf', 'b/bailiff-0.1.0.tgz'], folder))
  const again = [join(folder, 'package/plugins/create-bailiff-plugin/main.js'), 'c', ...words]
  ok(await run([process.execPath, ...again], folder))
  assert.is(ok(await run(['tar', 'tzf', 'c/bailiff-0.1.0.tgz'], folder)), listed)
})

test('git takes what others need to install it, and leaves what was tried in it', async () => {
  if (!has('git')) return
  const folder = temporaryFolder()
  const words = ['edge', '--kind', 'matcher', '--language', 'assemblyscript', '--bailiff', root]
  const made = JSON.parse(ok(await run([process.execPath, join(creator, 'main.js'), ...words, '--json'], folder))) as {
    files: string[]
  }
  const project = join(folder, 'edge')
  mkdirSync(join(project, 'state'))
  mkdirSync(join(project, 'node_modules'))
  for (const path of ['state/bailiff.db', 'node_modules/x.js', 'control.sock', 'auth.log'])
    writeFileSync(join(project, path), '')
  writeFileSync(join(project, 'bailiff-plugin-edge-0.1.0.tgz'), '')
  ok(await run(['git', 'init', '--quiet'], project))
  const taken = ok(await run(['git', 'ls-files', '--others', '--exclude-standard'], project))
    .trim()
    .split('\n')
  assert.equal(taken.toSorted(), [...made.files, 'bailiff-0.1.0.tgz'].toSorted())
})

test('a name is put in once, whatever it is', async () => {
  const folder = temporaryFolder()
  const at = (path: string) => readFileSync(join(folder, path), 'utf8')
  ok(await create(folder, '@me/nameless-box', '--kind', 'action', '--language', 'js'))
  assert.match(at('nameless-box/package.json'), '"name": "@me/bailiff-plugin-nameless-box"')
  assert.match(at('nameless-box/package.json'), '"module": "nameless-box.mjs"')
  assert.match(at('nameless-box/README.md'), '# @me/bailiff-plugin-nameless-box\n')
  assert.match(at('nameless-box/README.md'), 'plugin add @me/nameless-box\n')
  assert.match(at('nameless-box/README.md'), "- '@me/nameless-box': {")
  assert.match(at('nameless-box/README.md'), './me-bailiff-plugin-nameless-box-0.1.0.tgz')
  ok(await create(folder, 'edge', '--kind', 'action', '--language', 'ts'))
  assert.match(at('edge/README.md'), '- edge: {')
  ok(await create(folder, 'true', '--kind', 'content'))
  ok(await bailiff(['filter', 'test', join(folder, 'true/filters/true.yaml')]))
})

test('packed by npm it has all templates, and away from a checkout names its own version of Bailiff', async () => {
  const folder = temporaryFolder()
  ok(await run(['npm', 'pack', creator], folder, offline))
  const version = (file: string) => (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  const own = version(join(creator, 'package.json'))
  assert.is(own, version(join(root, 'package.json')))
  ok(await run(['tar', 'xzf', `create-bailiff-plugin-${own}.tgz`], folder))
  const words = ['edge', '--kind', 'action', '--language', 'js', '--json']
  const packed = ok(await run([process.execPath, join(folder, 'package/main.js'), ...words], folder))
  const here = ok(await create(temporaryFolder(), ...words))
  const files = (text: string) => (JSON.parse(text) as { files: string[] }).files
  assert.equal(files(packed), files(here))
  assert.match(readFileSync(join(folder, 'edge/package.json'), 'utf8'), `"bailiff": "^${own}"`)
})

test('on a terminal it asks for what is missing, and again for what it cannot take', async () => {
  if (!has('script')) return
  const folder = temporaryFolder()
  const command = `'${process.execPath}' '${join(creator, 'main.js')}'`
  // `script` hands its input on as if it were typed, all of it at once.
  const typed = String.raw`printf 'No Name\nedge\nnonsense\nnot\n\n'`
  const { stdout } = await run(['bash', '-c', `${typed} | script -qec "${command}" /dev/null`], folder)
  assert.match(stdout, 'for example: no-name')
  assert.match(stdout, 'bailiff-plugin-edge is written: a notifier in JavaScript')
  assert.ok(existsSync(join(folder, 'edge/edge.mjs')))
})

test.run()
