import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { Intake, IntakeOptions } from '../../../core/intake/intake.ts'
import { filesMatching, MatchedFiles } from '../../../core/intake/matched-files.ts'
import file from '../../../plugins/sources/file.ts'
import { suite } from '../../suite.ts'
import { following, inFolder, intakeFor, Seen, sourceOf, until } from './lines.ts'

const test = suite('files that a pattern means')

type Options = Parameters<typeof file.start>[1]['options']

/** Runs `body` while the patterns are followed; the lines that were seen are answered, sorted. */
async function matching(
  options: Options,
  body: (seen: Seen, intake: Intake) => Promise<void>,
  more: Partial<IntakeOptions> = {},
): Promise<Seen> {
  const seen = new Seen()
  const intake = intakeFor(seen, more)
  try {
    await intake.configure([sourceOf('file', file, options, 'nginx')])
    await body(seen, intake)
  } finally {
    await intake.stop()
  }
  return seen
}

const arrive = (seen: Seen, ...lines: string[]) =>
  until(
    () => lines.every((line) => seen.lines.includes(line)),
    () => seen.lines,
  )

/** Fails where a line of these came twice, or one that is not to come came. */
function once(seen: Seen, lines: readonly string[]): void {
  assert.equal(seen.lines.toSorted(), lines.toSorted())
}

test('where there is much to look at, the rest of it comes piece by piece, and all else goes on', () =>
  inFolder(async (folder) => {
    for (let each = 0; each < 100; each++) {
      mkdirSync(join(folder, `f${each}`))
      for (let file = 0; file < 10; file++) writeFileSync(join(folder, `f${each}/${file}.log`), '')
    }
    const watches = { listen() {}, unlisten() {}, tells: () => true }
    const told: string[] = []
    let changes = 0
    const matched = new MatchedFiles({
      pattern: join(folder, '**/*.log'),
      exclude: [],
      limit: 4096,
      watches,
      alarm: (_, message) => told.push(message),
      patienceMs: 0,
      changed: () => changes++,
      firstWorkMs: 0,
    })
    assert.is(matched.paths.length, 0)
    await until(
      () => changes > 0 && matched.paths.length === 1000,
      () => [String(matched.paths.length)],
    )
    assert.not(matched.isFresh(join(folder, 'f7/7.log')))
    assert.is(filesMatching(join(folder, '**/*.log')).length, 1000)
    assert.equal(told, [])
    matched.stop()
  }))

test('no wild card goes into the folders of the kernel', () => {
  assert.not(filesMatching('/*/version').includes('/proc/version'))
  assert.equal(filesMatching('/proc/vers?on'), ['/proc/version'])
})

test('those that are there, those that come, and those in folders that come', () =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, 'a'))
    writeFileSync(join(folder, 'a/access.log'), 'a1\n')
    writeFileSync(join(folder, 'a/error.log'), 'error\n')
    const seen = await matching({ path: join(folder, '*/access.log') }, async (seen) => {
      await arrive(seen, 'a1')
      mkdirSync(join(folder, 'b'))
      writeFileSync(join(folder, 'b/access.log'), 'b1\nb2\n')
      await arrive(seen, 'b2')
      appendFileSync(join(folder, 'a/access.log'), 'a2\n')
      appendFileSync(join(folder, 'b/access.log'), 'b3\n')
      await arrive(seen, 'a2', 'b3')
      mkdirSync(join(folder, 'made/elsewhere'), { recursive: true })
      writeFileSync(join(folder, 'made/elsewhere/access.log'), 'too deep\n')
      mkdirSync(join(folder, '.d'))
      writeFileSync(join(folder, '.d/access.log'), 'hidden\n')
      writeFileSync(join(folder, 'x'), '')
      rmSync(join(folder, 'x'))
      renameSync(join(folder, 'made/elsewhere'), join(folder, 'c'))
      await arrive(seen, 'too deep')
    })
    once(seen, ['a1', 'a2', 'b1', 'b2', 'b3', 'too deep'])
    assert.equal(seen.alarms, [])
  }))

