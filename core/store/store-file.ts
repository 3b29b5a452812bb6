import { chmodSync, closeSync, lstatSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describeError } from '../errors.ts'
import { migrate, SchemaError } from './schema.ts'
import { codes, openDatabase, sqliteCode, type Database } from './sqlite.ts'

/** Damaged files beside the store; older ones are removed, so that a bad disk is not filled by copies. */
const keepDamaged = 3
/** The write-ahead log may grow beyond this in one large transaction, and is cut back after it. */
const maxIdleLogBytes = 8 * 1024 * 1024
const forgotten = 'bans and history of before the start are not known any more'
/** SQLITE_IOERR_SHORT_READ: the file, or its log, is shorter than what was written to it. */
const shortRead = 522

/** An open store. `version` is the schema it had; 0: it was empty. */
export interface StoreFile {
  readonly database: Database
  readonly version: number
}

/**
 * Opens the store, made if it is missing (folder 0700, file 0600), with the newest schema. A file that
 * is damaged, or is no store, is renamed to `….damaged-TIME`, told, and an empty one takes its place.
 * Throws where the file cannot be reached or is in use.
 */
export async function openStoreFile(path: string, tell: (message: string) => void): Promise<StoreFile> {
  try {
    const emptied = sizeOf(path) === 0
    const file = await openSound(path)
    if (emptied && file.version === 0) tell(`the store ${path} was an empty file and begins anew: ${forgotten}`)
    return file
  } catch (error) {
    if (!isDamage(error)) throw error
    tell(setAside(path, describeError(error)))
    return await openSound(path)
  }
}

/** Whether the file itself is at fault, and not the disk, its rights or another process. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error)
  if (error instanceof SchemaError || code === codes.corrupt || code === codes.notADatabase) return true
  return error instanceof Error && 'errcode' in error && error.errcode === shortRead
}

/** Renames a store that cannot be used, and says so. Its write-ahead log goes with it. */
export function setAside(path: string, why: string): string {
  const aside = `${path}.damaged-${new Date().toISOString().replace(/[-:.]/g, '')}`
  renameSync(path, aside)
  for (const end of ['-wal', '-shm', '-journal']) {
    if (lstatSync(path + end, { throwIfNoEntry: false }) !== undefined) renameSync(path + end, aside + end)
  }
  removeOldest(path)
  return `the store ${path} cannot be used (${why}) and begins anew: ${forgotten}. ` + `The old file is now ${aside}`
}

async function openSound(path: string): Promise<StoreFile> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) throw new SchemaError('it is no regular file')
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
  // Said to a file that holds something it would be a write, which a full disk refuses.
  const emptied = sizeOf(path) === 0
  const database = await openDatabase(path)
  try {
    // The lock of one process for as long as it runs: two agents on one store would undo each other. It
    // also spares the -shm file. FULL waits for the disk at each commit, so that what was acknowledged
    // survives a power cut, not only a kill; in a thread of its own, with many changes in one commit,
    // those milliseconds delay nobody.
    database.exec(
      `PRAGMA busy_timeout = 2000; PRAGMA locking_mode = EXCLUSIVE; ${emptied ? 'PRAGMA auto_vacuum = INCREMENTAL;' : ''}
       PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${maxIdleLogBytes}`,
    )
    checkPages(database)
    return { database, version: migrateOurs(database) }
  } catch (error) {
    database.close()
    throw error
  }
}

function sizeOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.size
}

/** Throws where a page of the database is damaged. */
export function checkPages(database: Database): void {
  const found = String(database.prepare('PRAGMA quick_check(1)').get()?.quick_check)
  if (found !== 'ok') throw new SchemaError(`it is damaged: ${found.slice(0, 200)}`)
}

/** A statement of the schema that fails is no fault of the disk: the file holds something else. */
function migrateOurs(database: Database): number {
  try {
    return migrate(database)
  } catch (error) {
    throw sqliteCode(error) === codes.error
      ? new SchemaError(`it holds something else: ${describeError(error)}`)
      : error
  }
}

function removeOldest(path: string): void {
  const start = `${basename(path)}.damaged-`
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(start))
  const times = [...new Set(names.map((name) => name.slice(start.length).split('-')[0] ?? ''))].toSorted()
  for (const time of times.slice(0, -keepDamaged)) {
    for (const name of names.filter((each) => each.startsWith(start + time))) {
      rmSync(join(dirname(path), name), { recursive: true, force: true })
    }
  }
}
