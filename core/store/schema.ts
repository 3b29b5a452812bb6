import type { Database } from './sqlite.ts'

/** Marks the file as a store of Bailiff (`file` knows it by this); the letters "Bail". */
const applicationId = 0x4261696c

/**
 * Each entry lifts the schema by one version; the length is the version now. Entries are never
 * changed, only added: stores of any age are brought forward one by one.
 */
export const migrations: readonly string[] = [
  `
  -- The bans of now (ended is null) and of the past. The lines of a ban lie apart: few bans keep theirs for long.
  CREATE TABLE bans (
    id INTEGER PRIMARY KEY,
    prefix TEXT NOT NULL, jail TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER,
    count INTEGER NOT NULL, failures INTEGER NOT NULL, ports TEXT NOT NULL,
    ended INTEGER, reason TEXT,
    UNIQUE (prefix, jail, since)
  );
  CREATE INDEX bans_in_force ON bans (until) WHERE ended IS NULL;
  CREATE TABLE lines (ban INTEGER PRIMARY KEY, lines TEXT NOT NULL);
  -- What the judge counted, in the order of id; see core/judging/failure-log.ts.
  CREATE TABLE failures (id INTEGER PRIMARY KEY, jails TEXT NOT NULL, entries BLOB NOT NULL);
  CREATE TABLE positions (
    path TEXT PRIMARY KEY, device TEXT NOT NULL, inode TEXT NOT NULL, birth TEXT NOT NULL,
    head_hash TEXT NOT NULL, head_length INTEGER NOT NULL, offset INTEGER NOT NULL, inside_line INTEGER NOT NULL
  ) WITHOUT ROWID;
  `,
  `
  -- Where sources are that keep their place themselves; named: when one last spoke of it, unix ms.
  CREATE TABLE cursors (path TEXT PRIMARY KEY, cursor TEXT NOT NULL, named INTEGER NOT NULL) WITHOUT ROWID;
  `,
  // What found each line of a ban: the distinct names, and an index into them for each line, as JSON.
  `ALTER TABLE lines ADD COLUMN rules TEXT;`,
  // What stages keep by keys of their own, as JSON: `Kept` in core/events.ts.
  `CREATE TABLE kept (kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;`,
]

/** A database that cannot be brought to the schema of this version. */
export class SchemaError extends Error {}

/**
 * Brings a database to the newest schema, all steps in one transaction, so that a process that dies on
 * the way leaves the old one. Answers the version it had; 0 is an empty file. Throws `SchemaError` for
 * one that is not ours.
 */
export function migrate(database: Database, steps: readonly string[] = migrations): number {
  const version = pragma(database, 'user_version')
  const id = pragma(database, 'application_id')
  if (id !== 0 && id !== applicationId) throw new SchemaError('it belongs to another program')
  if (version > steps.length) throw new SchemaError(`a newer version of Bailiff made it (schema ${version})`)
  if (version === steps.length) return version
  database.exec('BEGIN IMMEDIATE')
  try {
    for (const step of steps.slice(version)) database.exec(step)
    database.exec(`PRAGMA user_version = ${steps.length}; PRAGMA application_id = ${applicationId}; COMMIT`)
  } catch (error) {
    rollBack(database)
    throw error
  }
  return version
}

/** Ends a transaction that failed. A full disk may have ended it already; nothing of it was written either way. */
export function rollBack(database: Database): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // There is no transaction any more.
  }
}

function pragma(database: Database, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0)
}
