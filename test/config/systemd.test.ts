import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { suite } from '../suite.ts'

const test = suite('systemd units', 'systemd-analyze')

const root = fileURLToPath(new URL('../../../', import.meta.url))
const units = join(root, 'config/systemd')
/** Where the units look for the package unless they are told otherwise. */
const installed = '/usr/local/lib/node_modules/bailiff/'

test('the exposure of the units is what is promised, by the tenths of systemd', () => {
  const cases: [unit: string, mostTenths: number][] = [
    ['bailiff.service', 13],
    ['bailiff-firewall.service', 14],
  ]
  for (const [unit, most] of cases) {
    const words = ['security', '--offline=true', '--no-pager', join(units, unit)]
    const { stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' })
    const [, exposure] = /exposure level for \S+: (\d+\.\d)/.exec(stdout) ?? []
    assert.ok(exposure !== undefined, stderr)
    console.log(`${unit}: exposure ${exposure}`)
    assert.ok(Number(exposure) * 10 <= most + 1e-6, stdout)
  }
})

test('systemd understands every line of the units', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-units-'))
  try {
    const names = installUnits(folder)
    assert.equal(names, ['bailiff-firewall.service', 'bailiff-firewall.socket', 'bailiff.service'])
    for (const name of names) {
      const text = readFileSync(join(folder, name), 'utf8')
      for (const usual of [installed, '/usr/bin/node']) assert.not.match(text, usual, `${name} still has ${usual}`)
    }
    const words = ['verify', '--man=no', ...names.map((name) => join(folder, name))]
    const { stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' })
    assert.equal(
      (stdout + stderr).split('\n').filter((line) => line.includes('bailiff')),
      [],
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('what the units start is in the package', () => {
  const text = readdirSync(units)
    .map((name) => readFileSync(join(units, name), 'utf8'))
    .join('')
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] }
  const named = [...new Set(text.match(new RegExp(`${installed}[\\w./-]+`, 'g')))].map((path) =>
    path.slice(installed.length),
  )
  assert.ok(named.length >= 4)
  for (const path of named) {
    assert.ok(path === 'README.md' || files.some((file) => path === file || path.startsWith(`${file}/`)), path)
    execFileSync('test', ['-f', join(root, path)])
  }
})

test.run()

/**
 * Installs the units into a folder by the README's own line, for a package and a Node in places of their own,
 * so that the programs exist. Answers the names of the units.
 */
function installUnits(folder: string): string[] {
  const [at, node, target] = ['modules', 'node', 'etc'].map((name) => join(folder, name)) as [string, string, string]
  mkdirSync(at)
  mkdirSync(target)
  symlinkSync(root, join(at, 'bailiff'))
  symlinkSync(process.execPath, node)
  const [recipe] = /^for unit in .*; done$/m.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? []
  assert.ok(recipe !== undefined && recipe.includes('/etc/systemd/system/'), 'the README has the recipe')
  execFileSync('sh', ['-euc', recipe.replaceAll('/etc/systemd/system', target)], {
    cwd: units,
    env: { PATH: process.env.PATH, at, node },
  })
  const names = readdirSync(target).toSorted()
  for (const name of names) renameSync(join(target, name), join(folder, name))
  return names
}
