import { spawnSync } from 'node:child_process'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { grants } from '../../../core/plugin-host/host-command.ts'
import { suite } from '../../suite.ts'
import { folder, PluginBed, stopAll } from './plugin-bed.ts'

const test = suite('what a plugin host is started with')
const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission'

/** Whether a Node that may read these paths, beside its own file, reads each of `tried`. */
function readable(paths: readonly string[], tried: readonly string[]): unknown {
  const main = join(folder, 'main.mjs')
  writeFileSync(
    main,
    'console.log(JSON.stringify(process.argv.slice(2).map((p) => process.permission.has("fs.read", p))))',
  )
  const words = grants([...paths, main]).map((path) => `--allow-fs-read=${path}`)
  const ran = spawnSync(process.execPath, [permission, '--no-warnings', ...words, main, ...tried], { encoding: 'utf8' })
  assert.is(ran.signal, null, ran.stderr)
  return JSON.parse(ran.stdout)
}

const isFolder = (path: string) =>
  /\/\*?$/.test(path) || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

const rows: readonly (readonly [what: string, paths: readonly string[], given: readonly string[]])[] = [
  ['a path twice', ['/etc/hostname', '/etc/hostname'], ['/etc/hostname']],
  ['a folder in three ways', ['/etc/*', '/etc', '/etc/'], ['/etc/*']],
  ['a folder after its file', ['/etc', '/etc/*'], ['/etc/*']],
  ['a path in other words', ['/etc/./hostname', '/etc//hostname'], ['/etc/hostname']],
  ['what is above comes first', ['/x/a', '/x/b', '/x'], ['/x', '/x/a', '/x/b']],
  ['what lies in a granted folder is left out', ['/x/a', '/xy', '/x/*', '/x/b/*'], ['/x/*', '/xy']],
  ['all there is', ['/etc/', '/'], ['/*']],
]

for (const [what, paths, given] of rows)
  test(`${what} is granted once`, () => {
    assert.equal(grants(paths), given)
  })

test('Node starts with any grants, and grants all of them', () => {
  const base = join(folder, 'tree')
  for (const name of ['a/bc/d', 'ab']) mkdirSync(join(base, name), { recursive: true })
  writeFileSync(join(base, 'abc'), '')
  const place = fc.constantFrom('', '/a', '/ab', '/abc', '/a/b', '/a/bc', '/a/bc/d', '/x', '/x/y', '/xy', '/xyz')
  const path = fc.tuple(place, fc.constantFrom('', '/', '/*')).map(([name, end]) => `${base}${name}${end}`)
  fc.assert(
    fc.property(fc.array(path, { minLength: 2, maxLength: 12 }), (paths) => {
      // Of a folder beside a path that its name begins Node 20 shows what is in it, and not the folder.
      const tried = paths.map((one) => {
        const place = one.replace(/\/\*?$/, '')
        return paths.some((path) => isFolder(path) && path.replace(/\/\*?$/, '') === place) ? `${place}/some` : place
      })
      assert.equal(
        readable(paths, tried),
        tried.map(() => true),
      )
    }),
    { numRuns: 25 },
  )
})

test('a plugin runs whose manifest names a file twice', async () => {
  const bed = new PluginBed()
  const files = { read: ['/etc/hostname', '/etc/hostname', '/etc/', '/etc/hosts'], write: ['/tmp/x', '/tmp/x'] }
  const plugin = await bed.notifier('export default { notify() {} }', { files })
  assert.type(plugin.notify, 'function')
  await bed.hosts.stop()
})

test.after(stopAll)
test.run()
