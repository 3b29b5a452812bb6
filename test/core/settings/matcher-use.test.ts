import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { code, madeModule } from '../wasm-matcher/made-module.ts'
import { bailiff, temporaryFolder, writeConfig } from '../cli/agent-process.ts'
import { suite } from '../../suite.ts'

const test = suite('matcher-use')

const cases: [filter: string, says: string][] = [
  ['{ matcher: ./none.wasm }', 'none.wasm" cannot be read: there is no such file'],
  ['{ matcher: ./odd.mjs }', 'a filter is matched by a module of WebAssembly (.wasm), not by "./odd.mjs"'],
  ['{ matcher: odd }', 'there is no matcher "odd"'],
  ['{ matcher: ./odd.wasm, failregex: x }', 'jails.a.filter.failregex: the matcher decides which lines match'],
  ['{ matcher: ./odd.wasm, format: json }', 'jails.a.filter.format: the matcher decides which lines match'],
  ['{ matcher: ./odd.wasm, programs: [x] }', 'jails.a.filter.programs: the matcher decides which lines match'],
  ['{ matcher: ./odd.wasm, options: { a: 1 } }', 'it has no options'],
  ['{ failregex: "x <ADDR>$", options: { a: 1 } }', 'jails.a.filter.options: options are those of a matcher'],
  ['{ matcher: ./odd.wasm, options: { a: [1] } }', 'jails.a.filter.options'],
  ['{ matcher: ./bad.wasm }', 'the matcher "bad.wasm" cannot be started: it failed while it started'],
  ['{ matcher: ./picky.wasm, options: { a: 1 } }', 'it does not accept its options: no a'],
  [
    '{ matcher: ./odd.wasm, samples: { match: [{ line: "x", address: 192.0.2.7 }] } }',
    'this sample does not match: "x"',
  ],
]

for (const [filter, says] of cases)
  test(`refused: ${filter}`, async () => {
    const { code: exit, stdout } = await check(filter)
    assert.is(exit, 78, stdout)
    assert.ok(stdout.includes(says), stdout)
  })

test('taken: by path, with what any filter may have', async () => {
  const { code: exit, stdout } = await check('{ matcher: ./odd.wasm, datepattern: "%Y", ports: [25], description: x }')
  assert.is(exit, 0, stdout)
})

test('a matcher that anybody may change is warned of', async () => {
  const folder = made()
  chmodSync(join(folder, 'odd.wasm'), 0o666)
  const config = writeConfig(
    folder,
    'jails: { a: { source: ./log, filter: { matcher: ./odd.wasm }, actions: [memory] } }',
  )
  writeFileSync(join(folder, 'log'), '')
  const { stdout } = await bailiff(['check', '--config', config])
  assert.match(stdout, /odd\.wasm: anybody may change this file/)
})

test('a matcher that fails is told by the command that tries it, and its lines are skipped', async () => {
  const folder = made()
  writeFileSync(join(folder, 'x.yaml'), 'matcher: ./trap.wasm\n')
  writeFileSync(join(folder, 'log'), 'a\nb\n')
  const { stdout, stderr } = await bailiff(['test', join(folder, 'x.yaml'), join(folder, 'log')])
  assert.match(stderr, 'the matcher failed, and lines are skipped: it failed in bailiff_scan: unreachable')
  assert.match(stdout, 'skipped 2')
})

test.run()

async function check(filter: string) {
  const folder = made()
  const jail = `source: ./log, filter: ${filter}, actions: [memory]`
  const config = writeConfig(folder, `jails:\n  a: { ${jail} }\n`)
  writeFileSync(join(folder, 'log'), '')
  return bailiff(['check', '--config', config])
}

function made(): string {
  const folder = temporaryFolder()
  mkdirSync(folder, { recursive: true })
  const complaint = { at: 2048, bytes: Buffer.from('no a\0') }
  const modules = {
    odd: {},
    bad: { start: code.trap },
    trap: { scan: code.trap },
    picky: { options: code.number(2048), data: [complaint] },
  }
  for (const [name, parts] of Object.entries(modules)) writeFileSync(join(folder, `${name}.wasm`), madeModule(parts))
  return folder
}
