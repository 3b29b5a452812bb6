import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { Pause } from '../../core/pause.ts'
import { has, suite } from '../suite.ts'

const test = suite('pause')
const noon = Date.parse('2026-11-22T12:00:00.000Z')

let folder: string
let file: string
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-pause-'))
  file = join(folder, 'paused')
})
test.after.each(() => rmSync(folder, { recursive: true, force: true }))

test('a pause outlasts a restart until its end', () => {
  assert.is(new Pause(folder).since, null)
  const pause = new Pause(folder)
  pause.begin(noon)
  pause.begin(noon + 1)
  const next = new Pause(folder)
  assert.equal([next.since, next.doubt], [noon, null])
  next.end()
  assert.is(new Pause(folder).since, null)
})

test('whatever lies there is a pause, and what is wrong with it is said; nothing waits for it', () => {
  const cases: [make: () => void, doubt: string][] = [
    [() => writeFileSync(file, ''), 'holds no time'],
    [() => writeFileSync(file, 'x'.repeat(1_000_000)), 'holds no time'],
    [() => execFileSync('mkfifo', [file]), 'cannot be read: it is no regular file'],
    [() => mkdirSync(file), 'cannot be read: it is no regular file'],
    [() => symlinkSync(join(folder, 'nothing'), file), 'cannot be read: ELOOP'],
  ]
  for (const [make, doubt] of cases) {
    make()
    const pause = new Pause(folder)
    assert.is(pause.since, 0)
    assert.match(pause.doubt ?? '', `${file} ${doubt}`)
    rmSync(file, { recursive: true })
  }
})

if (has('root'))
  test('one that may not be read is a pause', () => {
    writeFileSync(file, `${new Date(noon).toISOString()}\n`, { mode: 0o600 })
    chmodSync(folder, 0o755)
    process.seteuid?.(61_001)
    try {
      const pause = new Pause(folder)
      assert.is(pause.since, 0)
      assert.match(pause.doubt ?? '', 'cannot be read: EACCES')
    } finally {
      process.seteuid?.(0)
    }
  })

test('to begin one writes through no link and waits for no FIFO', () => {
  const precious = join(folder, 'precious')
  writeFileSync(precious, 'kept')
  for (const make of [() => symlinkSync(precious, `${file}.new`), () => execFileSync('mkfifo', [`${file}.new`])]) {
    make()
    new Pause(folder).begin(noon)
    assert.is(new Pause(folder).since, noon)
    rmSync(file)
  }
  assert.is(readFileSync(precious, 'utf8'), 'kept')
  assert.not.ok(existsSync(`${file}.new`))
})

test.run()
