import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import { BailiffError, describeError } from '../../../core/errors.ts'
import { loadModule } from '../../../core/wasm-matcher/load-module.ts'
import { temporaryFolder } from '../cli/agent-process.ts'
import { suite } from '../../suite.ts'
import { code, madeModule, unsigned, type MadeModule } from './made-module.ts'

const test = suite('load-module')
const folder = temporaryFolder()

test('a module that keeps the interface is taken, with what it says of itself', () => {
  const module = load(madeModule({ about: '{"rules":["refused","locked\\u001b"]}', options: code.number(0) }), {
    least: 3,
  })
  assert.equal(module.rules, ['refused', 'locked\\x1b'])
  assert.is(module.options, 'least=3\n')
  assert.equal(module.memory, { initial: 40, maximum: 1024 })
  assert.equal(load(madeModule({ imports: [{ kind: 'memory', least: 1, most: 20 }] })).memory, {
    initial: 1,
    maximum: 20,
  })
  assert.is(load(madeModule({ abiFunction: code.number(1) })).name, 'a')
})

const wrong: [what: string, made: MadeModule | Buffer, says: string][] = [
  ['no module', Buffer.from('hello'), 'it is no module of WebAssembly'],
  ['half a module', madeModule().subarray(0, 60), 'it is no module of WebAssembly'],
  ['another version', { abi: 2 }, 'made for version 2 of the interface; this Bailiff has 1'],
  ['an address', { abi: 1024 }, 'exports the address of a global has a function bailiff_abi'],
  ['no version', { abi: null }, 'does not export bailiff_abi'],
  [
    'a function to import',
    {
      imports: [
        { kind: 'memory', least: 1 },
        { kind: 'function', module: 'env', name: 'abort' },
      ],
    },
    'it imports env.abort, and a matcher may import env.memory only',
  ],
  [
    'the system to import',
    {
      imports: [
        { kind: 'function', module: 'wasi_snapshot_preview1', name: 'fd_write\u001b[31m' },
        { kind: 'memory', least: 1 },
      ],
    },
    'it imports wasi_snapshot_preview1.fd_write\\x1b[31m',
  ],
  ['no memory', { imports: [], scan: code.number(8) }, 'it does not import env.memory'],
  ['its own memory', { imports: [], ownMemory: true }, 'it has a memory of its own'],
  [
    'too much memory',
    { imports: [{ kind: 'memory', least: 2000 }] },
    'it wants 125 MiB of memory, and a matcher gets at most 64',
  ],
  ['shared memory', { imports: [{ kind: 'memory', least: 1, most: 2, flags: 3 }] }, 'a memory that is shared'],
  ['a table that is too large', { tables: [table(10_000_000)] }, 'it has a table of 10000000 elements'],
  ['a table that is too large, of others', { tables: [table(1), [0x6f, 0, ...unsigned(60_000)]] }, 'of 60000 elements'],
  ['many tables', { tables: Array.from({ length: 40 }, () => table(1)) }, 'it has 40 tables, and a matcher at most 16'],
  ['many functions', { types: Array.from({ length: 10_001 }, () => [0x60, 0, 0]) }, 'it has 10005 types'],
  ['no scan', { renamed: { bailiff_scan: 'scan' } }, 'does not export the function bailiff_scan'],
  ['no buffer', { renamed: { bailiff_buffer: 'buffer' } }, 'does not export the function bailiff_buffer'],
  ['a section that is no JSON', { about: '{' }, 'its section bailiff is no JSON'],
  ['rules that are no names', { about: '{"rules":[1]}' }, 'rules must be a list'],
  ['too many bytes', Buffer.alloc(5 << 20), 'and a matcher at most'],
]

for (const [what, made, says] of wrong)
  test(`refused, and nothing of it is run: ${what}`, () => {
    const bytes = Buffer.isBuffer(made) ? made : madeModule({ ...made, start: code.forever })
    const error = refusal(() => load(bytes))
    assert.ok(error.message.includes(says), error.message)
    assert.is(error.where?.line, 3)
  })

test('a table without a maximum, as compilers write it, gets one', () => {
  for (const made of [[], [table(1)], [[0x70, 1, 1, ...unsigned(10_000_000)]]])
    assert.ok(load(madeModule({ tables: made })).code instanceof WebAssembly.Module)
  // It grows by a thousand at a time for as long as it can, and then its start comes to an end.
  const start = [0x03, 0x40, ...code.growTable(1000), ...code.number(-1), 0x47, 0x0d, 0, 0x0b]
  const { code: bounded } = load(madeModule({ tables: [table(1)], start }))
  const memory = new WebAssembly.Memory({ initial: 40, maximum: 1024 })
  assert.ok(new WebAssembly.Instance(bounded as WebAssembly.Module, { env: { memory } }))
})

test('a file that is not there, and options that nobody takes', () => {
  const at = { where: { file: 'x.yaml', line: 3 } }
  const missing = refusal(() => loadModule({ name: 'a', file: join(folder, 'none.wasm'), options: {}, ...at }))
  assert.ok(describeError(missing).includes('there is no such file'))
  assert.ok(refusal(() => load(madeModule(), { least: 3 })).message.includes('it has no options'))
  for (const [name, value] of [
    ['a', 'b\nc=d'],
    ['a=b', 'c'],
  ] as const)
    assert.ok(
      refusal(() => load(madeModule({ options: code.number(0) }), { [name]: value })).message.includes('option'),
    )
})

test('whatever the bytes are, they are a module or refused', () => {
  const good = madeModule({ about: '{"rules":["a"]}' })
  const changed = fc
    .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 })
    .map((changes) => changes.reduce((bytes, [at, byte]) => (bytes.writeUInt8(byte, at), bytes), Buffer.from(good)))
  fc.assert(
    fc.property(changed, (bytes) => {
      try {
        load(bytes)
      } catch (error) {
        assert.instance(error, BailiffError)
      }
    }),
    { numRuns: 500 },
  )
})

test.run()

/** Of functions, without a maximum. */
function table(least: number): number[] {
  return [0x70, 0, ...unsigned(least)]
}

function load(bytes: Uint8Array, options: Record<string, number | string> = {}) {
  const file = join(folder, 'a.wasm')
  writeFileSync(file, bytes)
  return loadModule({ name: 'a', file, options, where: { file: 'x.yaml', line: 3 } })
}

function refusal(work: () => unknown): BailiffError {
  try {
    work()
  } catch (error) {
    if (error instanceof BailiffError) return error
    throw error
  }
  throw new Error('it was taken')
}
