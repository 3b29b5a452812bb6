import * as assert from 'uvu/assert'
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { migrate } from '../../../core/store/schema.ts'
import { openDatabase } from '../../../core/store/sqlite.ts'
import { inStateFolder, withStore } from './bans.ts'
import { ofFiles } from '../intake/lines.ts'
import { steps } from './migration-steps.ts'

/** What the store asks of the disk, and what SQLite looks for first when it opens. */
const calls = ['pwrite64', 'fsync', 'fdatasync', 'ftruncate', 'rename', 'unlink', 'openat'] as const
export const faults = { kill: 'signal=KILL', full: 'error=ENOSPC', broken: 'error=EIO' } as const
/** No scenario has more points of one call than this: the walk ends. */
const most = 400
const atOnce = 3
/** All points take minutes (FAULTS=all); usually it is every so manieth of the calls that come often. */
const strides: Readonly<Partial<Record<string, number>>> =
  process.env.FAULTS === 'all' ? {} : { pwrite64: 8, fsync: 3, fdatasync: 3, openat: 5 }

interface Run {
  /** Whether the call came so often that the fault happened. */
  readonly hit: boolean
  /** The number of the last commit that was acknowledged; 0: none. */
  readonly acknowledged: number
  readonly code: number | null
}

/** The n-th such call on the files of the store fails, or is where the process is killed. */
function run(path: string, kind: string, call: string, fault: keyof typeof faults, n: number): Promise<Run> {
  const program = fileURLToPath(new URL(kind === 'old' ? 'migrating.js' : 'faulty.js', import.meta.url))
  const trace = join(dirname(dirname(path)), 'trace')
  const watched = [path, `${path}-wal`, dirname(path)].flatMap((each) => ['-P', each])
  const inject = `inject=${call}:${faults[fault]}:when=${n}`
  const words = ['-f', '-qq', '-o', trace, '-e', `trace=${call}`, ...watched, '-e', inject]
  const child = spawn('strace', [...words, process.execPath, program, path, kind], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let output = ''
  child.stdout.on('data', (data: Buffer) => (output += data.toString()))
  return new Promise((resolve) =>
    child.on('close', (code) => {
      const lines = output.split('\n').slice(0, -1)
      const hit = fault === 'kill' ? code !== 0 : readFileSync(trace, 'utf8').includes('INJECTED')
      resolve({ hit, code, acknowledged: Number(lines.at(-1) ?? 0) })
    }),
  )
}

/** What is in the store afterwards is what some commit left, the last acknowledged or a later one, whole and once. */
async function check(path: string, damaged: boolean, { acknowledged }: Run, name: string): Promise<void> {
  await withStore(path, async ({ loaded }) => {
    const numbers = loaded.failures.flatMap(({ entries }) => [...entries])
    const read = ofFiles(loaded.positions)[0]?.offset ?? 0
    const cursors = loaded.positions.flatMap((each) => ('cursor' in each ? [each.cursor] : []))
    assert.equal(cursors, read > 0 ? [`after ${read}`] : [], `${name}: cursor`)
    const prefixes = Array.from(loaded.bans, ({ prefix }) => prefix as string)
    assert.equal(
      prefixes,
      Array.from({ length: read }, (_, i) => `192.0.2.${i + 1}`),
      `${name}: bans`,
    )
    assert.equal(
      numbers,
      Array.from({ length: read }, (_, i) => i + 1),
      `${name}: failures`,
    )
    // A damaged store is empty until it is written anew, and then whatever was read is read again.
    if (!damaged || read > 0) assert.ok(read >= acknowledged, `${name}: ${read} of ${acknowledged}`)
  })
}

/** A store is of the old schema or of the new one, and can be brought forward. */
async function checkMigration(path: string, name: string): Promise<void> {
  const database = await openDatabase(path)
  const version = migrate(database, steps)
  const rows = 'SELECT count(*) AS bans, sum(doubled = 2 * count) AS lifted FROM bans'
  const { bans, lifted } = database.prepare(rows).get() ?? {}
  assert.is(bans, version === steps.length || bans !== 0 ? 500 : 0, `${name}: schema ${version}`)
  assert.is(lifted ?? 0, bans, `${name}: schema ${version}`)
  database.close()
}

/** Breaks the scenario at the first, second, … such call until there is none. Answers how many points there were. */
async function walk(kind: string, call: string, fault: keyof typeof faults): Promise<number> {
  const step = strides[call] ?? 1
  if (!(await breakAt(kind, call, fault, 1))) return 0
  for (let runs = 0; runs < most; runs += atOnce) {
    const some = Array.from({ length: atOnce }, (_, i) => 1 + (runs + i) * step)
    const hits = await Promise.all(some.map((each) => breakAt(kind, call, fault, each)))
    const first = hits.indexOf(false)
    if (first >= 0) return runs + first
  }
  throw new Error(`there are more than ${most} points of ${call}`)
}

async function breakAt(kind: string, call: string, fault: keyof typeof faults, n: number): Promise<boolean> {
  let hit = false
  await inStateFolder(async (path) => {
    mkdirSync(dirname(path))
    const outcome = await run(path, kind, call, fault, n)
    const name = `${kind}, ${fault} at ${call} ${n}`
    if (kind === 'old') await checkMigration(path, name)
    else await check(path, kind === 'damaged', outcome, name)
    if (fault !== 'kill') assert.equal([outcome.code, outcome.acknowledged], [0, 4], name)
    hit = outcome.hit
  })
  return hit
}

/**
 * Breaks every call of a scenario (`sound`, `damaged`: see faulty.ts, `old`: migrating.ts) in this way,
 * one run each, and looks at what is left. Answers at how many points.
 */
export async function breakAll(kind: 'sound' | 'damaged' | 'old', fault: keyof typeof faults): Promise<number> {
  let points = 0
  for (const call of calls) points += await walk(kind, call, fault)
  return points
}
