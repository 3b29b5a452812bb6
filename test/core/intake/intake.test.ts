import * as assert from 'uvu/assert'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { LogChunk } from '../../../core/events.ts'
import { BailiffError } from '../../../core/errors.ts'
import { maxRangeBytes } from '../../../core/intake/scanner.ts'
import { suite } from '../../suite.ts'
import { following, inFolder, intakeFor, Seen, sourceOf, until, ofFiles } from './lines.ts'

const test = suite('intake')

test('one reader for all jails and sources of a path', () =>
  inFolder(async (folder) => {
    const [path, seen] = [join(folder, 'auth.log'), new Seen()]
    writeFileSync(path, 'a\n')
    const intake = intakeFor(seen)
    const other = sourceOf('other', { start: (_emit, host) => host.follow(path) }, {}, 'recidive', 'dropbear')
    await intake.configure([following(path, 'sshd'), following(path, 'pam', 'sshd'), other])
    await until(() => seen.lines.length === 1)
    assert.equal(seen.chunks[0]?.jails, ['dropbear', 'pam', 'recidive', 'sshd'])
    assert.equal(
      intake.logs().map(({ log }) => log),
      [path],
    )
    await intake.configure([following(path, 'sshd')])
    appendFileSync(path, 'b\n')
    await until(() => seen.lines.length === 2)
    await intake.stop()
    assert.equal(seen.chunks.at(-1)?.jails, ['sshd'])
    assert.equal(seen.lines, ['a', 'b'])
  }))

test('a reload keeps readers, and one that left and came back reads on', () =>
  inFolder(async (folder) => {
    const [path, other, seen] = [join(folder, 'a.log'), join(folder, 'b.log'), new Seen()]
    writeFileSync(path, 'a1\n')
    writeFileSync(other, 'b1\n')
    const intake = intakeFor(seen)
    await intake.configure([following(path), following(other)])
    await until(() => seen.lines.length === 2)
    await intake.configure([following(other)])
    assert.equal(
      intake.logs().map(({ log }) => log),
      [other],
    )
    appendFileSync(path, 'a2\n')
    appendFileSync(other, 'b2\n')
    await until(() => seen.lines.includes('b2'))
    assert.not.ok(seen.lines.includes('a2'))
    await intake.configure([following(path), following(other)])
    await until(() => seen.lines.includes('a2'))
    await intake.stop()
    assert.equal(seen.lines.toSorted(), ['a1', 'a2', 'b1', 'b2'])
  }))

test('a source that takes over a path from another leaves no gap and reads nothing twice', () =>
  inFolder(async (folder) => {
    const [path, seen] = [join(folder, 'a.log'), new Seen()]
    writeFileSync(path, 'one\n')
    const intake = intakeFor(seen)
    await intake.configure([following(path)])
    await until(() => seen.lines.length === 1)
    const position = seen.positions.get(path)
    await intake.configure([sourceOf('new', { start: (_emit, host) => host.follow(path) }, {}, 'sshd')])
    appendFileSync(path, 'two\n')
    await until(() => seen.lines.length === 2)
    await intake.stop()
    assert.equal(seen.lines, ['one', 'two'])
    assert.is(seen.positions.get(path)?.inode, position?.inode)
  }))

test('lines written in parts are one line', () =>
  inFolder(async (folder) => {
    const [path, seen] = [join(folder, 'a.log'), new Seen()]
    const intake = intakeFor(seen)
    await intake.configure([following(path)])
    for (const part of ['19', '2.0.', '2.1', '7 fa', 'iled\nnext ', 'one\n']) {
      appendFileSync(path, part)
      await until(
        () =>
          (seen.chunks.at(-1)?.data as { end: number } | undefined)?.end ===
          intake.logs()[0]!.position + intake.logs()[0]!.behind,
      )
    }
    await until(() => seen.lines.length === 2)
    await intake.stop()
    assert.equal(seen.lines, ['192.0.2.17 failed', 'next one'])
  }))

