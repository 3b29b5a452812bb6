import * as assert from 'uvu/assert'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Intake } from '../../../core/intake/intake.ts'
import { suite } from '../../suite.ts'
import { following, inFolder, intakeFor, Seen, until, ofFiles } from './lines.ts'

const test = suite('rotation')

/** A log, one who reads it, and what was written to it in all. */
interface Scene {
  readonly path: string
  readonly folder: string
  readonly seen: Seen
  readonly intake: Intake
  /** Appends whole lines to the log and notes them as written. */
  write(...lines: string[]): void
  /** Waits until all that was written has been seen, in order and each once. */
  settled(): Promise<void>
}

/** Plays a scene that begins with a log of one line that has been read. */
async function play(
  body: (scene: Scene) => Promise<void> | void,
  more: Parameters<typeof intakeFor>[1] = {},
): Promise<void> {
  await inFolder(async (folder) => {
    const path = join(folder, 'auth.log')
    const seen = new Seen()
    const intake = intakeFor(seen, more)
    const written: string[] = []
    const write = (...lines: string[]) => {
      written.push(...lines)
      appendFileSync(path, lines.map((line) => `${line}\n`).join(''))
    }
    const settled = async () => {
      await until(
        () => seen.lines.length >= written.length,
        () => ({ seen: seen.lines.slice(-5), written: written.slice(-5) }),
      )
      assert.equal(seen.lines, written)
    }
    try {
      write('first line of the first file')
      await intake.configure([following(path)])
      await settled()
      await body({ path, folder, seen, intake, write, settled })
      await settled()
    } finally {
      await intake.stop()
    }
    assert.equal(seen.lines, written)
  })
}

/** The rotation of logrotate: each older file gets the next number; the log itself too, unless it is copied. */
function rotate(path: string, keep = 9, from = 1): void {
  for (let i = keep; i >= from; i--) {
    const name = i === 1 ? path : `${path}.${i - 1}`
    if (existsSync(name)) renameSync(name, `${path}.${i}`)
  }
}

test('rename and create', () =>
  play(async ({ path, write, settled }) => {
    write('a')
    rotate(path)
    write('b')
    await settled()
    write('c')
  }))

test('several rotations by rename between two looks', () =>
  play(({ path, write }) => {
    for (let i = 0; i < 6; i++) {
      write(`before rotation ${i}`, `and one more ${i}`)
      rotate(path)
    }
    write('after all')
  }))

test('rotation to names with dates', () =>
  play(({ path, write }) => {
    for (let day = 10; day < 14; day++) {
      write(`a line of day ${day}`)
      renameSync(path, `${path}-202501${day}`)
    }
    write('today')
  }))

test('the writer goes on in the rotated file, then switches', () =>
  play(async ({ path, write, seen, settled }) => {
    rotate(path)
    writeFileSync(path, '')
    appendFileSync(`${path}.1`, 'late in the old file\n')
    await until(() => seen.lines.includes('late in the old file'))
    write()
    appendFileSync(path, 'in the new file\n')
    await until(() => seen.lines.includes('in the new file'))
    appendFileSync(`${path}.1`, 'later in the old file\n')
    await until(() => seen.lines.includes('later in the old file'))
    assert.equal(seen.lines.slice(1), ['late in the old file', 'in the new file', 'later in the old file'])
    seen.lines.splice(1)
    await settled()
  }))

test('copytruncate after all was read', () =>
  play(async ({ path, write, settled }) => {
    for (let i = 0; i < 3; i++) {
      write(`generation ${i}`)
      await settled()
      rotate(path, 9, 2)
      copyFileSync(path, `${path}.1`)
      truncateSync(path)
    }
    write('last generation')
  }))

test('copytruncate of what was not read yet: the copy is read', () =>
  play(({ path, write }) => {
    for (let i = 0; i < 4; i++) {
      write(`unread line of generation ${i} that is long enough to tell`)
      rotate(path, 9, 2)
      copyFileSync(path, `${path}.1`)
      truncateSync(path)
    }
    write('last generation')
  }))

test('copytruncate while a large chunk is under way: the copy is read', () =>
  play(({ path, seen, write }) => {
    let scans = 0
    // Asked when a scan begins. Chunks double: the fourth is larger than any line may be.
    Object.defineProperty(seen, 'gate', {
      get() {
        if (++scans !== 4) return null
        copyFileSync(path, `${path}.1`)
        truncateSync(path)
        write('first line of the next generation')
        return null
      },
    })
    write(
      ...Array.from({ length: 16_000 }, (_, index) => `unread line ${index} that is long enough to fill chunks with`),
    )
  }))

test('copytruncate of a file that was empty at the last look', () =>
  play(async ({ path, write, intake, settled }) => {
    copyFileSync(path, `${path}.1`)
    truncateSync(path)
    await until(() => ofFiles(intake.positions())[0]?.headLength === 0 || intake.logs()[0]?.behind === 0)
    write('written, copied and truncated between two looks')
    rotate(path, 9, 2)
    copyFileSync(path, `${path}.1`)
    truncateSync(path)
    write('last generation')
    await settled()
  }))

