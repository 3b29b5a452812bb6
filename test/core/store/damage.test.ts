import * as assert from 'uvu/assert'
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, renameSync, truncateSync, writeFileSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Store } from '../../../core/store/store.ts'
import { migrate, migrations } from '../../../core/store/schema.ts'
import { openDatabase } from '../../../core/store/sqlite.ts'
import { suite } from '../../suite.ts'
import { ban, entries, holding, inStateFolder, overwrite, position, until, withStore } from './bans.ts'
import { ofFiles } from '../intake/lines.ts'

const test = suite('damaged store')
const rootTest = suite('full disk', 'root')

/** How a store may be damaged, and whether it is so bad that the file is set aside. */
const damages: Record<string, { does: (path: string) => void; aside: boolean; told?: boolean }> = {
  'not a database': { does: (path) => writeFileSync(path, 'this is no database\n'.repeat(1000)), aside: true },
  'header overwritten': { does: (path) => overwrite(path, 0, 100), aside: true },
  truncated: { does: (path) => truncateSync(path, 6000), aside: true },
  emptied: { does: (path) => truncateSync(path, 0), aside: false, told: true },
  'pages overwritten': { does: (path) => overwrite(path, 4096, 12_000), aside: true },
  'a folder in its place': {
    does: (path) => {
      rmSync(path)
      mkdirSync(path)
    },
    aside: true,
  },
  'a log of another store beside it': {
    does: (path) => writeFileSync(`${path}-wal`, 'x'.repeat(50_000)),
    aside: false,
  },
}

/** What may become of the files while they are open, so that the store sees it without reading all pages. */
const damagesWhileOpen: Record<string, (path: string) => void> = {
  'header overwritten': (path) => overwrite(path, 0, 100),
  emptied: (path) => truncateSync(path, 0),
  'truncated where it was longer': (path) => truncateSync(path, 512),
  removed: (path) => rmSync(path),
  'its log removed': (path) => rmSync(`${path}-wal`),
  'its log overwritten': (path) => overwrite(`${path}-wal`, 0, 100),
  'another file in its place': (path) => {
    renameSync(path, `${path}-elsewhere`)
    writeFileSync(path, 'this is no database')
  },
  'a folder in its place': (path) => {
    rmSync(path)
    mkdirSync(path)
  },
}

test('a damaged store is set aside once, told, and begins anew', async () => {
  for (const [name, { does, aside, told = aside }] of Object.entries(damages)) {
    await inStateFolder(async (path) => {
      await withStore(path, fill)
      does(path)
      const alarms: string[] = []
      const alarm = (_subject: string, message: string) => alarms.push(message)
      await withStore(
        path,
        async (store) => {
          assert.is(asideOf(path).length > 0, aside, `${name}: ${readdirSync(dirname(path)).join(' ')}`)
          assert.is(alarms.length, told ? 1 : 0, `${name}: ${alarms.join()}`)
          await store.commit({ bans: [ban('203.0.113.9')] })
        },
        { alarm },
      )
      await withStore(
        path,
        ({ loaded }) =>
          assert.ok(
            [...loaded.bans].some((each) => each.prefix === '203.0.113.9'),
            name,
          ),
        { alarm },
      )
      assert.is(alarms.length, told ? 1 : 0, `${name}: ${alarms.join()}`)
    })
  }
})

test('a store that is damaged while it is open is set aside, told once, and everything is in the new one', async () => {
  for (const [name, does] of Object.entries(damagesWhileOpen)) {
    await inStateFolder(async (path) => {
      const alarms: string[] = []
      const alarm = (_subject: string, message: string) => alarms.push(message)
      const inForce = Array.from({ length: 4500 }, (_, i) => ban(`10.0.${i >> 8}.${i & 255}`))
      const held = holding({ bans: () => inForce, everything: () => [entries(7)] })
      await withStore(
        path,
        async (store) => {
          store.hold(held)
          await store.commit({ bans: inForce, positions: [position('/a', 2), position('/b', 2)] })
          does(path)
          // By itself, without anything to commit.
          await until(() => asideOf(path).length > 0 || alarms.length > 0)
          await store.commit({ positions: [position('/a', 4)] })
          assert.is((await store.history({ limit: 10_000 })).length, inForce.length, name)
        },
        { alarm, checkEveryMs: 20 },
      )
      assert.is(alarms.length, 1, `${name}: ${alarms.join('; ')}`)
      await withStore(
        path,
        (store) => {
          assert.is([...store.loaded.bans].length, inForce.length, name)
          assert.equal(store.loaded.positions, [position('/a', 4), position('/b', 2)])
          assert.is(store.loaded.failures.length, 1)
        },
        { alarm },
      )
      assert.is(alarms.length, 1, name)
    })
  }
})

test('no more than three damaged files are kept', () =>
  inStateFolder(async (path) => {
    for (let i = 0; i < 5; i++) {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, `no database ${i}\n`.repeat(500))
      await withStore(path, () => {})
    }
    assert.is(asideOf(path).length, 3)
  }))

