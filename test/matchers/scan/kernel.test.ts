import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { loadKernelCode, startKernel } from '../../../matchers/scan/kernel.ts'
import { TableMemory } from '../../../matchers/scan/table-memory.ts'
import { suite } from '../../suite.ts'
import { wordsOf } from './comparison.ts'

const test = suite('the kernel of the matcher scan')
const root = fileURLToPath(new URL('../../../../', import.meta.url))

test('it is what its source says', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-kernel-'))
  try {
    const file = join(folder, 'scan.wasm')
    const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js')
    const words = ['matchers/scan/assembly/index.ts', '--config', 'matchers/scan/assembly/asconfig.json', '-o', file]
    const { status, stderr } = spawnSync(process.execPath, [compiler, ...words], { cwd: root, encoding: 'utf8' })
    assert.is(status, 0, stderr)
    assert.ok(readFileSync(file).equals(readFileSync(join(root, 'matchers/scan/scan.wasm'))), 'npm run build:wasm')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('it reads addresses as the agent does', () => {
  const memory = new TableMemory(1000)
  const kernel = startKernel(loadKernelCode(), memory.memory)
  const at = memory.take(200)
  const read = (text: string) => {
    memory.u8.set(Buffer.from(text, 'latin1'), at)
    if (kernel.readAddress(at, at + text.length) === 0) return null
    return [...memory.u32.subarray(kernel.addressWords() >> 2, (kernel.addressWords() >> 2) + 4)]
  }
  const piece = fc.constantFrom(
    ...'0123456789abcfF:.',
    '::',
    '1.2.3.4',
    '255',
    '256',
    '01',
    ':ffff:',
    'g',
    ' ',
    '%',
    '2001:',
  )
  const pieces = fc.array(piece, { maxLength: 12 }).map((some) => some.join(''))
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), pieces), (text) => assert.equal(read(text), wordsOf(text), text)),
    { seed: 7, numRuns: 20_000 },
  )
})

test('it counts newlines and finds long lines wherever they stand', () => {
  const memory = new TableMemory(4000)
  const kernel = startKernel(loadKernelCode(), memory.memory)
  const at = memory.take(2000)
  const lines = fc.array(fc.nat({ max: 40 }), { maxLength: 30 })
  fc.assert(
    fc.property(lines, fc.nat({ max: 15 }), fc.nat({ max: 40 }), (lengths, offset, longest) => {
      const text = lengths.map((length) => `${'x'.repeat(length)}\n`).join('')
      memory.u8.fill(10, at, at + 2000).set(Buffer.from(text), at + offset)
      const [from, to] = [at + offset, at + offset + text.length]
      assert.is(kernel.newlines(from, to), lengths.length)
      assert.is(
        Boolean(kernel.hasLongLine(from, to, longest)),
        lengths.some((length) => length > longest),
      )
    }),
    { seed: 8, numRuns: 2000 },
  )
})

test.run()