test('copytruncate that regrows beyond the old size before the next look', () =>
  play(async ({ path, write, settled }) => {
    copyFileSync(path, `${path}.1`)
    truncateSync(path)
    write('a line that is much longer than the whole of the file was before it was truncated')
    await settled()
  }))

test('delete and create', () =>
  play(async ({ path, write, settled }) => {
    for (let i = 0; i < 5; i++) {
      unlinkSync(path)
      write(`file ${i}`)
      await settled()
    }
  }))

test('a deleted file is read to its end', () =>
  play(({ path, write }) => {
    write('the last words')
    unlinkSync(path)
    write('a new file')
  }))

test('the folder is made again', () =>
  play(async ({ path, folder, write, settled }) => {
    for (let i = 0; i < 3; i++) {
      rmSync(folder, { recursive: true })
      mkdirSync(folder)
      write(`in folder ${i}`)
      await settled()
    }
    assert.ok(existsSync(path))
  }))

test('a link is pointed elsewhere, and back', () =>
  inFolder(async (folder) => {
    const seen = new Seen()
    const link = join(folder, 'current.log')
    const point = (name: string) => {
      symlinkSync(join(folder, name), `${link}.new`)
      renameSync(`${link}.new`, link)
    }
    const append = (name: string, line: string) => appendFileSync(join(folder, name), `${line}\n`)
    append('app.log', 'one')
    append('other.log', 'three')
    point('app.log')
    const intake = intakeFor(seen)
    await intake.configure([following(link)])
    await until(() => seen.lines.length === 1)
    append('app.log', 'two')
    point('other.log')
    await until(() => seen.lines.length === 3)
    append('app.log', 'four')
    await until(() => seen.lines.length === 4)
    point('app.log')
    append('app.log', 'five')
    await until(() => seen.lines.length === 5)
    await intake.stop()
    assert.equal(seen.lines, ['one', 'two', 'three', 'four', 'five'])
  }))

test('targets of a link that changed between two looks are all read', () =>
  inFolder(async (folder) => {
    const seen = new Seen()
    const link = join(folder, 'app.log')
    const next = (day: number) => {
      appendFileSync(join(folder, `app.2025-01-${day}.log`), `a line of the day ${day}\n`)
      rmSync(link, { force: true })
      symlinkSync(`app.2025-01-${day}.log`, link)
    }
    next(10)
    const intake = intakeFor(seen)
    await intake.configure([following(link)])
    await until(() => seen.lines.length === 1)
    for (const day of [11, 12, 13]) next(day)
    await until(() => seen.lines.length === 4)
    await intake.stop()
    assert.equal(
      seen.lines,
      [10, 11, 12, 13].map((day) => `a line of the day ${day}`),
    )
  }))

test('a FIFO in place of the log blocks nothing, and what comes after it is read', () =>
  play(async ({ path, write, intake, settled }) => {
    renameSync(path, `${path}.1`)
    execFileSync('mkfifo', [path])
    await until(() => intake.logs()[0]?.state === 'unreadable')
    assert.match(intake.logs()[0]?.trouble ?? '', 'is a FIFO, not a regular file')
    unlinkSync(path)
    write('after the FIFO')
    await settled()
    assert.is(intake.logs()[0]?.state, 'reading')
  }))

test('the half line of a rotated file is no line, also not with the beginning of the next file', () =>
  play(async ({ path, write, seen, settled }) => {
    appendFileSync(path, 'half a li')
    rotate(path)
    write('a whole line')
    await settled()
    assert.not.ok(seen.lines.some((line) => line.includes('half')))
  }))

test('a copy made by hand beside the log is not read as a generation', () =>
  play(async ({ path, write, settled }) => {
    write('enough text to tell that a file is a copy')
    await settled()
    copyFileSync(path, `${path}.old`)
    rotate(path)
    write('new file')
    await settled()
    write('and on')
  }))

test('other files in the folder are not read', () =>
  play(async ({ path, folder, write, settled }) => {
    for (const name of ['auth.log.2.gz', 'auth.log.swp', 'other.log.1', 'auth.logic', 'auth.log.audit'])
      writeFileSync(join(folder, name), `not for us: ${name}\n`)
    rotate(path)
    write('new file')
    await settled()
  }))

test('a link among the rotated files is not read', () =>
  play(async ({ path, folder, write, settled }) => {
    writeFileSync(join(folder, 'secret'), 'not for us\n')
    rotate(path)
    symlinkSync(join(folder, 'secret'), `${path}.0`)
    write('new file')
    await settled()
  }))

test('files deleted while a scan is under way are read', () =>
  play(async ({ path, seen, write, settled }) => {
    let open = () => {}
    seen.gate = new Promise((resolve) => (open = resolve))
    write('this chunk is under way')
    for (let i = 0; i < 3; i++) {
      rotate(path, 2)
      write(`rotation ${i}`)
      await new Promise((resolve) => setTimeout(resolve, 120))
    }
    seen.gate = null
    open()
    await settled()
  }))

test.run()
