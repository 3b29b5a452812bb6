import type { Ban, CountedFailures, Kept, LogPosition } from '../events.ts'
import { packBans, type PackedBans } from './packed-bans.ts'
import {
  banColumns,
  banValues,
  cursorColumns,
  cursorValues,
  lineValues,
  positionColumns,
  positionValues,
  readCursor,
  readEntry,
  readFailures,
  readKept,
  readPosition,
  type HistoryEntry,
  type Unban,
} from './records.ts'
import { rollBack } from './schema.ts'
import type { Database, Row, Statement } from './sqlite.ts'

/** Something that happened, in the order in which it happened. */
export type Change = { readonly ban: Ban } | { readonly unban: Unban } | { readonly kept: Kept }

/** What is written in one transaction. Of `positions` everything before them is in the rest, or was stored before. */
export interface Writing {
  readonly changes: readonly Change[]
  readonly positions: readonly LogPosition[]
  readonly failures: CountedFailures | null
}

/** Which entries are asked for. `limit` is at most `maxHistoryAnswer`. */
export interface HistoryQuery {
  readonly prefix?: string
  readonly jail?: string
  readonly limit: number
}

export const maxHistoryAnswer = 10_000
/** With more bans than these, lines stay in the store until they are asked for: they are most of what a ban costs. */
const bansLoadedWithLines = 20_000
const rowsAtOnce = 5000
const columnsOfEntry = `${banColumns}, ended, reason`

/** What the store says in SQL. All calls are synchronous and made in the thread of the store. */
export class Tables {
  readonly #database: Database
  readonly #putBan: Statement
  readonly #putLines: Statement
  readonly #displace: Statement
  readonly #endBan: Statement
  readonly #putPosition: Statement
  readonly #putCursor: Statement
  readonly #putFailures: Statement
  readonly #keep: Statement
  readonly #drop: Statement