test('folders of any depth, without links that run in circles', () =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, 'a/b/c'), { recursive: true })
    symlinkSync(folder, join(folder, 'a/circle'))
    symlinkSync('self', join(folder, 'self'))
    writeFileSync(join(folder, 'top.log'), 'top\n')
    writeFileSync(join(folder, 'a/b/c/deep.log'), 'deep\n')
    const seen = await matching({ path: join(folder, '**/*.log') }, async (seen) => {
      await arrive(seen, 'top', 'deep')
      mkdirSync(join(folder, 'x/y/z'), { recursive: true })
      writeFileSync(join(folder, 'x/y/z/new.log'), 'new\n')
      await arrive(seen, 'new')
      appendFileSync(join(folder, 'a/b/c/deep.log'), 'deeper\n')
      await arrive(seen, 'deeper')
    })
    once(seen, ['deep', 'deeper', 'new', 'top'])
  }))

test('several patterns, alternatives and what is left out', () =>
  inFolder(async (folder) => {
    for (const name of ['a', 'b', 'c', 'debug', 'other']) writeFileSync(join(folder, `${name}.log`), `${name}\n`)
    writeFileSync(join(folder, 'a.log.1'), 'old a\n')
    writeFileSync(join(folder, 'a.log.2.gz'), 'packed\n')
    const path = [join(folder, '{a,b}*'), join(folder, '[c-d]*.log'), join(folder, 'other.log')]
    const seen = await matching({ path, exclude: ['debug*'] }, (seen) => arrive(seen, 'a', 'b', 'c', 'other'))
    once(seen, ['a', 'b', 'c', 'other'])
  }))

test('a pattern that means nothing is a log that is waited for, and a jail that is told of once', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'later/*.log')
    const seen = await matching(
      { path },
      async (seen, intake) => {
        await until(() => seen.alarms.length > 0)
        const [state] = intake.logs()
        assert.equal([state?.log, state?.pattern, state?.state, state?.jails], [path, path, 'waiting', ['nginx']])
        assert.match(state?.trouble ?? '', 'no file matches it yet')
        mkdirSync(join(folder, 'later'))
        writeFileSync(join(folder, 'later/a.log'), 'a\n')
        await arrive(seen, 'a')
        assert.equal(
          intake.logs().map(({ log, pattern, state }) => [log, pattern, state]),
          [[join(folder, 'later/a.log'), path, 'reading']],
        )
      },
      { patienceMs: 0 },
    )
    assert.is(seen.alarms.length, 1)
    assert.match(seen.alarms[0] ?? '', 'no file matches')
  }))

/** Each rotates the log once, so that nothing of it is written twice. */
const rotations: [name: string, path: string, rotate: (folder: string) => void][] = [
  ['rename and create, a pattern for all names', '*', shift('app.log.1', 'app.log.2')],
  ['rename and create, numbers in the middle', '*.log', shift('app.1.log', 'app.2.log')],
  ['rename and create, dates in the middle', '*.log', shift('app-20261121.log')],
  ['rename to a name that says nothing', '*.log', shift('before.log')],
  ['rename without a new file', '*', (folder) => renameSync(join(folder, 'app.log'), join(folder, 'app.log.1'))],
  ['copy and truncate, a pattern for all names', '*', copyAndTruncate('app.log.1')],
  ['copy and truncate, numbers in the middle', '*.log', copyAndTruncate('app.1.log')],
]

for (const [name, pattern, rotate] of rotations)
  test(`rotated files are not read twice: ${name}`, () =>
    inFolder(async (folder) => {
      const path = join(folder, 'app.log')
      const first = 'a first line that is long enough to tell a copy by its beginning'
      writeFileSync(path, `${first}\n`)
      const seen = await matching({ path: join(folder, pattern) }, async (seen) => {
        await arrive(seen, first)
        for (let i = 0; i < 4; i++) {
          appendFileSync(path, `before ${i}, which is written at the last moment before the rotation\n`)
          rotate(folder)
          await new Promise((resolve) => setTimeout(resolve, 120))
          appendFileSync(path, `after ${i}, which is written into whatever stands there then\n`)
          await arrive(seen, `after ${i}, which is written into whatever stands there then`)
        }
        await new Promise((resolve) => setTimeout(resolve, 150))
      })
      const lines = [0, 1, 2, 3].flatMap((i) => [
        `before ${i}, which is written at the last moment before the rotation`,
        `after ${i}, which is written into whatever stands there then`,
      ])
      once(seen, [first, ...lines])
    }))

