import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** The part of `node:sqlite` that the store uses. */
export interface Database {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

export interface Statement {
  run(...values: readonly Value[]): unknown
  get(...values: readonly Value[]): Row | undefined
  all(...values: readonly Value[]): Row[]
  iterate(...values: readonly Value[]): Iterable<Row>
}

export type Value = string | number | null | Uint8Array
export type Row = Record<string, unknown>

interface Engine {
  readonly DatabaseSync: new (path: string) => Database
}

/**
 * Opens a database file: with `node:sqlite` where Node has it without a flag (22.13 and later), else
 * with `@photostructure/sqlite`, which has the same calls and is prebuilt for x64 and arm64 only.
 */
export async function openDatabase(path: string): Promise<Database> {
  const builtIn = process.getBuiltinModule('node:sqlite') as Engine | undefined
  const { DatabaseSync } = builtIn ?? ((await import('@photostructure/sqlite')) as unknown as Engine)
  return new OpenDatabase(new DatabaseSync(path))
}

/**
 * Frees databases that were closed: `@photostructure/sqlite` has no way to end a statement, and one that
 * the garbage collector did not come by keeps the closed connection and its lock, so that the file cannot
 * be opened again. To be called before that.
 */
export async function freeClosed(): Promise<void> {
  if (process.getBuiltinModule('node:sqlite') !== undefined) return
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  // What native code has to free is freed in a later turn.
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  await new Promise((resolve) => setImmediate(resolve))
}

/** Prepares each text once, so that few statements outlive a close. */
class OpenDatabase implements Database {
  readonly #database: Database
  readonly #statements = new Map<string, Statement>()

  constructor(database: Database) {
    this.#database = database
  }

  exec(sql: string): void {
    this.#database.exec(sql)
  }

  prepare(sql: string): Statement {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }
}

/** The primary result code of SQLite (https://sqlite.org/rescode.html) that an error carries; null: it is none of SQLite's. */
export function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null
  return error.errcode & 0xff
}

/** Result codes that the store tells apart. */
export const codes = { error: 1, busy: 5, corrupt: 11, notADatabase: 26 } as const
