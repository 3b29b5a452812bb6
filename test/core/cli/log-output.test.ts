import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import * as assert from 'uvu/assert'
import { fileOutput, streamOutput } from '../../../core/cli/log-output.ts'
import { suite } from '../../suite.ts'

const test = suite('log output')
const left = (lines: number) => `${lines} left out\n`

test('what a stuck reader does not take is bounded, and told when it reads again', async () => {
  const reader = new PassThrough()
  const write = streamOutput(reader, left)
  const line = `${'x'.repeat(999)}\n`
  for (let i = 0; i < 10_000; i++) write(line)
  assert.ok(reader.writableLength < 1_200_000)
  reader.resume()
  await new Promise((resolve) => reader.once('drain', resolve))
  reader.pause()
  write('again\n')
  const rest = String(reader.read())
  assert.match(rest, /^\d+ left out\nagain\n$/)
})

test('a reader that is gone is no error', async () => {
  const reader = new PassThrough()
  const write = streamOutput(reader, left)
  reader.destroy(new Error('EPIPE'))
  await new Promise((resolve) => setImmediate(resolve))
  for (let i = 0; i < 1000; i++) write('nobody\n')
  assert.is(reader.writableLength, 0)
})

test('a file that takes nothing is written to again later', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-output-'))
  const path = join(folder, 'log')
  closeSync(openSync(path, 'w'))
  const readOnly = openSync(path, 'r')
  const write = fileOutput(readOnly, left)
  for (let i = 0; i < 3; i++) write('lost\n')
  closeSync(readOnly)
  // The same number again, writable now: as if there were room again.
  assert.is(openSync(path, 'a'), readOnly)
  write('kept\n')
  closeSync(readOnly)
  assert.is(readFileSync(path, 'utf8'), '3 left out\nkept\n')
  rmSync(folder, { recursive: true })
})

test.run()