test('logs with a number are logs of their own, whatever stands beside them', () =>
  inFolder(async (folder) => {
    for (const name of ['worker', 'worker-1', 'worker-2', 'worker.3']) writeFileSync(join(folder, `${name}.log`), '')
    const seen = await matching({ path: join(folder, '*.log') }, async (seen, intake) => {
      await until(() => intake.logs().length === 4)
      for (const name of ['worker', 'worker-1', 'worker-2', 'worker.3'])
        appendFileSync(join(folder, `${name}.log`), `${name}\n`)
      await arrive(seen, 'worker', 'worker-1', 'worker-2', 'worker.3')
      for (const name of ['worker', 'worker-1', 'worker-2', 'worker.3']) {
        renameSync(join(folder, `${name}.log`), join(folder, `${name}.log.1`))
        writeFileSync(join(folder, `${name}.log`), `${name} again\n`)
      }
      await arrive(seen, 'worker again', 'worker-1 again', 'worker-2 again', 'worker.3 again')
    })
    once(
      seen,
      ['worker', 'worker-1', 'worker-2', 'worker.3'].flatMap((name) => [name, `${name} again`]),
    )
  }))

test('logs that are named one by one, like rotated files of each other, are read once as well', () =>
  inFolder(async (folder) => {
    const path = ['worker.log', 'worker-1.log'].map((name) => join(folder, name))
    for (const each of path) writeFileSync(each, `first of ${each}\n`)
    const seen = await matching({ path }, async (seen) => {
      await until(() => seen.lines.length === 2)
      for (const each of path) {
        renameSync(each, `${each}.1`)
        writeFileSync(each, `second of ${each}\n`)
      }
      await arrive(seen, ...path.map((each) => `second of ${each}`))
      await new Promise((resolve) => setTimeout(resolve, 150))
    })
    once(
      seen,
      path.flatMap((each) => [`first of ${each}`, `second of ${each}`]),
    )
  }))

test('a link and the file it leads to are read once, also when it is swapped', () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'app-1.log'), 'one\n')
    symlinkSync('app-1.log', join(folder, 'current.log'))
    const seen = await matching({ path: join(folder, '*.log') }, async (seen) => {
      await arrive(seen, 'one')
      writeFileSync(join(folder, 'app-2.log'), 'two\n')
      symlinkSync('app-2.log', join(folder, 'new'))
      renameSync(join(folder, 'new'), join(folder, 'current.log'))
      await arrive(seen, 'two')
      appendFileSync(join(folder, 'app-1.log'), 'late\n')
      appendFileSync(join(folder, 'app-2.log'), 'three\n')
      await arrive(seen, 'late', 'three')
      await new Promise((resolve) => setTimeout(resolve, 150))
    })
    once(seen, ['late', 'one', 'three', 'two'])
  }))

test('a path named by itself is read by the reader of the pattern, for the jails of both', () =>
  inFolder(async (folder) => {
    const [path, seen] = [join(folder, 'a.log'), new Seen()]
    writeFileSync(path, '')
    const intake = intakeFor(seen)
    await intake.configure([
      following(path, 'sshd'),
      sourceOf('file', file, { path: join(folder, '*.log') }, 'nginx'),
      sourceOf('other', file, { path: join(folder, '?.log') }, 'apache'),
    ])
    await until(() => intake.logs().length === 1)
    appendFileSync(path, 'a\n')
    await until(() => seen.lines.length === 1)
    await intake.stop()
    assert.equal(seen.lines, ['a'])
    assert.equal(seen.chunks[0]?.jails, ['apache', 'nginx', 'sshd'])
  }))

test('two sources that reach a file by two paths both read it', () =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, 'true'))
    symlinkSync('true', join(folder, 'linked'))
    writeFileSync(join(folder, 'true/a.log'), 'a\n')
    const seen = new Seen()
    const intake = intakeFor(seen)
    await intake.configure([
      sourceOf('one', file, { path: join(folder, 'true/*.log') }, 'nginx'),
      sourceOf('two', file, { path: join(folder, 'linked/*.log') }, 'apache'),
    ])
    await until(() => seen.lines.length === 2)
    await intake.stop()
    assert.equal(seen.chunks.map(({ jails }) => jails[0]).toSorted(), ['apache', 'nginx'])
  }))

