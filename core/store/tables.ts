import type { Ban, LogPosition } from '../events.ts'
import {
  banColumns,
  banValues,
  positionColumns,
  positionValues,
  readBan,
  readHistory,
  readOffence,
  readPending,
  readPosition,
  type HistoryEntry,
  type Offence,
  type PendingFailures,
  type Unban,
} from './records.ts'
import type { Database, Row, Statement } from './sqlite.ts'

/** Something that happened, in the order in which it happened. */
export type Change =
  | { readonly ban: Ban }
  | { readonly unban: Unban }
  /** All failures that are pending, in place of those stored before. */
  | { readonly pending: readonly PendingFailures[] }

/** Which entries are asked for. `limit` is at most `maxHistoryAnswer`. */
export interface HistoryQuery {
  readonly prefix?: string
  readonly jail?: string
  readonly limit: number
}

export const maxHistoryAnswer = 10_000
/** Positions of logs that nobody follows any more are not worth more room than this. */
const maxPositions = 10_000
const purgeRows = 5000
const rowsAtOnce = 5000

/** What the store says in SQL. All calls are synchronous and made in the thread of the store. */
export class Tables {
  readonly #database: Database
  readonly #putBan: Statement
  readonly #putHistory: Statement
  readonly #dropBan: Statement
  readonly #endHistory: Statement
  readonly #putPosition: Statement
  readonly #dropPending: Statement

  constructor(database: Database) {
    const prepare = (sql: string) => database.prepare(sql)
    this.#database = database
    this.#putBan = prepare(`INSERT OR REPLACE INTO bans (${banColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
    this.#putHistory = prepare(
      `INSERT INTO history (${banColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (prefix, jail, since) DO UPDATE SET until = excluded.until, count = excluded.count,
         failures = excluded.failures, ports = excluded.ports, lines = excluded.lines, ended = NULL, reason = NULL`,
    )
    this.#dropBan = prepare('DELETE FROM bans WHERE prefix = ? AND jail = ?')
    this.#dropPending = prepare('DELETE FROM pending WHERE address = ? AND jail = ?')
    this.#endHistory = prepare(
      'UPDATE history SET ended = ?, reason = ? WHERE prefix = ? AND jail = ? AND ended IS NULL',
    )
    this.#putPosition = prepare(`INSERT OR REPLACE INTO positions (${positionColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
  }

  /** Writes all of it, or throws and has written nothing. Writing the same again changes nothing. */
  commit(changes: readonly Change[], positions: readonly LogPosition[]): void {
    this.#transaction(() => {
      for (const change of changes) {
        if ('ban' in change) this.#ban(change.ban)
        else if ('unban' in change) this.#unban(change.unban)
        else this.#replacePending(change.pending)
      }
      for (const position of positions) this.#putPosition.run(...positionValues(position))
    })
  }

  /** The bans in force at that time, some at a time. */
  bans(now: number): Generator<Ban[]> {
    return this.#rows('SELECT * FROM bans WHERE until IS NULL OR until > ? ORDER BY prefix, jail', [now], readBan)
  }

  /** How often each prefix was banned since then, some at a time. */
  offences(since: number): Generator<Offence[]> {
    const sql = `SELECT jail, prefix, max(count) AS count, max(since) AS last FROM history
      WHERE since >= ? GROUP BY prefix, jail ORDER BY prefix, jail`
    return this.#rows(sql, [since], readOffence)
  }

  pending(): Generator<PendingFailures[]> {
    return this.#rows('SELECT * FROM pending ORDER BY address, jail', [], readPending)
  }

  positions(): Generator<LogPosition[]> {
    return this.#rows('SELECT * FROM positions ORDER BY path', [], readPosition)
  }

  /** The entries asked for, the youngest first. */
  history({ prefix, jail, limit }: HistoryQuery): HistoryEntry[] {
    const wanted = [prefix === undefined ? '' : 'prefix = ?', jail === undefined ? '' : 'jail = ?'].filter(Boolean)
    const where = wanted.length > 0 ? `WHERE ${wanted.join(' AND ')}` : ''
    const values = [prefix, jail].filter((value) => value !== undefined)
    const most = Math.max(0, Math.min(limit, maxHistoryAnswer))
    return this.#database
      .prepare(`SELECT * FROM history ${where} ORDER BY since DESC, id DESC LIMIT ?`)
      .all(...values, most)
      .flatMap((row) => readHistory(row) ?? [])
  }

  /**
   * Forgets bans that are over, history that began before `before` or is more than `keep` entries,
   * never that of a ban in force. At most some rows a call: true when there may be more.
   */
  purge(now: number, before: number, keep: number): boolean {
    let removed = 0
    this.#transaction(() => {
      const over = this.#database.prepare('SELECT prefix, jail, until FROM bans WHERE until <= ? LIMIT ?')
      for (const { prefix, jail, until } of over.all(now, purgeRows)) {
        this.#endHistory.run(Number(until), 'expired', String(prefix), String(jail))
        this.#dropBan.run(String(prefix), String(jail))
        removed++
      }
      removed += this.#purgeHistory('since < ?', before)
      removed += this.#purgeHistory('id <= (SELECT id FROM history ORDER BY id DESC LIMIT 1 OFFSET ?)', keep)
      this.#database.exec(
        `DELETE FROM positions WHERE path IN (SELECT path FROM positions ORDER BY path LIMIT -1 OFFSET ${maxPositions})`,
      )
    })
    return removed >= purgeRows
  }

  #purgeHistory(which: string, value: number): number {
    const sql = `DELETE FROM history WHERE id IN (SELECT id FROM history WHERE ${which} AND NOT EXISTS
      (SELECT 1 FROM bans WHERE bans.prefix = history.prefix AND bans.jail = history.jail) LIMIT ${purgeRows})
      RETURNING id`
    return this.#database.prepare(sql).all(value).length
  }

  #ban(ban: Ban): void {
    const values = banValues(ban)
    this.#putBan.run(...values)
    this.#putHistory.run(...values)
    // The failures that led to it count for no other.
    this.#dropPending.run(ban.prefix, ban.jail)
  }

  #replacePending(pending: readonly PendingFailures[]): void {
    this.#database.exec('DELETE FROM pending')
    const put = this.#database.prepare('INSERT INTO pending (jail, address, times) VALUES (?, ?, ?)')
    for (const { jail, address, times } of pending) put.run(jail, address, JSON.stringify(times))
  }

  #unban({ prefix, jail, at, reason }: Unban): void {
    this.#dropBan.run(prefix, jail)
    this.#endHistory.run(at, reason, prefix, jail)
  }

  *#rows<T>(sql: string, values: readonly number[], read: (row: Row) => T | null): Generator<T[]> {
    let some: T[] = []
    for (const row of this.#database.prepare(sql).iterate(...values)) {
      const record = read(row)
      if (record === null) continue
      if (some.push(record) < rowsAtOnce) continue
      yield some
      some = []
    }
    yield some
  }

  #transaction(body: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      body()
      this.#database.exec('COMMIT')
    } catch (error) {
      try {
        this.#database.exec('ROLLBACK')
      } catch {
        // A full disk may have ended the transaction already; nothing of it was written.
      }
      throw error
    }
  }
}