test('an unfinished line is scanned again only when it grows', () =>
  inFolder(async (folder) => {
    const [path, seen] = [join(folder, 'a.log'), new Seen()]
    writeFileSync(path, 'unfinished')
    const intake = intakeFor(seen, { lookEveryMs: 5 })
    await intake.configure([following(path)])
    await until(() => seen.chunks.length > 0)
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.is(seen.chunks.length, 1)
    assert.is(intake.logs()[0]?.behind, 10)
    await intake.stop()
  }))

test('a line too long is passed over, and the next is read', () =>
  inFolder(async (folder) => {
    const [path, seen] = [join(folder, 'a.log'), new Seen()]
    writeFileSync(path, `before\n${'x'.repeat(3 * 1024 * 1024)}`)
    const intake = intakeFor(seen)
    await intake.configure([following(path)])
    await until(() => intake.logs()[0]?.behind === 0)
    appendFileSync(path, `${'y'.repeat(100_000)}\nafter\n`)
    await until(() => seen.lines.length === 2)
    await intake.stop()
    assert.equal(seen.lines, ['before', 'after'])
    assert.is(seen.skipped, 1)
    assert.ok(seen.chunks.every(({ data }) => 'fd' in data && data.end - data.start <= 1024 * 1024))
  }))

test('a scan that passes over nothing does not stop the log', () =>
  inFolder(async (folder) => {
    const [path, seen] = [join(folder, 'a.log'), new Seen()]
    writeFileSync(path, `${'x'.repeat(2 * 1024 * 1024)}\nafter\n`)
    const lazy = async (chunk: LogChunk) => {
      const whole = 'fd' in chunk.data && chunk.data.end - chunk.data.start === maxRangeBytes
      return whole
        ? { found: 0, consumed: 0, insideLine: false, lines: 0, skipped: 0, malformed: 0, bare: false }
        : seen.scan(chunk, null)
    }
    const intake = intakeFor(seen, { scan: lazy })
    await intake.configure([following(path)])
    await until(() => seen.lines.length === 1)
    await intake.stop()
    assert.equal(seen.lines, ['after'])
  }))

test('a log that comes later is waited for, told once, and read from its start', () =>
  inFolder(async (folder) => {
    const [path, seen] = [join(folder, 'later', 'auth.log'), new Seen()]
    const intake = intakeFor(seen, { lookEveryMs: 5, patienceMs: 20 })
    await intake.configure([following(path)])
    await until(() => seen.alarms.length > 0)
    assert.is(intake.logs()[0]?.state, 'waiting')
    await new Promise((resolve) => setTimeout(resolve, 60))
    assert.is(seen.alarms.length, 1)
    assert.match(seen.alarms[0] ?? '', path)
    mkdirSync(join(folder, 'later'))
    writeFileSync(path, 'here\n')
    await until(() => seen.lines.length === 1)
    assert.is(intake.logs()[0]?.state, 'reading')
    assert.is(seen.chunks[0]?.live, true)
    await intake.stop()
  }))

test('a folder in place of the log is told once and ends nothing', () =>
  inFolder(async (folder) => {
    const [path, fine, seen] = [join(folder, 'auth.log'), join(folder, 'fine.log'), new Seen()]
    mkdirSync(path)
    const intake = intakeFor(seen, { lookEveryMs: 5, patienceMs: 0 })
    await intake.configure([following(path), following(fine)])
    writeFileSync(fine, 'a line\n')
    await until(() => seen.lines.length === 1 && seen.alarms.some((alarm) => alarm.includes('is a folder')))
    assert.is(intake.logs().find(({ log }) => log === path)?.state, 'unreadable')
    rmSync(path, { recursive: true })
    writeFileSync(path, 'another\n')
    await until(() => seen.lines.length === 2)
    assert.is(seen.alarms.filter((alarm) => alarm.startsWith(path)).length, 1)
    await intake.stop()
  }))