  constructor(database: Database) {
    const prepare = (sql: string) => database.prepare(sql)
    this.#database = database
    this.#putBan = prepare(
      `INSERT INTO bans (${banColumns}) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (prefix, jail, since) DO UPDATE SET until = excluded.until, count = excluded.count,
         failures = excluded.failures, ports = excluded.ports, ended = NULL, reason = NULL RETURNING id`,
    )
    this.#putLines = prepare('INSERT OR REPLACE INTO lines (ban, lines, rules) VALUES (?, ?, ?)')
    this.#displace = prepare(
      'UPDATE bans SET ended = ?, reason = NULL WHERE prefix = ? AND jail = ? AND since <> ? AND ended IS NULL',
    )
    this.#endBan = prepare('UPDATE bans SET ended = ?, reason = ? WHERE prefix = ? AND jail = ? AND ended IS NULL')
    this.#putPosition = prepare(`INSERT OR REPLACE INTO positions (${positionColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
    this.#putCursor = prepare(`INSERT OR REPLACE INTO cursors (${cursorColumns}) VALUES (?, ?, ?)`)
    this.#putFailures = prepare('INSERT INTO failures (jails, entries) VALUES (?, ?)')
    this.#keep = prepare('INSERT OR REPLACE INTO kept (kind, key, value) VALUES (?, ?, ?)')
    this.#drop = prepare('DELETE FROM kept WHERE kind = ? AND key = ?')
  }

  /** Writes all of it, or throws and has written nothing. */
  commit(writing: Writing): void {
    this.begin()
    this.finish(writing)
  }

  /** Begins a transaction that `write` adds to and `finish` ends. */
  begin(): void {
    this.#database.exec('BEGIN IMMEDIATE')
  }

  /** Inside a transaction: what was counted is void, and told anew. */
  forgetFailures(): void {
    this.#orRollBack(() => this.#database.exec('DELETE FROM failures'))
  }

  /** Inside a transaction: no ban is in force, no log was read, nothing is kept. What bans there were stays in the history. */
  forgetAll(at: number): void {
    this.#orRollBack(() => {
      this.#database.prepare('UPDATE bans SET ended = ?, reason = NULL WHERE ended IS NULL').run(at)
      this.#database.exec('DELETE FROM positions; DELETE FROM cursors; DELETE FROM kept')
    })
  }

  /** Inside a transaction. One that fails is rolled back, and throws. */
  write({ changes, positions, failures }: Writing): void {
    this.#orRollBack(() => {
      for (const change of changes) {
        if ('ban' in change) this.#ban(change.ban)
        else if ('unban' in change) this.#unban(change.unban)
        else this.#keepOrDrop(change.kept)
      }
      if (failures !== null) this.#putFailures.run(JSON.stringify(failures.jails), failures.entries)
      for (const position of positions) {
        if ('cursor' in position) this.#putCursor.run(...cursorValues(position))
        else this.#putPosition.run(...positionValues(position))
      }
    })
  }

  finish(writing: Writing): void {
    this.write(writing)
    this.#orRollBack(() => this.#database.exec('COMMIT'))
  }

  /**
   * The bans in force at `now` and those that began since `since`, in the order in which they were
   * decided, some at a time.
   */
  *bans(now: number, since: number): Generator<PackedBans> {
    const inForce = 'ended IS NULL AND (until IS NULL OR until > ?)'
    const [first] = this.#database.prepare(`SELECT count(*) AS bans FROM bans WHERE ${inForce}`).all(now)
    const withLines = Number(first?.bans) <= bansLoadedWithLines
    const columns = `prefix, jail, since, until, count, failures, ports,
      CASE WHEN ${inForce} THEN NULL ELSE 0 END AS ended`
    const sql = withLines
      ? `SELECT ${columns}, CASE WHEN ${inForce} THEN lines END AS lines FROM bans LEFT JOIN lines ON ban = bans.id
         WHERE since >= ? OR ended IS NULL ORDER BY bans.id`
      : `SELECT ${columns} FROM bans WHERE since >= ? OR ended IS NULL ORDER BY id`
    const values = withLines ? [now, now, since] : [now, since]
    const known = new Map<unknown, unknown>()
    for (const some of this.#rows(sql, values, (row) => readEntry(row, known))) yield packBans(some, withLines)
  }

  *failures(): Generator<CountedFailures[]> {
    yield* this.#rows('SELECT * FROM failures ORDER BY id', [], readFailures, 16)
  }

  *positions(): Generator<LogPosition[]> {
    yield* this.#rows('SELECT * FROM positions ORDER BY path', [], readPosition)
    yield* this.#rows('SELECT * FROM cursors ORDER BY path', [], readCursor)
  }

  *kept(): Generator<Kept[]> {
    yield* this.#rows('SELECT * FROM kept ORDER BY kind, key', [], readKept)
  }

  /** The entries asked for, the youngest first. */
  history({ prefix, jail, limit }: HistoryQuery): HistoryEntry[] {
    const wanted = [prefix === undefined ? '' : 'prefix = ?', jail === undefined ? '' : 'jail = ?'].filter(Boolean)
    const where = wanted.length > 0 ? `WHERE ${wanted.join(' AND ')}` : ''
    const values = [prefix, jail].filter((value) => value !== undefined)
    const most = Math.max(0, Math.min(limit, maxHistoryAnswer))
    return this.#database
      .prepare(
        `SELECT ${columnsOfEntry}, lines, rules FROM
           (SELECT id, ${columnsOfEntry} FROM bans ${where} ORDER BY since DESC, id DESC LIMIT ?) AS found
         LEFT JOIN lines ON ban = found.id ORDER BY since DESC, found.id DESC`,
      )
      .all(...values, most)
      .flatMap((row) => readEntry(row) ?? [])
  }

  /** The last ban of each of some prefixes by some jail, in the order asked; null where there was none. */
  latest(of: readonly Pick<Ban, 'prefix' | 'jail'>[]): (HistoryEntry | null)[] {
    const sql = `SELECT ${columnsOfEntry} FROM bans WHERE prefix = ? AND jail = ? ORDER BY since DESC LIMIT 1`
    const statement = this.#database.prepare(sql)
    return of.map(({ prefix, jail }) => {
      const row = statement.get(prefix, jail)
      return row === undefined ? null : readEntry(row)
    })
  }

  #ban(ban: Ban): void {
    this.#displace.run(ban.since, ban.prefix, ban.jail, ban.since)
    const id = Number(this.#putBan.get(...banValues(ban))?.id)
    if (ban.lines.length > 0) this.#putLines.run(id, ...lineValues(ban))
  }

  #unban({ prefix, jail, at, reason }: Unban): void {
    this.#endBan.run(at, reason, prefix, jail)
  }

  #keepOrDrop({ kind, key, value }: Kept): void {
    if (value === null) this.#drop.run(kind, key)
    else this.#keep.run(kind, key, JSON.stringify(value))
  }

  *#rows<T>(sql: string, values: readonly number[], read: (row: Row) => T | null, atOnce = rowsAtOnce): Generator<T[]> {
    let some: T[] = []
    for (const row of this.#database.prepare(sql).iterate(...values)) {
      const record = read(row)
      if (record === null) continue
      if (some.push(record) < atOnce) continue
      yield some
      some = []
    }
    if (some.length > 0) yield some
  }

  #orRollBack(body: () => void): void {
    try {
      body()
    } catch (error) {
      rollBack(this.#database)
      throw error
    }
  }
}
