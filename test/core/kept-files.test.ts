import { chmodSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { KeptFiles } from '../../core/kept-files.ts'
import { suite } from '../suite.ts'

const test = suite('kept files')
const all = mkdtempSync(join(tmpdir(), 'bailiff-kept-'))
process.on('exit', () => rmSync(all, { recursive: true, force: true }))
let times = 0

/** A folder that is not there yet, and what keeps things in it. */
function fresh() {
  const folder = join(all, `${times++}`, 'bailiff')
  return { folder, kept: new KeptFiles(folder), only: () => join(folder, readdirSync(folder)[0] ?? '') }
}

const content = Buffer.from('what was made')

test('what was kept is read, by its key, by another process too', () => {
  const { folder, kept } = fresh()
  assert.is(kept.read('a'), null)
  kept.write('a', content)
  kept.write('b', Buffer.alloc(0))
  assert.equal(Buffer.from(new KeptFiles(folder).read('a') ?? []), content)
  assert.is(kept.read('b')?.length, 0)
  assert.is(kept.read('c'), null)
  kept.write('a', Buffer.from('newer'))
  assert.equal(Buffer.from(kept.read('a') ?? []), Buffer.from('newer'))
})

const damages: readonly [name: string, damage: (place: string, folder: string) => void][] = [
  ['a byte was changed', (place) => writeFileSync(place, Buffer.from(readFileSync(place)).fill(7, 40, 41))],
  ['it was cut off', (place) => writeFileSync(place, readFileSync(place).subarray(0, -1))],
  ['it is empty', (place) => writeFileSync(place, '')],
  ['others may write the file', (place) => chmodSync(place, 0o622)],
  ['others may write the folder', (_, folder) => chmodSync(folder, 0o777)],
  [
    'it is a link',
    (place) => {
      renameSync(place, `${place}.real`)
      symlinkSync(`${place}.real`, place)
    },
  ],
]

for (const [name, damage] of damages)
  test(`nothing is read where ${name}`, () => {
    const { folder, kept, only } = fresh()
    kept.write('a', content)
    damage(only(), folder)
    assert.is(kept.read('a'), null)
  })

test('where nothing can be kept, and where others may write, nothing is', () => {
  writeFileSync(join(all, 'file'), '')
  const none = new KeptFiles(join(all, 'file/bailiff'))
  none.write('a', content)
  assert.is(none.read('a'), null)
  const { folder, kept } = fresh()
  kept.write('a', content)
  chmodSync(folder, 0o777)
  kept.write('b', content)
  assert.is(readdirSync(folder).length, 1)
})

test('what is too large is not kept, and of many the oldest go', () => {
  const { folder, kept } = fresh()
  kept.write('large', Buffer.alloc(8 << 20))
  assert.is(kept.read('large'), null)
  for (let index = 0; index < 64; index++) kept.write(`${index}`, content)
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), 1000, 1000)
  kept.write('newest', content)
  assert.is(readdirSync(folder).length, 64)
  assert.ok(kept.read('newest'))
})

test.run()