test('of too many files those that were written last are read, and that is an alarm', () =>
  inFolder(async (folder) => {
    for (let i = 0; i < 30; i++) {
      writeFileSync(join(folder, `${i}.log`), `${i}\n`)
      utimesSync(join(folder, `${i}.log`), 1e9 + i, 1e9 + i)
    }
    const seen = await matching({ path: join(folder, '*.log'), limit: 10 }, async (seen, intake) => {
      await arrive(seen, '29', '20')
      assert.is(intake.logs().length, 10)
      await until(() => seen.alarms.length > 0)
      writeFileSync(join(folder, 'new.log'), 'new\n')
      await arrive(seen, 'new')
      await until(() => intake.logs().length === 10)
    })
    once(seen, [...Array.from({ length: 10 }, (_, i) => String(29 - i)), 'new'])
    assert.match(seen.alarms[0] ?? '', 'it means 30 files, and only the 10 that were written last are read')
  }))

test('thousands of files in one folder do not drive out those of another', () =>
  inFolder(async (folder) => {
    for (const name of ['mine', 'theirs']) mkdirSync(join(folder, name))
    for (const name of ['a', 'b']) {
      writeFileSync(join(folder, `mine/${name}.log`), `${name}\n`)
      utimesSync(join(folder, `mine/${name}.log`), 1e9, 1e9)
    }
    for (let i = 0; i < 50; i++) writeFileSync(join(folder, `theirs/${i}.log`), '')
    const seen = await matching({ path: join(folder, '*/*.log'), limit: 10 }, async (seen, intake) => {
      await arrive(seen, 'a', 'b')
      for (let i = 50; i < 100; i++) writeFileSync(join(folder, `theirs/${i}.log`), '')
      await until(() => intake.logs().length <= 10 && seen.alarms.length > 0)
      appendFileSync(join(folder, 'mine/a.log'), 'still\n')
      await arrive(seen, 'still')
    })
    once(seen, ['a', 'b', 'still'])
  }))

test('nothing is lost and nothing doubled over a restart, whatever came meanwhile', () =>
  inFolder(async (folder) => {
    const seen = new Seen()
    const path = join(folder, '*')
    const during = async (body: () => Promise<void>) => {
      const intake = intakeFor(seen)
      await intake.configure([sourceOf('file', file, { path }, 'nginx')])
      await body()
      await intake.stop()
      for (const position of intake.positions())
        if (!('cursor' in position)) seen.positions.set(position.path, position)
    }
    writeFileSync(join(folder, 'a.log'), 'a1\n')
    await during(() => arrive(seen, 'a1'))
    appendFileSync(join(folder, 'a.log'), 'a2\n')
    renameSync(join(folder, 'a.log'), join(folder, 'a.log.1'))
    writeFileSync(join(folder, 'a.log'), 'a3\n')
    writeFileSync(join(folder, 'b.log'), 'b1\n')
    await during(() => arrive(seen, 'a2', 'a3', 'b1'))
    await during(() => new Promise((resolve) => setTimeout(resolve, 100)))
    once(seen, ['a1', 'a2', 'a3', 'b1'])
  }))

test('what a jail no longer means is closed', () =>
  inFolder(async (folder) => {
    for (const name of ['a', 'b']) writeFileSync(join(folder, `${name}.log`), `${name}\n`)
    const opened = () =>
      readdirSync('/proc/self/fd').flatMap((fd) => {
        try {
          const path = readlinkSync(`/proc/self/fd/${fd}`)
          return path.startsWith(folder) ? [path.slice(folder.length + 1)] : []
        } catch {
          return []
        }
      })
    const seen = new Seen()
    const intake = intakeFor(seen)
    await intake.configure([sourceOf('one', file, { path: join(folder, '*.log') }, 'nginx')])
    await arrive(seen, 'a', 'b')
    assert.equal(opened().toSorted(), ['a.log', 'b.log'])
    await intake.configure([sourceOf('two', file, { path: join(folder, '[b-c].log') }, 'nginx')])
    assert.equal(opened(), ['b.log'])
    await intake.stop()
    assert.equal(opened(), [])
    once(seen, ['a', 'b'])
  }))

test.run()

/** Renames the log, and each older part to the next name; the log is made anew. */
function shift(...names: string[]): (folder: string) => void {
  return (folder) => {
    for (let i = names.length - 1; i >= 0; i--) {
      try {
        renameSync(join(folder, i === 0 ? 'app.log' : (names[i - 1] ?? '')), join(folder, names[i] ?? ''))
      } catch {
        // There are not so many yet.
      }
    }
    writeFileSync(join(folder, 'app.log'), '')
  }
}

function copyAndTruncate(name: string): (folder: string) => void {
  return (folder) => {
    copyFileSync(join(folder, 'app.log'), join(folder, name))
    truncateSync(join(folder, 'app.log'))
  }
}
