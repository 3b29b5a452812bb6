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
  return new DatabaseSync(path)
}

/** The primary result code of SQLite (https://sqlite.org/rescode.html) that an error carries; null: it is none of SQLite's. */
export function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null
  return error.errcode & 0xff
}

/** Result codes that the store tells apart. */
export const codes = { error: 1, busy: 5, corrupt: 11, notADatabase: 26 } as const