test('a row that was damaged is left out, the others are loaded', () =>
  inStateFolder(async (path) => {
    await withStore(path, (store) => store.commit({ bans: [ban('192.0.2.1'), ban('192.0.2.2'), ban('192.0.2.3')] }))
    const database = await openDatabase(path)
    database.exec(`UPDATE bans SET prefix = '192.0.2.999' WHERE prefix = '192.0.2.1'`)
    database.exec(`UPDATE bans SET ports = '{"protocol":"tcp"' WHERE prefix = '192.0.2.2'`)
    database.close()
    await withStore(path, ({ loaded }) =>
      assert.equal(
        [...loaded.bans].map((each) => each.prefix),
        ['192.0.2.3'],
      ),
    )
  }))

test('a store of another program or of a newer version is not touched but set aside', async () => {
  const others: Record<string, string> = {
    'another program': 'PRAGMA application_id = 12345; CREATE TABLE t (a)',
    'a newer version': `PRAGMA user_version = ${migrations.length + 1}`,
    'tables of the same name': 'CREATE TABLE bans (a)',
  }
  for (const [name, sql] of Object.entries(others)) {
    await inStateFolder(async (path) => {
      mkdirSync(dirname(path))
      const database = await openDatabase(path)
      database.exec(sql)
      database.close()
      await withStore(path, (store) => assert.is(asideOf(path).length, 1, `${name} ${[...store.loaded.bans].length}`))
    })
  }
})

test('a store of version 0 and of any later version is brought forward, all or nothing', () =>
  inStateFolder(async (path) => {
    mkdirSync(dirname(path))
    const database = await openDatabase(path)
    const steps = ['CREATE TABLE a (x)', 'ALTER TABLE a ADD COLUMN y', 'UPDATE a SET y = x * 2']
    migrate(database, steps.slice(0, 1))
    database.exec('INSERT INTO a (x) VALUES (21)')
    assert.throws(() => migrate(database, [...steps.slice(0, 2), 'THIS IS NO SQL']))
    assert.equal({ ...database.prepare('SELECT * FROM a').get() }, { x: 21 })
    migrate(database, steps)
    assert.equal({ ...database.prepare('SELECT * FROM a').get() }, { x: 21, y: 42 })
    migrate(database, steps)
    assert.is(database.prepare('PRAGMA user_version').get()?.user_version, 3)
    database.close()
  }))

test('what was acknowledged is there after kill -9', () =>
  inStateFolder(async (path) => {
    for (let round = 0; round < 3; round++) {
      const acknowledged = await killWhileCommitting(path, round)
      assert.ok(acknowledged.length > 20)
      await withStore(path, async (store) => {
        const kept = new Set([...store.loaded.bans].map((each) => each.prefix as string))
        assert.equal(
          acknowledged.filter((each) => !kept.has(each)),
          [],
        )
        const last = ofFiles(store.loaded.positions)[0]?.offset ?? 0
        assert.ok([...store.loaded.bans].length >= last, 'a position came before the bans it stands for')
      })
      rmSync(path, { force: true })
    }
  }))

rootTest('a full disk is told, ends nothing, and all is written when there is room again', () =>
  inStateFolder(async (_path, folder) => {
    const disk = join(folder, 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', disk])
    try {
      const path = join(disk, 'bailiff.db')
      const alarms: string[] = []
      const alarm = (_subject: string, message: string) => alarms.push(message)
      await withStore(
        path,
        async (store) => {
          await store.commit({ bans: [ban('192.0.2.1')] })
          fillDisk(join(disk, 'ballast'))
          const waiting = Array.from({ length: 200 }, (_, i) => store.commit({ bans: [ban(`198.51.100.${i}`)] }))
          for (let i = 0; i < 1000 && alarms.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 5))
          assert.match(alarms[0] ?? '', 'full')
          rmSync(join(disk, 'ballast'))
          await Promise.all(waiting)
        },
        { alarm },
      )
      fillDisk(join(disk, 'ballast'))
      await withStore(path, ({ loaded }) => assert.is([...loaded.bans].length, 201), { alarm })
      assert.equal(asideOf(path), [])
    } finally {
      execFileSync('umount', [disk])
    }
  }),
)

test.run()
rootTest.run()

function asideOf(path: string): string[] {
  return readdirSync(dirname(path)).filter(
    (name) => name.startsWith(`${basename(path)}.damaged-`) && !/-(?:wal|shm)$/.test(name),
  )
}

async function fill(store: Store): Promise<void> {
  await store.commit({ bans: Array.from({ length: 500 }, (_, i) => ban(`192.0.2.${i % 250}`, { jail: `jail-${i}` })) })
}

function fillDisk(path: string): void {
  try {
    for (let i = 0; i < 1000; i++) writeFileSync(path, Buffer.alloc(4096), { flag: 'a' })
  } catch {
    // Full: as wanted.
  }
}

/** Starts a process that commits in a loop, kills it in the middle, and tells what it had been acknowledged. */
function killWhileCommitting(path: string, round: number): Promise<string[]> {
  const program = fileURLToPath(new URL('committing.js', import.meta.url))
  const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString()
    if (output.length > 2000 + round * 3000) child.kill('SIGKILL')
  })
  return new Promise((resolve) => child.on('close', () => resolve(output.split('\n').slice(0, -1))))
}