test('what is backlog and what is live', () =>
  inFolder(async (folder) => {
    const [path, first, second] = [join(folder, 'auth.log'), new Seen(), new Seen()]
    writeFileSync(path, 'old\n')
    const intake = intakeFor(first)
    await intake.configure([following(path)])
    await until(() => intake.logs()[0]?.live === true)
    assert.equal(pick(first.chunks[0]), { live: false, undatedAt: null })
    appendFileSync(path, 'new\n')
    await until(() => first.lines.length === 2)
    assert.equal(pick(first.chunks[1]), { live: true, undatedAt: first.chunks[1]?.arrivedAt })
    await intake.stop()

    appendFileSync(path, 'while nobody looked\n')
    utimesSync(path, 1_700_000_000, 1_700_000_000)
    for (const [log, position] of first.positions) second.positions.set(log, position)
    const again = intakeFor(second)
    await again.configure([following(path)])
    await until(() => second.lines.length === 1)
    assert.equal(pick(second.chunks[0]), { live: false, undatedAt: 1_700_000_000_000 })
    await again.stop()
  }))

test('undated lines count when they were written after the first look, though older ones are still being read', () =>
  inFolder(async (folder) => {
    const [path, seen] = [join(folder, 'auth.log'), new Seen()]
    writeFileSync(path, 'old\n')
    const intake = intakeFor(seen)
    let release = () => {}
    seen.gate = new Promise((resolve) => (release = resolve))
    await intake.configure([following(path)])
    appendFileSync(path, 'new\n')
    release()
    await until(() => seen.lines.length === 2)
    assert.equal(seen.lines, ['old', 'new'])
    assert.equal(pick(seen.chunks[0]), { live: false, undatedAt: null })
    assert.equal(pick(seen.chunks[1]), { live: false, undatedAt: seen.chunks[1]?.arrivedAt })
    await intake.stop()
  }))

test('a hole is passed over, however large, and told', () =>
  inFolder(async (folder) => {
    const [path, seen] = [join(folder, 'auth.log'), new Seen()]
    writeFileSync(path, 'first\n')
    const intake = intakeFor(seen)
    await intake.configure([following(path)])
    await until(() => seen.lines.length === 1)
    truncateSync(path, 2 ** 40)
    appendFileSync(path, '\nlast\n')
    await until(
      () => seen.lines.length === 2,
      () => seen.lines,
    )
    assert.equal(seen.lines, ['first', 'last'])
    assert.match(seen.alarms.join(), 'are a hole without data')
    await intake.stop()
  }))

test('an old file that is moved to the path later is backlog', () =>
  inFolder(async (folder) => {
    const [path, seen] = [join(folder, 'auth.log'), new Seen()]
    writeFileSync(join(folder, 'mounted'), 'an old line\n')
    let ahead = 60_000
    const intake = intakeFor(seen, { now: () => Date.now() + ahead })
    await intake.configure([following(path)])
    await until(() => intake.logs()[0]?.live === true)
    ahead = 120_000
    renameSync(join(folder, 'mounted'), path)
    await until(() => seen.lines.length === 1)
    assert.equal(pick(seen.chunks[0]), { live: false, undatedAt: null })
    await intake.stop()
  }))

test('after a restart reading goes on, also in files renamed or copied meanwhile', async () => {
  const meanwhile: Record<string, (path: string) => void> = {
    nothing: () => {},
    'rename and create': (path) => {
      renameSync(path, `${path}.1`)
      writeFileSync(path, 'c\n')
    },
    'renamed, no new file yet': (path) => renameSync(path, `${path}.1`),
    'two renames': (path) => {
      renameSync(path, `${path}.1`)
      writeFileSync(path, 'c\n')
      renameSync(`${path}.1`, `${path}.2`)
      renameSync(path, `${path}.1`)
      writeFileSync(path, 'd\n')
    },
    copytruncate: (path) => {
      copyFileSync(path, `${path}.1`)
      truncateSync(path)
      appendFileSync(path, 'c\n')
    },
    'another file': (path) => {
      rmSync(path)
      writeFileSync(path, 'x\n')
    },
  }
  const expected: Record<string, string[]> = {
    nothing: ['b'],
    'rename and create': ['b', 'c'],
    'renamed, no new file yet': ['b'],
    'two renames': ['b', 'c', 'd'],
    copytruncate: ['b', 'c'],
    'another file': ['x'],
  }
  for (const [name, happens] of Object.entries(meanwhile)) {
    await inFolder(async (folder) => {
      const [path, before, after] = [join(folder, 'auth.log'), new Seen(), new Seen()]
      writeFileSync(path, 'a\n')
      const first = intakeFor(before)
      await first.configure([following(path)])
      await until(() => before.lines.length === 1)
      await first.stop()
      appendFileSync(path, 'b\n')
      happens(path)
      const second = intakeFor(after, { positions: [...before.positions.values()] })
      await second.configure([following(path)])
      await until(
        () => after.lines.length >= expected[name]!.length,
        () => [name, after.lines],
      )
      await second.stop()
      assert.equal(after.lines, expected[name], name)
    })
  }
})

test('a scan that fails is tried again, and nothing is lost', () =>
  inFolder(async (folder) => {
    const [path, seen] = [join(folder, 'a.log'), new Seen()]
    writeFileSync(path, 'a\nb\n')
    let failures = 2
    const intake = intakeFor(seen, {
      scan: (chunk, position) =>
        failures-- > 0 ? Promise.reject(new Error('the worker died')) : seen.scan(chunk, position),
    })
    await intake.configure([following(path)])
    await until(() => seen.lines.length === 2)
    await intake.stop()
    assert.equal(seen.lines, ['a', 'b'])
  }))

test('one chunk of a log is under way at a time, and no more than allowed over all', () =>
  inFolder(async (folder) => {
    const seen = new Seen()
    const paths = Array.from({ length: 8 }, (_, i) => join(folder, `${i}.log`))
    for (const path of paths) writeFileSync(path, `${'a line of the log\n'.repeat(80_000)}`)
    const under = new Set<string>()
    let most = 0
    const intake = intakeFor(seen, {
      atOnce: 3,
      scan: async (chunk, position) => {
        assert.not.ok(under.has(chunk.log))
        under.add(chunk.log)
        most = Math.max(most, under.size)
        await new Promise((resolve) => setTimeout(resolve, 3))
        under.delete(chunk.log)
        return seen.scan(chunk, position)
      },
    })
    await intake.configure(paths.map((path) => following(path)))
    await until(() => seen.lines.length === 8 * 80_000)
    await intake.stop()
    assert.is(most, 3)
  }))

test('without a word of the kernel, the clock finds new lines; without the clock, the kernel', () =>
  inFolder(async (folder) => {
    const [path, seen] = [join(folder, 'a.log'), new Seen()]
    writeFileSync(path, 'a\n')
    const intake = intakeFor(seen, { lookEveryMs: 1_000_000 })
    await intake.configure([following(path)])
    await until(() => seen.lines.length === 1)
    appendFileSync(path, 'b\n')
    await until(() => seen.lines.length === 2)
    renameSync(path, `${path}.1`)
    writeFileSync(path, 'c\n')
    await until(() => seen.lines.length === 3)
    await intake.stop()
    assert.equal(seen.lines, ['a', 'b', 'c'])
  }))

test('nothing is scanned and no file is open after stop', () =>
  inFolder(async (folder) => {
    const [path, seen] = [join(folder, 'a.log'), new Seen()]
    writeFileSync(path, 'a\n')
    const intake = intakeFor(seen, { lookEveryMs: 2 })
    await intake.configure([following(path)])
    await until(() => seen.lines.length === 1)
    await intake.stop()
    const [position] = ofFiles(intake.positions())
    assert.is(position?.offset, 2)
    appendFileSync(path, 'b\n')
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.equal(seen.lines, ['a'])
    assert.equal(intake.logs(), [])
  }))

test('a relative path is refused with a word', () =>
  inFolder(async () => {
    const refused: unknown[] = []
    const intake = intakeFor(new Seen())
    const start = (_emit: unknown, host: { follow(path: string): void }) => {
      try {
        host.follow('auth.log')
      } catch (error) {
        refused.push(error)
      }
    }
    await intake.configure([sourceOf('odd', { start }, {}, 'sshd')])
    await intake.stop()
    assert.ok(refused[0] instanceof BailiffError)
  }))

test.run()

function pick(chunk: LogChunk | undefined) {
  return { live: chunk?.live, undatedAt: chunk?.undatedAt }
}
